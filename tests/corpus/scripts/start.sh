#!/usr/bin/env bash
set -euo pipefail
IMAGE=ollama/ollama
OPTS=(
  --gpus all
  -e OLLAMA_NUM_GPU=1
)
docker rm -f ollama || true
docker run -d "${OPTS[@]}" \
  -p 11434:11434 \
  -v "$HOME/models":/root/.ollama \
  --name ollama "$IMAGE"
docker exec ollama ollama pull llama3.2:8b
docker exec -it ollama ollama run llama3.1:8b --num-ctx 8192 "hi"
curl -s http://localhost:11434/api/generate -d '{
  "model": "llama3.1:8b",
  "prompt": "hi",
  "options": {"max_tokens": 100}
}'
sudo tee /etc/systemd/system/ollama.service.d/override.conf > /dev/null <<CONF
[Service]
Environment="OLLAMA_KEEP_ALIVE=forever"
CONF
