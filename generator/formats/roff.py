"""Manual pages: text stays text, whatever `roff` takes for a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CODE: Final = re.compile(r"`([^`]+)`")


def escaped(text: str) -> str:
    """Return text that means nothing to `roff`, hyphens to be copied as they are."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in safe.split("\n"))


def prose(text: str) -> str:
    """Return a paragraph in one line; what stands between backticks is bold."""
    plain = escaped(" ".join(text.split()))
    return _CODE.sub(r"\\fB\1\\fR", plain)


def head(name: str, about: str) -> Iterator[str]:
    """Yield the first lines of a page of section 1."""
    yield f'.TH "{escaped(name.upper())}" 1 "" "Hostwright" "Hostwright"'
    yield from section("NAME")
    yield f"{escaped(name)} \\- {prose(about)}"


def section(title: str) -> Iterator[str]:
    """Yield the line that begins a section."""
    yield f".SH {escaped(title.upper())}"


def paragraph(text: str) -> Iterator[str]:
    """Yield a paragraph."""
    yield from (".PP", prose(text))


def verbatim(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines that stay as they are."""
    yield from (".PP", ".nf", *map(escaped, lines), ".fi")


def items(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a list of names with what each is."""
    for name, text in rows:
        yield from (".TP", f"\\fB{escaped(name)}\\fR", prose(text))
