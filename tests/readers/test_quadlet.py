"""Podman quadlets as operators write them."""

import re
import subprocess
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.quadlet.read import read
from generator.view import Place, View
from tests.check.told import report
from tests.consumers.quadlet import binary

PATH = "/etc/containers/systemd/ollama.container"
QUADLET = """\
[Unit]
Description=Ollama
After=network-online.target

[Container]
Image=docker.io/ollama/ollama:0.12.3
ContainerName=ollama
AutoUpdate=registry
AddDevice=nvidia.com/gpu=all
PublishPort=11434:11434
Volume=ollama:/root/.ollama
Volume=%h/models:/models:ro
Environment=OLLAMA_HOST=0.0.0.0 "OLLAMA_ORIGINS=*"
Environment=OLLAMA_MODELS='/my models' ZONE=%H
EnvironmentFile=ollama.env
PodmanArgs=--privileged --memory 20g \\
  -e OLLAMA_DEBUG=1
Network=host
HealthCmd=curl -f http://localhost:11434/
User=1000
Ulimit=memlock=-1:-1
AddCapability=IPC_LOCK

[Service]
Restart=always
CPUQuota=400%
MemoryMax=24G
ExecStartPost=/usr/bin/podman exec ollama ollama pull llama3:8b

[Install]
WantedBy=multi-user.target
"""


def views(*files: tuple[str, str], **told: object) -> tuple[View, ...]:
    context = Context(load_catalogue(), **told)  # type: ignore[arg-type]
    return read([Source(path, text) for path, text in files], context)


def view(*files: tuple[str, str], **told: object) -> View:
    (found,) = views(*files, **told)
    return found


def test_the_service_is_told_by_its_image() -> None:
    seen = view((PATH, QUADLET))
    assert (seen.phrases.kind, seen.name, seen.place) == (
        "quadlet",
        "ollama.container",
        Place(PATH),
    )
    assert (str(seen.release), seen.release_told, seen.acceleration) == ("0.12.3", True, "cuda")
    assert [used.name for used in seen.models] == ["llama3:8b"]


def test_variables_come_from_keys_files_and_arguments() -> None:
    files = {"/etc/containers/systemd/ollama.env": 'OLLAMA_HOST=file\nA="b"\n'}
    seen = view((PATH, QUADLET), read=files.get)
    assert [(v.name, v.value, v.place.line, v.written) for v in seen.variables] == [
        ("OLLAMA_HOST", "file", 1, "file"),
        ("A", '"b"', 2, '"b"'),
        ("OLLAMA_HOST", "0.0.0.0", 13, "0.0.0.0"),  # noqa: S104
        ("OLLAMA_ORIGINS", "*", 13, "*"),
        ("OLLAMA_MODELS", "/my models", 14, "'/my models'"),
        ("ZONE", "%H", 14, "%H"),
        ("OLLAMA_DEBUG", "1", 17, "1"),
    ]
    assert [v.name for v in seen.variables if v.unresolved] == ["ZONE"]


def test_of_two_limits_the_tighter_one_holds() -> None:
    seen = view((PATH, QUADLET))
    assert {bound.name: (bound.value, bound.place.line) for bound in seen.bounds} == {
        "cpu_quota": (400, 26),
        "memory_max": (21474836480, 16),
        "limit_memlock": (None, 21),
    }
    wide = view((PATH, QUADLET.replace("20g", "30g"))).bound("memory_max")
    assert wide is not None
    assert (wide.value, wide.written) == (25769803776, "24G")


def test_the_box_has_what_the_keys_say() -> None:
    box = view((PATH, QUADLET)).container
    assert box is not None
    assert (box.image, box.place.line) == ("docker.io/ollama/ollama:0.12.3", 6)
    assert (box.gpu_access, box.gpus) == ("cdi", ("nvidia.com/gpu=all",))
    assert (box.user, box.restart, box.memlock) == ("1000", "always", True)
    assert box.privileged == Place(PATH, 16, "PodmanArgs")
    assert box.host_network == Place(PATH, 18, "Network")
    assert box.ports == (("11434:11434", Place(PATH, 10, "PublishPort")),)
    assert [text for text, _ in box.mounts] == [
        "ollama:/root/.ollama",
        "/root/models:/models:ro",
    ]
    assert box.healthcheck == (
        ("CMD-SHELL", "curl -f http://localhost:11434/"),
        Place(PATH, 19, "HealthCmd"),
    )


@pytest.mark.parametrize(
    ("command", "test"),
    [
        ('["CMD", "ollama", "list"]', ("CMD", "ollama", "list")),
        ('["ollama", "list"]', ("CMD", "ollama", "list")),
        ("[broken", ("CMD-SHELL", "[broken")),
        ("none", ("NONE",)),
        ("ollama list", ("CMD-SHELL", "ollama list")),
    ],
)
def test_health_commands_are_lists_or_scripts(command: str, test: tuple[str, ...]) -> None:
    box = view((PATH, f"[Container]\nImage=ollama/ollama\nHealthCmd={command}\n")).container
    assert box is not None
    assert box.healthcheck == (test, Place(PATH, 3, "HealthCmd"))


def test_an_empty_key_takes_the_earlier_ones_back() -> None:
    drop_in = "[Container]\nEnvironment=\nEnvironment=A=b\nPublishPort=\n[Service]\nMemoryMax=\n"
    seen = view((PATH, QUADLET), (f"{PATH}.d/10-own.conf", drop_in))
    assert [v.name for v in seen.variables] == ["A", "OLLAMA_DEBUG"]
    assert seen.container is not None
    assert seen.container.ports == ()


def test_an_image_may_be_a_quadlet_of_its_own() -> None:
    container = "[Container]\nImage=llm.image\nAddDevice=/dev/kfd\nAddDevice=/dev/dri\n"
    image = "[Image]\nImage=docker.io/ollama/ollama:0.12.3-rocm\n"
    seen = view(("llm.container", container), ("llm.image", image))
    assert seen.container is not None
    assert (seen.container.tag, seen.container.gpu_access) == ("0.12.3-rocm", "devices")
    assert (str(seen.release), seen.acceleration) == ("0.12.3", "rocm")


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("webui.container", "[Container]\nImage=docker.io/searxng/searxng:latest\n", False),
        ("llm.container", "[Container]\nImage=registry.local:5000/mirror/ollama@sha256:a\n", True),
        ("llm.container", "[Service]\nRestart=always\n", False),
        ("ollama.container.d/a.conf", "[Container]\nEnvironment=A=b\n", True),
    ],
)
def test_only_containers_that_run_ollama_are_seen(path: str, text: str, *, found: bool) -> None:
    assert bool(views((path, text))) is found


def test_what_is_no_quadlet_is_refused() -> None:
    with pytest.raises(ProfileError) as caught:
        views((PATH, "services: {}\n"))
    assert [problem.where for problem in caught.value.problems] == ["line 1"]


FOLDER = "/etc/containers/systemd"


def test_which_line_of_a_quadlet_counts() -> None:
    files = {f"{FOLDER}/a.env": "OLLAMA_KEEP_ALIVE=1h\n"}
    text = (
        "[Container]\nImage=ollama/ollama:0.12.3\nEnvironment=OLLAMA_KEEP_ALIVE=2h\n"
        "Memory=1g\nMemory=2g\n[Service]\nRestart=no\n"
    )
    seen = view(
        (f"{FOLDER}/ollama.container", text),
        (
            f"{FOLDER}/ollama.container.d/a.conf",
            f"[Container]\nEnvironmentFile={FOLDER}/a.env\n[Service]\nRestart=always\n",
        ),
        read=files.get,
    )
    found = [(o.name, o.value, o.place.line, o.by.line, o.usual) for o in seen.overruled]
    assert found == [
        ("OLLAMA_KEEP_ALIVE", "1h", 1, 3, False),
        ("Memory", "1g", 4, 5, False),
    ]


def test_a_drop_in_leaves_its_quadlet_out() -> None:
    seen = view((f"{FOLDER}/ollama.container.d/a.conf", "[Container]\nEnvironment=A=1\n"))
    assert seen.adds


def test_a_drop_in_of_every_container_is_of_this_one() -> None:
    (seen,) = views(
        (f"{FOLDER}/container.d/a.conf", "[Container]\nEnvironment=A=1\n"),
        (PATH, "[Container]\nImage=ollama/ollama\n"),
    )
    assert [v.name for v in seen.variables] == ["A"]


DROP_INS = (
    "etc/containers/systemd/b-a.container.d/10.conf",
    "etc/containers/systemd/b-.container.d/20.conf",
    "etc/containers/systemd/container.d/30.conf",
    "usr/share/containers/systemd/b-a.container.d/40.conf",
    "etc/containers/systemd/b-.container.d/50.conf",
    "usr/share/containers/systemd/b-a.container.d/50.conf",
    "etc/containers/systemd/container.d/60.conf",
    "usr/share/containers/systemd/b-a.container.d/60.conf",
)


def test_drop_ins_of_every_kind_apply_as_podman_applies_them(tmp_path: Path) -> None:
    texts = {"usr/share/containers/systemd/b-a.container": "[Container]\nImage=ollama/ollama\n"}
    texts |= {name: f"[Container]\nLabel=at={name}\n" for name in DROP_INS}
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = (f"{tmp_path}/{at}/containers/systemd" for at in ("etc", "usr/share"))
    told = subprocess.run(
        [binary(), "-dryrun"],
        env={"QUADLET_UNIT_DIRS": ":".join(folders)},
        capture_output=True,
        text=True,
        check=False,
    )
    applied = re.findall(r"^Label=at=(\S+)", told.stdout, re.MULTILINE)
    (seen,) = views(*((str(tmp_path / name), text) for name, text in texts.items()))
    read = [line.value.removeprefix("at=") for line in seen.lines if line.name == "Label"]
    assert read == applied


@pytest.mark.parametrize(("line", "moving"), [("Pull=newer", True), ("Pull=missing", False)])
def test_a_pull_that_follows_the_tag_is_a_choice(line: str, moving: bool) -> None:
    box = view(("llm.container", f"[Container]\nImage=ollama/ollama\n{line}\n")).container
    assert box is not None
    assert box.moving is moving


def test_swap_is_barred_by_an_argument_of_podman(tmp_path: Path) -> None:
    text = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nMemory=8G\n"
    fixes = [
        p.finding.fix
        for p in report(tmp_path, {"llm.container": text}).findings
        if p.finding.rule == "HW210"
    ]
    assert fixes == ["add `PodmanArgs=--memory-swap=8G`, the same as the memory, for no swap"]
