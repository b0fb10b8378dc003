"""Hostwright: one typed profile per inference host, checked configuration for Ollama.

`generator.api` is what other programs may call.
"""

__version__ = "0.1.0"
