"""Units that only ask the server: the commands of their scripts, as the text says them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.commands.told import Told
from generator.readers.nixos import CONTAINER
from generator.readers.nixos.modules import said_literally
from generator.readers.nixos.scripts import asks, first
from generator.readers.syntax.nix import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition
    from generator.view import View

_SCRIPTS: Final = frozenset({"script", "preStart", "postStart"})
_AROUND: Final = _SCRIPTS - {"script"}
"""Run beside the command of the unit, whose own is judged with that."""
_COMMANDS: Final = frozenset({"ExecStart", "ExecStartPre", "ExecStartPost"})
_PACKAGE: Final = re.compile(rf"{UNKNOWN}(?=/bin/)")
_MOST: Final = 40  # scripts of one file


def jobs(source: Source, context: Context) -> Iterator[View]:
    """Yield a View of what the scripts of a file ask the server for, those of servers as well."""
    engine = context.engine
    if not engine.verbs:
        return
    serves = re.compile(rf"\b{engine.name}\s+{engine.command[-1]}\b")
    told = Told(context, source.path, CONTAINER, "client", bare=True)
    found = [d for d in said_literally(source) if _is_script(d, engine.name)][:_MOST]
    for one in found:
        text = _PACKAGE.sub("", str(one.value))
        starts = one.path[-1] in _AROUND and serves.search(text)
        if asks(engine).search(text) or starts:
            told.script(text, first(source, one, str(one.value)) or one.line)
    # What a script sets is for itself; only what it asks counts.
    yield from (view for view in told.found() if view.commands and view.container is None)


def _is_script(found: Definition, server: str) -> bool:
    at = found.path.index("services") if "services" in found.path else len(found.path)
    below = found.path[at + 2 :]
    own = len(below) == 1 and below[0] in _SCRIPTS
    # The commands of a server's own unit are judged with that.
    section = below[:1] in {("serviceConfig",), ("Service",)} and below[1:2] != ()
    other = found.path[at + 1 : at + 2] != (server,)
    job = section and below[1] in _COMMANDS and other and "serve" not in str(found.value)
    of_systemd = "systemd" in found.path[:at]
    return of_systemd and isinstance(found.value, str) and (own or job)
