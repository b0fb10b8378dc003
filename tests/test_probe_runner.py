"""The tool that asks a llama-server what it makes of its variables, on a small made-up one."""

import tomllib
from pathlib import Path

import pytest

from tools import probe_runner

PROGRAM = """#!/bin/sh
if [ "$1" = --help ]; then
  printf -- '-t, --threads N  threads\\n  (env: LLAMA_ARG_THREADS)\\n'
  printf -- '--mode {row,layer}  how to split\\n  (env: LLAMA_ARG_SPLIT_MODE)\\n'
  printf -- '--name TEXT  a name (env: LLAMA_ARG_ALIAS)\\n'
  exit 0
fi
case "${LLAMA_ARG_THREADS-8}" in *[!0-9.]*|'') echo 'not a number' >&2; exit 1;; esac
case "${LLAMA_ARG_SPLIT_MODE-row}" in row|layer) ;; *) echo 'no mode' >&2; exit 1;; esac
echo "loading model '$2'" >&2
exit 1
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "llama-server"
    path.write_text(PROGRAM)
    path.chmod(0o755)
    return str(path)


def test_the_table_is_what_the_program_did(
    program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe_runner, "_known", lambda: {"LLAMA_ARG_HIDDEN": frozenset()})
    assert probe_runner.main([program, "--build", "b1"]) == 0
    table = tomllib.loads(capsys.readouterr().out)["runner_reading"]
    assert [(each["names"], each["refuses"], each.get("takes", [])) for each in table] == [
        (["LLAMA_ARG_ALIAS", "LLAMA_ARG_HIDDEN"], [], []),
        (["LLAMA_ARG_SPLIT_MODE"], list(probe_runner.PROBES), ["layer", "row"]),
        (["LLAMA_ARG_THREADS"], ["", "maybe", "on", "auto"], []),
    ]
    assert {each["source"] for each in table} == {"seen on llama-server b1"}


def test_what_does_not_start_gives_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "llama-server"
    path.write_text("#!/bin/sh\nexit 127\n")
    path.chmod(0o755)
    assert probe_runner.main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "is no llama-server, or does not start" in err
