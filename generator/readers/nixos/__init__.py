"""NixOS modules."""
