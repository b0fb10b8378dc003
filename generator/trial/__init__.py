"""Trials: a running server is changed, measured, and put back as it was."""
