"""The one door to other programs: no shell, no input, an end to the wait and to what they print."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PIECE: Final = 2**16
PATIENCE: Final = 10.0  # seconds that a program has
MOST: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program has printed, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """The same of one that does not print text."""

    code: int
    out: bytes
    err: bytes


def ask(
    argv: Sequence[str],
    *,
    seconds: float = PATIENCE,
    most: int = MOST,
    variables: Mapping[str, str] = MappingProxyType({}),
    leave: bool = False,
) -> Answer:
    """Return what a program answers; it and what it has started end with this call.

    It gets `variables` beside those of this program. `leave`: what it has started goes on where it
    ends by itself, and prints elsewhere. Raises EnvironmentFailure where it is missing, takes
    longer than `seconds`, or prints more than `most` bytes.
    """
    told = ask_bytes(argv, seconds=seconds, most=most, variables=variables, leave=leave)
    return Answer(told.code, told.out.decode(errors="replace"), told.err.decode(errors="replace"))


def ask_bytes(
    argv: Sequence[str],
    *,
    given: bytes = b"",
    seconds: float = PATIENCE,
    most: int = MOST,
    variables: Mapping[str, str] = MappingProxyType({}),
    leave: bool = False,
) -> Bytes:
    """Return what a program answers that reads `given` from its input; raises as `ask` does."""
    until = time.monotonic() + seconds
    program = shutil.which(argv[0])
    if program is None:
        raise EnvironmentFailure(f"there is no `{argv[0]}`", hint="install it, or check `PATH`")
    try:
        with _input(given) as stdin:
            process = subprocess.Popen(
                [program, *argv[1:]],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C", **variables},
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"cannot run `{argv[0]}`: {error}") from error
    try:
        out, err = _printed(process, until, most)
        if len(out) + len(err) > most:
            raise EnvironmentFailure(f"`{argv[0]}` prints more than {most} bytes")
        code = process.wait(max(0, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        message = f"`{argv[0]}` has not answered in {seconds:g} seconds"
        raise EnvironmentFailure(message, hint="see whether it hangs by itself, too") from None
    finally:
        _end(process, leave=leave and process.returncode is not None)
    return Bytes(code, out, err)


def _input(given: bytes) -> IO[bytes]:
    """Return a file to read that from: of a pipe a program need not take what is in it."""
    from tempfile import TemporaryFile

    if not given:
        return open(os.devnull, "rb")  # noqa: PTH123 -- whoever has asked for it closes it
    stream = TemporaryFile()  # noqa: SIM115 -- whoever has asked for it closes it
    stream.write(given)
    stream.seek(0)
    return stream


def _printed(process: subprocess.Popen[bytes], until: float, most: int) -> tuple[bytes, bytes]:
    """Read both streams to their end, or until there is more than enough. Raises TimeoutError."""
    told: dict[object, bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as waiting:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0, until - time.monotonic()))
            if not ready or time.monotonic() > until:
                raise TimeoutError
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                told[key.fileobj] += piece
                if not piece:
                    waiting.unregister(key.fileobj)
            if sum(map(len, told.values())) > most:
                break
    return bytes(told[process.stdout]), bytes(told[process.stderr])


def _end(process: subprocess.Popen[bytes], *, leave: bool) -> None:
    """End the program with all that it has started, and forget its streams."""
    if not leave:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
