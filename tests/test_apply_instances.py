"""The scripts of a bundle with several servers, on a host that is a directory and some stubs."""

from __future__ import annotations

import copy
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from generator.targets import all_files
from tests.host import UNITS, Host, put
from tests.live.stub import Installed, Stub, serving
from tests.plans import plan
from tests.test_instances import PAIR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.targets.base import File

Data = dict[str, Any]
QUADLETS: Final = "etc/containers/systemd"
FRONT: Final = "hostwright-front.service"
LARGE, SMALL = "ollama@large.service", "ollama@small.service"
OLD: Final = "ollama.service"
PROGRAMS: Final = ("/usr/bin/podman", "/usr/bin/redis-server", "/opt/litellm/bin/litellm")
JOBS: Final = (
    "ollama-large-pull.service",
    "ollama-large-create.service",
    "ollama-large-warmup.service",
    "ollama-small-warmup.service",
)

# Holds the state of each unit by itself. A server with nine slots ends at its start.
SYSTEMCTL: Final = r"""
verb=$1
for unit in "$@"; do :; done
quadlet=$root/etc/containers/systemd/${unit%.service}.container
case $verb in
  cat | show | is-active | is-enabled | is-failed) ;;
  *) echo "systemctl $*" >>"$state/calls" ;;
esac
generated() { [ -e "$quadlet" ]; }
found() { [ -e "$units/$unit" ] || generated; }
start() {
  found || exit 5
  case $unit in
    ollama-*) ;;
    *) : >"$state/up/$unit" ;;
  esac
  ! grep -qs NUM_PARALLEL=9 "$units/$unit" "$quadlet" || rm -f "$state/up/$unit"
}
case $* in
  "cat "*)
    for file in "$units/$unit" "$quadlet" "$units/$unit".d/*.conf; do
      [ ! -e "$file" ] || { echo "# $file"; cat "$file"; echo; }
    done
    found
    ;;
  "show $unit") cat "$state/held/$unit" ;;
  "is-active --quiet"*) [ -e "$state/up/$unit" ] ;;
  is-active*) [ -e "$state/up/$unit" ] && echo active ;;
  "is-enabled --quiet"*) generated || [ -e "$state/enabled/$unit" ] ;;
  is-enabled*)
    ! generated || { echo generated; exit; }
    [ ! -e "$state/enabled/$unit" ] || { echo enabled; exit; }
    found || { echo not-found; exit 4; }
    echo disabled
    exit 1
    ;;
  is-failed*) false ;;
  "disable --now "*) ! generated && rm -f "$state/enabled/$unit" "$state/up/$unit" ;;
  "enable --now "*) start && : >"$state/enabled/$unit" ;;
  "enable "* | "reenable "*) found && : >"$state/enabled/$unit" ;;
  "disable "*) ! generated && rm -f "$state/enabled/$unit" ;;
  "stop "*) rm -f "$state/up/$unit" ;;
  "try-restart "*) [ ! -e "$state/up/$unit" ] || start ;;
  *start*) start ;;
esac
"""


class Several(Host):
    """A host for several servers, on which the one of Ollama's installer is switched off."""

    def __init__(self, folder: Path, target: str) -> None:
        super().__init__(folder)
        self.target = target
        (self.state / "up").mkdir()
        (self.state / "held").mkdir()
        (self.state / "enabled" / OLD).unlink()
        self.stub("systemctl", SYSTEMCTL)
        for name in ("haproxy", "podman", "litellm", "redis-server"):
            self.stub(name, "exit 0")
        if target == "quadlet":
            self.unit.unlink()

    def bundle(self, data: Data) -> Path:  # type: ignore[override]
        return put(self.made(data), Path(tempfile.mkdtemp(prefix="bundle-", dir=self.folder)))

    def made(self, data: Data) -> tuple[File, ...]:
        """Return the files of a bundle whose programs are those of this host."""
        front = {"program": str(self.bin / "haproxy")} if self.target == "systemd" else {}
        whole = {**data, **({"front": {**front, **data["front"]}} if "front" in data else {})}
        decided = self.plan(whole) if self.target == "systemd" else plan(whole)
        return tuple(map(self.with_stubs, all_files(self.target, decided)))

    def with_stubs(self, file: File) -> File:
        text = file.text
        for program in PROGRAMS:
            text = text.replace(program, str(self.bin / program.rpartition("/")[2]))
        return dataclasses.replace(file, text=text)

    def expected(self, data: Data) -> dict[str, str]:
        """Return the files that a bundle puts in place."""
        return {file.path: file.text for file in self.made(data) if file.path.startswith("etc/")}

    @property
    def up(self) -> set[str]:
        """Return the units that run."""
        return {path.name for path in (self.state / "up").iterdir()}

    @property
    def changes(self) -> list[str]:
        """Return what systemd was told to start, stop or restart in the last run."""
        quiet = ("daemon-reload", "enable", "reenable", "reset-failed", "disable ollama-")
        words = [c.removeprefix("systemctl ") for c in self.calls if c.startswith("systemctl ")]
        return [word for word in words if not word.startswith(quiet)]


@pytest.fixture(params=["systemd", "quadlet"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Several:
    return Several(tmp_path, request.param)


def with_instance(number: int, **settings: Any) -> Data:
    """Return the pair, one of whose servers has other settings."""
    data = copy.deepcopy(PAIR)
    data["instances"][number] |= settings
    return data


BESIDE: Final[Data] = {**PAIR, "front": {}, "cache": {}, "monitor": {"enable": True}}
SINGLE: Final[Data] = {
    **{key: value for key, value in PAIR.items() if key != "instances"},
    "service": {"full_unit": True, "resume_fix": True},
}
LEFT: Final[Data] = {**SINGLE, "instances": [PAIR["instances"][0] | {"models": ["a:1b"]}]}


def theirs(host: Several) -> dict[str, str]:
    return {f"{UNITS}/{OLD}": host.installed} if host.target == "systemd" else {}


def test_a_pair_is_put_in_place_and_started_once(host: Several) -> None:
    host.apply(PAIR)
    assert host.files == theirs(host) | host.expected(PAIR)
    assert host.up == {LARGE, SMALL}
    units = {LARGE, SMALL} if host.target == "systemd" else set()
    assert host.enabled == {*units, *JOBS, "ollama-resume.service"}
    assert host.changes == [f"restart {LARGE}", f"restart {SMALL}"]
    once = host.everything
    assert host.apply(PAIR) == "Nothing to change.\n"
    assert (host.everything, host.calls) == (once, [])


def test_of_two_servers_the_one_that_changed_is_restarted(host: Several) -> None:
    host.apply(PAIR)
    host.apply(with_instance(1, num_parallel=3))
    assert host.changes == [f"restart {SMALL}"]
    host.apply(PAIR)
    host.apply(with_instance(0, num_parallel=3))
    assert host.changes == [f"restart {LARGE}"]


def test_what_all_servers_have_restarts_all(host: Several) -> None:
    host.apply(PAIR)
    host.apply({**PAIR, "ollama": {**PAIR["ollama"], "keep_alive": "1h"}})
    assert host.changes == [f"restart {LARGE}", f"restart {SMALL}"]


def test_the_one_that_does_not_run_is_started(host: Several) -> None:
    host.apply(PAIR)
    (host.state / "up" / SMALL).unlink()
    assert "does not answer" in host.apply(PAIR)
    assert host.changes == [f"restart {SMALL}"]


def test_another_job_beside_a_server_that_stays_is_run(host: Several) -> None:
    host.apply(PAIR)
    more = with_instance(1, num_parallel=3, models=["b:1b", "d:1b"])
    host.apply({**more, "models": [*more["models"], {"name": "d:1b", "preload": True}]})
    assert host.changes == [
        f"restart {SMALL}",
        "--no-block restart ollama-large-pull.service",
        "--no-block restart ollama-small-warmup.service",
    ]


def test_a_server_that_the_profile_has_no_more_ends_and_its_files_go(host: Several) -> None:
    host.apply({**PAIR, "instances": [*PAIR["instances"], {"name": "cpu", "gpus": []}]})
    assert "ollama@cpu.service" in host.up
    host.apply(PAIR)
    assert host.files == theirs(host) | host.expected(PAIR)
    assert host.up == {LARGE, SMALL}
    assert "restart ollama@cpu.service" not in host.changes
    assert not {unit for unit in host.enabled if "cpu" in unit}


def test_while_the_installed_server_is_on_nothing_is_touched(host: Several) -> None:
    host.unit.write_text(host.installed, encoding="utf-8")
    (host.state / "enabled" / OLD).touch()
    assert f"disable --now {OLD}" in host.refuse(host.bundle(PAIR))
    (host.state / "enabled" / OLD).unlink()
    (host.state / "up" / OLD).touch()
    assert f"disable --now {OLD}" in host.refuse(host.bundle(PAIR))
    (host.state / "up" / OLD).unlink()
    host.apply(PAIR)


def test_what_stands_beside_them_comes_and_goes(host: Several) -> None:
    host.apply(BESIDE)
    assert host.files == theirs(host) | host.expected(BESIDE)
    beside = {FRONT, "hostwright-litellm.service", "hostwright-redis.service"}
    assert host.up >= {LARGE, SMALL, FRONT}
    assert host.apply(BESIDE) == "Nothing to change.\n"
    host.apply({**BESIDE, "front": {"queue_timeout": "2m"}})
    assert host.changes == [f"reload-or-restart {FRONT}"]
    host.apply(PAIR)
    assert host.files == theirs(host) | host.expected(PAIR)
    assert not beside & host.up
    assert not beside & host.enabled


@pytest.mark.parametrize("data", [PAIR, BESIDE])
def test_remove_leaves_nothing(data: Data, host: Several) -> None:
    host.apply(data)
    host.remove(data)
    assert host.files == theirs(host)
    assert (host.up, host.enabled) == (set(), set())
    assert not (host.root / "etc/hostwright").exists()


def test_a_server_that_does_not_start_brings_back_what_was_there(host: Several) -> None:
    host.apply(PAIR)
    files, up = host.files, host.up
    sick = with_instance(1, num_parallel=9)
    done = host.run("sh", host.bundle(sick) / "apply.sh")
    assert done.returncode == 1
    assert (host.files, host.up) == (files, up)
    assert not [change for change in host.changes if LARGE in change]


def single(host: Several) -> None:
    """Apply a bundle with one server where it may run."""
    if host.target == "systemd":
        (host.state / "enabled" / OLD).touch()
    host.apply(SINGLE)


def test_from_one_server_to_several_and_back(host: Several) -> None:
    single(host)
    assert host.up == {OLD}
    host.apply(PAIR)
    assert host.files == theirs(host) | host.expected(PAIR)
    assert host.up == {LARGE, SMALL}
    assert "remove.sh that it came with" in host.refuse(host.bundle(SINGLE))
    host.remove(PAIR)
    single(host)
    kept = {f"{path}.before-hostwright": text for path, text in theirs(host).items()}
    assert host.files == kept | host.expected(SINGLE)
    assert host.up == {OLD}


def test_several_that_do_not_start_bring_the_one_back(host: Several) -> None:
    single(host)
    before = host.files, host.up, host.enabled
    sick = with_instance(1, num_parallel=9)
    done = host.run("sh", host.bundle(sick) / "apply.sh")
    assert done.returncode == 1
    assert (host.files, host.up, host.enabled) == before


def test_a_dry_run_names_the_servers_that_would_restart(host: Several) -> None:
    host.apply(PAIR)
    before = host.everything
    done = host.run("sh", host.bundle(with_instance(1, num_parallel=3)) / "apply.sh", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    restarts = [line for line in done.stdout.splitlines() if line.startswith("would restart")]
    assert restarts == [f"would restart {SMALL}"]
    assert (host.everything, host.calls) == (before, [])


def test_the_directories_of_the_store_are_there_before_a_server_starts(host: Several) -> None:
    if host.target == "quadlet":
        # Podman says that the writer is started once it has answered.
        assert "\nNotify=healthy\n" in host.expected(PAIR)[f"{QUADLETS}/ollama@large.container"]
        return
    rules = host.expected(PAIR)["etc/tmpfiles.d/hostwright-ollama.conf"].splitlines()
    store = [f"d /srv/models{end} 0750 ollama ollama" for end in ("", "/blobs", "/manifests")]
    assert [rule for rule in rules if rule[0] != "#"] == store
    below = {key: value for key, value in PAIR.items() if key != "ollama"}
    rules = host.expected(below)["etc/tmpfiles.d/hostwright-ollama.conf"].splitlines()
    ends = ("", "/.ollama", "/.ollama/models", "/.ollama/models/blobs", "/.ollama/models/manifests")
    store = [f"d /var/lib/ollama{end} 0750 ollama ollama" for end in ends]
    assert [rule for rule in rules if rule[0] != "#"] == store


# ── what is in effect ─────────────────────────────────────────────────────────────────────────


def test_a_later_file_of_one_server_is_named_by_the_shell(host: Several) -> None:
    override = host.root / UNITS / f"{SMALL}.d/override.conf"
    override.parent.mkdir(parents=True)
    override.write_text("[Service]\nEnvironment=OLLAMA_NOPRUNE=0\n", encoding="utf-8")
    lost = f"OLLAMA_NOPRUNE of this bundle has no effect: {override}:2 says otherwise."
    bundle = host.bundle(PAIR)
    done = host.run("sh", bundle / "apply.sh")
    if host.target == "quadlet":  # Podman's lines are of another section, and in the container.
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert (done.returncode, done.stderr.splitlines()) == (4, [lost])
    done = host.run("sh", bundle / "verify.sh")
    assert (done.returncode, done.stdout.splitlines()) == (1, [lost])


@pytest.fixture
def servers() -> Iterator[tuple[Stub, Stub]]:
    models = [Installed(name) for name in ("a:1b", "c:1b")]
    with (
        serving(Stub(models, version="0.32.15")) as large,
        serving(Stub([], version="0.32.15")) as small,
    ):
        yield large, small


def test_python_asks_each_server(tmp_path: Path, servers: tuple[Stub, Stub]) -> None:
    host = Several(tmp_path, "systemd")
    host.stub("python3", f'exec {sys.executable} "$@"')
    data = copy.deepcopy(PAIR)
    for instance, server in zip(data["instances"], servers, strict=True):
        instance["port"] = int(server.url.rpartition(":")[2])
    for number, service in enumerate(host.plan(data).services, start=7):
        pairs = [f"{one.name}={one.value}" for one in service.environment]
        shown = ("LoadState=loaded", f"MainPID={number}", f"Environment={' '.join(pairs)}")
        (host.state / "held" / service.unit).write_text("\n".join(shown), encoding="utf-8")
        environ = host.root / f"proc/{number}/environ"
        environ.parent.mkdir(parents=True)
        environ.write_text("\0".join(pairs), encoding="utf-8")
    job = host.state / "held/ollama-large-pull.service"
    job.write_text("LoadState=loaded\nActiveState=activating\n", encoding="utf-8")
    # What is being pulled is not missed, by the server that only reads it either.
    assert ", and of 1 nobody tells." in host.apply(data)
    job.write_text("LoadState=loaded\nActiveState=failed\n", encoding="utf-8")
    (host.root / "proc/8/environ").write_text("OLLAMA_NOPRUNE=0", encoding="utf-8")
    done = host.run("sh", host.bundle(data) / "apply.sh")
    assert done.returncode == 4
    assert "small: OLLAMA_NOPRUNE: wanted 1, the process has 0" in done.stderr.splitlines()
    missing = "small: model b:1b-tuned: wanted there, the server does not have it"
    assert missing in done.stderr.splitlines()
    assert not [line for line in done.stderr.splitlines() if line.startswith("large:")]
