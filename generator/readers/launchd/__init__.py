"""Agents of launchd, as property lists: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs
from generator.view import Phrases

SIGNS: Final = Signs(
    sure=frozenset({".plist"}),
    content=r"<plist\b[^<>]*>\s*<dict>[\s\S]{0,4000}?<key>(?:ProgramArguments|EnvironmentVariables)<",
)
LAUNCHD: Final = Phrases(
    kind="launchd",
    read_by="every program of that user reads the property list",
    keep_in="a file that the program reads itself",
)
