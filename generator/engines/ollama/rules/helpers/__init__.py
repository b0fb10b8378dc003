"""What several rules ask about Ollama. No rule is here."""
