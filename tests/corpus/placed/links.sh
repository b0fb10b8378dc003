#!/bin/sh
cat > /etc/systemd/system/multi-user.target.wants/ollama.service <<EOF
[Service]
User=ollama
Restart=always
ExecStart=/usr/local/bin/ollama serve
EOF
