"""Many hosts at once: a fleet file names them, and becomes a flake that evaluates each alone."""
