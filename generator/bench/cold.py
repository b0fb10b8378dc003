"""Cold starts in two kinds, against warm ones: a model from the disk, from the page cache, loaded.

Kinds take turns, so that what changes meanwhile changes for all of them.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.bench.measurement import START_KINDS, Start
from generator.bench.pagecache import drop, held
from generator.errors import EnvironmentFailure, shortened
from generator.live.client import asked, host_and_port
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.bench.measurement import Sample, StartKind
    from generator.live.client import Server

    Ask = Callable[[StartKind, int], Sample]
    """Sends the request of a kind and a round."""

PAUSE: Final = 0.05
PATIENCE: Final = 60.0
"""Seconds that a server has to let go of a model."""
MOST_FILES: Final = 64
MOST_HELD: Final = 5
"""Percent of a file that may be left in the page cache of one that was dropped."""
_FROM: Final = ("FROM ", "ADAPTER ")


def starts(
    server: Server, model: str, ask: Ask, rounds: int, told: Callable[[int], None]
) -> tuple[Start, ...]:
    """Return what becomes of `rounds` requests of each kind of start.

    Where the page cache cannot be dropped that kind has no requests, and says why not.
    """
    files, why = model_files(server, model)
    found: dict[StartKind, list[Sample]] = {kind: [] for kind in START_KINDS}
    caches: dict[StartKind, list[int]] = {kind: [] for kind in START_KINDS}
    for at in range(rounds):
        for kind in START_KINDS:
            if kind == "dropped" and why:
                continue
            if kind != "warm":
                unload(server, model)
            if kind == "dropped" and (why := _dropped(files)):
                continue
            caches[kind].append(_held(files))
            found[kind].append(ask(kind, at))
        told(at + 1)
    return tuple(
        Start(
            kind=kind,
            held=max(caches[kind], default=-1) if kind == "dropped" else min(caches[kind]),
            why=why if kind == "dropped" else "",
            samples=tuple(found[kind]),
        )
        for kind in START_KINDS
    )


def model_files(server: Server, model: str) -> tuple[tuple[Path, ...], str]:
    """Return the files of a model as its Modelfile names them, or why they cannot be read here."""
    if not is_local(host_and_port(server.url)[0]):
        return (), "the server is on another machine"
    shown = asked(server, "/api/show", {"model": model}).get("modelfile")
    lines = shown.splitlines() if isinstance(shown, str) else []
    named = [line.partition(" ")[2].strip() for line in lines if line.startswith(_FROM)]
    files = tuple(Path(name) for name in named if name.startswith("/"))
    if not 0 < len(files) <= MOST_FILES:
        return (), "the server does not say which file the model is"
    for file in files:
        try:
            if not file.is_file():
                return (), f"there is no file {shortened(str(file))} here"
            with file.open("rb"):
                pass
        except OSError as error:
            return (), f"cannot read {shortened(str(file))}: {error.strerror}"
        except ValueError:
            return (), "the server names a file that is none"
    return files, ""


def unload(server: Server, model: str) -> None:
    """Have the server let go of a model, and wait until it has.

    Raises EnvironmentFailure where it does not.
    """
    asked(server, "/api/generate", {"model": model, "keep_alive": 0})
    until = time.monotonic() + min(PATIENCE, max(server.left, 0))
    while _loaded(server, model):
        if time.monotonic() > until:
            message = f"{server.url} does not let go of {model}"
            raise EnvironmentFailure(message, hint="does somebody else ask for it?")
        time.sleep(PAUSE)


def _loaded(server: Server, model: str) -> bool:
    listed: Any = asked(server, "/api/ps").get("models")
    names = {model, f"{model}:latest"}
    every = listed if isinstance(listed, list) else []
    return any(isinstance(each, dict) and each.get("name") in names for each in every)


def _dropped(files: Sequence[Path]) -> str:
    """Drop the pages of files; return why that had no effect, empty: it had."""
    try:
        drop(files)
        left = held(files)
    except OSError as error:
        return f"cannot drop the page cache: {error.strerror}"
    return f"{left} % of the file stayed in the page cache" if left > MOST_HELD else ""


def _held(files: Sequence[Path]) -> int:
    try:
        return held(files) if files else -1
    except OSError:
        return -1
