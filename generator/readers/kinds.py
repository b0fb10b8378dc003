"""The kinds of files that are read, told by name and, where that says nothing, by content."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from generator.readers.base import Source

Kind = Literal[
    "profile", "plan", "systemd", "quadlet", "compose", "helm", "nixos", "environment"
]  # fmt: skip

_COMPOSE: Final = re.compile(r"(?:docker-|podman-)?compose.*\.ya?ml")
_ENVIRONMENT: Final = re.compile(
    r"\.env(?:\..+)?|.+\.env|environment|.+\.sh|\.?(?:bash|zsh)(?:rc|_profile|env)|\.?z?profile"
)
_SUFFIXES: Final[dict[str, Kind]] = {
    ".service": "systemd",
    ".container": "quadlet",
    ".image": "quadlet",
    ".nix": "nixos",
    ".toml": "profile",
}
_DROP_INS: Final[dict[str, Kind]] = {".service.d": "systemd", ".container.d": "quadlet"}
# In this order: what comes first is the surer sign.
_SIGNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("quadlet", re.compile(r"^\[Container\]", re.M)),
    ("systemd", re.compile(r"^\[(?:Service|Unit)\]|^(?:Environment|ExecStart)=", re.M)),
    ("plan", re.compile(r"\A\s*\{.*\"schema_version\"\s*:", re.S)),
    ("profile", re.compile(r"^schema_version\s*=", re.M)),
    ("helm", re.compile(r"^ollama:(?:\s*\{|(?:\s*#.*)?\n(?:\s*(?:#.*)?\n)*\s+\w+:)", re.M)),
    ("compose", re.compile(r"^[\"']?(?:services|include)[\"']?\s*:", re.M)),
    ("nixos", re.compile(r"\bservices\.ollama\b|\bservices\s*=\s*\{|^\s*\{[^}]*\}\s*:\s*$", re.M)),
    ("environment", re.compile(r"^\s*(?:export\s+)?[A-Za-z_]\w*=", re.M)),
)
_PATTERNS: Final = dict(_SIGNS)
_EXTRA_ENV: Final = re.compile(r"^extraEnv:[\s\S]*\b(?:OLLAMA|LLAMA_ARG)_", re.M)
_FLEET: Final = re.compile(r"^\[hosts[.\]]", re.M)
_READ: Final = frozenset({".conf", ".json", ".yaml", ".yml", *_SUFFIXES})
_OLLAMA: Final = re.compile(r"ollama|\bLLAMA_ARG_", re.I)
_SETS: Final = re.compile(r"\bOLLAMA_\w+=|\bLLAMA_ARG_\w+=")
_MODULE: Final = re.compile(
    r"\b(?:services|oci-containers)\b[\s\S]*\bollama\b|\bollama\b[\s\S]*\bserviceConfig\b"
)
FLAKE: Final = "flake.nix"
"""Puts modules together, and is none."""


def may_be_ours(path: PurePosixPath) -> bool:
    """Return whether a file of a directory is worth reading; hidden ones are not, but `.env`."""
    if path.name.startswith(".") and path.name != ".env":
        return False
    return path.suffix in _READ or bool(_ENVIRONMENT.fullmatch(path.name))


def kind_of(source: Source, *, walked: bool = False) -> Kind | None:
    """Return what a file is; None: none of ours.

    A file that the user names may tell by its content what its name does not; one that is only
    found on the way (`walked`) has to have the right name, too.
    """
    path = PurePosixPath(source.path)
    by_suffix = {".conf": _drop_in, ".yaml": _yaml, ".yml": _yaml, ".json": _plan}
    if path.suffix == ".toml" and walked:
        return _profile(source.text)
    if path.suffix in _SUFFIXES:
        return _SUFFIXES[path.suffix]
    if path.suffix in by_suffix:
        kind = by_suffix[path.suffix](path, source.text)
        return kind if kind or walked else _variables_of_a_chart(path, source.text)
    if _ENVIRONMENT.fullmatch(path.name):
        return "environment"
    return None if walked else _guessed(source.text)


def _profile(text: str) -> Kind | None:
    fleet = _FLEET.search(text)
    return "profile" if _PATTERNS["profile"].search(text) and not fleet else None


def _plan(_: PurePosixPath, text: str) -> Kind | None:
    return "plan" if _PATTERNS["plan"].search(text) else None


def _drop_in(path: PurePosixPath, text: str) -> Kind | None:
    for folder, kind in _DROP_INS.items():
        if path.parent.name.endswith(folder):
            return kind
    if "environment.d" in path.parts:
        return "environment"
    kinds: tuple[Kind, ...] = ("quadlet", "systemd")
    return next((kind for kind in kinds if _PATTERNS[kind].search(text)), None)


def _yaml(path: PurePosixPath, text: str) -> Kind | None:
    if _COMPOSE.fullmatch(path.name):
        return "compose"
    kinds: tuple[Kind, ...] = ("compose", "helm")
    return next((kind for kind in kinds if _PATTERNS[kind].search(text)), None)


def _variables_of_a_chart(path: PurePosixPath, text: str) -> Kind | None:
    """Other charts have `extraEnv` as well, so that somebody has to name the file."""
    yaml = path.suffix in {".yaml", ".yml"}
    return "helm" if yaml and _EXTRA_ENV.search(text) else None


def _guessed(text: str) -> Kind | None:
    return next((kind for kind, sign in _SIGNS if sign.search(text)), None)


def of_ollama(source: Source, kind: Kind) -> bool:
    """Return whether a file of a directory has to do with Ollama."""
    if kind in {"profile", "plan"}:
        return True
    if kind == "nixos":
        return PurePosixPath(source.path).name != FLAKE and bool(_MODULE.search(source.text))
    if kind == "environment":
        return bool(_SETS.search(source.text))
    # A drop-in says only by its directory whose it is.
    folder = PurePosixPath(source.path).parent.name
    return bool(_OLLAMA.search(source.text) or _OLLAMA.search(folder))
