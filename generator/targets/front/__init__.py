"""The front before the servers, as each target has it."""
