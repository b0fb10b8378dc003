"""Whether commands or tasks put an engine on a machine, or have its service run there.

Such a file says nothing of variables or models, and is about a server all the same: the one that
its installer has made, with its defaults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from generator.engines.signs import Signs as Engine

_MANAGES: Final = (
    r"\b(?:systemctl|rc-service|rc-update|launchctl)\s[^#\n]*?\b{name}\b"
    r"|\bservice\s+{name}\s|\bservices\s+(?:re)?start\s+{name}\b"
)
_PACKAGES: Final = (
    r"\b(?:apt|apt-get|dnf|yum|zypper|pacman|apk|brew|snap|winget|choco|nix-env)\s"
    r"(?:[^#\n;&|]*\s)?{name}(?:-\w+)?(?=[\s;&|\"']|$)"
)
_SERVICES: Final = frozenset({"systemd", "systemd_service", "service", "launchd", "sysvinit"})
_INSTALLERS: Final = frozenset(
    {"package", "apt", "dnf", "dnf5", "yum", "pacman", "apk", "homebrew", "homebrew_cask", "snap",
     "zypper", "win_chocolatey", "win_package"}
)  # fmt: skip
_NAMED: Final = ("name", "pkg", "package", "deb")


def kept_by_scripts(texts: Iterable[tuple[int, list[str]]], engine: Engine) -> bool:
    """Return whether scripts install the engine's program, or have its service run."""
    ways = "|".join((_MANAGES, _PACKAGES)).format(name=re.escape(engine.name))
    keeps = re.compile(f"{engine.installs}|{ways}")
    lines = (line.lstrip()[:LONGEST] for _, script in texts for line in script)
    # Nothing else of most lines is looked at.
    ours = (line for line in lines if engine.name in line and not line.startswith("#"))
    return any(keeps.search(line) for line in ours)


def kept_by_task(task: Table, engine: Engine, filled: Callable[[str], str]) -> bool:
    """Return whether a task of Ansible does the same by a module; `filled` puts variables in."""
    for module, given in task.entries.items():
        name = module.rpartition(".")[2]
        if name in _SERVICES | _INSTALLERS and engine.name in map(filled, _names(given)):
            return True
    return False


def _names(given: Node) -> Iterator[str]:
    if isinstance(given, Scalar):
        found = _ON_A_LINE.search(given.text[:LONGEST])
        yield from [found[1].removesuffix(".service")] if found else []
    told = given if isinstance(given, Table) else Table({}, given.place)
    for node in map(told.get, _NAMED):
        listed = node.items if isinstance(node, Items) else (node,)
        yield from (one.text.removesuffix(".service") for one in listed if isinstance(one, Scalar))


_ON_A_LINE: Final = re.compile(r"\bname=[\"']?([\w.@-]+)")
