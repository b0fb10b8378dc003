#!/bin/sh
# docker run -p 11434:11434 ollama/ollama is what everybody else does.
set -eu
: "${TAG:=0.32.15}"
docker pull ollama/ollama:0.32.15
docker run --detach --name ollama --restart unless-stopped --gpus all \
  --publish 127.0.0.1:11434:11434 \
  --volume ollama:/root/.ollama \
  --env OLLAMA_KEEP_ALIVE=24h --env OLLAMA_NUM_PARALLEL=2 \
  ollama/ollama:0.32.15
until docker exec ollama ollama list >/dev/null 2>&1; do sleep 1; done
docker exec ollama ollama pull llama3.1:8b
echo "ollama run llama3.1:8b --num-gpu is not a thing"
curl -fsS http://127.0.0.1:11434/api/generate -d '{"model": "llama3.1:8b", "options": {"num_ctx": 8192}}'
