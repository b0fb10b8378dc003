"""The machine that a server runs on: this one, or one that was captured."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from generator.detect.root import Files, open_root
from generator.errors import EnvironmentFailure
from generator.live.client import Server, asked
from generator.live.door import ask
from generator.units import whole
from generator.verify.unpacked import unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.engines.base import AskApi

HERE: Final = "/"
URL: Final = "server-url.txt"
"""The name under which a capture keeps where the server answered."""


ROOM: Final = "models-room.txt"
"""The name under which it keeps what `df` says of the disk with the models."""


def answer_file(path: str, body: Mapping[str, Any] | None = None) -> str:
    """Return the name under which a capture keeps what a server answers."""
    words = [path.strip("/"), *map(str, (body or {}).values())]
    return f"{re.sub(r'[^A-Za-z0-9.]+', '-', '-'.join(words))}.json"


_LOG: Final = re.compile(r"[EFIW]\d{4} \d\d:\d\d:\d\d\.")
"""How lines of klog begin, which kubectl prints before what it has to say."""


def _reason(told: str) -> str:
    """Return the first line that is none of a log."""
    lines = told.strip().splitlines() or [""]
    return next((line for line in lines if not _LOG.match(line)), lines[0])


def _free(told: str) -> int | None:
    """Return the bytes that `df -Pk` tells are left; None: it tells nothing."""
    words = told.rpartition("\n")[2].split()
    blocks = whole(words[3]) if len(words) > 5 else None  # noqa: PLR2004 -- its columns
    return None if blocks is None else blocks * 1024


class Machine:
    """Files, programs and the API; a captured tree has answers, and so has what was `taken`.

    All programs together have `seconds`, and so has the server with all its answers. `folder` is
    where the files of the machine lie, and `above` what its own paths have before
    them where nobody else knows that place. `gaps` are who could not be asked, and why.
    """

    def __init__(
        self,
        root: str | None,
        seconds: float,
        *,
        stdin: IO[bytes] | None = None,
        taken: Mapping[str, bytes] | None = None,
    ) -> None:
        self.files = open_root(root, stdin=stdin, whole=True) if taken is None else Files(taken)
        self.folder = root or HERE
        self.above = ""
        if isinstance(self.files, Files):
            self.folder = self.above = unpacked(self.files.files, self)
        self.seconds = seconds
        self.gaps: dict[str, str] = {}
        self._live = root is None and taken is None
        self._until = 0.0

    @property
    def left(self) -> float:
        """The seconds that programs still have; their time begins with the first."""
        self._until = self._until or time.monotonic() + self.seconds
        return max(self._until - time.monotonic(), 0)

    @property
    def captured(self) -> bool:
        """Whether it is another time's, so that only what was kept of it can be told."""
        return not self._live

    @property
    def url(self) -> str:
        """Where the server answered when the machine was captured; empty: nobody says so."""
        return "" if self._live else self.files.tool(URL)

    def told(self, file: str, argv: Sequence[str], *, both: bool = False) -> str:
        """Return what a program prints, on a captured machine what `file` has of it.

        `both`: what it prints as errors belongs to it. Empty: it is missing, or has failed.
        """
        if not self._live:
            return self.files.tool(file)
        try:
            answer = ask(argv, seconds=self.left)
        except EnvironmentFailure as error:
            # Without the program there is nothing that it could tell.
            if not error.hint.startswith("install"):
                self.gaps[argv[0]] = error.message
            return ""
        if answer.code and (why := _reason(answer.err)):
            self.gaps[argv[0]] = why
        return f"{answer.out}{answer.err if both else ''}"

    def room(self, folder: str) -> int | None:
        """Return the bytes that are left where a folder is; None: unknown."""
        if not self._live:
            return _free(self.files.tool(ROOM))
        there = next((p for p in (Path(folder), *Path(folder).parents) if p.exists()), None)
        try:
            return shutil.disk_usage(there).free if there else None
        except OSError:
            return None

    def api(self, url: str) -> AskApi:
        """Return who asks the server; on a captured machine files have its answers."""
        if not self._live:
            return self._captured
        server = Server.at(url, self.seconds)
        return lambda path, body=None: asked(server, path, body)

    def _captured(self, path: str, body: dict[str, Any] | None = None, /) -> dict[str, Any]:
        file = answer_file(path, body)
        with suppress(ValueError, RecursionError):
            answer = json.loads(self.files.tool(file))
            if isinstance(answer, dict):
                return answer
        raise EnvironmentFailure(f"the capture has no {file}, the answer to {path}")
