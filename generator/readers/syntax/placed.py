"""Where scripts put a program and the unit that starts it."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.view import AMONG_LINKS, MISPLACED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.signs import Signs as Engine

_SCRIPT: Final = re.compile(r"/install\.sh\b")
_HOME: Final = "/usr/bin/"
_PACKAGED: Final = (
    r"\b(?:apt|apt-get|dnf|yum|pacman|yay|paru|zypper|apk|brew|snap|emerge)\b[^\n;&|]{{0,200}}\b{0}\b"
    r"|\b(?:ln|cp|mv|install)\b[^\n]{{0,200}}/usr/bin(?:/{0}\b|/?[\s\"']*$)"
    r"|/usr/bin/{0}\b[^\n]{{0,80}}\|\|"
)
_LINKS: Final = re.compile(r"/[^\s]*\.(?:wants|requires|upholds)/[\w.@-]+\.service")


def misplaced(lines: Iterable[Line], engine: Engine) -> Iterator[Line]:
    """Yield the starts of a program below /usr/bin, which are wrong if it `is_put_elsewhere`."""
    program = f"{_HOME}{engine.command[0]}"
    for one in lines:
        if one.name == "ExecStart" and one.value.lstrip("-+!@:").startswith(f"{program} "):
            yield dataclasses.replace(one, section=MISPLACED, value=program)


def is_put_elsewhere(scripts: Iterable[str], engine: Engine) -> bool:
    """Return whether scripts run the installer, which puts nothing below /usr/bin.

    A package does, and so does a link.
    """
    texts = "\n".join(scripts)
    installs = (m for m in re.finditer(engine.installs, texts) if _SCRIPT.search(m[0]))
    packaged = re.search(_PACKAGED.format(re.escape(engine.command[0])), texts, re.MULTILINE)
    return packaged is None and any(True for _ in installs)


def among_links(target: str, place: Place) -> Iterator[Line]:
    """Yield a unit that is written into a directory of links: systemd reads no unit there."""
    if _LINKS.fullmatch(target):
        name = target.rpartition("/")[2]
        yield Line(section=AMONG_LINKS, name=name, value=target, place=place)
