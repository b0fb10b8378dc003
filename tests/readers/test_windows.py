"""PowerShell and batch files: what they set, and for whom."""

from pathlib import Path

import pytest

from tests.check.told import lines
from tests.texts import told


@pytest.mark.parametrize(
    ("name", "text", "caught"),
    [
        ("a.ps1", '$env:OLLAMA_NUM_THREADS = "8"\nollama serve\n', True),
        ("a.ps1", "[Environment]::SetEnvironmentVariable('OLLAMA_NUM_THREADS','8','User')\n", True),
        ("a.ps1", 'setx OLLAMA_NUM_THREADS "8"\n', True),
        ("a.bat", "@echo off\r\nset OLLAMA_NUM_THREADS=8\r\nollama serve\r\n", True),
        ("a.cmd", "setx /M OLLAMA_NUM_THREADS 8\n", True),
        ("a.bat", 'set "OLLAMA_NUM_THREADS=8"\nstart ollama.exe serve\n', True),
        ("START.BAT", "set OLLAMA_NUM_THREADS=8\r\nollama serve\r\n", True),
        ("a.ps1", '$env:OLLAMA_NUM_THREADS = "8"\npython app.py\n', False),
        ("a.ps1", "# setx OLLAMA_NUM_THREADS 8\nsetx OLLAMA_KEEP_ALIVE 1h\n", False),
        ("a.bat", "rem set OLLAMA_NUM_THREADS=8\nsetx OLLAMA_KEEP_ALIVE 1h\n", False),
    ],
)
def test_what_reaches_the_server_is_judged(
    name: str, text: str, caught: bool, tmp_path: Path
) -> None:
    assert told(tmp_path, {name: text}) == ({"HW101"} if caught else set())


def test_values_are_those_of_the_release(tmp_path: Path) -> None:
    text = "setx OLLAMA_KEEP_ALIVE soon\nsetx OLLAMA_MODELS %USERPROFILE%\\models\n"
    assert told(tmp_path, {"a.bat": text}) == {"HW109"}


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    text = "\ufeff$env:OLLAMA_NUM_THREADS = 8\nollama serve\n"
    assert lines(tmp_path, "serve.ps1", text) == ["1 HW101 warning"]
    fence = "\ufeff```sh\nexport OLLAMA_NUM_THREADS=8\nollama serve\n```\n"
    assert told(tmp_path, {"guide.md": fence}) == {"HW101"}
