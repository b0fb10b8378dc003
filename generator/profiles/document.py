"""What reading a profile gives, before anything of it is validated."""

from __future__ import annotations

import re
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.errors import Problem

NAME: Final = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
"""What a profile may be called."""


@dataclass(frozen=True, slots=True)
class Document:
    """A merged profile that is not validated yet.

    `source` names it for people (`profiles/xeon-cpu.toml`); `origins` has the file or flag that
    each key path came from; `digest` is that of everything read, `texts` the files themselves.
    `instance` is the one of several servers that is asked about; empty: all of them. `unfit` are
    Problems with values that TOML can spell and no profile can hold.
    """

    source: str
    data: dict[str, Any]
    origins: Mapping[tuple[str, ...], str]
    digest: str
    texts: Mapping[str, str] = field(default_factory=dict)
    instance: str = ""
    unfit: tuple[Problem, ...] = ()

    @property
    def label(self) -> str:
        """The source for output, which holds no path of this machine: absolute ones lose theirs."""
        return Path(self.source).name if self.source.startswith("/") else self.source

    def origin(self, path: Sequence[str]) -> str:
        """Return the file or flag that the value at `path`, or the table around it, came from."""
        for length in range(len(path), 0, -1):
            if (found := self.origins.get(tuple(path[:length]))) is not None:
                return found
        return self.source
