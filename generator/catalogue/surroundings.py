"""What is known of the image, of units, and of what profile keys become."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from generator.catalogue.records import Blank, Key, Name, System
from generator.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """The official container image; paths and port are those inside it."""

    repository: str
    tag: str
    rocm_tag: str
    systems: tuple[System, ...]
    rocm_systems: tuple[System, ...]
    home_path: str
    models_path: str
    port: int
    missing_tools: tuple[str, ...]
    healthcheck: tuple[str, ...]
    environment: dict[Name, Blank]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directives:
    """What systemd reads in a section of a service's unit."""

    section: Literal["Unit", "Service", "Install"]
    names: tuple[Name, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyFact:
    """What a profile key becomes, by target; `variable` carries it in every one."""

    name: str
    variable: str = ""
    becomes: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spelling:
    """How a target writes a variable and a limit; `{name}`, `{compose}` stand for their names."""

    target: str
    variable: str
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LimitFact:
    """What a limit or a sandboxing directive does to Ollama; `bad`: what a careless value does."""

    name: Name
    compose: tuple[str, ...] = ()
    key: Key = ""
    effect: str
    ollama: str
    bad: str = ""
    source: str
