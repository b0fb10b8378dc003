"""Where a server of Ollama tells of itself: the paths of its API that several ask."""

from typing import Final

VERSION: Final = "/api/version"
TAGS: Final = "/api/tags"
