"""The key that `gen bench` shows a server: from the environment or a file, and printed nowhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.cli.options import Misuse, filled_option

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = TypeVar("Command", bound=Callable[..., Any])

VARIABLE: Final = "OPENAI_API_KEY"
FILE: Final = "--api-key-file"
_LONGEST: Final = 8192


def key_option(command: Command) -> Command:
    """Add the option of a file with a key."""
    return filled_option(
        FILE,
        metavar="FILE",
        example="key.txt",
        text="The key that the server, or a front before it, asks for, alone in a file; - is "
        f"stdin.  [default: with --api openai what {VARIABLE} has]",
    )(command)


def key_of(name: str | None, api: str) -> str:
    """Return the key to ask a server with; empty: none. Raises Misuse for what is no key.

    The variable is that of the clients of OpenAI: of no concern to Ollama, which has no keys.
    """
    if name is not None:
        return _key(_text(name), f"{FILE} {name}", FILE)
    given = os.environ.get(VARIABLE, "") if api == "openai" else ""
    return _key(given, VARIABLE, "") if given.strip() else ""


def _text(name: str) -> str:
    from pathlib import Path

    from generator.cli.streams import stdin_if
    from generator.reading import read_regular

    data = stdin_if(name)
    return (read_regular(Path(name)) if data is None else data).decode(errors="replace")


def _key(text: str, source: str, where: str) -> str:
    """Return a key without what stands around it; it goes into a header, which has one line."""
    key = text.strip()
    if key and len(key) <= _LONGEST and key.isascii() and key.isprintable() and " " not in key:
        return key
    why = "has no key" if not key else "has more than a key, or none"
    raise Misuse(f"{source}: {why}", "the key alone, on one line, in ASCII", where=where)
