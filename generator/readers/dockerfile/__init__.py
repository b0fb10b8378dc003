"""Dockerfiles and Containerfiles: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.passed import installs_an_engine, uses_an_engine
from generator.readers.signs import Signs, names_an_engine, serves
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

_COMMENT: Final = re.compile(r"(?m)^[ \t]*#.*$")
_FROM: Final = re.compile(r"(?mi)^[ \t]*FROM[ \t]+(.+)$")
_OTHERS: Final = re.compile(
    r"(?mi)^[ \t]*(?:RUN|CMD|ENTRYPOINT|ENV|COPY|ADD|EXPOSE|WORKDIR|HEALTHCHECK|USER)[ \t]"
)
_MODEL: Final = re.compile(r"(?mi)^[ \t]*(?:PARAMETER|SYSTEM|TEMPLATE|MESSAGE|ADAPTER)[ \t]")


def _ours(source: Source) -> bool:
    """Whether an image of it runs, installs or asks an engine; comments do not count."""
    text = _COMMENT.sub("", source.text)
    bases = " ".join(_FROM.findall(text))
    ours = uses_an_engine(text) or names_an_engine(bases) or installs_an_engine(text)
    return ours or serves("dockerfile", text)


def _is_image(text: str) -> bool:
    return _OTHERS.search(text) is not None and _MODEL.search(text) is None


SIGNS: Final = Signs(
    names=r"(?i)(?:docker|container)file(?![\w.-]*\.(?:dockerignore|md|txt)$)(?:[.-][\w.-]+)?"
    r"|[\w.-]+\.(?:docker|container)file",
    content=r"\A(?:[ \t]*(?:#[^\n]*|(?i:ARG)[ \t][^\n]*)?\n)*[ \t]*(?i:FROM)[ \t]+\S",
    holds=_is_image,
    ours=_ours,
)
DOCKERFILE: Final = Phrases(
    kind="dockerfile",
    assigns=True,
    expands=True,
    volumes_told=False,
    unnamed="",  # Whoever runs it gives it one.
    devices_told=False,
    read_by="everybody who has the image reads it in `docker inspect`, and the file goes to "
    "version control",
    keep_in="a file that `--env-file` names where the container is started",
    check="HEALTHCHECK CMD [{}]",
    taken_away="ENTRYPOINT []",
)
