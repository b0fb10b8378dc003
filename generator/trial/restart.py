"""A server that is started anew for a trial, and put back as it was, whatever ends the trial."""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure, HostwrightError, shortened
from generator.files.rewrite import create
from generator.live.client import Server, asked, host_and_port
from generator.live.door import ask
from generator.trial.choice import Change
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from generator.trial.ways import Argv, Way

SECONDS: Final = 120.0
"""That a server has to stop and to answer again: systemd waits 90 for one that does not stop."""
_PAUSE: Final = 0.25
_ASKING: Final = 5.0
_ENDINGS: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)

Seen = dict[str, str]
"""The environment of a process."""


class Restarter:
    """One server, and the Way in which it is started anew.

    `environments` returns those of the servers of this machine that can be read.
    """

    def __init__(self, way: Way, url: str, environments: Callable[[], list[Seen]] = list) -> None:
        self.way, self.url = way, url
        self.remarks: list[str] = []
        self._environments = environments
        self._began = False

    def apply(self, change: Change, seconds: float) -> None:
        """Start the server with a Change, and wait until it answers and has it.

        Raises EnvironmentFailure where it does not within the time.
        """
        until = time.monotonic() + min(seconds, SECONDS)
        text = self.way.text(change)
        self._write(text)
        handed = {name: value for name, value in change.variables if value is not None}
        self._run(self.way.begin, until, handed)
        self._wait(change, until)

    def restore(self) -> None:
        """Put the server back as it was, if it was ever changed."""
        if not self._began:
            return
        try:
            if self.way.emptied:
                create(self.way.file, b"", force=True, ours=True)
            else:
                self.way.file.unlink(missing_ok=True)
            until = time.monotonic() + SECONDS
            self._run(self.way.end, until, {})
            self._wait(Change(), until)
        except (HostwrightError, OSError) as error:
            message = error.message if isinstance(error, HostwrightError) else str(error)
            raise EnvironmentFailure(
                f"the server is not put back as it was: {message}", hint=self.way.by_hand
            ) from error
        self._began = False
        with suppress(OSError):
            self.way.file.unlink(missing_ok=True)
            self.way.file.parent.rmdir()  # where nobody else has anything in it

    def steps(self, change: Change) -> Iterator[str]:
        """Yield what would be done for a Change, a line each."""
        yield f"write {self.way.file}:"
        yield from (f"  {line}" for line in self.way.text(change).splitlines())
        yield from (f"run {shlex.join(argv)}" for argv in self.way.begin)

    def _write(self, text: str) -> None:
        file = self.way.file
        if not self._began and os.path.lexists(file):
            raise EnvironmentFailure(
                f"another trial is under way, or one was killed: `{file}` is there",
                hint=f"wait for it, or put the server back: {self.way.by_hand}",
            )
        try:
            file.parent.mkdir(mode=0o755 if file.suffix == ".conf" else 0o700, exist_ok=True)
            self._began = True
            create(file, text.encode(), force=True, ours=True)
        except (EnvironmentFailure, OSError) as error:
            message = error.message if isinstance(error, HostwrightError) else str(error)
            raise EnvironmentFailure(
                message, hint="run it as root, or name a `--restart-command`"
            ) from error

    def _run(self, commands: tuple[Argv, ...], until: float, handed: dict[str, str]) -> None:
        variables = {"HOSTWRIGHT_TRIAL": str(self.way.file), **handed} if self.way.exports else {}
        for argv in commands:
            left = until - time.monotonic()
            answer = ask(argv, seconds=max(left, 0.1), variables=variables, leave=True)
            if answer.code:
                said = (answer.err.strip() or answer.out.strip()).splitlines()
                why = f": {shortened(said[-1], 200)}" if said else ""
                raise EnvironmentFailure(
                    f"`{shortened(shlex.join(argv))}` failed with {answer.code}{why}",
                    hint="does it work by itself, as this user?",
                )

    def _wait(self, change: Change, until: float) -> None:
        """Wait until the server answers, and its process has what the Change says."""
        server = Server.at(self.url, max(until - time.monotonic(), 0.1))
        while True:
            fault = self._fault(change, server)
            if fault is None:
                return
            if time.monotonic() + _PAUSE > until:
                raise fault
            time.sleep(_PAUSE)

    def _fault(self, change: Change, server: Server) -> EnvironmentFailure | None:
        """Return what is not as it should be, yet."""
        try:
            asked(Server.at(self.url, min(_ASKING, max(server.left, 0.1))), "/api/version")
        except EnvironmentFailure as error:
            hint = "look into its log: `journalctl -u` of its unit, or `docker logs`"
            return EnvironmentFailure(f"started anew, but {error.message}", hint=hint)
        wanted = dict(change.variables)
        every = self._environments() if is_local(host_and_port(self.url)[0]) else []
        if not every and wanted:
            self._remark("nobody here may see whether the server got the variables")
        if not every or any(_has(one, wanted) for one in every):
            return None
        told = " ".join(f"{name}={value}" for name, value in wanted.items() if value is not None)
        return EnvironmentFailure(
            f"the server was started anew without {told}",
            hint="a file of its own sets it later, or the command does not hand it over",
        )

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def _has(environment: Seen, wanted: dict[str, str | None]) -> bool:
    return all(environment.get(name) == value for name, value in wanted.items())


@contextmanager
def put_back(undo: Callable[[], None]) -> Iterator[None]:
    """Do `undo` at the end, whatever ends what is done here; nothing ends that itself.

    SIGTERM and the end of a terminal end it as Ctrl-C does. Raises what `undo` raises.
    """
    armed = True

    def interrupted(_: int, __: FrameType | None) -> None:
        nonlocal armed
        if armed:
            armed = False  # one ends it, and none of those that follow ends `undo`
            raise KeyboardInterrupt

    # No SIG_IGN: a server that is started now would ignore them as well.
    with _on_signals(interrupted):
        try:
            try:
                yield
            finally:
                armed = False
        finally:
            undo()


@contextmanager
def _on_signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have what ends a program handled so; only the first thread may say that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in _ENDINGS]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
