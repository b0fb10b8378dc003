"""What is left to gain on a host: levers that nobody has pulled, and what each would do there."""
