"""A capture: what it keeps of a machine, what it never does, and that it tells the same again."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect.root import Archive
from generator.errors import EnvironmentFailure
from generator.formats.template import shipped_text
from generator.verify.capture import script, taken
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called
from tests.live.stub import Installed, Stub, serving
from tests.verify.seen import service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = str(ROOT / "tests/verify/small.toml")
SECRETS = load_catalogue().at("ollama", load_catalogue().release("0.32")).secrets


def redacted(text: str, entries: str = "") -> str:
    words = {name: " ".join(getattr(SECRETS, name)) for name in ("endings", "parts", "elsewhere")}
    given = [f"-v{name}={value}" for name, value in (words | {"entries": entries}).items()]
    done = subprocess.run(
        ["awk", *given, shipped_text("capture/redact.awk")],
        input=f"{text}\n", capture_output=True, encoding="utf-8", timeout=30, check=True,
    )  # fmt: skip
    return done.stdout.removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Environment=OLLAMA_HOST=0.0.0.0 HF_TOKEN=s3 A=1",
         "Environment=OLLAMA_HOST=0.0.0.0 HF_TOKEN=*** A=1"),
        ('Environment="HF_TOKEN=s3 s4" "A=1 2"', 'Environment="HF_TOKEN=***" "A=1 2"'),
        ("Environment='HF_TOKEN=s3 s4' A=1", "Environment='HF_TOKEN=***' A=1"),
        ('  "HF_TOKEN=s\\"3",', '  "HF_TOKEN=***",'),
        ('HF_TOKEN="s3 s4"', 'HF_TOKEN="***"'),
        ("HF_TOKEN=s3 s4", "HF_TOKEN=***"),
        ("db_password: s3 s4", "db_password: ***"),
        ('  "apiKey": "s3", "b": 1', '  "apiKey": "***", "b": 1'),
        ('  "api_key": "s3", "b": 1', '  "api_key": "***", "b": 1'),
        ('  "Secrets": null,', '  "Secrets": null,'),
        ('  "Secrets": [', '  "Secrets": ['),
        ("TOKEN_FILE=/run/token KEY_PATH=/k", "TOKEN_FILE=/run/token KEY_PATH=/k"),
        ("HTTPS_PROXY=http://me:s3@proxy:3128", "HTTPS_PROXY=http://***@proxy:3128"),
        ("ExecStart=/x --api-key s3 --port 1", "ExecStart=/x --api-key *** --port 1"),
        ("SetCredential=a:s3", "SetCredential=a:***"),
        ("MONKEY=banana", "MONKEY=banana"),
        ("OLLAMA_KEEP_ALIVE=24h", "OLLAMA_KEEP_ALIVE=24h"),
    ],
)  # fmt: skip
def test_what_is_taken_out_of_a_text(text: str, without: str) -> None:
    assert redacted(text) == without


def test_what_is_taken_out_of_entries() -> None:
    given = "A=1\nHF_TOKEN=s3 B=2\n--api-key\ns3\n--port\n1\nB=HF_TOKEN=x"
    kept = "A=1\nHF_TOKEN=***\n--api-key\n***\n--port\n1\nB=HF_TOKEN=x"
    assert redacted(given, "entries") == kept


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Stub]:
    """A server with a process of its name, its errors in a file, and a secret."""
    (tmp_path / "serve").write_text("read line\n")
    model = Installed("tiny:1b", parameters="num_ctx 1024")
    with serving(Stub([model])) as stub:
        (tmp_path / "log").write_text(
            'time=x level=INFO msg="server config" env="map[OLLAMA_KEEP_ALIVE:5m0s]"\nnoise\n'
        )
        given = {"OLLAMA_HOST": stub.url, "HF_TOKEN": "s3", "OLLAMA_KEEP_ALIVE": "5m"}
        with (tmp_path / "log").open("a") as log:
            process = subprocess.Popen(
                ["ollama", "serve"], executable="/bin/sh", cwd=tmp_path, env=given,
                stdin=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        try:
            yield stub
        finally:
            process.communicate()


def rows(*more: str) -> dict[str, dict[str, Any]]:
    done = called("verify", SMALL, *more, "--json")
    return {row["setting"]: row for row in validated("verify", done.stdout)["rows"]}


def test_a_capture_tells_what_its_machine_tells(server: Stub, tmp_path: Path) -> None:
    capture = tmp_path / "host.tar.gz"
    done = called("verify", SMALL, "--url", server.url, "--capture", str(capture))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    kept = Archive(capture, whole=True).files
    assert b"s3" not in b"".join(kept.values())
    assert any(b"HF_TOKEN=***\0" in data for data in kept.values())
    live = rows("--url", server.url, "--via", "process", "--via", "api")
    again = rows("--root", str(capture))
    assert live["OLLAMA_KEEP_ALIVE"]["effective"] == "5m0s"
    assert live["model tiny:1b"]["verdict"] == "ok"
    for name in ("OLLAMA_KEEP_ALIVE", "CPUQuota", "MemoryMax", "model tiny:1b", "release"):
        assert again[name] == live[name]
    refused = called("verify", SMALL, "--url", server.url, "--capture", str(capture))
    assert (refused.returncode, "--force backs it up and replaces it" in refused.stderr) == (
        2,
        True,
    )


def test_what_others_have_written_into_a_model_stays_there(tmp_path: Path) -> None:
    tools = tmp_path / "machine/.hostwright/tools"
    tools.mkdir(parents=True)
    told = {"system": "s3", "parameters": "a 1", "modelfile": "#\nFROM /m/x\nSYSTEM s3"}
    (tools / "api-show-x.json").write_text(json.dumps(told))
    lines = "printf '\\n-- hostwright capture --\\n' && tar -cf - ."
    argv = ("env", "-C", str(tmp_path / "machine"), "sh", "-c", lines)
    files = taken(argv, "", 10)
    assert json.loads(files[".hostwright/tools/api-show-x.json"]) == {
        "parameters": "a 1",
        "modelfile": "FROM /m/x",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("echo no such host >&2; exit 255", "no such host"),
        ("exit 7", "`sh` ends with 7"),
        ("echo Welcome!", "prints no archive"),
        ("head -c 20000 /dev/urandom", "prints no archive"),
        ("exec sleep 60", "has not answered"),
    ],
)
def test_a_machine_that_gives_none(lines: str, message: str) -> None:
    with pytest.raises(EnvironmentFailure, match=message):
        taken(("sh",), lines, 0.5)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_nothing_is_left_behind(shell: str, tmp_path: Path) -> None:
    lines = script(service(), SECRETS, "http://127.0.0.1:9")
    done = subprocess.run(
        [shell], input=lines.encode(), capture_output=True, timeout=60, check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr, [*tmp_path.iterdir()]) == (0, b"", [])


def test_files_that_lead_out_of_the_capture_are_left_out(tmp_path: Path) -> None:
    import io
    import tarfile

    capture = tmp_path / "evil.tar"
    with tarfile.open(capture, "w") as archive:
        for name in ("proc/meminfo", "../evil", "/etc/evil", "a/b", "a"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    done = called("verify", SMALL, "--root", str(capture))
    assert done.returncode == 3
    assert not os.path.lexists(tmp_path.parent / "evil")
