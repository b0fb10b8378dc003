"""What every reader is given, and the few questions that all of them ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.units import Release
    from generator.view import View

_TAG: Final = re.compile(r"v?(\d+\.\d+(?:\.\d+)?(?:-rc\d+)?)(?:-[a-z][a-z0-9_.]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read: its path as the user named it, and its text."""

    path: str
    text: str


def _nothing(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """What the user told beside the files.

    `release` and `host` are theirs, or nothing. `read` returns the text of a further file that
    a file refers to by this path, None where it is not there.
    """

    catalogue: Catalogue
    release: Release | None = None
    host: Host = field(default_factory=Host)
    read: Callable[[str], str | None] = _nothing

    def release_for(self, told: str = "") -> tuple[Release, bool]:
        """Return the release to judge for, and whether somebody named it.

        The user's goes first, then `told`, an image tag or version of the file; `latest`, `rocm`
        and what is no release tell nothing, and the newest release stands in.
        """
        if self.release is not None:
            return self.release, True
        match = _TAG.fullmatch(told)
        if match is not None:
            try:
                return self.catalogue.release(match[1]), True
            except ValueError:
                pass  # No release of Ollama: the tag counts something else.
        return self.catalogue.newest, False

    def facts(self, view: View) -> Facts:
        """Return the Facts that a View is judged by."""
        return self.catalogue.at("ollama", view.release)


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image reference in its parts: `ollama/ollama`, `0.32.15`, pinned by a digest or not."""

    repository: str
    tag: str
    digest: bool

    @property
    def is_ollama(self) -> bool:
        """Whether this is Ollama's own image, or somebody's build of the same name."""
        return self.repository.rpartition("/")[2] == "ollama"

    @property
    def release(self) -> str:
        """What `Context.release_for` may be told: the tag, where it counts Ollama's releases."""
        return self.tag if self.is_ollama else ""


def image_name(text: str) -> ImageName:
    """Take an image reference apart: `docker.io/ollama/ollama:0.32.15@sha256:…`."""
    name, _, digest = text.partition("@")
    path, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return ImageName(f"{path}/{base}" if path else base, tag, bool(digest))


def not_a_file(source: str, where: str, message: str, hint: str) -> ProfileError:
    """Return the error of a reader for a text that is no such file at all."""
    return ProfileError(source, (Problem(where, message, hint, source),))
