"""A command in a process of its own: with an end, and with no more output than is of use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

from generator.records import dataclass

LARGEST: Final = 4 << 20
"""Bytes of an answer; more is of no use to whoever asked."""
_TAIL: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command printed, and how it ended; `late` and `large`: it was ended for that."""

    code: int
    out: bytes
    talk: str
    late: bool = False
    large: bool = False


async def run(words: list[str], text: str, seconds: float) -> Done:
    """Run `gen` with these words, and `text` as its standard input. It ends with its children."""
    # -P: what lies in the working directory is no part of the program.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "generator", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            return await _answer(process, text)
    except TimeoutError:
        return Done(code=3, out=b"", talk="", late=True)
    finally:
        _end(process.pid)
        await process.wait()


def _environment() -> dict[str, str]:
    """Return the environment without options of commands: GEN_RENDER_OUTPUT would write files."""
    kept = {name: value for name, value in os.environ.items() if "GEN_" not in name[:5]}
    return kept | {"HOSTWRIGHT_NO_CACHE": "1", "NO_COLOR": "1"}


async def _answer(process: asyncio.subprocess.Process, text: str) -> Done:
    assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 -- are pipes
    _, out, talk = await asyncio.gather(
        _feed(process.stdin, text),
        _read(process.stdout, LARGEST),
        _read(process.stderr, LARGEST),
    )
    if len(out) > LARGEST or len(talk) > LARGEST:
        return Done(code=3, out=b"", talk="", large=True)
    code = await process.wait()
    return Done(code=code, out=out, talk=talk[-_TAIL:].decode("utf-8", "replace"))


async def _feed(stream: asyncio.StreamWriter, text: str) -> None:
    with contextlib.suppress(ConnectionError):  # It has ended without reading all.
        stream.write(text.encode("utf-8", "surrogateescape"))
        await stream.drain()
        stream.close()


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    """Read to the end; of what is too large, enough to see that it is."""
    found = bytearray()
    while len(found) <= most and (part := await stream.read(1 << 16)):
        found += part
    return bytes(found)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
