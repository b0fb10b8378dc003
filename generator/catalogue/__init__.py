"""The Catalogue: facts of the world, each with its source."""
