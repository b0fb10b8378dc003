"""What a machine runs: its units, quadlets, compose projects and files of variables."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.engines import ENGINES
from generator.errors import EnvironmentFailure
from generator.live.door import ask
from generator.readers.discover import discover_installed, text_of
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
_PATTERNS: Final = (
    *(f"{folder}/{name}" for folder in _UNITS for name in ("*.service", "*service.d/*.conf")),
    *(f"{folder}/{name}" for folder in _QUADLETS
      for name in ("*.container", "*.image", "*container.d/*.conf")),
    *_VARIABLES,
)  # fmt: skip


def installed(root: str = HERE) -> Found:
    """Return what a machine runs of the engines, by the files below `root`.

    Which compose projects run, docker tells, or what a captured tree keeps of its answer.
    """
    projects, gaps = _projects(root)
    found = discover_installed(_files(root), projects)
    empty = () if found.groups or found.problems else (root,)
    return replace(found, gaps=(*gaps, *found.gaps, *map(_nothing, empty)))


def _files(root: str) -> Iterator[str]:
    """Yield the files, each once: `/lib` may be a link to `/usr/lib`."""
    top, seen = os.path.realpath(root), set()
    for pattern in _PATTERNS:
        for path in sorted(Path(root).glob(pattern)):
            folder = os.path.realpath(path.parent)
            # A link out of a captured tree is one into this machine.
            inside = posixpath.commonpath((top, folder, *_target(path))) == top
            if inside and (folder, path.name) not in seen:
                seen.add((folder, path.name))
                yield path.as_posix()


def _target(path: Path) -> tuple[str, ...]:
    target = os.path.realpath(path)
    return () if target == os.devnull else (target,)


def _projects(root: str) -> tuple[list[list[str]], list[NotJudged]]:
    """Return the files of each compose project that runs, and why that is not known."""
    if root != HERE:
        told = text_of(posixpath.join(root, ANSWER), []) or ""
        return _parsed(told, root), []
    try:
        answer = ask(PROJECTS)
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
    engines = " or ".join(name.capitalize() for name in ENGINES)
    reason = f"no unit, quadlet, compose project or file of variables here is about {engines}"
    return NotJudged(file=root, reason=reason, hint="name what to check, or a captured `--root`")
