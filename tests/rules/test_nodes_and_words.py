"""HW662 to HW666: words that a reader knows, sockets, Services, and nodes of GPUs."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, pod, service, sides, told, unit

ROCM = "services:\n  ollama:\n    image: ollama/ollama:0.32.15-rocm\n    restart: always\n"


def rocm(devices: str) -> Text:
    return {"compose.yaml": f"{ROCM}    devices: {devices}\n"}


def values(text: str) -> Text:
    return {"values.yaml": f"ollama: {{gpu: {{enabled: true}}}}\n{text}\n"}


def socket(text: str, name: str = "ollama.socket") -> Text:
    return {name: f"[Socket]\n{text}\n"}


def selects(text: str, name: str = "o") -> Text:
    head = f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
    tail = f"spec: {{selector: {text}, ports: [{{port: 11434}}]}}\n"
    return pod(more=head + tail)


def quadlet(line: str) -> Text:
    return {"ollama.container": f"[Container]\nImage=docker.io/ollama/ollama:0.32.15\n{line}\n"}


# rule: (caught, left alone)
CASES: Cases = {
    "HW662": (
        (
            {"values.yaml": "ollama: {gpu: {enabled: true, type: nvidea}}\n"},
            values("service: {type: NodPort}"),
            values("updateStrategy: {type: Recreat}"),
            service("pull_policy: sometimes"),
            service("depends_on: {db: {condition: healthy}}", top="  db: {image: postgres:17}\n"),
            pod("imagePullPolicy: ifNotPresent"),
            quadlet("AutoUpdate=yes"),
        ),
        (
            {"values.yaml": "ollama: {gpu: {enabled: true, type: amd}}\n"},
            values('service: {type: "{{ kind }}"}'),
            service("pull_policy: every_12h"),
            service("pull_policy: ${PULL:-always}"),
            service("depends_on: {db: {condition: service_healthy}}",
                    top="  db: {image: postgres:17}\n"),
            pod("imagePullPolicy: IfNotPresent"),
            quadlet("AutoUpdate=registry"),
        ),
    ),
    "HW663": (
        (
            socket("ListenStream=11434"),
            unit() | socket("ListenStream=127.0.0.1:9000"),
            unit() | socket("ListenStream=11434\nService=ollama.service", "llm.socket"),
        ),
        (
            unit(),
            unit() | socket("ListenStream=9000", "ollama-proxy.socket"),
        ),
    ),
    "HW664": (
        (selects("{app: olama}"), selects("{app: ollama, tier: x}")),
        (selects("{app: ollama}"), selects("{app: '${APP}'}"), pod()),
    ),
    "HW665": (
        (rocm("[/dev/dri:/dev/kfd]"), rocm("['${DEV:-/dev/kfd:/dev/dri}']"),
         {"run.sh": "D=/dev/dri:/dev/kfd\ndocker run --device $D ollama/ollama:0.32.15-rocm\n"}),
        (rocm("[/dev/kfd, /dev/dri]"), rocm("[/dev/dri/renderD129:/dev/dri/renderD128, /dev/kfd]")),
    ),
    "HW666": (
        (rocm("[/dev/kfd]"), rocm("[/dev/dri]"), {"compose.yaml": ROCM},
         rocm("[/dev/kfd:/dev/kfd]"), rocm("[/dev/dri:/dev/dri]"),
         {"compose.yaml": f"{ROCM}    runtime: nvidia\n"},
         {"run.sh": "podman run --device nvidia.com/gpu=all ollama/ollama:rocm\n"},
         {"run.sh": "docker run --device /dev/kfd ollama/ollama:rocm\n"}),
        (
            rocm("[/dev/kfd, /dev/dri]"),
            rocm("[/dev/kfd, /dev/dri/renderD128]"),
            rocm("[/dev/kfd:/dev/kfd, /dev/dri:/dev/dri]"),
            {"run.sh": "docker run --gpus all ollama/ollama:rocm\n"},
            rocm("['${GPU}']"),
            {"compose.yaml": f"{ROCM}    privileged: true\n"},
            {"compose.yaml": f"{ROCM}    volumes: ['/dev:/dev']\n"},
            service("devices: [/dev/dri]"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


@pytest.mark.parametrize(
    ("address", "end"),
    [("11434", "the port is taken"), ("0.0.0.0:9000", "nobody answers"),
     ("/run/ollama.sock", "nobody answers")],
)  # fmt: skip
def test_what_a_socket_does_depends_on_its_port(tmp_path: Path, address: str, end: str) -> None:
    (message,) = messages(tmp_path, unit() | socket(f"ListenStream={address}"), "HW663")
    assert end in message
