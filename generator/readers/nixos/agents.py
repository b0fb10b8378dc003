"""Services that no module of the engine makes: agents of launchd, units of a user."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.readers.commands.words import models
from generator.readers.nixos import CONTAINER, OF_USER
from generator.readers.nixos.directives import Directives
from generator.readers.nixos.evaluate import Definition, Definitions
from generator.readers.nixos.release import OWN, Channel, channel_of, sets_in
from generator.readers.nixos.scripts import Started, started
from generator.readers.syntax import unit
from generator.view import Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source
    from generator.units import Release

_ABOVE: Final = (
    ("launchd", "daemons"),
    ("launchd", "agents"),
    ("launchd", "user", "agents"),
    ("systemd", "user", "services"),
)
_VARIABLES: Final = (
    ("serviceConfig", "EnvironmentVariables"),
    ("config", "EnvironmentVariables"),
    ("environment",),
)
_LISTS: Final = (("Service", "Environment"), ("serviceConfig", "Environment"))
_SERVICE: Final = (("Service",), ("serviceConfig",))
_UNITS: Final = "systemd"
_BY_HAND: Final = re.compile(r"/(?!nix/store/)")
"""How the path of a program begins that is no package."""
_STARTS: Final = frozenset({"ProgramArguments", "Program", "command", "script", "ExecStart"})


def agents(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield a View of each agent or unit of a user that runs the server."""
    named: dict[tuple[str, ...], list[Definition]] = {}
    for one in found:
        for above in _ABOVE:
            if one.path[: len(above)] == above and len(one.path) > len(above) + 1:
                named.setdefault(one.path[: len(above) + 1], []).append(one)
    for base, own in named.items():
        agent = _Agent(source, own, base)
        if agent.serves(context):
            yield agent.view(context)


class _Agent(Definitions):
    def __init__(self, source: Source, own: list[Definition], base: tuple[str, ...]) -> None:
        super().__init__(source, own)
        self.base = base

    def _below(self, found: Definition) -> tuple[str, ...]:
        return found.path[len(self.base) :]

    def serves(self, context: Context) -> bool:
        """Whether it starts the server: by its command, or where nobody can tell, its name."""
        program, *verb = context.engine.command
        starts = [d for d in self.found if d.path[-1] in _STARTS]
        texts = [" ".join(str(value) for value in d.values) for d in starts]
        near = rf"\b{program}\b.{{0,200}}?\b{' '.join(verb)}\b"
        told = any(re.search(near, text, re.DOTALL) for text in texts)
        # What stands for a package has no path that tells.
        named = program in self.base[-1] and any(
            d.unresolved or verb[0] in text for d, text in zip(starts, texts, strict=True)
        )
        return told or named

    def view(self, context: Context) -> View:
        """Return what is said of it."""
        return context.view(
            OF_USER if self._of_systemd else CONTAINER,
            self._release(context),
            name=".".join(self.base),
            place=Place(self.source.path, min((d.line for d in self.found), default=0)),
            variables=(*self._variables(), *self._started(context).variables),
            manager="user",
            **(self._of_a_unit(context) if self._of_systemd else self._of_launchd(context)),
        )

    def _release(self, context: Context) -> tuple[Release, bool]:
        """Return the release of the package where the file takes its program from `pkgs` alone."""
        starts = [str(text) for d in self.found if d.path[-1] in _STARTS for text in d.values[:1]]
        packaged = sets_in(self.source.text) == {OWN} and not any(map(_BY_HAND.match, starts))
        told = channel_of(self.source, (), context) if packaged else Channel()
        return told.release(context)

    def _started(self, context: Context) -> Started:
        script = next((d for d in self.found if self._below(d) == ("script",)), None)
        return started(self.source, script, context)

    @property
    def _of_systemd(self) -> bool:
        return self.base[0] == _UNITS

    def _of_launchd(self, context: Context) -> dict[str, Any]:
        return {"commands": self._started(context).commands}

    def _of_a_unit(self, context: Context) -> dict[str, Any]:
        """Return what a unit says beside its variables."""
        own = [d for d in self.found if self._below(d)[:-1] in _SERVICE]
        told = Directives(self, own, f"{self.base[-1]}.service")
        commands = (*told.commands(context.engine), *self._started(context).commands)
        starts = [d for d in self.found if d.path[-1] in {"ExecStart", "script"}]
        return {
            "lines": tuple(self.lines()),
            "bounds": tuple(told.bounds(context.host)),
            "unread": tuple(told.unread(context.host)),
            "commands": commands,
            "models": tuple(models(commands, context.engine)),
            "starts": self.place(starts[0]) if starts else None,
        }

    def _variables(self) -> Iterator[Variable]:
        for found in self.found:
            below = self._below(found)
            if below[:-1] in _VARIABLES:
                value = found.value if isinstance(found.value, str) else ""
                yield Variable(
                    name=below[-1],
                    value=value,
                    place=self.place(found),
                    written=self.written(found, value),
                    unresolved=found.unresolved or not isinstance(found.value, str),
                )
            elif below in _LISTS:
                yield from self._listed(found)

    def _listed(self, found: Definition) -> Iterator[Variable]:
        for text in (value for value in found.values if isinstance(value, str)):
            line = unit.one_line(self.source.path, "Service", "Environment", text, found.line)
            for variable in unit.variables(line, ""):
                yield replace(variable, place=self.place_of(found, text))
