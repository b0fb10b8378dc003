"""What every reader is given, and the few questions that all of them ask."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.engines import ENGINES, load_signs
from generator.errors import Problem, ProfileError
from generator.host import Host
from generator.records import dataclass
from generator.view import Phrases, Place, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.engines.signs import Signs as Engine
    from generator.units import Release

T = TypeVar("T")
_TAG: Final = re.compile(r"v?(\d+\.\d+(?:\.\d+)?(?:-rc\d+)?)(?:-[a-z][a-z0-9_.]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read: its path as the user named it, and its text."""

    path: str
    text: str


class Patience:
    """The seconds for which programs may be asked in one check, all files together."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = self.left = seconds


@dataclass(frozen=True, slots=True)
class Context:
    """What the user told beside the files, and the engine whose services are looked for.

    `release`, `host` and `channel`, the release of NixOS, are theirs, or nothing;
    `release_by_file` returns the release that they told for a file, where they told none for all.
    `read` returns the text of a further file that a file refers to by this path, None where it
    cannot be read; `exists` tells whether it is there. `patience` bounds how long programs are
    asked.
    """

    catalogue: Catalogue
    release: Release | None = None
    host: Host = field(default_factory=Host)
    read: Callable[[str], str | None] = lambda _: None
    release_by_file: Callable[[str], Release | None] = lambda _: None
    exists: Callable[[str], bool] = lambda _: False
    channel: str = ""
    patience: Patience = field(default_factory=Patience)
    engine: Engine = field(default_factory=lambda: load_signs(next(iter(ENGINES))))

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
                pass  # No release of the engine: the tag counts something else.
        return self.catalogue.newest, False

    def view(self, book: Phrases, release: tuple[Release, bool], **fields: Any) -> View:  # noqa: ANN401
        """Return a View with what the user told beside its file."""
        return View(
            phrases=book,
            engine=self.engine.name,
            release=release[0],
            release_told=release[1],
            host=self.host,
            **fields,
        )

    def facts(self, view: View) -> Facts:
        """Return the Facts that a View is judged by."""
        return self.catalogue.at(view.engine, view.release)

    def release_of(self, image: str) -> tuple[Release, bool]:
        """Return the same of an image, whose tag counts releases where it is the engine's own."""
        name = image_name(image)
        return self.release_for(name.tag if self.engine.is_image(name.repository) else "")


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image reference in its parts: `docker.io/some/image`, `1.2`, pinned by a digest or not."""

    repository: str
    tag: str
    digest: bool


def image_name(text: str) -> ImageName:
    """Take an image reference apart: `docker.io/some/image:1.2@sha256:…`."""
    name, _, digest = text.partition("@")
    path, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    return ImageName(f"{path}/{base}" if path else base, tag, bool(digest))


def problem_at(place: Place, message: str, hint: str) -> Problem:
    """Return a Problem of one line."""
    return Problem(f"line {place.line}", message, hint, place.file)


def refused(source: str, where: str, message: str, hint: str) -> ProfileError:
    """Return the error for a text that whoever it is for would refuse."""
    return ProfileError(source, (Problem(where, message, hint, source),))


def each(sources: Iterable[Source], read: Callable[[Source], T]) -> list[T]:
    """Return what `read` makes of each source; the Problems of all of them come at once."""
    found: list[T] = []
    faults: list[ProfileError] = []
    for source in sources:
        try:
            found.append(read(source))
        except ProfileError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        problems = tuple(problem for fault in faults for problem in fault.problems)
        raise ProfileError(faults[0].source, problems)
    return found


class NeedsMore(ProfileError):
    """A file that says nothing by itself: a part of another one, or more than can be read here."""
