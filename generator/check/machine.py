"""What a machine runs: its units, quadlets, compose projects and files of variables."""

from __future__ import annotations

import fnmatch
import os
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines import READ
from generator.errors import EnvironmentFailure
from generator.live.door import PATIENCE, ask
from generator.readers.discover import discover_installed
from generator.readers.text import text_of
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.discover import Found

HERE: Final = "/"
ANSWER: Final = ".hostwright/tools/docker-compose.txt"
"""Where a captured tree keeps what `docker` has answered to PROJECTS."""
_LABEL: Final = "com.docker.compose.project"
PROJECTS: Final = (
    *("docker", "ps", "--filter", f"label={_LABEL}", "--format"),
    f'{{{{.Label "{_LABEL}.working_dir"}}}}\t{{{{.Label "{_LABEL}.config_files"}}}}',
)
_LINKS_AT_MOST: Final = 40
"""As many links as the kernel follows before it gives up."""
_DOCKER: Final = ("usr/bin/docker", "usr/local/bin/docker", "var/lib/docker")
_HOMES: Final = ("home/*/", "root/")
_UNITS: Final = (
    *(f"{at}/systemd/{of}" for at in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
      for of in ("system", "system.control", "user", "user.control")),
    "run/systemd/transient",
    *(f"{home}.config/systemd/user" for home in _HOMES),
)  # fmt: skip
_QUADLETS: Final = (
    *(f"{at}/containers/systemd{more}" for at in ("etc", "run", "usr/share")
      for more in ("", "/*", "/users/*")),
    *(f"{home}.config/containers/systemd{more}" for home in _HOMES for more in ("", "/*")),
)  # fmt: skip
_VARIABLES: Final = (
    *("etc/environment", "etc/environment.d/*.conf", "etc/profile.d/*.sh"),
    *(f"{home}.config/environment.d/*.conf" for home in _HOMES),
)
PATTERNS: Final = (
    *(f"{folder}/{name}" for folder in _UNITS for name in ("*.service", "*service.d/*.conf")),
    *(f"{folder}/{name}" for folder in _QUADLETS
      for name in ("*.container", "*.image", "*.kube", "*container.d/*.conf")),
    *_VARIABLES,
)  # fmt: skip
"""Where there may be files that say how a server runs, below the root of a machine."""


def installed(root: str = HERE, *, seconds: float = PATIENCE) -> Found:
    """Return what a machine runs of the engines, by the files below `root`.

    Which compose projects run, docker tells within `seconds`, or what a captured tree keeps of its
    answer.
    """
    projects, gaps = _projects(root, seconds)
    found = discover_installed(_files(root), projects)
    empty = () if found.groups or found.problems else (root,)
    return replace(found, gaps=(*gaps, *found.gaps, *map(_nothing, empty)))


def _files(root: str) -> Iterator[tuple[str, str]]:
    """Yield the files and where each lies, each once: `/lib` may be a link to `/usr/lib`."""
    seen = set()
    for pattern in PATTERNS:
        for name in _matching(root, pattern):
            folder, _, file = name.rpartition("/")
            at, real = inside(root, folder), inside(root, name)
            if at and real and (at, file) not in seen:
                seen.add((at, file))
                yield posixpath.join(root, name), real


def _matching(root: str, pattern: str) -> list[str]:
    """Return the names below `root` of one pattern, sorted."""
    names = [""]
    for part in pattern.split("/"):
        several = set("*?[") & set(part)
        parts = (
            (name, _entries(inside(root, name), part) if several else [part]) for name in names
        )
        names = [posixpath.join(name, entry) for name, entries in parts for entry in entries]
    return [name for name in names if _is_there(root, name)]


def _is_there(root: str, name: str) -> bool:
    folder = inside(root, posixpath.dirname(name))
    return folder is not None and os.path.lexists(posixpath.join(folder, posixpath.basename(name)))


def _entries(folder: str | None, pattern: str) -> list[str]:
    try:
        names = os.listdir(folder) if folder else []  # noqa: PTH208 -- names alone
    except OSError:
        return []
    shown = (name for name in names if not name.startswith("."))
    return sorted(fnmatch.filter(shown, pattern))


def inside(root: str, name: str) -> str | None:
    """Return where a file of a machine lies whose files are below `root`.

    Links are followed as that machine follows them, so that none leads out of `root`; None: they
    have no end.
    """
    at, left, links = list[str](), name.split("/")[::-1], _LINKS_AT_MOST
    while left:
        part = left.pop()
        if part in {"", ".", ".."}:
            at = at[:-1] if part == ".." else at
            continue
        target = _link(posixpath.join(root, *at, part))
        links -= bool(target)
        if not links or target == os.devnull:
            return os.devnull if links else None
        at = [] if target.startswith("/") else at if target else [*at, part]
        left += target.split("/")[::-1]
    return posixpath.join(root, *at)


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 -- a Path is slow, and there are many
    except OSError:
        return ""


def _projects(root: str, seconds: float) -> tuple[list[list[str]], list[NotJudged]]:
    """Return the files of each compose project that runs, and why that is not known."""
    if root != HERE:
        told = text_of(posixpath.join(root, ANSWER), [])
        silent = told is None and any(_is_there(root, path) for path in _DOCKER)
        return _parsed(told or "", root), [_untold("its answer was not captured")] * silent
    try:
        answer = ask(PROJECTS, seconds=seconds)
    except EnvironmentFailure as error:
        # Without docker there is nothing to ask.
        missing = error.hint.startswith("install")
        return [], [] if missing else [_untold(error.message)]
    if answer.code:
        return [], [_untold(answer.err.strip().partition("\n")[0] or "it has failed")]
    return _parsed(answer.out, root), []


def _parsed(told: str, root: str) -> list[list[str]]:
    projects: dict[tuple[str, ...], None] = {}
    for line in told.splitlines():
        folder, _, files = line.partition("\t")
        paths = (posixpath.join(folder, file) for file in files.split(",") if file)
        projects[tuple(root.rstrip("/") + posixpath.normpath(path) for path in paths)] = None
    return [list(project) for project in projects if project]


def _untold(why: str) -> NotJudged:
    hint = "name the compose files, or ask as somebody whom docker answers"
    return NotJudged(file="docker", reason=f"it does not tell what runs: {why}", hint=hint)


def _nothing(root: str) -> NotJudged:
    engines = " or ".join(name.capitalize() for name in READ)
    reason = f"no unit, quadlet, compose project or file of variables here is about {engines}"
    return NotJudged(file=root, reason=reason, hint="name what to check, or a captured `--root`")
