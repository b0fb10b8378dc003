"""Hostwright."""
