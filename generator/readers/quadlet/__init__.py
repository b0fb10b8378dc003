"""Podman quadlets."""
