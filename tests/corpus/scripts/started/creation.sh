#!/bin/bash
curl -fsSL https://ollama.com/install.sh | sh
sudo sed -i 's/\[Install\]/Environment="OLLAMA_KEEP_ALIVE=2h"\n&/' /etc/systemd/system/ollama.service
sudo systemctl enable ollama
sudo systemctl start ollama
