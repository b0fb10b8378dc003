"""Bundles of quadlets on a host: files that Podman makes units of, for root and for a user."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from generator.targets import all_files
from generator.targets.base import File
from generator.targets.quadlet import PODMAN
from tests.consumers import quadlet
from tests.host import HOME, RECORD, UNITS, Host, put
from tests.plans import plan

if TYPE_CHECKING:
    from pathlib import Path

Data = dict[str, Any]
MODEL: Data = {"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096}}
DATA: Data = {
    "models": [MODEL],
    "host": {"gpus": [{"name": "Quadro P4000", "memory": "8GiB"}]},
    "service": {"resume_fix": True},
}
CONTAINER: Data = {"network": "web", "volume": "models"}
SICK: Data = {"ollama": {"env": {"SICK": "1"}}}
# What Podman's program has against a file; it is asked for the scope and the directory, too.
QUADLET = (
    f'{RECORD}\nif grep -rs PublishPorts "$QUADLET_UNIT_DIRS" >&2; then exit 1; fi\n'
    '[ -e "$QUADLET_UNIT_DIRS/ollama.container" ]'
)


@dataclass
class Pod:
    """A host with Podman and nothing else, and one of the two scopes."""

    host: Host
    of_user: bool

    @property
    def top(self) -> str:
        return f"{HOME[1:]}/.config" if self.of_user else "etc"

    @property
    def systemctl(self) -> str:
        return "systemctl --user" if self.of_user else "systemctl"

    @property
    def jobs(self) -> list[str]:
        kinds = ["pull", "create", "warmup", *([] if self.of_user else ["resume"])]
        return [f"ollama-{kind}.service" for kind in kinds]

    def rendered(self, data: Data) -> tuple[File, ...]:
        """Return what the quadlet target makes for this host, whose Podman is a stub."""
        container = {**CONTAINER, "rootless": self.of_user, **data.get("container", {})}
        stub = str(self.host.bin / "podman")
        return tuple(
            replace(file, text=file.text.replace(PODMAN, stub))
            for file in all_files("quadlet", plan({**DATA, **data, "container": container}))
        )

    def files(self, data: Data) -> dict[str, str]:
        """Return what is to lie on the host: what has a directory in the bundle."""
        home = f"{HOME[1:]}/" if self.of_user else ""
        return {home + file.path: file.text for file in self.rendered(data) if "/" in file.path}

    def bundle(self, data: Data) -> Path:
        """Write a bundle afresh."""
        folder = self.host.folder / f"bundle-{len(list(self.host.folder.iterdir()))}"
        return put(self.rendered(data), folder)

    def apply(self, data: Data) -> str:
        """Apply a bundle, which must succeed, and return what was said."""
        return self.run(self.bundle(data) / "apply.sh", self.files(data))

    def run(self, script: Path, files: dict[str, str]) -> str:
        """Run a script, which must succeed and leave these files; return what was said."""
        done = self.host.run("sh", script)
        assert (done.returncode, done.stderr) == (0, "")
        assert self.host.files == files
        return done.stdout

    @property
    def calls(self) -> list[str]:
        """Return the calls of systemctl that change something, without the name and the scope."""
        assert all(c.startswith(f"{self.systemctl} ") for c in self.host.calls if "systemctl" in c)
        return [c.removeprefix(f"{self.systemctl} ") for c in self.host.calls if "systemctl" in c]


@pytest.fixture(params=[False, True], ids=["root", "user"])
def pod(request: pytest.FixtureRequest, tmp_path: Path) -> Pod:
    host = Host(tmp_path)
    host.unit.unlink()
    (host.state / "active").unlink()
    (host.state / "enabled/ollama.service").unlink()
    for name in ("ollama", "podman", "systemd-sysusers", "systemd-tmpfiles"):
        host.stub(name, "exit 1")
    host.stub("quadlet", QUADLET)
    host.stub("loginctl", "echo yes")
    (host.root / HOME[1:] / ".config").mkdir(parents=True)
    return Pod(host, request.param)


def test_units_that_are_generated_are_started_and_not_enabled(pod: Pod) -> None:
    said = pod.apply({})
    enabled = [f"enable {job}" for job in pod.jobs]
    assert pod.calls == ["daemon-reload", *enabled, "restart ollama.service"]
    verified = "quadlet -dryrun -user" if pod.of_user else "quadlet -dryrun"
    assert [call.rstrip() for call in pod.host.calls if "quadlet" in call] == [verified]
    assert ("modprobe -a nvidia_uvm" in pod.host.calls) != pod.of_user
    assert "The server answers at 127.0.0.1:11434." in said


def test_a_bundle_is_put_in_place_once_and_taken_away(pod: Pod) -> None:
    pod.host.stub("quadlet", f'exec {quadlet.binary()} "$@"')
    files = pod.files({})
    assert {path.rpartition("/")[2] for path in files} > {
        *("ollama.container", "models.volume", "web.network", *pod.jobs)
    }
    pod.apply({})
    assert pod.host.enabled == set(pod.jobs)
    once = pod.host.everything
    assert pod.apply({}) == "Nothing to change.\n"
    assert (pod.host.everything, pod.host.calls) == (once, [])
    # The script knows the places of any bundle, whatever the one has that it comes with.
    pod.run(pod.bundle({"models": []}) / "remove.sh", {})
    assert pod.host.enabled == set()
    assert not (pod.host.root / pod.top / "hostwright").exists()
    disabled = [f"disable --now {job}" for job in pod.jobs]
    assert pod.calls == ["stop ollama.service", *disabled, "daemon-reload"]


def test_only_what_changed_is_started_again(pod: Pod) -> None:
    pod.apply({})
    more = {"models": [MODEL, {"name": "b:1b"}]}
    pod.apply(more)
    pull = [f"{verb} ollama-pull.service" for verb in ("reenable", "--no-block restart")]
    assert pod.calls == ["daemon-reload", *pull]
    larger = {"models": [{**MODEL, "parameters": {"num_ctx": 8192}}, {"name": "b:1b"}]}
    pod.apply(larger)
    users = [f"--no-block restart ollama-{kind}.service" for kind in ("create", "warmup")]
    assert pod.calls == ["daemon-reload", *users]
    pod.apply({**larger, "container": {"tag": "latest"}})
    assert pod.calls == ["daemon-reload", "restart ollama.service"]


def test_a_container_that_runs_may_read_another_modelfile(pod: Pod) -> None:
    pod.apply({})
    pod.host.stub("chcon", RECORD)
    pod.apply({"models": [{**MODEL, "parameters": {"num_ctx": 8192}}, {"name": "b:1b"}]})
    folder = pod.host.root / pod.top / "hostwright"
    (modelfile,) = folder.glob("Modelfile.*")
    labelled = [call for call in pod.host.calls if call.startswith("chcon")]
    assert labelled == [f"chcon --reference={folder} {modelfile}"]


def test_a_job_that_goes_is_stopped(pod: Pod) -> None:
    pod.apply({})
    pod.apply({"models": [{**MODEL, "preload": False}]})
    assert pod.calls == ["disable --now ollama-warmup.service", "daemon-reload"]


def test_what_podman_does_not_take_changes_nothing(pod: Pod) -> None:
    pod.apply({})
    bundle = pod.bundle({"container": {"tag": "latest"}})
    (source,) = bundle.rglob("ollama.container")
    source.write_text(source.read_text(encoding="utf-8").replace("PublishPort", "PublishPorts"))
    told = pod.host.refuse(bundle)
    assert "PublishPorts=127.0.0.1" in told
    assert "Podman does not take these files: nothing is changed." in told
    assert pod.calls == []


def test_without_its_program_nothing_is_verified(pod: Pod) -> None:
    (pod.host.bin / "quadlet").unlink()
    real = shutil.which("quadlet", path="/usr/libexec/podman:/usr/lib/podman")
    said = pod.apply({})
    assert ("There is no quadlet program of Podman" in said) == (real is None)


def test_a_host_without_podman_is_told(pod: Pod) -> None:
    bundle = pod.bundle({})
    conf = (bundle / "bundle.conf").read_text(encoding="utf-8")
    (bundle / "bundle.conf").write_text(conf.replace("podman\n", "podman-none\n", 1))
    assert pod.host.refuse(bundle) == "There is no podman-none on this host: install it first.\n"


def test_a_unit_that_hides_the_generated_one_is_told(pod: Pod) -> None:
    units = f"{HOME[1:]}/.config/systemd/user" if pod.of_user else UNITS
    unit = pod.host.root / units / "ollama.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.touch()
    assert f"{unit} hides the unit of this bundle" in pod.host.refuse(pod.bundle({}))


def test_a_server_that_does_not_become_healthy_brings_back_what_was_there(pod: Pod) -> None:
    pod.apply({})
    told = pod.host.refuse(pod.bundle({**SICK, "models": []}))
    assert "The server does not start." in told
    assert pod.calls[-1] == "restart ollama.service"
    assert f"the journal: {'--user ' if pod.of_user else ''}-u ollama -n 20 --no-pager" in told


def test_a_failed_first_apply_leaves_nothing(pod: Pod) -> None:
    pod.host.refuse(pod.bundle(SICK))
    assert pod.host.files == {}
    assert pod.host.enabled == set()
    assert pod.calls[-1] == "stop ollama.service"


def test_remove_brings_back_the_container_that_was_there(pod: Pod) -> None:
    path = f"{pod.top}/containers/systemd/ollama.container"
    put((File(path, "[Container]\nImage=mine\n"),), pod.host.root)
    said = pod.host.run("sh", pod.bundle({}) / "apply.sh").stdout
    assert "ollama.container.before-hostwright" in said
    pod.host.stub("systemctl", f"{RECORD}\n:")
    pod.host.run("sh", pod.bundle({}) / "remove.sh")
    assert pod.host.files == {path: "[Container]\nImage=mine\n"}
    assert pod.calls[-1] == "restart ollama.service"


def test_a_masked_server_stays_so(pod: Pod) -> None:
    masked = "case $* in *is-enabled*) echo masked; exit 1 ;; *is-active*) exit 3 ;; esac"
    pod.host.stub("systemctl", f"{RECORD}\n{masked}")
    said = pod.apply({})
    assert f"is masked, and stays so: {pod.systemctl} unmask ollama" in said
    assert "restart" not in " ".join(pod.calls)


def test_a_user_without_a_systemd_is_told(pod: Pod) -> None:
    pod.host.stub("systemctl", f"{RECORD}\n[ $2 != show-environment ]")
    done = pod.host.run("sh", pod.bundle({}) / "apply.sh", "--dry-run")
    assert ("log in as the user" in done.stderr) == pod.of_user


def test_a_user_whose_servers_end_with_the_session_is_told(pod: Pod) -> None:
    pod.host.stub("loginctl", "echo no")
    assert ("loginctl enable-linger" in pod.apply({})) == pod.of_user


def test_a_bundle_says_whether_it_is_of_a_user(pod: Pod) -> None:
    texts = {file.path: file.text for file in pod.rendered({})}
    assert ("scope\tuser" in texts["bundle.conf"].split("\n")) == pod.of_user
