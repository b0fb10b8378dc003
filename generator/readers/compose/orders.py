"""Commands that have Compose read files as one project: `docker compose -f a.yaml -f b.yaml up`.

They stand in scripts, Makefiles, units, workflows, guides, and in comments of the files themselves.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import Order
from generator.readers.syntax.options import CLIENTS
from generator.readers.syntax.script import lines
from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Source
    from generator.readers.syntax.options import Argument
    from generator.readers.syntax.script import CommandLine

_MOST: Final = 200_000
"""Characters of a text in which somebody may give an order."""
_SCRIPT: Final = re.compile(
    r"(?:GNU)?[Mm]akefile|\.?[Jj]ustfile|.*\.(?:sh|bash|zsh|mk|just)|[\w-]+", re.ASCII
)
_PLAIN: Final = re.compile(
    r"(?:\bcd[ \t]{1,9}(?P<cd>[\w./-]{1,200})[ \t]{0,9}&&[ \t]{0,9})?(?:\bsudo[ \t]{1,9})?"
    r"(?:\b[A-Z_]{1,40}=[^\s\"'`$]{1,200}[ \t]{1,9}){0,5}"
    r"(?:\b(?:docker|podman|nerdctl)[ \t]+(?:compose|stack)|\b(?:docker|podman)-compose)[ \t]"
    r"(?:[^\n\\]|\\[^\n]|\\\n[ \t]*#?)*",
    re.ASCII,
)
_LISTED: Final = re.compile(r"\bCOMPOSE_FILE[\"']?[ \t]*[:=][ \t]*[\"']?([^\s\"'#$]+)")
_FOLDER: Final = re.compile(r"(?m)^[ \t]*WorkingDirectory=(\S+)")
_ALONE: Final = frozenset({"docker-compose", "podman-compose"})
_FILES: Final = {"-f": "file", "--file": "file", "-c": "file", "--compose-file": "file"}
_VALUED: Final = {
    **_FILES, "--env-file": "env", "--project-directory": "folder", "-p": "", "--project-name": "",
    "--profile": "", "--ansi": "", "--progress": "", "--parallel": "", "--with-registry-auth": "",
}  # fmt: skip
_STARTS: Final = frozenset({"up", "start", "run", "create"})
_NEAR: Final = 6  # words between a client and `compose`


def orders(source: Source) -> tuple[Order, ...]:
    """Return the orders in a text, in its order; what a variable hides is left out."""
    text = source.text[:_MOST]
    path = PurePosixPath(source.path)
    script = text.startswith("#!") or _SCRIPT.fullmatch(path.name)
    found = _of_script(text, source.path) if script else _of_text(text, source.path)
    return tuple(dict.fromkeys(found))


def _of_script(text: str, path: str) -> Iterator[Order]:
    folder, files = "", ""
    for line in lines(text, path):
        words = [word.text for word in line.words]
        given = {name: value.text for name, value in line.assigned if not value.unresolved}
        if words[:1] == ["cd"]:
            plain = len(words) > 1 and not line.words[1].unresolved
            folder = posixpath.join(folder, words[1]) if plain else ""
        if not words:
            files = given.get("COMPOSE_FILE", files)
            continue
        given = {"COMPOSE_FILE": files, **given} if files else given
        if order := _order(line, path, given):
            yield replace(order, folder=posixpath.normpath(posixpath.join(folder, order.folder)))


def _of_text(text: str, path: str) -> Iterator[Order]:
    """Yield the orders of a text that is no script: of a guide, a workflow, a unit, a comment."""
    folder = found[1] if (found := _FOLDER.search(text)) else ""
    for match in _PLAIN.finditer(text):
        before = text[match.start() - 1 : match.start()]
        told = re.sub(r"\\\n[ \t]*#?", " ", match[0])
        told = told.partition(before)[0] if before in {'"', "'", "`"} else told
        for line in lines(told, path):
            given = {name: value.text for name, value in line.assigned if not value.unresolved}
            if line.words and (order := _order(line, path, given)):
                inner = posixpath.join(match["cd"] or folder, order.folder)
                yield replace(order, folder=posixpath.normpath(inner))
    for listed in _LISTED.finditer(text) if PurePosixPath(path).name != ".env" else ():
        yield Order(path, _names(listed[1]), folder=folder)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[:;]", listed) if name)


def _order(line: CommandLine, path: str, given: dict[str, str]) -> Order | None:
    """Return what a command line has Compose read; None: it is none, or nobody can tell."""
    words = _behind(line.words)
    found: dict[str, list[str]] = {"file": [], "env": [], "folder": []}
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        name, equals, value = words[at].text.partition("=")
        if not equals and re.match(r"-f[^-]", name):
            name, equals, value = "-f", "=", name[2:]
        valued = name in _VALUED and not equals
        value = words[at + 1].text if valued and at + 1 < len(words) else value
        if meaning := _VALUED.get(name):
            found[meaning].append(value)
        at += 2 if valued else 1
    listed = _names(given.pop("COMPOSE_FILE", ""))
    files = tuple(found["file"]) or listed
    hidden = at < len(words) and words[at].unresolved and words[at].text.startswith("$")
    starts = at < len(words) and (files or words[at].text in _STARTS)
    if hidden or not starts or "-" in files:
        return None
    folder = "".join(found["folder"][-1:])
    return Order(path, files, tuple(found["env"]), folder, tuple(sorted(given.items())))


def _behind(words: Sequence[Argument]) -> Sequence[Argument]:
    """Return what stands behind `docker compose`, `docker-compose` or `docker stack deploy`."""
    texts = [word.text.lstrip("@-").rpartition("/")[2] for word in words]
    for at, text in enumerate(texts[:_NEAR]):
        if text in _ALONE:
            return words[at + 1 :]
        if text in CLIENTS:
            near = texts[at : at + _NEAR]
            if "compose" in near:
                return words[at + near.index("compose") + 1 :]
            if near[1:3] == ["stack", "deploy"]:
                return words[at + 3 :]
    return ()
