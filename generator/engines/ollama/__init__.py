"""Ollama: how it is recognised, and the rules that are true of it."""
