#!/bin/sh
set -eu
# The server of the laboratory.
docker run -d --name ollama --gpus all --restart unless-stopped -v ollama:/root/.ollama \
  -p 127.0.0.1:11434:11434 -e LLAMA_ARG_THREADS=16 \
  -e OLLAMA_CONTEXT_LENGTH=8192 ollama/ollama:0.32.15
docker exec ollama ollama pull llama3.1:8b
