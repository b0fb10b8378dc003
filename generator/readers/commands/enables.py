"""Units that a script enables in vain: those of Quadlet, and those without `[Install]`."""

from __future__ import annotations

import dataclasses
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.view import ENABLED, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context
    from generator.readers.syntax.script import CommandLine
    from generator.view import Place

_EVERY: Final = "*"
_QUADLETS: Final = "containers/systemd"
_GENERATED: Final = {".container": "", ".kube": "", ".pod": "-pod"}
_VARIABLE: Final = re.compile(r"^(?:\$\{?\w+\}?|\$\([^)]*\)|\.)/+")
_SECTION: Final = re.compile(r"(?m)^\s*\[(Service|Install)\]")


@dataclasses.dataclass(slots=True)
class Enables:
    """The units that a script writes, and those that it enables."""

    context: Context
    file: str
    found: list[Line] = dataclasses.field(default_factory=list)
    _generated: set[str] = dataclasses.field(default_factory=set)
    _texts: dict[str, str] = dataclasses.field(default_factory=dict)
    _enabled: list[tuple[str, Place]] = dataclasses.field(default_factory=list)

    def takes(self, line: CommandLine) -> None:
        """Take in a command that writes a unit, or enables one."""
        for document in line.documents:
            self._writes(document.target, document.text, adds=document.appends)
        texts = [word.text for word in line.words]
        verb = texts[1:2] if texts[:1] == ["sudo"] else texts[:1]
        if verb == ["systemctl"] and "enable" in texts:
            behind = line.words[texts.index("enable") + 1 :]
            named = [word for word in behind if not word.text.startswith("-")]
            self._enabled += [(word.text.removesuffix(".service"), word.place) for word in named]
        elif verb and verb[0] in {"cp", "mv", "install", "ln", "rsync"}:
            for text in texts[1:]:
                self._writes(text, self._at_hand(text) if text.endswith(".service") else "")

    def _writes(self, path: str, text: str, *, adds: bool = False) -> None:
        name, suffix = PurePosixPath(path).stem, PurePosixPath(path).suffix
        if suffix in _GENERATED:
            self._generated.add(f"{name}{_GENERATED[suffix]}")
        elif suffix == ".service":
            had = self._texts.get(name, "")
            # Of a unit to which something is added nobody knows the rest.
            added = f"{had}\n{text}" if had else ""
            self._texts[name] = added if adds else had or text

    def _at_hand(self, path: str) -> str:
        """Return the text of a unit that lies beside the script, as far as it is there."""
        if "/systemd/system/" in path or "/systemd/user/" in path:
            return ""
        folder = PurePosixPath(self.file).parent
        return self.context.read(str(folder / _VARIABLE.sub("", path))) or ""

    def ends(self, text: str) -> None:
        """Judge what the script, which ends here, has enabled."""
        self.found += self._judged(quadlets=_QUADLETS in text)
        self._generated, self._texts, self._enabled = set(), {}, []

    def _judged(self, *, quadlets: bool) -> Iterator[Line]:
        ours = self.context.engine.name
        every = {ours} if quadlets and _EVERY in self._generated else set()
        for name, place in self._enabled:
            unit = self._texts.get(name)
            if unit is None and quadlets and name in self._generated | every:
                if re.search(self.context.engine.mentioned, name):
                    yield Line(section=ENABLED, name=name, value="generated", place=place)
            elif unit and re.search(self.context.engine.mentioned, unit):
                sections = {found[1] for found in _SECTION.finditer(unit)}
                if "Service" in sections and "Install" not in sections:
                    yield Line(section=ENABLED, name=name, value="bare", place=place)
