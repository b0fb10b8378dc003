"""Rules that hold for vLLM alone."""
