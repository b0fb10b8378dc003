"""How a server is started anew with other settings, and how that is taken back.

Each way has one file that is there for the time of the trial, and commands that make the server
read it. Whatever else the host says of the server stays as it is.
"""

from __future__ import annotations

import re
import secrets
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError, RenderError
from generator.formats.unit import Entry, Section, environment, unit_text
from generator.formats.yaml import compose_string, to_yaml
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.trial.choice import Change

DROP_IN: Final = "zz-hostwright-trial.conf"
"""Its name, behind those of others in the order of systemd."""
RUN: Final = Path("/run/systemd/system")
FILE: Final = "HOSTWRIGHT_TRIAL"
"""The variable that names the file of a trial to the user's own command."""
HEAD: Final = "For the time of a trial of gen, which takes it away again."
_UNIT: Final = re.compile(r"[A-Za-z0-9:_.@-]{1,200}\.service")
_PLAIN: Final = re.compile(r"[ -~]*")

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to start a server anew: `file` says with what, then `begin` is run, and `end` later.

    `text` is what the file holds for a Change; a way that cannot bring one about raises
    HostwrightError. `emptied`: the file is there, and empty, while `end` is run; otherwise it is
    gone then. `exports`: the commands get the variables of the Change as well.
    """

    name: str
    file: Path
    text: Callable[[Change], str]
    begin: tuple[Argv, ...]
    end: tuple[Argv, ...]
    emptied: bool = False
    exports: bool = False

    @property
    def by_hand(self) -> str:
        """What a person does who must put the server back."""
        commands = " && ".join(map(shlex.join, self.end))
        return f"empty {self.file}, then {commands}" if self.emptied else (
            f"rm {shlex.quote(str(self.file))} && {commands}"
        )  # fmt: skip


def by_systemd(unit: str, folder: Path = RUN) -> Way:
    """Return the way of a unit: a drop-in that is gone with the next boot at the latest."""
    if not _UNIT.fullmatch(unit):
        raise HostwrightError(f"`{unit}` is no unit of a service", hint="like ollama.service")
    commands = (
        ("systemctl", "daemon-reload"),
        # Or it would count the restarts of a trial, and refuse one too many.
        ("systemctl", "reset-failed", unit),
        ("systemctl", "restart", unit),
    )
    return Way(
        name="systemd",
        file=folder / f"{unit}.d" / DROP_IN,
        text=_drop_in,
        begin=commands,
        end=commands,
    )


def _drop_in(change: Change) -> str:
    entries = [
        Entry("UnsetEnvironment", name) if value is None
        else Entry("Environment", environment(name, value))
        for name, value in change.variables
    ]  # fmt: skip
    entries += [Entry(directive, value or "") for directive, value in change.limits]
    return unit_text([HEAD], [Section("Service", entries)])


def by_compose(file: Path, service: str) -> Way:
    """Return the way of a service in a Compose file: another file is laid over that."""
    laid = Path(_folder(), "compose.yaml")
    compose = ("docker", "compose", "-f", str(file))
    up = ("up", "--detach", "--no-deps", service)
    return Way(
        name="compose",
        file=laid,
        text=lambda change: _overlay(change, service),
        begin=((*compose, "-f", str(laid), *up),),
        end=((*compose, *up),),
    )


def _overlay(change: Change, service: str) -> str:
    if change.limits:
        names = ", ".join(name for name, _ in change.limits)
        raise HostwrightError(
            f"{names}: a limit of a container is not tried here",
            hint="--restart-command can do it, or a unit of systemd",
        )
    if gone := [name for name, value in change.variables if value is None]:
        # An image may have a value of its own, to which nothing but a value gets back.
        raise HostwrightError(
            f"{', '.join(gone)}: one of the values leaves it open, which no file that is laid "
            "over a Compose file can say",
            hint="compare values that all set it",
        )
    variables = {name: compose_string(value or "") for name, value in change.variables}
    return f"# {HEAD}\n{to_yaml({'services': {service: {'environment': variables}}})}"


def by_command(command: str) -> Way:
    """Return the way of the user's own command, which is run without a shell.

    It finds the file's name in HOSTWRIGHT_TRIAL, and the variables in its own environment.
    """
    try:
        argv = tuple(shlex.split(command))
    except ValueError as error:
        raise HostwrightError(f"--restart-command: {error}", hint="close the quotes") from None
    if not argv:
        raise HostwrightError("--restart-command is empty", hint="name the command")
    return Way(
        name="command",
        file=Path(_folder(), "trial.env"),
        text=_lines,
        begin=(argv,),
        end=(argv,),
        emptied=True,
        exports=True,
    )


def _lines(change: Change) -> str:
    """Return `NAME=value` lines, as docker's --env-file and EnvironmentFile= read them."""
    told = [*change.variables, *change.limits]
    for name, value in told:
        if not _PLAIN.fullmatch(value or ""):
            raise RenderError(f"{name}: a line cannot carry `{value}`", hint="try another value")
    return "".join(f"{name}={value}\n" for name, value in told if value is not None)


def _folder() -> str:
    """Return a folder that is not there yet, for the file of a trial."""
    return f"{tempfile.gettempdir()}/hostwright-trial-{secrets.token_hex(4)}"
