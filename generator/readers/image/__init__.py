"""Dockerfiles and Containerfiles: how they are recognised, and what they call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

SIGNS: Final = Signs(
    sure=frozenset({".dockerfile", ".Dockerfile", ".containerfile"}),
    names=r"(?:[\w-]+\.)*(?:Docker|Container|docker|container)file(?:[.-][\w.-]+)?",
    content=r"(?m)\A(?:\s*#[^\n]*\n|\s*ARG[^\n]*\n|\s*\n)*\s*FROM[ \t]+\S+[^\n]*\n"
    r"(?=(?:.*\n)*?(?:RUN|ENV|CMD|ENTRYPOINT|COPY)[ \t])",
    never=r"(?m)^PARAMETER[ \t]",
)
IMAGE: Final = replace(
    SCRIPT,
    kind="image",
    volumes_told=False,
    devices_told=False,
    restart="",
    read_by="everybody who has the image reads it",
    keep_in="a file that `docker run --env-file` names",
)
