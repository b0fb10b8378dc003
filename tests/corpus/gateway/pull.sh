#!/bin/sh
docker run -d --restart always -v models:/root/.ollama --name ollama ollama/ollama:0.32.15
ollama pull qwen3:8b
