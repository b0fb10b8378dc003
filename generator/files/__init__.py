"""The only writers: compare, replace, lock, back up, remember."""
