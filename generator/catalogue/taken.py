"""What directives of [Service] take: whether systemd reads a value, or ignores its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import GO_FALSE, GO_TRUE

if TYPE_CHECKING:
    from generator.catalogue.records import Taken

_SWITCHES: Final = {word.lower() for word in (*GO_TRUE, *GO_FALSE)} | {
    *("yes", "no", "on", "off", "y", "n"),
}
_UNIT: Final = (
    r"(?:us|usec|µs|μs|ms|msec|s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?|M|months?|"
    r"y|years?)"
)
_TIME: Final = re.compile(
    rf"\s*\d+(?:\.\d+)?\s*{_UNIT}?(?:\s+\d+(?:\.\d+)?\s*{_UNIT}?|"
    rf"(?<=[a-zA-Z])\d+(?:\.\d+)?\s*{_UNIT}?)*\s*",
    re.ASCII,
)
_COUNT: Final = r"(?:infinity|[+]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?)\s*[BKMGTPE]?)"
_LIMIT: Final = re.compile(rf"{_COUNT}(?::{_COUNT})?", re.ASCII)
_PATH: Final = re.compile(r"-?/.*", re.DOTALL)
_OUTPUT: Final = re.compile(r"(?:file|append|truncate):/.*|fd(?::.*)?", re.DOTALL)
FORMS: Final = {"time": _TIME, "limit": _LIMIT, "path": _PATH, "output": _OUTPUT}
"""The form of what is of a kind."""
_FILLED_IN: Final = re.compile(r"[%$<>…]|\{\{|@\w+@")


def takes(taken: Taken, value: str) -> bool:
    """Return whether systemd reads a value."""
    text = value.strip()
    switch = taken.kind == "switch" and text.lower() in _SWITCHES
    form = FORMS.get(taken.kind)
    return text in taken.words or switch or (form is not None and form.fullmatch(text) is not None)


def is_ignored(taken: Taken | None, value: str) -> bool:
    """Return whether systemd ignores the line of a value, which nobody has yet to fill in."""
    if taken is None or not value:
        return False
    return not takes(taken, value) and _FILLED_IN.search(value) is None
