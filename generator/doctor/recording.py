"""This machine, of which all that is asked is kept: files, what programs print, answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from generator.detect.root import TOOLS, open_root
from generator.redact import redacted
from generator.verify.machine import URL, Machine, answer_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.doctor.symptoms import Symptoms
    from generator.engines.base import AskApi

RECENT: Final = "server-log-recent.txt"
"""The name under which the end of the server's log is kept."""
_LINES: Final = 2000
_PROCESS: Final = re.compile(r"proc/(\d+)/")
_OF_OTHERS: Final = frozenset({"environ", "cmdline"})


class Recording(Machine):
    """A Machine that runs, and remembers what it was asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(None, seconds)
        self.files = open_root(None, capture=True)
        self._told: dict[str, str] = {}

    def told(self, file: str, argv: Sequence[str], *, both: bool = False) -> str:
        """Return what a program prints, and keep it as `file`."""
        text = super().told(file, argv, both=both)
        self._told[file] = text
        return text

    def api(self, url: str) -> AskApi:
        """Return who asks the server, and keeps what it answers."""
        ask = super().api(url)

        def keeps(path: str, body: dict[str, Any] | None = None, /) -> Mapping[str, Any]:
            answer = ask(path, body)
            self._told[answer_file(path, body)] = json.dumps(answer)
            return answer

        return keeps

    def kept(self, seen: Symptoms, others: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return all of it without secrets, by path; `others` is what a comparison has kept.

        Of processes only the server's own have a place in it.
        """
        process = seen.seen.process
        ours = {process.pid, *(child.pid for child in process.children)} if process else set()
        mine = {path: data for path, data in self.files.taken.items() if _may(path, ours)}
        told = {f"{TOOLS}/{file}": text for file, text in self._told.items() if text}
        told[f"{TOOLS}/{URL}"] = seen.url
        # That of a server which writes to a file is no answer of a program.
        told[f"{TOOLS}/{RECENT}"] = "\n".join(seen.log.splitlines()[-_LINES:])
        clean = {path: redacted(text, seen.running.secret) for path, text in told.items()}
        own = {path.lstrip("./"): data for path, data in others.items()}
        return {**mine, **own, **{path: text.encode() for path, text in clean.items()}}


def _may(path: str, ours: set[int]) -> bool:
    """Whether a file may be kept as it is: environments and commands have secrets in them."""
    found = _PROCESS.match(path)
    if found is None:
        return True
    return (
        int(found[1]) in ours and path.rpartition("/")[2] not in _OF_OTHERS and "/fd/" not in path
    )
