"""What command lines say of an engine: containers, variables, calls of its program, files."""
