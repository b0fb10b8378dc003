"""Ollama's scheduler, by release: how it loads a model, where it puts it, and what it unloads."""
