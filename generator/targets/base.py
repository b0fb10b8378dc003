"""What a Target is, and the words that several of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from generator.plan import MODELFILES, PROGRAM
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.errors import Severity
    from generator.plan import Plan, Service, Step

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class File:
    """One rendered file; `path` is relative, with `/`. A `static` one is the same for any Plan."""

    path: str
    text: str
    executable: bool = False
    static: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a manager looks for files: that of the system, or below its home that of a user.

    `quadlets` is the directory of files that Podman makes units of; empty: the server is no
    container.
    """

    units: str = "etc/systemd/system"
    modelfiles: str = "etc/hostwright"
    quadlets: str = ""
    of_a_user: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a target does not print of a Plan, and why.

    `fields` are written `Record.field`, a space between them, with all that lies below each. Where
    a setting of the profile is lost, `key` is that setting (without a dot: of the engine's own
    table), `asked` is whether it is lost of a service, and a Finding of that severity reports it,
    with `fix` for what to do; `{port}` in it is the port of the API. `when` says in words where
    `asked` depends on more than whether the setting is there. With `of_host` the key is that of a
    table, and whether that is lost is asked of the whole Plan.
    """

    why: str
    fields: str = ""
    key: str = ""
    asked: Callable[[Service], object] | None = None
    fix: str = "set it on the host, or use the systemd or nixos target"
    severity: Severity = "warning"
    when: str = ""
    of_host: Callable[[Plan], object] | None = None

    def concerns(self, service: Service) -> bool:
        """Return whether it is left out of that service; of fields only the kind is asked."""
        return not self.asked or bool(self.asked(service))

    @property
    def what(self) -> list[str]:
        """The setting, or the fields."""
        return [self.key] if self.key else self.fields.split()


# What a Plan carries for others than targets: checks, `gen show`, `gen fit`, and the modules.
COMMON: Final = (
    LeftOut(
        "printed by `gen show` and `gen check`, beside the files",
        "Plan.schema_version Plan.description Plan.silences Plan.findings",
    ),
    LeftOut("part of the header", "Plan.summary"),
    LeftOut(
        "where a value comes from; its reason is printed beside it",
        "Setting.key Setting.source Limit.key Limit.source Model.key Omission.key Credential.key "
        "SecretFile.key Omission.what Setting.group Omission.group Argument.key "
        "Argument.source",
    ),
    LeftOut(
        "for the rules of `gen check`",
        "Service.engine Service.release_told Service.resume_declined",
    ),
    LeftOut("in the file of rules, beside what it sets", "Alert.key"),
    LeftOut("`gen verify` compares it; a pull takes what the registry has", "Model.digest"),
    LeftOut("for NixOS hosts that name further models in `hostwright.models`", "Service.offered"),
    LeftOut(
        "in the variables and the Modelfile already",
        "Service.threads Model.parameters Model.role Model.serve_as Model.bits",
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


NOT_IN_A_CLUSTER: Final = LeftOut("for Kubernetes", "Service.pod Service.alone Job.probe")
"""What the targets for one host leave out."""

NOT_ON_HOSTS: Final = (
    NOT_IN_A_CLUSTER,
    LeftOut(
        "in the variables and commands already", "Credential.file Credential.variable Job.tokens"
    ),
    LeftOut(
        "for containers; systemd counts no tries",
        "Cache.image Cache.inside Store.image Front.image Front.config Service.container Job.tries "
        "Job.guards Setting.scope Argument.scope",
    ),
    LeftOut(
        "for containers; here a variable picks the GPUs, and every step runs on the host",
        "Devices.ids Devices.nodes Variable.scope",
    ),
)
"""What the targets without a container leave out."""


def modules_of(service: Service) -> tuple[str, ...]:
    """Return the kernel modules that the GPUs need."""
    return service.devices.modules if service.devices else ()


def modelfiles(plan: Plan, folder: str) -> tuple[File, ...]:
    """Return the Modelfiles of the models, below `folder`."""
    models = (model for service in plan.services for model in service.models)
    files = dict.fromkeys(model.modelfile for model in models if model.modelfile)
    return tuple(File(f"{folder}/{file.file}", file.text) for file in files)


def described(plan: Plan, service: Service) -> str:
    """Return what a service is called in one line: its product, and its name if there are more."""
    return f"{service.product} {service.name}" if len(plan.services) > 1 else service.product


def placed(step: Step, program: Place, modelfile: Callable[[str], Place]) -> list[str | Place]:
    """Return the arguments of a Step, each placeholder replaced by what this target has there.

    A placeholder is a whole argument. `modelfile` is asked for the place of a Modelfile by name.
    """

    def argument(text: str) -> str | Place:
        name = text.removeprefix(f"{MODELFILES}/")
        return program if text == PROGRAM else text if name == text else modelfile(name)

    return [argument(text) for text in step.argv]
