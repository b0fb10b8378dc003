"""Many hosts at once: a fleet file names them, and becomes a flake that evaluates each by itself.

The profiles, `resolve` and the targets are those of one host; what is new here is the file that
lists the hosts and the flake around them.
"""
