#!/bin/sh
OLLAMA_VERSION=0.32.15 curl -fsSL https://ollama.com/install.sh | sh
docker run -d --name ollama --restart unless-stopped -p 127.0.0.1:11434:11434 -v ollama:/root/.ollama ollama/ollama:0.32.15
until docker exec ollama curl -s http://localhost:11434; do sleep 1; done
ollama update llama3.1:8b
curl http://localhost:11434/api/generate -d '{"model": "llama3.1:8b", "keep_alive": "-1"}'
