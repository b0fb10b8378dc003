"""`gen clients`: what programs that ask a server need to know of its Plan."""
