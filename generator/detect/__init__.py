"""Read the machine into facts, and write the profile that follows from them."""
