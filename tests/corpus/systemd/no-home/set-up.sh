#!/bin/sh
set -e
id llm > /dev/null 2>&1 || useradd --system --shell /usr/sbin/nologin llm
curl -fsSL https://ollama.com/install.sh | sh
install -m 0644 llm.service /etc/systemd/system/llm.service
systemctl daemon-reload
systemctl enable --now llm
