"""The fleet file: what may be written in it, schema version 1. Form only, as in `profile`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from generator.profiles.fields import Address, Name, ReleaseText, Text, Version, Word, matching
from generator.profiles.schema import Table
from generator.targets import IN_FLEETS, TARGETS

_NODE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_PATH = r"(?:[A-Za-z0-9_+-][\w.+-]*/)*[A-Za-z0-9_+-][\w.+-]*"
_INPUT = r"[A-Za-z_][A-Za-z0-9_-]*"
_ATTRIBUTE = r"[A-Za-z_][A-Za-z0-9_'-]*"
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*:[^\s#\"'\\$<>{}]+", re.ASCII)
RESERVED = frozenset({"defaults", "meta", "network"})
"""Names that Colmena takes for something else than a host."""
_KEYWORDS = frozenset(
    {"assert", "else", "if", "in", "inherit", "let", "or", "rec", "self", "then", "with"}
)


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"`{name}` means something else to Colmena; name the host otherwise")
    return name


def _no_keyword(name: str) -> str:
    if name in _KEYWORDS:
        raise ValueError(f"`{name}` means something else to Nix; name the input otherwise")
    return name


def _follows(value: object) -> object:
    """Return the inputs of an input that follow one of this flake, by name; `""`: none at all."""
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return {name: name for name in names}
    return value


NodeName = Annotated[
    str,
    matching(
        _NODE,
        "a host name; write a letter, then up to 62 letters, digits, `-` or `_`, "
        "the last of them no sign",
    ),
    AfterValidator(_not_reserved),
]
FilePath = Annotated[
    str,
    matching(
        re.compile(_PATH, re.ASCII),
        "a path inside the flake; write it from the output directory, like `hosts/my-host.nix`",
    ),
]
Module = Annotated[
    str,
    matching(
        re.compile(rf"{_PATH}|{_INPUT}#{_ATTRIBUTE}", re.ASCII),
        "a path inside the flake, nor a module of an input; write it from the output directory, "
        "like `hosts/my-host.nix`, or like `disko#disko`",
    ),
    WithJsonSchema({"type": "string", "examples": ["hosts/my-host.nix", "disko#disko"]}),
]
Attribute = Annotated[
    str,
    matching(re.compile(_ATTRIBUTE), "the name of a module; write it like `disko`"),
]
InputName = Annotated[
    str,
    matching(
        re.compile(_INPUT),
        "the name of an input; write letters, digits, `-` and `_`, no digit first",
    ),
    AfterValidator(_no_keyword),
]
NIXPKGS: Final = "github:NixOS/nixpkgs/nixos-26.05"
"""The newest release that is no unstable one."""
FlakeReference = Annotated[
    str,
    matching(_REFERENCE, f"a flake reference; write it like `{NIXPKGS}`"),
]
Follows = Annotated[
    dict[
        InputName,
        Annotated[
            str,
            matching(
                re.compile(rf"(?:{_INPUT}(?:/{_INPUT})*)?"),
                "the name of an input; write one of this flake, like `nixpkgs`",
            ),
        ],
    ],
    BeforeValidator(_follows),
    WithJsonSchema(
        {
            "type": ["string", "array", "object"],
            "examples": ["nixpkgs", {"nixpkgs": "nixpkgs"}],
        }
    ),
]
AbsolutePath = Annotated[
    str, matching(re.compile(r"/[\w./@+:,=~-]*", re.ASCII), "an absolute path; write it from `/`")
]
Command = Annotated[
    str,
    matching(re.compile(r"[^\x00-\x1f\x7f]+"), "one line of text; write it without line breaks"),
]
Selector = Annotated[
    str,
    matching(
        re.compile(rf"{_NODE.pattern}|@[a-z0-9]+(?:[-.][a-z0-9]+)*"),
        "a host or a tag; write a host as it is called here, and a tag with `@` before it",
    ),
]
ProfileName = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z][A-Za-z0-9_-]*"),
        "a name that deploy-rs takes; write letters, digits, `-` and `_`, a letter first",
    ),
]
Seconds = Annotated[int, Field(ge=1, le=65535)]
NixSetting = bool | int | Text | tuple[Text, ...]
if TYPE_CHECKING:
    TargetName = str
else:
    TargetName = Literal[IN_FLEETS]


class Input(Table):
    """An input of the flake: a string is its `url` alone."""

    url: FlakeReference
    """Where it is."""
    follows: Follows = Field(default_factory=dict)
    """Inputs of this input that are to be one of this flake's: a name, several, or a table, in
    which an empty text leaves one out."""
    modules: tuple[Attribute, ...] = ()
    """Names of its `nixosModules` that every NixOS host has; for one host or group write
    `INPUT#NAME` in `modules` there."""
    flake: bool = True
    """Whether it is a flake; otherwise it is the files alone."""


def _kind(value: object) -> str:
    return "table" if isinstance(value, dict | Input) else "url"


AnyInput = Annotated[
    Annotated[FlakeReference, Tag("url")] | Annotated[Input, Tag("table")], Discriminator(_kind)
]


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


class DeployProfile(Deploy):
    """Something more that deploy-rs deploys to a host; or, under the name `system` (`hostwright`
    where the host is not NixOS), other settings for what is deployed there anyway."""

    file: FilePath | None = None
    """A Nix function of the user's that returns what deploy-rs activates. It may take `activate`
    (deploy-rs's), `inputs`, `pkgs`, `system` and `name`, which is the host's."""
    profile_path: AbsolutePath | None = None
    """Where the profile lies on the host; left out: deploy-rs's place for its name and user."""


class Settings(Table):
    """What one may say of all hosts, of a group and of one host."""

    profile: Text | None = None
    """A shipped profile's name, or the path of a `.toml` seen from the fleet file."""
    ollama_version: ReleaseText | None = None
    """Release or line the host runs; left out: what the profile says, or else what the NixOS of
    its `nixpkgs` has."""
    nixpkgs: InputName | None = None
    """The input whose packages and modules a NixOS host has; left out: `nixpkgs`."""
    modules: tuple[Module, ...] = ()
    """NixOS modules: paths in the output directory, or `INPUT#NAME` for one that an input brings.
    Those of all hosts, of groups and of the host add up."""
    health_gate: bool | None = None
    """Whether an activation on NixOS waits until the server answers, and fails otherwise; left out:
    true."""
    deploy: Deploy = Deploy.model_construct()
    """How hosts are reached, key by key."""
    profiles: dict[ProfileName, DeployProfile] = Field(default_factory=dict)
    """What deploy-rs deploys beside it, by name."""
    profiles_order: tuple[ProfileName, ...] = ()
    """In which order it does; the rest comes after."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Keys of the profile that differ, as the profile writes them."""


class Host(Settings):
    """One host of the fleet. It needs a `profile`, here, in its group or in `[defaults]`, or a
    `report`."""

    report: FilePath | None = None
    """A report of nixos-facter, as a path seen from the fleet file: the profile is what
    `gen detect` makes of it."""
    address: Address | None = None
    """Name or address that ssh reaches the host by; left out: its name in the fleet."""
    target: TargetName = "nixos"
    """`nixos` for NixOS; another for DGX OS, Ubuntu, Debian and others with Nix on them."""
    tags: tuple[Name, ...] = ()
    """Groups that the host is in: for `[groups]`, waves, `gen fleet --only` and Colmena's
    `--on @tag`."""

    @model_validator(mode="after")
    def _modules_are_for_nixos(self) -> Self:
        if self.modules and TARGETS[self.target].fleet != "modules":
            raise ValueError(
                f'NixOS modules do nothing with `target = "{self.target}"`; take `modules` out'
            )
        return self


class Group(Settings):
    """What holds for the hosts with this tag that do not say otherwise."""

    kind: Literal["hosts", "k8s"] = "hosts"
    """`k8s`: those with this tag are no machines, but servers that clusters run; they get manifests
    below `kubernetes/`, and are no part of the flake."""


class Defaults(Settings):
    """What holds for every host that does not say otherwise."""

    tags: tuple[Name, ...] = ()
    """Further tags of every host."""


class Rollout(Table):
    """The waves of the program `deploy-waves`: each host is in the first one that names it, and
    hosts that none names are in the last one."""

    canary: tuple[Selector, ...] = ()
    """The first wave: hosts, and tags with `@` before them."""
    waves: tuple[tuple[Selector, ...], ...] = ()
    """The waves after it, in their order."""
    size: Annotated[int, Field(ge=1)] | None = None
    """At most so many hosts in a wave; left out: any number."""
    parallel: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many hosts of a wave are deployed at a time."""
    pause_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """How long to wait after each wave."""


class Fleet(Table):
    """The whole file."""

    schema_version: Version
    """Version of this schema: 1."""
    outputs: FilePath | None = None
    """A Nix function of the user's, from the inputs to further outputs of the flake."""
    nix_config: dict[
        Annotated[
            str,
            matching(
                re.compile(r"[a-z]+(?:-[a-z]+)*"),
                "a setting of Nix; write it like `extra-substituters`",
            ),
        ],
        NixSetting,
    ] = Field(default_factory=dict)
    """`nixConfig` of the flake, like `extra-substituters`."""
    inputs: dict[InputName, AnyInput] = Field(default_factory=dict)
    """Where the flake takes its inputs from: a flake reference, or a table. `nixpkgs`, `deploy-rs`
    and `colmena` are there anyway; `hostwright` brings the `gen` that checks plan and unit of every
    NixOS host when it is built; any other is for modules of your own, which get all as `inputs`."""
    defaults: Defaults = Defaults.model_construct()
    """What holds for every host."""
    groups: dict[Name, Group] = Field(default_factory=dict)
    """What holds for the hosts with a tag; of several tags the later one counts."""
    rollout: Rollout = Rollout.model_construct()
    """Which hosts are deployed first."""
    hosts: Annotated[dict[NodeName, Host], Field(min_length=1)]
    """The hosts, by the names that `deploy .#name` takes."""
