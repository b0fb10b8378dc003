"""systemd services and their drop-ins."""
