#!/bin/sh
set -e
units="$HOME/.config/systemd/user"
mkdir -p "$units"
cp ../units/llm@.service "$HOME/.config/systemd/user/"
systemctl --user daemon-reload
systemctl --user enable --now "llm@$USER.service"
