"""Files of `NAME=value` that a shell, systemd and Docker read alike: no quotes, nothing to escape.

They differ in what quotes, `$`, `#` and backslashes mean, so that only what needs none is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.text import Commented, comment

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./\[\]-]*")


def to_env(head: tuple[str, ...], variables: Mapping[str, Commented]) -> str:
    """Return a file of variables, each with its comment above.

    Raises RenderError naming the variable whose value those who read the file would take for
    different things.
    """
    lines = comment(head)
    for name, entry in variables.items():
        lines += ["", *comment(entry.comment), f"{name}={_value(name, entry.value)}"]
    return "\n".join(lines) + "\n"


def _value(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _PLAIN.fullmatch(value):
        raise RenderError(
            f"`{name}` has a character that a shell, systemd and Docker read differently",
            hint="use letters, digits and `_@%+=:,./-`",
        )
    return value
