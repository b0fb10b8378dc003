"""A Page: what is said of one name, as plain data that is laid out elsewhere."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = {
    "rule": "what `gen check` reports",
    "variable": "environment variables that something reads",
    "dead": "names that no release of Ollama reads",
    "key": "keys of a profile",
    "limit": "limits and sandboxing of a unit or container",
    "option": "model options: requests, PARAMETER in a Modelfile",
    "setting": "settings of proxies, gateways and monitors around a server",
    "topic": "what has no name of its own in any file",
    "model": "models of the library",
}


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph, with a label in front of it where there is one."""

    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the last column may be long."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """An excerpt of a configuration under its label."""

    label: str
    text: str


Block = Prose | Grid | Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One name of one kind: `summary` is its line in a list, `facts` what programs get."""

    kind: str
    name: str
    about: str
    summary: str
    blocks: tuple[Block, ...]
    sources: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The first line: `CPUQuota · systemd directive`."""
        return f"{self.name} · {self.about}"


def paragraphs(*pairs: tuple[str, str]) -> tuple[Prose, ...]:
    """Return a labelled paragraph for each `(label, text)` that has a text."""
    return tuple(Prose(text, label) for label, text in pairs if text)


def sources_of(text: str) -> tuple[str, ...]:
    """Return the sources of a data file's `source`, which parts them by `; `."""
    return tuple(part.strip() for part in text.split("; ") if part.strip())
