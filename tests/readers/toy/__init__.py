"""A kind of file that nobody has: lines of `set NAME VALUE`."""
