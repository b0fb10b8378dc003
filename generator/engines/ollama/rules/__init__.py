"""The rules that are true of Ollama alone."""
