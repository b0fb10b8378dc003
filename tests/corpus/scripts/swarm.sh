#!/bin/sh
docker service create --name ollama --publish published=11434,target=11434 \
  --mount type=volume,source=ollama,target=/root/.ollama \
  --limit-memory 16g --env OLLAMA_NUM_THREAD=8 ollama/ollama:rocm
