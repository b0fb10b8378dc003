"""How compose files are recognised, and what Compose reads beside one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath

_OVERRIDE: Final = r"((?:docker-)?compose)\.override\.ya?ml"
_DEFAULT: Final = re.compile(r"((?:docker-)?compose)(?:\.override)?\.ya?ml")


def _project(path: PurePosixPath) -> str:
    found = _DEFAULT.fullmatch(path.name)
    return (path.parent / found[1]).as_posix() if found else path.as_posix()


def _overrides(path: PurePosixPath) -> Iterator[str]:
    found = _DEFAULT.fullmatch(path.name)
    if found and not re.fullmatch(_OVERRIDE, path.name):
        for suffix in ("yaml", "yml"):
            yield path.with_name(f"{found[1]}.override.{suffix}").as_posix()


SIGNS: Final = Signs(
    names=r"(?:docker-|podman-)?compose.*\.ya?ml",
    maybe=frozenset({".yaml", ".yml"}),
    content=r"(?m)^[\"']?(?:services|include)[\"']?\s*:",
    belongs=_project,
    over=_OVERRIDE,
    beside=_overrides,
    brings=frozenset({".env"}),
)
