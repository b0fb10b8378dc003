"""What Podman's own generator makes of rendered quadlets, and systemd of the units it writes.

`quadlet` reads `.container`, `.volume` and `.network` files and writes services; no container
engine is needed. systemd then says what the command line of `podman run` really is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.consumers import systemd
from tests.consumers.effective import ConsumerError, Effective
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
OLDEST: Final = (5, 4)
_SWITCHES: Final = frozenset({"--replace", "--rm", "-d", "--detach", "-i", "--read-only"})
_WORD: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', re.S)
_ESCAPE: Final = re.compile(r"\\(x[0-9a-f]{2}|[0-7]{3}|.)", re.S)
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def verify(folder: Path, beside: Path, *, rootless: bool = False) -> list[str]:
    """Return every complaint of the generator, then of systemd about what it wrote.

    `beside` is the folder of ordinary units, which systemd reads with the generated ones.
    """
    with _generated(folder, beside, rootless=rootless) as (units, complaints):
        names = sorted(path.name for path in units.glob("*.service"))
        return complaints or systemd.verify(units, names)


def read(folder: Path, beside: Path, unit: str, *, rootless: bool = False) -> Effective:
    """Return what `unit` will run; ConsumerError for any complaint on the way.

    `environment` is that of the container. `extra`: what `systemd.read` has for the generated
    service, `options` (those of `podman run` in order, by name without dashes) and `image`.
    """
    with _generated(folder, beside, rootless=rootless) as (units, complaints):
        if complaints:
            raise ConsumerError("\n".join(complaints))
        found = systemd.read(units, unit)
    return _contained(found)


@contextmanager
def _generated(folder: Path, beside: Path, *, rootless: bool) -> Iterator[tuple[Path, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        result = subprocess.run(
            [binary(), *(["-user"] if rootless else []), name],
            env={"PATH": os.defpath, "QUADLET_UNIT_DIRS": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )
        lines = [line for line in result.stderr.splitlines() if "Loading source unit" not in line]
        if result.returncode != 0 and not lines:
            lines = [f"quadlet: exit status {result.returncode}"]
        for file in beside.glob("*.service"):
            shutil.copy(file, name)
        yield Path(name), lines


@cache
def binary() -> str:
    """Return the path of a `quadlet` program that knows what we write; skip without one."""
    candidates = (
        os.environ.get("HOSTWRIGHT_QUADLET", ""),
        str(ROOT / ".tools/quadlet"),
        "/usr/libexec/podman/quadlet",
    )
    return next((c for c in candidates if c and _version(c) >= OLDEST), "") or require("quadlet")


def _version(binary: str) -> tuple[int, ...]:
    try:
        result = subprocess.run([binary, "-version"], capture_output=True, timeout=20, check=False)
    except OSError:
        return (0,)
    found = re.match(rb"(\d+)\.(\d+)", result.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)


def _contained(found: Effective) -> Effective:
    (line,) = found.extra["exec"]["ExecStart"]
    _, _, *words = _words(line)
    options: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return _effective(found, options, word)
        name, joined, value = word.partition("=")
        if not joined and word not in _SWITCHES:
            value = next(rest)
        options.append((name.lstrip("-"), value))
    raise ConsumerError(f"podman run names no image: {line}")


def _effective(found: Effective, options: list[tuple[str, str]], image: str) -> Effective:
    variables = (value.partition("=") for name, value in options if name == "env")
    return replace(
        found,
        environment={name: value for name, _, value in variables},
        extra={**found.extra, "options": options, "image": image},
    )


def _words(line: str) -> list[str]:
    """Take a command line of the manager's dump apart, and expand it as the manager will."""
    return [
        _expanded(_ESCAPE.sub(_unescaped, quoted) if quoted or not bare else bare)
        for quoted, bare in _WORD.findall(line)
    ]


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) == 3:
        return chr(int(code[1:], 16))
    if len(code) == 3:
        return chr(int(code, 8))
    return _LETTERS.get(code, code)


def _expanded(word: str) -> str:
    """systemd.service(5): `$$` is a dollar; anything else behind one is a variable."""
    if re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", word):
        raise ConsumerError(f"systemd would put a variable into `{word}`")
    return word.replace("$$", "$")
