"""What a model needs of a machine, and whether it has that. Pure arithmetic, in bytes throughout.

What an engine makes of it is in the Ask of that engine. Only `header` reads anything: a GGUF file.
"""
