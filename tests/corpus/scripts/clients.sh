#!/bin/sh
curl -s localhost:11434/api/chat -d '{"model": "llama3.1:8b", "options": {"num_ctx": 4096}}'
curl -s localhost:11434/api/chat -d '{"model": "qwen3:8b", "options": {"num_ctx": 16384}}'
curl -s localhost:11434/api/chat \
  -d '{"model": "llama3.1:8b", "options": {"num_ctx": 16384, "temperature": 0}}'
