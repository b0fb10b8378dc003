"""`gen verify`: captured machines, a server that answers as Ollama, and whatever else answers."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called
from tests.live.hostile import LATE, NONSENSE, Serve, body
from tests.live.stub import Installed, Stub, serving

VERIFY = ROOT / "tests/verify"
SMALL = str(VERIFY / "small.toml")
# Captured with a real Ollama of no release: of systemd 252 as PID 1, with control groups of version
# 2, and of docker 20.10 with those of version 1, the ids shortened. Of podman 4.3 is what `inspect`
# and `logs` have printed.
MACHINES = VERIFY / "machines"
Done = subprocess.CompletedProcess[str]


def replayed(machine: Path, *more: str) -> Done:
    return called("verify", SMALL, "--root", str(machine), *more)


def rows(done: Done) -> dict[str, dict[str, Any]]:
    return {row["setting"]: row for row in validated("verify", done.stdout)["rows"]}


def test_a_machine_that_took_all_of_it() -> None:
    done = replayed(MACHINES / "as-wanted", "--json")
    verdicts = {name: row["verdict"] for name, row in rows(done).items()}
    unknown = {name for name, verdict in verdicts.items() if verdict == "unknown"}
    assert unknown == {"LLAMA_ARG_THREADS", "release"}
    # Captured before a limit of memory brought one of swap with it.
    assert {name for name, verdict in verdicts.items() if verdict != "ok"} - unknown == {
        *("MemorySwapMax", "model tiny:1b")
    }
    swap = rows(done)["MemorySwapMax"]
    assert (swap["intended"], swap["verdict"]) == ("0", "drift")
    assert swap["held"] == swap["effective"] == "no limit"
    assert verdicts["CPUQuota"] == verdicts["MemoryMax"] == "ok"
    assert rows(done)["OLLAMA_KEEP_ALIVE"]["effective"] == "24h0m0s"
    assert done.returncode == 1


def test_a_machine_on_which_another_file_wins() -> None:
    done = replayed(MACHINES / "overridden", "--json")
    found = rows(done)
    override = f"{MACHINES}/overridden/etc/systemd/system/ollama.service.d/override.conf"
    host = found["OLLAMA_HOST"]
    assert (host["intended"], host["held"], host["effective"]) == (
        "127.0.0.1:11434", "0.0.0.0:11434", "http://0.0.0.0:11434",
    )  # fmt: skip
    for name, line in {"OLLAMA_HOST": 2, "OLLAMA_KEEP_ALIVE": 3, "CPUQuota": 5}.items():
        assert (found[name]["verdict"], found[name]["by"]) == ("shadowed", f"{override}:{line}")
    assert found["CPUQuota"]["effective"] == "75%"
    typo = found["OLLAMA_NUM_PARALELL"]
    assert (typo["verdict"], typo["by"]) == ("not read", f"{override}:4")
    assert "did you mean `OLLAMA_NUM_PARALLEL`?" in typo["why"]
    assert done.returncode == 1


def test_a_file_that_nobody_has_read_yet(tmp_path: Path) -> None:
    """As that machine was between the new file and `systemctl daemon-reload`."""
    shutil.copytree(MACHINES / "as-wanted", tmp_path, dirs_exist_ok=True)
    drop_in = "etc/systemd/system/ollama.service.d/override.conf"
    shutil.copy(MACHINES / "overridden" / drop_in, tmp_path / drop_in)
    found = rows(replayed(tmp_path, "--json"))["OLLAMA_HOST"]
    assert (found["verdict"], found["held"]) == ("shadowed", "127.0.0.1:11434")


def test_a_container_that_another_compose_file_has_changed() -> None:
    done = replayed(MACHINES / "docker", "--via", "docker", "--via", "process", "--json")
    document = validated("verify", done.stdout)
    assert document["manager"] == {"by": "docker", "name": "ollama"}
    found = rows(done)
    override = f"{MACHINES}/docker/srv/ollama/compose.override.yaml"
    for name, line in {"OLLAMA_KEEP_ALIVE": 5, "OLLAMA_NUM_PARALELL": 6, "MemoryMax": 7}.items():
        assert found[name]["by"] == f"{override}:{line}"
    assert (found["MemoryMax"]["held"], found["MemoryMax"]["effective"]) == ("256M", "256M")
    assert found["OLLAMA_KEEP_ALIVE"]["effective"] == "5m0s"
    for name in ("CPUQuota", "CPUWeight", "TasksMax", "published", "OLLAMA_CONTEXT_LENGTH"):
        assert found[name]["verdict"] == "ok", name
    assert found["MemoryHigh"]["why"] == "there is no soft limit that slows a container down"
    # The image says where its server listens, and the compose file says nothing of that.
    assert "OLLAMA_HOST" not in found


def test_a_container_of_podman_that_somebody_has_started_by_hand() -> None:
    done = replayed(MACHINES / "podman", "--via", "podman", "--json")
    assert validated("verify", done.stdout)["manager"] == {"by": "podman", "name": "ollama"}
    found = rows(done)
    assert (found["OLLAMA_KEEP_ALIVE"]["held"], found["OLLAMA_KEEP_ALIVE"]["why"]) == (
        "5m", "podman holds `5m`",
    )  # fmt: skip
    held = {
        name: found[name]["held"] for name in ("CPUQuota", "CPUWeight", "MemoryMax", "TasksMax")
    }
    assert held == {"CPUQuota": "50%", "CPUWeight": "200", "MemoryMax": "256M", "TasksMax": "100"}
    # The log says what the server has read; nobody says what the kernel applies.
    assert found["OLLAMA_CONTEXT_LENGTH"]["verdict"] == "ok"
    assert found["CPUQuota"]["verdict"] == "unknown"
    assert found["published"]["why"] == "no port of it is published"
    assert found["acceleration"]["effective"] == "cpu"


def test_the_text_says_why_below_the_line() -> None:
    lines = replayed(MACHINES / "overridden").stdout.splitlines()
    assert lines[0] == (
        "small · Ollama · systemd ollama.service · process 829 · http://127.0.0.1:11434"
    )
    at = next(i for i, line in enumerate(lines) if line.startswith("OLLAMA_KEEP_ALIVE"))
    assert lines[at].split() == ["OLLAMA_KEEP_ALIVE", "24h", "5m", "5m0s", "shadowed"]
    assert "override.conf:3 says" in "".join(lines[at + 1 : at + 3])
    assert lines[-1] == "17 settings: 9 ok, 2 drift, 3 shadowed, 1 not read, 2 unknown"


def test_forms_for_programs(tmp_path: Path) -> None:
    machine, page = MACHINES / "overridden", tmp_path / "page.html"
    assert "<testsuite " in replayed(machine, "--format", "junit").stdout
    done = replayed(machine, "--format", "nagios", "--html", str(page))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stdout.startswith("HOSTWRIGHT WARNING - 6 of 17 settings at odds with it: OLL")
    assert "OLLAMA_NUM_PARALELL" in page.read_text(encoding="utf-8")
    assert replayed(machine, "--html", "-").stdout.startswith("<!DOCTYPE html>")
    done = asked("http://127.0.0.1:9", "--format", "nagios")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("HOSTWRIGHT UNKNOWN - cannot reach http://127.0.0.1:9")


def test_one_who_is_asked_alone() -> None:
    found = rows(replayed(MACHINES / "as-wanted", "--via", "systemd", "--json"))
    assert (found["OLLAMA_HOST"]["verdict"], "release" in found) == ("ok", False)
    found = rows(replayed(MACHINES / "as-wanted", "--via", "process", "--json"))
    assert (found["OLLAMA_HOST"]["held"], found["OLLAMA_HOST"]["verdict"]) == ("-", "ok")


def test_nobody_to_ask(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1 kB\n")
    done = replayed(tmp_path, "--via", "systemd", "--via", "process")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: nobody here knows of ollama.service\n")
    done = replayed(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "api-version.json" in done.stderr


# A server


def asked(url: str, *more: str) -> Done:
    return called("verify", SMALL, "--via", "api", "--url", url, *more)


@pytest.mark.parametrize("url", ["http://[", "ftp://x", "http://", "http://a b", "x:99999", "\n"])
@pytest.mark.parametrize("via", ["api", "systemd"])
def test_an_address_that_is_none(url: str, via: str) -> None:
    done = called("verify", SMALL, "--via", via, "--url", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not an address of a server" in done.stderr


def test_models_of_a_server() -> None:
    there = [Installed("tiny:1b"), Installed("left:3b", size=2_000_000_000)]
    with serving(Stub(there)) as stub:
        done = asked(stub.url, "--json")
        assert rows(done)["model tiny:1b"]["verdict"] == "ok"
        (extra,) = validated("verify", done.stdout)["extras"]
        assert extra["remove"] == "ollama rm left:3b"
        assert "left:3b is not the profile's, 1.9 GiB, of 2026-11-01" in asked(stub.url).stdout
        assert done.returncode == 0
        # Nothing but questions.
        assert {*stub.asked} == {"/api/version", "/api/tags", "/api/ps"}


def test_a_server_of_another_era() -> None:
    with serving(Stub([Installed("tiny:1b")], version="0.24.0")) as stub:
        done = asked(stub.url, "--json")
        assert (rows(done)["release"]["verdict"], done.returncode) == ("drift", 1)


def test_no_terminal_escape_of_the_server_reaches_the_screen() -> None:
    evil = "\x1b[2J\x1b]0;pwn\x07\u202e"
    with serving(Stub([Installed(f"a\0{evil}", quantisation=evil, modified=evil)])) as stub:
        done = asked(stub.url)
        assert "pwn" in done.stdout
        assert not {"\x1b", "\x07", "\u202e"} & {*done.stdout, *done.stderr}


@pytest.mark.parametrize("kind", LATE)
def test_a_server_that_takes_too_long(serve: Serve, kind: str) -> None:
    done = asked(serve(LATE[kind]), "--timeout", "200ms")
    in_one_line(done)
    assert "did not answer within 0.2 s" in done.stderr


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_server_that_talks_nonsense(serve: Serve, kind: str) -> None:
    in_one_line(asked(serve(NONSENSE[kind][0])))


@pytest.mark.parametrize("data", [b'{"version": "0.32.15", "models": 7}', b'{"version": [1]}'])
def test_a_server_of_wrong_types(serve: Serve, data: bytes) -> None:
    in_one_line(asked(serve(body(data))))


def in_one_line(done: Done) -> None:
    """Nothing was printed but what is wrong, in a line, and what to do."""
    assert (done.returncode, done.stdout) == (3, "")
    first, *others = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert all(line.startswith("hint: ") for line in others)
    assert len(others) <= 1


def test_programs_that_hang_have_no_more_time_than_is_given(tmp_path: Path) -> None:
    for name in ("systemctl", "docker", "podman", "journalctl"):
        (tmp_path / name).write_text("#!/bin/sh\nexec /bin/sleep 600\n")
        (tmp_path / name).chmod(0o755)
    kinds = ("--via", "systemd", "--via", "docker", "--via", "podman", "--via", "api")
    nobody = ("--url", "http://127.0.0.1:9", "--timeout", "300ms")
    in_one_line(called("verify", SMALL, *kinds, *nobody, env={"PATH": str(tmp_path)}))
    with serving(Stub([Installed("tiny:1b")])) as stub:
        done = called("verify", SMALL, *kinds, "--url", stub.url, "--timeout", "1s", "--json",
                      env={"PATH": str(tmp_path)})  # fmt: skip
        found = validated("verify", done.stdout)
        assert {each["who"] for each in found["not_asked"]} >= {"docker", "podman", "systemctl"}
        assert found["release"] == "0.32.15"


def test_waiting_for_a_server_that_comes_later() -> None:
    with serving(Stub([Installed("tiny:1b")], silent=2)) as stub:
        assert asked(stub.url, "--wait", "30s").returncode == 0
        assert stub.asked[:3] == ["/api/version"] * 3


def test_waiting_in_vain() -> None:
    in_one_line(asked("http://127.0.0.1:9", "--wait", "300ms"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--timeout", "soon"), "--timeout"),
        (("--wait", "0s"), "no time to wait"),
        (("--url", ""), "--url is empty"),
        (("--root", "x", "--wait", "1s"), "leave --wait out"),
        (("--root", "/nowhere"), "no directory or archive"),
        (("--via", "nobody"), "nobody"),
    ],
)
def test_bad_usage(more: tuple[str, ...], message: str) -> None:
    done = called("verify", SMALL, *more)
    assert (done.returncode, message in done.stderr) == (2, True)


LONG = b"9" * 400
GARBAGE = [
    b"",
    b"\0\xff" * 99,
    b"[" * 99_999,
    b"=\n9:\n" * 99,
    b"9" * 4000,
    b'[{"State": 1, "Config": 9}]',
    b'[{"HostConfig": {"CpuShares": %s}, "State": {"StartedAt": "x"}}]' % LONG,
    b"CPUQuotaPerSecUSec=%ss\nLoadState=loaded\n" % LONG,
]
FILES = sorted(
    (machine, path.relative_to(MACHINES / machine).as_posix())
    for machine in ("overridden", "docker")
    for path in (MACHINES / machine).rglob("*")
    if path.is_file() and not {"sys", "systemd", "meminfo"} & {*path.parts}
)


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_a_capture_with_garbage_in_it(garbage: bytes, tmp_path: Path) -> None:
    """Each of its files in turn, as nobody writes it: an answer or a line, and no traceback."""
    for machine in ("overridden", "docker"):
        shutil.copytree(MACHINES / machine, tmp_path / machine)
    for machine, name in FILES:
        file = tmp_path / machine / name
        text = file.read_bytes()
        file.write_bytes(garbage)
        assert replayed(tmp_path / machine).returncode in {1, 3}, name
        file.write_bytes(text)
