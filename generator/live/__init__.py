"""What runs on this machine, asked while it runs."""
