"""Where a server of Ollama tells of itself: the paths of its API that several ask."""

from typing import Final

VERSION: Final = "/api/version"
TAGS: Final = "/api/tags"
METRICS: Final = "LLAMA_ARG_ENDPOINT_METRICS"
"""The variable that has the program of a model tell its tokens, at its own `/metrics`."""
