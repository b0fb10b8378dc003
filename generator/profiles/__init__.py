"""Profiles: their schema, reading, merging and validation."""
