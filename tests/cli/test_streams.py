"""`-` is standard input and output wherever a path is read or written."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.commands import ROOT, process, run
from tests.detect.machines import FOLDER
from tests.detect.test_facter import REPORT

PROFILE = (ROOT / "profiles/xeon-cpu.toml").read_bytes()
GUEST = FOLDER / "virtual-machine.tar"


def piped(*args: str, stdin: bytes, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "generator", *args],
        input=stdin,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "HOSTWRIGHT_NO_CACHE": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("args", [("-",), ("-p", "-"), ("render", "-"), ("render", "-p", "-")])
def test_a_profile_is_rendered(args: tuple[str, ...]) -> None:
    shipped = run("xeon-cpu").stdout.replace("profiles/xeon-cpu.toml", "stdin")
    assert piped(*args, stdin=PROFILE).stdout.decode() == shipped


@pytest.mark.parametrize("verb", ["show", "fit"])
def test_a_profile_is_asked_about(verb: str) -> None:
    assert piped(verb, "-", stdin=PROFILE).stdout.decode() == run(verb, "xeon-cpu").stdout


def test_a_profile_extends_from_where_one_is_and_is_overridden(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        'schema_version = 1\nname = "base"\n[ollama]\nport = 11500\n'
    )
    text = b'schema_version = 1\nname = "mine"\nextends = "./base.toml"\n'
    done = piped("plan", "-", "--set", "threads.count=3", stdin=text, cwd=tmp_path)
    plan = json.loads(done.stdout)
    assert (plan["name"], plan["services"][0]["listen"]["port"]) == ("mine", 11500)
    assert "3" in {setting["value"] for setting in plan["services"][0]["environment"]}


def test_faults_of_a_profile_name_stdin() -> None:
    done = piped("show", "-", stdin=b"schema_version = 1\nnam = 'x'\n")
    assert done.returncode == 2
    assert b"stdin: nam: unknown key" in done.stderr


@pytest.mark.parametrize(("name", "file"), [((), "stdin"), (("--stdin-name", "x.toml"), "x.toml")])
def test_a_profile_is_checked(name: tuple[str, ...], file: str) -> None:
    done = piped("check", "-", *name, "--json", stdin=PROFILE)
    report = json.loads(done.stdout)
    assert report["files"] == [file]
    found = [(each["file"], each["line"], each["rule"]) for each in report["findings"]]
    shipped = json.loads(run("check", "xeon-cpu", "--json").stdout)["findings"]
    assert found == [(file, each["line"], each["rule"]) for each in shipped]


def test_the_facts_of_a_machine_are_read(tmp_path: Path) -> None:
    unit = tmp_path / "ollama.service"
    unit.write_text("[Service]\nExecStart=/bin/ollama serve\nEnvironment=LLAMA_ARG_THREADS=99\n")
    done = piped("check", str(unit), "--host", "-", "--json", stdin=PROFILE)
    assert "HW201" in {finding["rule"] for finding in json.loads(done.stdout)["findings"]}


def test_a_fleet_is_read_and_its_files_are_printed() -> None:
    text = b'schema_version = 1\n[hosts.a]\nprofile = "xeon-cpu"\n'
    listed = json.loads(piped("fleet", "-", "--json", stdin=text).stdout)
    assert [host["name"] for host in listed["hosts"]] == ["a"]
    printed = piped("fleet", "-", "-o", "-", stdin=text).stdout.decode()
    assert printed.startswith("# ==> flake.nix\n")
    assert "\n# ==> hostwright/hosts/all.json\n" in printed
    files = json.loads(piped("fleet", "-", "-o", "-", "--json", stdin=text).stdout)["files"]
    assert "hostwright/fleet.json" in {file["path"] for file in files}


def test_files_are_printed_and_none_is_written(tmp_path: Path) -> None:
    done = piped("xeon-cpu", "-o", "-", stdin=b"", cwd=tmp_path)
    assert done.stdout.decode() == run("xeon-cpu").stdout
    assert list(tmp_path.iterdir()) == []


def test_a_captured_machine_goes_through_a_pipe() -> None:
    archive = piped("detect", "--root", str(GUEST), "--capture", "-", stdin=b"").stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        assert "proc/cpuinfo" in {name.lstrip("/") for name in members.getnames()}
    again = piped("detect", "--root", "-", "--json", stdin=archive)
    assert again.stdout.decode() == run("detect", "--root", str(GUEST), "--json").stdout


def test_what_is_no_archive_is_told() -> None:
    done = piped("detect", "--root", "-", stdin=b"rubbish")
    assert done.returncode == 2
    assert b"is no tar archive" in done.stderr


def test_a_report_is_read() -> None:
    report = json.dumps(REPORT).encode()
    detected = json.loads(piped("detect", "--from", "-", "--json", stdin=report).stdout)
    assert detected["detected"]["cpu"]["cores"] > 0


def test_a_gguf_file_is_read_where_stdin_is_one(tmp_path: Path) -> None:
    done = piped("fit", "xeon-cpu", "--gguf", "-", stdin=b"GGUF")
    assert done.returncode == 2
    assert b"cannot be read from a pipe" in done.stderr
    (tmp_path / "x.gguf").write_bytes(b"rubbish")
    with (tmp_path / "x.gguf").open("rb") as stdin:
        redirected = subprocess.run(
            [sys.executable, "-m", "generator", "fit", "xeon-cpu", "--gguf", "-"],
            stdin=stdin, cwd=ROOT, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
    assert b"not a GGUF file" in redirected.stderr


def test_more_than_anybody_writes_is_refused() -> None:
    done = piped("show", "-", stdin=b"#" * (5 * 2**20 + 1))
    assert done.returncode == 2
    assert b"standard input has more than 5 MiB" in done.stderr


def test_a_closed_stdin_is_empty() -> None:
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m generator show - <&-'],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert process("show", "-").returncode == 2


WRITERS = [
    ("schema",),
    ("list",),
    ("show", "xeon-cpu"),
    ("plan", "xeon-cpu"),
    ("render", "--profile", "xeon-cpu"),
    ("--version",),
    ("--help",),
]


def shell(script: str, *args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a shell script about `gen`, its arguments as "$@"."""
    return subprocess.run(
        ["bash", "-c", f'gen() {{ "{sys.executable}" -m generator "$@"; }}; {script}', "-", *args],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        timeout=60,
        check=False,
    )


class TestStreams:
    @pytest.mark.parametrize("args", WRITERS, ids=" ".join)
    def test_a_reader_that_leaves_early_is_no_failure(self, args: tuple[str, ...]) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "generator", *args],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        os.close(writing)
        assert done.returncode == 0
        assert b"error" not in done.stderr.lower()
        assert b"Traceback" not in done.stderr

    @pytest.mark.parametrize("args", WRITERS, ids=" ".join)
    def test_a_full_disk_is_the_environments_fault(self, args: tuple[str, ...]) -> None:
        done = shell('gen "$@" > /dev/full', *args)
        assert done.returncode == 3
        assert done.stderr.endswith(b"error: cannot write to stdout: No space left on device\n")

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("gen list >&-", 0),
            ("gen show xeon-cpu >&- 2>&-", 0),
            ("gen schema <&- >&-", 0),
            ("gen --profile nope 2>&-", 2),
            ("gen --profil nope 2>&-", 2),
            ("gen --profile nope 2>/dev/full", 2),
            ("gen --profil nope 2>/dev/full", 2),
        ],
    )
    def test_a_stream_that_is_closed_changes_no_exit_code(self, script: str, code: int) -> None:
        done = shell(script)
        assert done.returncode == code
        assert b"Traceback" not in done.stderr

    @pytest.mark.parametrize(
        "env",
        [
            {"PYTHONIOENCODING": "latin-1"},
            {"PYTHONIOENCODING": "ascii:strict"},
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        ],
        ids=str,
    )
    def test_data_is_utf8_whatever_the_locale(self, env: dict[str, str]) -> None:
        done = shell('gen show xeon-cpu && gen show xeon-cpu --set "name=ü"', **env)
        assert done.returncode == 2
        assert done.stdout.decode().startswith("xeon-cpu · Ollama")
        assert b"error: " in done.stderr
        assert b"Traceback" not in done.stderr
