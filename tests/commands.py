"""The command `gen`, called in this process or in one of its own."""

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, chdir
from io import TextIOWrapper
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner, Result

from generator.cli import gen, main

ROOT = Path(__file__).parent.parent


def run(*args: str) -> Result:
    return CliRunner().invoke(gen, args, prog_name="gen", standalone_mode=False)


def process(
    *args: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own, for what its start or its end has a part in."""
    return subprocess.run(
        [sys.executable, "-m", "generator", *args],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def called(
    *args: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Call the command in this process: what it reads and prints, and the code it exits with."""
    with ExitStack() as stack:
        streams = [stack.enter_context(_stream()) for _ in range(3)]
        streams[0].write(stdin)
        streams[0].seek(0)
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            stack.enter_context(patch.object(sys, name, stream))
        stack.enter_context(chdir(cwd))
        stack.enter_context(patch.dict(os.environ, env or {}))
        code = _exit_code(args)
        return subprocess.CompletedProcess(args, code, *map(_text, streams[1:]))


def on_terminal(*args: str) -> str:
    """Return what the command prints on stdout, when that is a terminal."""
    with patch("tests.commands.TextIOWrapper", _Terminal):
        return called(*args).stdout


class _Terminal(TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _stream() -> TextIOWrapper:
    return TextIOWrapper(tempfile.TemporaryFile(), encoding="utf-8")


def _text(stream: TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _exit_code(args: tuple[str, ...]) -> int:
    try:
        main(args)
    except SystemExit as ended:
        return int(str(ended.code))
    finally:  # What is not worth its time in a process that ends.
        gc.unfreeze()
        gc.enable()
