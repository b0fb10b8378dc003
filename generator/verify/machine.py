"""The machine that a server runs on: this one, or one that was captured."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.detect.root import open_root
from generator.errors import EnvironmentFailure
from generator.live.client import Server, asked
from generator.live.door import ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.engines.base import AskApi

HERE: Final = "/"


class Machine:
    """Files, programs and the API; a captured tree has answers.

    All programs together have `seconds`, and so has the server with all its answers. `folder` is
    where the files of the machine lie. `gaps` are who could not be asked, and why.
    """

    def __init__(self, root: str | None, seconds: float) -> None:
        self.files = open_root(root)
        self.folder = root or HERE
        self.seconds = seconds
        self.gaps: dict[str, str] = {}
        self._live = root is None
        self._until = 0.0

    @property
    def left(self) -> float:
        """The seconds that programs still have; their time begins with the first."""
        self._until = self._until or time.monotonic() + self.seconds
        return max(self._until - time.monotonic(), 0)

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
        if answer.code and (why := answer.err.strip().partition("\n")[0]):
            self.gaps[argv[0]] = why
        return f"{answer.out}{answer.err if both else ''}"

    def room(self, folder: str) -> int | None:
        """Return the bytes that are left where a folder is; None: unknown."""
        there = next((p for p in (Path(folder), *Path(folder).parents) if p.exists()), None)
        try:
            return shutil.disk_usage(there).free if self._live and there else None
        except OSError:
            return None

    def api(self, url: str) -> AskApi:
        """Return who asks the server; on a captured machine files have its answers."""
        if not self._live:
            return self._captured
        server = Server.at(url, self.seconds)
        return lambda path, body=None: asked(server, path, body)

    def _captured(self, path: str, body: dict[str, Any] | None = None, /) -> dict[str, Any]:
        words = [path.strip("/"), *map(str, (body or {}).values())]
        file = f"{re.sub(r'[^A-Za-z0-9.]+', '-', '-'.join(words))}.json"
        with suppress(ValueError, RecursionError):
            answer = json.loads(self.files.tool(file))
            if isinstance(answer, dict):
                return answer
        raise EnvironmentFailure(f"the capture has no {file}, the answer to {path}")
