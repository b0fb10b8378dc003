"""What a model needs of a machine, and what Ollama's scheduler will do with it. Pure arithmetic.

Bytes throughout. Only `header` and `server` read anything: a GGUF file, a running server.
"""
