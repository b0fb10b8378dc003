"""Rules: small pure functions that judge a View. One topic per file, no file imports another.

What several of them ask is in `helpers`; rules of one engine are in its own room.
"""
