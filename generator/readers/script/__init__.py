"""Scripts that a shell, make or just runs: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.signs import HASHBANG, Signs, reached, served
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_SERVED: Final = served("script")


def _ours(source: Source) -> bool:
    """Whether a script is about an engine; of one that only asks, an address may tell."""
    return _SERVED(source) or reached(source)


SIGNS: Final = Signs(
    sure=frozenset({".sh", ".bash", ".zsh", ".mk", ".just"}),
    names=r"(?:GNU)?[Mm]akefile|\.?[Jj]ustfile|\.?(?:bash|zsh)(?:rc|_profile|env|_aliases)"
    r"|\.?z?profile",
    content=rf"(?m)\A{HASHBANG}|^[ \t]*(?:\$ )?(?:sudo )?(?:docker|podman) "
    r"(?:run|create|service|container)\b",
    ours=_ours,
)
SCRIPT: Final = Phrases(
    kind="script",
    assigns=True,
    expands=True,
    past_firewall=True,
    read_by="`docker inspect` shows it, and the script goes to version control",
    keep_in="a file outside version control that `--env-file` names",
    restart="add `--restart unless-stopped`",
)
