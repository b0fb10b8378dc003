"""Images that a script near a file builds on the host, by the name that the file has for them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context
    from generator.view import View

_SPEAKS: Final = re.compile(
    r"(?i)(?:gnu)?makefile|\.?justfile|taskfile\.ya?ml|readme.*|.*\.(?:sh|bash|zsh|mk|just|md|ps1)"
)
_CLIENT: Final = r"\b(?:docker|podman|nerdctl|buildah)[ \t]+(?:(?:buildx|image|builder)[ \t]+)?"
_REST: Final = r"\b((?:[^\n\\;&|]|\\\n|\\.){1,600})"
_BUILDS: Final = re.compile(rf"{_CLIENT}(?:build|bud){_REST}")
_TAGS: Final = re.compile(rf"{_CLIENT}tag{_REST}")
_IMAGE: Final = r"[\"']?([\w.-]+(?:[/:][\w./-]+)*)(:?\$)?"
_CALLED: Final = re.compile(rf"(?<!\S)(?:-t|--tag)[ \t=]*{_IMAGE}")
_LAST: Final = re.compile(rf"(?<=\s){_IMAGE}[\w.{{}}\"']*\s*$")
_NEAR: Final = ("", "..", "scripts", "../scripts")
_MOST: Final = 30
_LONGEST: Final = 200_000


def with_local_images(views: Sequence[View], context: Context) -> list[View]:
    """Return the Views, each with whether somebody builds its image on the host."""
    known: dict[str, frozenset[tuple[str, str]]] = {}
    return [_local(view, known, context) for view in views]


def _local(view: View, known: dict[str, frozenset[tuple[str, str]]], context: Context) -> View:
    box, folder = view.container, posixpath.dirname(view.place.file)
    if box is None or not box.image or box.digest or box.moving:
        return view
    if folder not in known:
        known[folder] = frozenset(_built(view.place.file, context))
    repository, tag = _plain(box.image)
    built = {(repository, tag), (repository, "")} & known[folder]
    return replace(view, container=replace(box, moving=True)) if built else view


def _built(file: str, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the images that scripts near a file build: name and tag, empty where a variable is."""
    folder = posixpath.dirname(file)
    for near in _NEAR:
        place = posixpath.normpath(posixpath.join(folder, near, posixpath.basename(file)))
        for path in dict.fromkeys((file, *context.listed(place)[:_MOST])):
            text = context.read(path) if _SPEAKS.fullmatch(posixpath.basename(path)) else None
            for name, open_ in _names((text or "")[:_LONGEST]):
                repository, tag = _plain(name)
                yield repository, "" if open_ else tag


def _names(text: str) -> Iterator[tuple[str, str]]:
    for command in _BUILDS.finditer(text):
        yield from _CALLED.findall(command[1])
    for command in _TAGS.finditer(text):
        yield from _LAST.findall(command[1])


def _plain(image: str) -> tuple[str, str]:
    """Return the name and the tag of an image as every client writes it."""
    folder, _, last = image.rpartition("/")
    base, _, tag = last.partition(":")
    name = f"{folder}/{base}" if folder else base
    return re.sub(r"^(?:docker\.io/|localhost/)?(?:library/)?", "", name), tag or "latest"
