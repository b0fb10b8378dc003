"""`deploy-waves`: wave after wave, and no further than the first host that is not healthy."""

import os
import subprocess
from pathlib import Path

import pytest

from generator.fleet.rollout import waves_of
from generator.fleet.schema import Rollout
from generator.formats.template import TEMPLATES
from tests.tools import require

SCRIPT = TEMPLATES / "fleet/deploy-waves.sh"
WAVES = "1 canary\n2 gpu1 gpu lab\n2 gpu2 gpu\n2 gpu3 gpu\n3 cpu1 lab\n"
TAGS = {"a": ("x",), "b": ("x", "y"), "c": ("y",), "d": ()}
# Notes when it begins and when it ends, and fails for the hosts in $UNHEALTHY.
DEPLOY = """\
#!/bin/sh
echo "$*" >>"$LOG"
case " $UNHEALTHY " in
  *" ${2#*#} "*) exit 1 ;;
esac
"""


class Ran:
    """What the program did."""

    def __init__(self, folder: Path, *arguments: str, unhealthy: str = "") -> None:
        deploy, log = folder / "deploy", folder / "log"
        deploy.write_text(DEPLOY, encoding="utf-8")
        deploy.chmod(0o755)
        log.write_text("", encoding="utf-8")
        (folder / "waves").write_text(WAVES, encoding="utf-8")
        done = subprocess.run(
            [require("bash"), SCRIPT, f"--waves={folder}/waves", f"--deploy={deploy}", *arguments],
            env={"PATH": os.defpath, "LOG": str(log), "UNHEALTHY": unhealthy},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        self.status, self.said, self.complained = done.returncode, done.stdout, done.stderr
        self.calls = log.read_text(encoding="utf-8").splitlines()
        self.hosts = [call.split("#")[1].split()[0] for call in self.calls]


def test_all_waves_in_their_order(tmp_path: Path) -> None:
    ran = Ran(tmp_path)
    assert ran.status == 0
    assert ran.hosts == ["canary", "gpu1", "gpu2", "gpu3", "cpu1"]
    assert ran.calls[0] == "--skip-checks .#canary"
    assert ran.said.splitlines()[1] == "deploy-waves: wave 2 of 3: gpu1 gpu2 gpu3"


@pytest.mark.parametrize(
    ("unhealthy", "hosts", "left", "wave"),
    [
        ("canary", ["canary"], "gpu1 gpu2 gpu3 cpu1", 1),
        ("gpu2", ["canary", "gpu1", "gpu2"], "gpu3 cpu1", 2),
        ("gpu3", ["canary", "gpu1", "gpu2", "gpu3"], "cpu1", 2),
    ],
)
def test_it_stops_at_the_first_that_is_not_healthy(
    unhealthy: str, hosts: list[str], left: str, wave: int, tmp_path: Path
) -> None:
    ran = Ran(tmp_path, unhealthy=unhealthy)
    assert (ran.status, ran.hosts) == (1, hosts)
    assert ran.complained.splitlines() == [
        f"deploy-waves: stopped in wave {wave} of 3, not healthy: {unhealthy}",
        f"deploy-waves: not deployed: {left}",
        f"deploy-waves: once it is mended, go on with --from {wave}",
    ]


def test_hosts_of_a_wave_at_a_time_and_none_after_a_failure(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "--parallel=2", unhealthy="gpu1 gpu2")
    assert ran.status == 1
    # Those that had begun are waited for.
    assert {"canary", "gpu1"} <= set(ran.hosts)
    assert "cpu1" not in ran.hosts
    assert "not deployed: " in ran.complained
    healthy = Ran(tmp_path, "--parallel=3")
    assert healthy.status == 0
    assert [healthy.hosts[0], set(healthy.hosts[1:4]), healthy.hosts[4]] == [
        "canary",
        {"gpu1", "gpu2", "gpu3"},
        "cpu1",
    ]


@pytest.mark.parametrize(
    ("arguments", "hosts"),
    [
        (["--only", "gpu"], "gpu1 gpu2 gpu3"),
        (["--only=@gpu", "--only", "canary"], "canary gpu1 gpu2 gpu3"),
        (["--from", "3"], "cpu1"),
        (["--from=2", "--only=lab"], "gpu1 cpu1"),
        (["--list"], ""),
    ],
)
def test_only_some(arguments: list[str], hosts: str, tmp_path: Path) -> None:
    ran = Ran(tmp_path, *arguments)
    assert (ran.status, ran.hosts) == (0, hosts.split())


def test_arguments_of_deploy_and_the_flake(tmp_path: Path) -> None:
    ran = Ran(tmp_path, "--only=canary", "--flake=github:me/fleet", "--", "--ssh-user", "me")
    assert ran.calls == ["--skip-checks github:me/fleet#canary --ssh-user me"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parallel", "many"], "--parallel takes a number, not 'many'"),
        (["--parallel=0"], "--parallel takes a number above 0"),
        (["--from"], "--from lacks its value"),
        (["--fast"], "there is no --fast"),
        (["--only", "nobody"], "there is no such host in the waves from 1 to 3"),
    ],
)
def test_bad_usage_deploys_nothing(arguments: list[str], message: str, tmp_path: Path) -> None:
    ran = Ran(tmp_path, *arguments)
    assert (ran.status, ran.calls) == (2, [])
    assert ran.complained.startswith(f"error: {message}\n")


@pytest.mark.parametrize(
    ("rollout", "waves"),
    [
        ({}, ["abcd"]),
        ({"canary": ("d",)}, ["d", "abc"]),
        ({"canary": ("@x",), "waves": (("@y",),)}, ["ab", "c", "d"]),
        ({"canary": ("b",), "waves": (("@y", "b"), ("a", "d"))}, ["b", "c", "ad"]),
        ({"canary": ("b",), "size": 2}, ["b", "ac", "d"]),
    ],
)
def test_every_host_is_in_one_wave(rollout: dict[str, object], waves: list[str]) -> None:
    found = waves_of(Rollout.model_construct(**rollout), TAGS)  # type: ignore[arg-type]
    assert ["".join(wave) for wave in found] == waves
