"""The only writers of files that stay: compare, replace, lock, back up, remember."""
