"""Programs of an engine that an image copies, and whether what loads models comes along.

Source: ml/path.go@v0.32.15, libOllamaPathCandidates: `../lib/NAME` and `lib/NAME`, from where the
program lies.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.view import ALONE_IN_IMAGE, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context
    from generator.readers.dockerfile.image import Stage
    from generator.readers.syntax.dockerfile import Instruction

_NEEDS: Final = "builds-llama-server"
_FOLDERS: Final = frozenset({"/bin", "/usr/bin", "/usr/local/bin"})


def of_engine(found: Sequence[Stage], engine: Engine) -> frozenset[str]:
    """Return the names and numbers of the stages that begin with an image of an engine."""
    ours = [
        (one.name, str(number))
        for number, one in enumerate(found)
        if engine.is_image(image_name(one.image).repository)
    ]
    return frozenset(name for names in ours for name in names if name)


def without_libraries(
    stage: Stage, found: Sequence[Stage], begun: Sequence[str], context: Context
) -> Iterator[Line]:
    """Yield the program that an image gets without its libraries, or apart from them.

    `begun` is what a container of it runs. The name of the line is where the libraries are copied
    to, if they are, its value where they are missed.
    """
    engine = context.engine
    base = image_name(stage.image).repository
    if engine.by_arguments or engine.is_image(base) or _may_have_them(stage, engine):
        return
    serves = re.compile(rf"\b{engine.command[0]}[\"',\s]+{engine.command[-1]}\b")
    if not any(serves.search(text) for text in begun):
        return
    copies = [(image, one, [word.raw for word in one.words()]) for image, one in stage.copies]
    lies = [words[-1] for _, _, words in copies if _is_of(words, rf"(?:/usr)?/lib/{engine.name}/?")]
    for image, one, words in copies:
        if not image or not _is_of(words, rf"(?:/usr(?:/local)?)?/bin/{engine.name}"):
            continue
        to = _folder(words[-1])
        missed = [posixpath.normpath(f"{to}/{way}/lib/{engine.name}") for way in ("..", ".")]
        there = {_whole(path) for path in lies} & {_whole(path) for path in missed}
        if to.startswith("/") and not there and _needs_them(image, found, context):
            yield _line(one, lies[0] if lies else "", missed[0])


def _line(one: Instruction, lies: str, missed: str) -> Line:
    return Line(section=ALONE_IN_IMAGE, name=lies, value=missed, place=one.place)


def _is_of(words: Sequence[str], pattern: str) -> bool:
    """Whether one of the files that are copied is of that path."""
    return any(re.fullmatch(pattern, word) for word in words[:-1])


def _folder(to: str) -> str:
    """Return the directory into which a program is copied."""
    path = to.rstrip("/")
    return path if to.endswith("/") or path in _FOLDERS else posixpath.dirname(path)


def _whole(path: str) -> str:
    """Return a path below /usr: what lies beside it is a link to that."""
    plain = posixpath.normpath(path)
    return f"/usr{plain}" if plain.startswith(("/lib/", "/bin/")) else plain


def _may_have_them(stage: Stage, engine: Engine) -> bool:
    """Whether a command, or a copy of more than one folder, may bring the libraries."""
    wide = rf"/|/usr(?:/local)?/?|(?:/usr(?:/local)?)?/lib/?|.*/lib/{engine.name}/.+"
    copied = ([word.raw for word in one.words()] for _, one in stage.copies)
    if any(_is_of(words, wide) for words in copied):
        return True
    asked = re.compile(rf"lib/{engine.name}|{engine.installs}|\bln\s+-\w*s")
    return any(asked.search(one.script) for one in stage.runs)


def _needs_them(image: str, found: Sequence[Stage], context: Context) -> bool:
    """Whether the release of a program that is copied loads models by a program of its own."""
    named = (one.image for number, one in enumerate(found) if image in {one.name, str(number)})
    taken = next(named, image)
    if not context.engine.is_image(image_name(taken).repository):
        return False
    release = context.release_of(taken)[0]
    return context.catalogue.at(context.engine.name, release).behaves(_NEEDS)
