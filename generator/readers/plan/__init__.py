"""Plans, as `gen plan` prints them."""
