"""Scripts that a shell, make or just runs: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, served
from generator.view import Phrases

SIGNS: Final = Signs(
    sure=frozenset({".sh", ".bash", ".zsh", ".mk", ".just"}),
    names=r"(?:GNU)?[Mm]akefile|\.?[Jj]ustfile|\.?(?:bash|zsh)(?:rc|_profile|env|_aliases)"
    r"|\.?z?profile",
    content=r"(?m)\A#!.*\b(?:ba|da|z|k)?sh\b|^[ \t]*(?:\$ )?(?:sudo )?(?:docker|podman) "
    r"(?:run|create|service|container)\b",
    ours=served("script"),
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
