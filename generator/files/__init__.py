"""The only writers: compare, replace, exchange, lock, back up, remember."""
