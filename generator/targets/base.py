"""What a Target is, and the words that several of them share."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from generator.errors import Finding, RenderError
from generator.plan import MODELFILES, PROGRAM
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from generator.errors import Severity
    from generator.plan import Plan, Service, Step

Place = TypeVar("Place")
LOCALHOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class File:
    """One rendered file; `path` is relative, with `/`. A `static` one is the same for any Plan."""

    path: str
    text: str
    executable: bool = False
    static: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What a target does not print of a Plan, and why.

    `fields` are written `Record.field`, with all that lies below them. Where a setting of the
    profile is lost, `key` is that setting (without a dot: of the engine's own table), `asked` tells
    whether a service has it, and a Finding of that severity says so, with `fix` for what to do;
    `{port}` in it is the port of the API.
    """

    fields: tuple[str, ...] = ()
    why: str
    key: str = ""
    asked: Callable[[Service], bool] | None = None
    fix: str = "set it on the host, or use the systemd or nixos target"
    severity: Severity = "warning"

    @property
    def what(self) -> tuple[str, ...]:
        """The setting, or the fields."""
        return (self.key,) if self.key else self.fields


# What a Plan carries for others than targets: checks, `gen show`, `gen fit`, and the modules.
COMMON: Final = (
    LeftOut(
        fields=("Plan.schema_version", "Plan.description", "Plan.silences", "Plan.findings"),
        why="printed by `gen show` and `gen check`, beside the files",
    ),
    LeftOut(fields=("Plan.summary",), why="part of the header"),
    LeftOut(
        fields=(
            *("Setting.key", "Setting.source", "Limit.key", "Limit.source", "Model.key"),
            *("Omission.key", "Omission.what", "Setting.group", "Omission.group"),
        ),
        why="where a value comes from; its reason is printed beside it",
    ),
    LeftOut(
        fields=("Service.engine", "Service.release_told", "Service.resume_declined"),
        why="for the rules of `gen check`",
    ),
    LeftOut(
        fields=("Service.offered",),
        why="for NixOS hosts that name further models in `hostwright.models`",
    ),
    LeftOut(
        fields=("Service.threads", "Model.parameters", "Model.role", "Model.serve_as"),
        why="in the variables and the Modelfile already",
    ),
)


class Target(Protocol):
    """A renderer. Modules satisfy this; there is no class to derive from."""

    LEFT_OUT: tuple[LeftOut, ...]
    """What it does not print, beside COMMON."""

    def render(self, plan: Plan) -> tuple[File, ...]:
        """Return the files for `plan`; total, or `RenderError` naming the setting. Pure."""

    def install_note(self, plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
        """Return what people apply, verify and remove the rendered `files` with: a README. Pure."""

    def limitations(self, plan: Plan) -> tuple[Finding, ...]:
        """Return what this target cannot express of `plan`, as HW6xx Findings. Pure."""


def losses(target: str, left_out: Iterable[LeftOut], service: Service) -> tuple[Finding, ...]:
    """Return a Finding for each setting of the service that a target leaves out."""
    return tuple(
        Finding(
            rule="HW601",
            severity=item.severity,
            message=f"{target} leaves out `{item.key.rpartition('.')[2]}`: {item.why}",
            where=item.key if "." in item.key else f"{service.engine}.{item.key}",
            fix=item.fix.format(port=service.listen.port),
        )
        for item in left_out
        if item.asked and item.asked(service)
    )


def limited(name: str) -> Callable[[Service], bool]:
    """Return a question for LeftOut: whether a service has the limit of that name."""
    return lambda service: service.limit(name) is not None


def placed(step: Step, program: Place, modelfile: Callable[[str], Place]) -> list[str | Place]:
    """Return the arguments of a Step, each placeholder replaced by what this target has there.

    A placeholder is a whole argument. `modelfile` is asked for the place of a Modelfile by name.
    """

    def argument(text: str) -> str | Place:
        folder, _, name = text.rpartition("/")
        if folder == MODELFILES:
            return modelfile(name)
        return program if text == PROGRAM else text

    return [argument(text) for text in step.argv]


def published(service: Service) -> str:
    """Return the address that a container engine publishes on: an IP address without a zone.

    Raises RenderError for any other.
    """
    host = LOCALHOST if service.listen.host == "localhost" else service.listen.host
    try:
        zone = getattr(ipaddress.ip_address(host), "scope_id", None)
    except ValueError:
        zone = host
    if zone is None:
        return host
    raise RenderError(
        f"`{service.engine}.host` is `{host}`, and containers are published on plain IP addresses",
        hint=f"write the address itself, like `{LOCALHOST}` or `0.0.0.0`",
    )
