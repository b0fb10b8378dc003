"""What several rules of vLLM ask."""
