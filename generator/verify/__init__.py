"""Whether a server took what its profile says: the Plan against what the machine does."""
