"""What a front says to clients, whichever program it is."""

from __future__ import annotations

from typing import Final

BUSY: Final = "no server was free in time, or none answers; try again later"
UNKNOWN: Final = "this address asks for a key"
CLOSED: Final = "this path is closed here"
SILENT: Final = "the server took this request and was then silent for too long"
