"""Command lines of Apptainer, which was Singularity: its image, and what it hands to it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.options import Argument

OF_HOST: Final = re.compile(r"(?:APPTAINER|SINGULARITY)ENV_(?=[A-Za-z])")
"""What a variable of the host begins with that is set in the container without it."""
_PROGRAMS: Final = frozenset({"apptainer", "singularity"})
_VERBS: Final = frozenset({"run", "exec"})
_ENV: Final = "--env"
_SEVERAL: Final = re.compile(r",(?=[A-Za-z_]\w*=)", re.ASCII)


def image_at(words: Sequence[Argument], engine: Engine) -> tuple[int, int | None] | None:
    """Return which word is an image of the engine, and where the arguments of its own program
    begin, if that is run.
    """
    texts = [word.text for word in words]
    names = [PurePosixPath(text).name for text in texts]
    start = next((n for n, name in enumerate(names) if name in _PROGRAMS), None)
    if start is None:
        return None
    instance = texts[start + 1 : start + 2] == ["instance"]
    verb = next((text for text in texts[start + 1 : start + 3] if text in _VERBS), "")
    found = (n for n in range(start + 2, len(texts)) if _is_image(texts[n], engine))
    image = next(found, None) if verb else None
    if image is None:
        return None
    # An instance has its name first.
    return image, image + 1 + instance if verb == "run" else None


def _is_image(text: str, engine: Engine) -> bool:
    kind, _, name = text.partition("://")
    if name:
        return kind in {"docker", "oras", "library"} and engine.is_image(
            image_name(name).repository
        )
    file = rf"{engine.name}[\w.-]*\.(?:sif|simg|img)"
    return re.fullmatch(file, PurePosixPath(text).name) is not None


def environment(words: Sequence[Argument]) -> Iterator[tuple[str, Argument]]:
    """Yield the variables that options set: several in one, behind commas."""
    for before, word in pairwise(words):
        head = f"{_ENV}=" if word.text.startswith(f"{_ENV}=") else ""
        if not head and before.text != _ENV:
            continue
        for part in _SEVERAL.split(word.text.removeprefix(head)):
            name, _, value = part.partition("=")
            head += f"{name}="
            yield name, replace(word, text=value, written=_behind(word, head))
            head += f"{value},"


def _behind(word: Argument, head: str) -> Callable[[str], str]:
    return lambda more: word.written(head + more)
