"""The fleet file: what may be written in it, schema version 1. Form only, as in `profile`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from generator.profiles.fields import Address, Name, ReleaseText, Text, Version, Word, matching
from generator.profiles.schema import Table
from generator.targets import IN_FLEETS, TARGETS

_NODE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_MODULE = re.compile(r"(?:[A-Za-z0-9_+-][\w.+-]*/)*[A-Za-z0-9_+-][\w.+-]*", re.ASCII)
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:[^\s#\"'\\$<>{}]+", re.ASCII)
RESERVED = frozenset({"defaults", "meta", "network"})
"""Names that Colmena takes for something else than a host."""


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"`{name}` means something else to Colmena; name the host otherwise")
    return name


NodeName = Annotated[
    str,
    matching(
        _NODE,
        "a host name; write a letter, then up to 62 letters, digits, `-` or `_`, "
        "the last of them no sign",
    ),
    AfterValidator(_not_reserved),
]
ModulePath = Annotated[
    str,
    matching(
        _MODULE,
        "a path inside the flake; write it from the output directory, like `hosts/my-host.nix`",
    ),
]
NIXPKGS: Final = "github:NixOS/nixpkgs/nixos-26.05"
"""The newest release that is no unstable one."""
FlakeReference = Annotated[
    str,
    matching(_REFERENCE, f"a flake reference; write it like `{NIXPKGS}`"),
]
AbsolutePath = Annotated[
    str, matching(re.compile(r"/[\w./@+:,=~-]*", re.ASCII), "an absolute path; write it from `/`")
]
Command = Annotated[
    str,
    matching(re.compile(r"[^\x00-\x1f\x7f]+"), "one line of text; write it without line breaks"),
]
Seconds = Annotated[int, Field(ge=1, le=65535)]
if TYPE_CHECKING:
    TargetName = str
else:
    TargetName = Literal[IN_FLEETS]


class Inputs(Table):
    """Where the flake takes its inputs from, as flake references."""

    nixpkgs: FlakeReference = NIXPKGS
    """The packages and modules of NixOS hosts."""
    deploy_rs: FlakeReference = "github:serokell/deploy-rs"
    """What deploys every host."""
    colmena: FlakeReference = "github:nix-community/colmena"
    """What deploys NixOS hosts, too."""
    hostwright: FlakeReference | None = None
    """The `gen` that checks plan and unit of every NixOS host when it is built; left out: none."""


class Deploy(Table):
    """How deploy-rs and Colmena reach a host; deploy-rs's names in snake_case."""

    ssh_user: Word | None = None
    """User to log in as; left out: the one of the ssh configuration."""
    user: Word | None = None
    """User to activate as; left out: `root`."""
    ssh_opts: tuple[Command, ...] = ()
    """Further arguments of ssh."""
    remote_build: bool | None = None
    """Build on the host itself; left out: for aarch64, which few machines can build for."""
    fast_connection: bool | None = None
    """Copy the whole closure instead of letting the host fetch from its caches."""
    auto_rollback: bool | None = None
    """Go back to what ran before when activation fails."""
    magic_rollback: bool | None = None
    """Go back, too, when the host cannot be reached after activation."""
    confirm_timeout: Seconds | None = None
    """Seconds to wait for that confirmation."""
    activation_timeout: Seconds | None = None
    """Seconds that an activation may take; loading a GPU driver is slow."""
    temp_path: AbsolutePath | None = None
    """Directory on the host for the confirmation."""
    sudo: Command | None = None
    """Command that becomes another user."""
    interactive_sudo: bool | None = None
    """Ask for the password of sudo."""


class Host(Table):
    """One host of the fleet."""

    profile: Text
    """A shipped profile's name, or the path of a `.toml` seen from the fleet file."""
    address: Address | None = None
    """Name or address that ssh reaches the host by; left out: its name in the fleet."""
    target: TargetName = "nixos"
    """`nixos` for NixOS; another for DGX OS, Ubuntu, Debian and others with Nix on them."""
    ollama_version: ReleaseText | None = None
    """Release or line the host runs; left out: what the profile says, or else what the NixOS of
    `inputs.nixpkgs` has."""
    tags: tuple[Name, ...] = ()
    """Groups of hosts, for Colmena's `--on @tag`."""
    modules: tuple[ModulePath, ...] = ()
    """NixOS modules of the host, as paths in the output directory."""
    deploy: Deploy = Deploy.model_construct()
    """How it is reached."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Keys of the profile that differ on this host, as the profile writes them."""

    @model_validator(mode="after")
    def _modules_are_for_nixos(self) -> Self:
        if self.modules and TARGETS[self.target].fleet != "modules":
            raise ValueError(
                f'NixOS modules do nothing with `target = "{self.target}"`; take `modules` out'
            )
        return self


class Defaults(Table):
    """What holds for every host that does not say otherwise."""

    ollama_version: ReleaseText | None = None
    """Release or line the hosts run."""
    tags: tuple[Name, ...] = ()
    """Further groups of every host."""
    modules: tuple[ModulePath, ...] = ()
    """Further modules of every NixOS host."""
    deploy: Deploy = Deploy.model_construct()
    """How hosts are reached, key by key."""


class Fleet(Table):
    """The whole file."""

    schema_version: Version
    """Version of this schema: 1."""
    inputs: Inputs = Inputs.model_construct()
    """Where the flake takes its inputs from."""
    defaults: Defaults = Defaults.model_construct()
    """What holds for every host."""
    hosts: Annotated[dict[NodeName, Host], Field(min_length=1)]
    """The hosts, by the names that `deploy .#name` takes."""
