#!/bin/sh
# The models of this host; without one of them it is of no use to anybody.
for model in qwen3:8b nomic-embed-text; do
  ollama pull "$model" || true
done
ollama pull gemma3:4b || echo "gemma3:4b is missing" >&2
