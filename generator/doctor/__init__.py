"""What is wrong with a server that runs here, or does not, and the command that mends it."""
