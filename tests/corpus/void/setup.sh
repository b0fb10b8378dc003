#!/bin/sh
set -e
curl -fsSL https://ollama.com/install.sh | sh
ollama pull nomic-embed-text &
mkdir -p /etc/systemd/system/ollama.service.d
printf '[Service]\nEnvironment=OLLAMA_MODELS=/srv/models\n' > /etc/systemd/system/ollama.service.d/models.conf
ollama pull qwen3:8b
systemctl daemon-reload
systemctl restart ollama
