"""Units of systemd and their drop-ins: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs, names_an_engine, served
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_INSTALLED: Final = re.compile(
    r"(?:^|(?<=/))(?:"
    r"(?:etc|run|(?:usr/(?:local/)?)?lib)/systemd/(?:system|(?P<user>user))(?:\.control)?"
    r"|run/systemd/(?:transient|generator(?:\.\w+)?)"
    r"|(?:etc|run|usr/share)/containers/systemd(?:/(?P<users>users)(?:/\d+)?)?"
    r"|(?P<own>\.config)/(?:systemd/user|containers/systemd)"
    r")$"
)


def _folder(path: PurePosixPath) -> str:
    return (path.parent.parent if path.parent.name.endswith(".d") else path.parent).as_posix()


def install_root(path: str) -> str | None:
    """Return the root below which a unit is installed, `/` or a captured one; None: it is not."""
    found = _INSTALLED.search(folder := _folder(PurePosixPath(path)))
    # A home is no root: what is read below `/etc` is that of the machine.
    return None if found is None or found["own"] else folder[: found.start()]


def one_system(path: PurePosixPath) -> str:
    """Return the root of a unit: systemd itself puts the directories of a root together."""
    found = _INSTALLED.search(folder := _folder(path))
    if found is None:
        return folder
    users = found["user"] or found["users"] or found["own"]
    return folder[: found.start()] + ("users" if users else "")


SOCKET: Final = ".socket"
_SERVED: Final = served("systemd")


def _ours(source: Source) -> bool:
    """Whether a file is about an engine: a socket may say so by its name alone."""
    path = PurePosixPath(source.read_as or source.path)
    return _SERVED(source) or (path.suffix == SOCKET and names_an_engine(path.name))


SIGNS: Final = Signs(
    sure=frozenset({".service", SOCKET}),
    ours=_ours,
    folders=(".service.d",),
    maybe=frozenset({".conf"}),
    content=r"(?m)^\[(?:Service|Unit)\]|^(?:Environment|ExecStart)=",
    never=r"(?m)^\[Container\]",
    belongs=one_system,
    general=r"(?:[^.]*-\.)?service\.d",
)
RUN: Final = Phrases(
    kind="systemd",
    unit_file=True,
    directives=True,
    headers=True,
    assigns=True,
    read_by="every user of the host reads it with `systemctl show`",
    keep_in="a file of mode 0600 that `EnvironmentFile=` names",
    restart="add `Restart=always` and `RestartSec=3` to [Service]",
)
"""Of a unit that has `docker` or `podman` run a container: the limits are options of that."""
UNIT: Final = replace(
    RUN,
    of_unit=".*",
    memlock="add `LimitMEMLOCK=infinity` to [Service]",
    unit_no_swap="add `MemorySwapMax=0`",
)
"""Of a unit that starts the server itself."""
