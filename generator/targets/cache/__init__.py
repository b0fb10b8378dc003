"""A cache before the servers, as targets print it: LiteLLM, and the Redis behind it."""
