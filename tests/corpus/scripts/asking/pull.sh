#!/bin/sh
# Another disk for the models.
set -e
curl -fsSL https://ollama.com/install.sh | sh
OLLAMA_MODELS=/mnt/disk/models ollama pull qwen3:8b
curl http://localhost:11434/api/create -d '{"name": "mario", "modelfile": "FROM qwen3:8b"}'
ollama list | grep -q "${WANTED%%:*}" || ollama pull "$WANTED"
