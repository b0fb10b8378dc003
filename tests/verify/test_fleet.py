"""A fleet over ssh: what is asked of whom, and what becomes of hosts that differ or are silent.

A program `ssh` takes the place of OpenSSH: some hosts are captured machines, one is this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.verify.fleet import ssh
from tests.check.test_page import read
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called
from tests.verify.test_capture import server

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = ROOT / "tests/verify/machines"
SMALL = ROOT / "tests/verify/small.toml"
FLEET = f"""
schema_version = 1
[defaults]
profile = "{SMALL}"
deploy.ssh_user = "root"
"""
SSH = f"""#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
while [ "$1" != -- ]; do shift; done
shift
[ "$2" = sh ] || exit 9
case $1 in
*@wanted | *@overridden | *@hidden)
  cat >/dev/null
  printf 'Welcome!\n\n-- hostwright capture --\n'
  name=${{1#*@}}
  tar -C {MACHINES}/$([ $name = wanted ] && echo as-wanted || echo overridden) -cf - . ;;
*@here) exec sh ;;
*@refused) echo 'ssh: connect to host refused port 22: Connection refused' >&2; exit 255 ;;
*@hangs) exec sleep 600 ;;
*@chatty) echo 'Welcome!' ;;
esac
"""
Done = subprocess.CompletedProcess[str]
__all__ = ["server"]


def asked(folder: Path, *names: str, more: tuple[str, ...] = ()) -> Done:
    hosts = "".join(f'[hosts.{name}]\ntarget = "systemd"\n' for name in names)
    (folder / "fleet.toml").write_text(FLEET + hosts)
    program = folder / "bin/ssh"
    program.parent.mkdir(exist_ok=True)
    program.write_text(SSH)
    program.chmod(0o755)
    env = {"PATH": f"{program.parent}:{os.environ['PATH']}", "LOG": str(folder / "log")}
    return called("verify", "--fleet", str(folder / "fleet.toml"), *more, env=env)


def hosts(done: Done) -> dict[str, dict[str, Any]]:
    return {host["name"]: host for host in validated("verify", done.stdout)["hosts"]}


def test_a_page_of_all(tmp_path: Path) -> None:
    done = asked(tmp_path, "overridden", "refused", more=("--html", str(tmp_path / "page.html")))
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (1, "2 hosts:")
    page = read((tmp_path / "page.html").read_text())
    for text in ("overridden", "Connection refused", "silent", "OLLAMA_HOST", "override.conf:2"):
        assert text in page.text


def test_a_host_that_differs_and_one_that_cannot_be_reached(tmp_path: Path) -> None:
    done = asked(tmp_path, "overridden", "refused", more=("--json",))
    found = hosts(done)
    assert done.returncode == 1
    assert {name: host["state"] for name, host in found.items()} == {
        "overridden": "drift", "refused": "silent",
    }  # fmt: skip
    assert found["refused"]["failure"] == (
        "ssh: connect to host refused port 22: Connection refused"
    )
    rows = {row["setting"]: row for row in found["overridden"]["verified"]["rows"]}
    # As the host itself would name the file.
    assert rows["OLLAMA_HOST"]["by"] == "/etc/systemd/system/ollama.service.d/override.conf:2"
    assert (tmp_path / "log").read_text().splitlines()[0].startswith("-T -o BatchMode=yes ")


def test_a_host_that_is_silent_has_a_name_and_a_code(tmp_path: Path) -> None:
    done = asked(tmp_path, "refused")
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    assert lines[1].split()[:3] == ["refused", "small", "silent"]
    assert lines[-1] == "1 host: 1 silent; cannot be asked: refused"


def test_a_host_that_is_this_machine(
    tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script itself, at the end of a command that runs a shell."""
    port = server.url.rpartition(":")[2]
    (tmp_path / "own.toml").write_text(
        SMALL.read_text().replace('host = "127.0.0.1"', f'host = "127.0.0.1", port = {port}')
    )
    monkeypatch.setattr("tests.verify.test_fleet.FLEET", FLEET.replace(str(SMALL), "./own.toml"))
    found = hosts(asked(tmp_path, "here", more=("--json",)))["here"]["verified"]
    assert found["url"] == server.url
    assert found["process"]["command"] == ["ollama", "serve"]
    assert found["release"] == "0.32.15"


@pytest.mark.parametrize(
    ("name", "message"), [("hangs", "has not answered in 1 seconds"), ("chatty", "no archive")]
)
def test_a_host_that_answers_nothing_of_use(tmp_path: Path, name: str, message: str) -> None:
    found = hosts(asked(tmp_path, name, more=("--json", "--timeout", "1s")))
    assert message in found[name]["failure"]


def test_forms_for_programs(tmp_path: Path) -> None:
    done = asked(tmp_path, "overridden", "refused", more=("--format", "nagios"))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "HOSTWRIGHT WARNING - 1 at odds: overridden; 1 cannot be asked: refused"
        " | hosts=2 drift=1;0 silent=1\n"
    )
    told = asked(tmp_path, "overridden", "refused", more=("--format", "junit")).stdout
    assert '<testsuite name="refused" tests="1" failures="1"' in told


def test_only_some_of_them(tmp_path: Path) -> None:
    done = asked(tmp_path, "overridden", "refused", more=("--only", "refused", "--json"))
    assert [*hosts(done)] == ["refused"]


CLUSTER = 'groups.cluster.kind = "k8s"\nhosts.chat.tags = ["cluster"]\n'


def test_a_server_that_a_cluster_runs_is_none_that_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.verify.test_fleet.FLEET", FLEET.replace("[defaults]", f"{CLUSTER}[defaults]")
    )
    done = asked(tmp_path, "wanted", more=("--json",))
    assert [*hosts(done)] == ["wanted", "chat"]
    assert hosts(done)["chat"]["state"] == "silent"
    assert "--via kubectl" in hosts(done)["chat"]["failure"]
    alone = asked(tmp_path, more=("--format", "nagios"))
    assert (alone.returncode, "UNKNOWN - 1 cannot be asked: chat" in alone.stdout) == (3, True)
    log = tmp_path / "log"
    assert "chat" not in log.read_text()


def test_the_command() -> None:
    assert ssh("h", {"sshUser": "me", "sshOpts": ["-p", "2222"]}) == (
        "ssh", "-T", "-o", "BatchMode=yes", "-p", "2222", "-o", "ConnectTimeout=10", "--", "me@h",
        "sh",
    )  # fmt: skip
    assert ssh("h", {})[-2:] == ("h", "sh")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--fleet", "f.toml", "xeon-cpu"), "a profile is named"),
        (("--fleet", "f.toml", "--root", "x"), "leave --root out"),
        (("--fleet", "f.toml", "--set", "a=1"), "leave --set out"),
        (("--fleet", "/nowhere.toml"), "/nowhere.toml"),
        (("xeon-cpu", "--only", "gpu"), "--only is about a fleet"),
        ((), "no profile is named"),
        (("xeon-cpu", "--capture", "x", "--via", "api"), "leave --via out"),
    ],
)
def test_bad_usage(more: tuple[str, ...], message: str) -> None:
    done = called("verify", *more)
    assert (done.returncode, message in done.stderr) == (2, True)
    assert json.loads(called("verify", *more, "--json").stdout)["error"]
