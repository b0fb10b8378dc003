#!/bin/sh
cp ollama.container /etc/containers/systemd/
systemctl daemon-reload
systemctl enable --now ollama
docker compose up
docker compose exec ollama ollama list
