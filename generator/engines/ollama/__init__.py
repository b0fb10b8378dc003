"""Ollama: what is decided for it, its jobs, its scheduler, its signs, and its rules."""
