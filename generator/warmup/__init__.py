"""Loading the models of a profile into a running server, one after the other."""
