"""What a running server does under load, and whether two measurements differ."""
