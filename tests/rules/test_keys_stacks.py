"""HW402, HW522, HW526 and HW684: files that `docker stack deploy` reads for a swarm."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, service, sides, told

PLACED = "deploy: {placement: {constraints: [node.labels.gpu == yes]}}"
DEPLOY = {"deploy.sh": "#!/bin/sh\ndocker stack deploy -c compose.yaml llm\n"}
UP = {"README.md": "Start it by `docker compose up -d`.\n"}
KEPT = "volumes: [m:/root/.ollama]"
END = "volumes: {m: {}}\n"


def stack(*lines: str, top: str = END) -> Text:
    text = service(PLACED, KEPT, *lines, top=top)["compose.yaml"]
    return {"compose.yaml": text.replace("    restart: always\n", "")}


def deployed(*lines: str, top: str = END) -> Text:
    return service(KEPT, *lines, top=top) | DEPLOY


BARE = "services: {llm: {image: 'ollama/ollama:0.32.15', volumes: ['m:/root/.ollama']}}\n"
OPEN = 'ports: ["11434:11434"]'
LOCAL = 'ports: ["127.0.0.1:11434:11434"]'
CARD = "{driver: nvidia, count: 1, capabilities: [gpu]}"
DEVICES = f"deploy: {{mode: global, resources: {{reservations: {{devices: [{CARD}]}}}}}}"
GENERIC = "generic_resources: [{discrete_resource_spec: {kind: NVIDIA-GPU, value: 1}}]"
RESERVED = f"resources: {{reservations: {{{GENERIC}}}}}"

# rule: (caught, left alone)
CASES: Cases = {
    "HW402": (
        (stack(OPEN), stack(LOCAL), deployed(LOCAL)),
        (stack(), service(KEPT, LOCAL, top=END), deployed(LOCAL) | UP),
    ),
    "HW522": (
        (
            stack("gpus: all"),
            stack("runtime: nvidia"),
            stack("mem_limit: 24g"),
            stack("ports: [{target: 11434, published: 11434, host_ip: 127.0.0.1}]"),
            service(KEPT, DEVICES, top=END),
            deployed(top=f"name: llm\n{END}"),
            deployed("profiles: [llm]"),
        ),
        (
            service(KEPT, f"deploy: {{mode: global, {RESERVED}}}", top=END),
            stack("gpus: all", top=f"name: llm\n{END}"),
            deployed("gpus: all") | UP,
            service(KEPT, "gpus: all", top=END),
            service(KEPT, "gpus: all", top=END)
            | {"deploy.sh": "docker stack deploy -c other.yaml llm\n"},
        ),
    ),
    "HW526": (
        (
            stack(
                "depends_on: {db: {condition: service_started}}", top=f"  db: {{image: x}}\n{END}"
            ),
        ),
        (stack("depends_on: [db]", top=f"  db: {{image: x}}\n{END}"),),
    ),
    "HW684": (
        (
            stack("shm_size: 4gb"),
            stack("network_mode: host"),
            stack("devices: [/dev/kfd, /dev/dri]"),
            stack("privileged: true"),
            deployed(),
        ),
        (
            stack(),
            stack("privileged: false"),
            service(KEPT, "shm_size: 4gb", top=END),
            deployed("shm_size: 4gb") | UP,
        ),
    ),
    "HW513": (({"compose.yaml": f"{BARE}{END}"},), (stack(),)),
    "HW517": (
        ({"compose.yaml": f"version: '3.8'\n{service(top=END)['compose.yaml']}"},),
        ({"compose.yaml": f"version: '3.8'\n{stack()['compose.yaml']}"},),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    for name in files.keys() - {"compose.yaml"}:
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    assert (rule in told(tmp_path, {"compose.yaml": files["compose.yaml"]})) is caught


def test_what_is_advised_is_possible_in_a_stack(tmp_path: Path) -> None:
    (message,) = messages(tmp_path, stack(LOCAL), "HW402")
    assert "passes over the address" in message
    assert "127.0.0.1" not in message.partition("; ")[2]
    (other,) = messages(tmp_path, stack("shm_size: 4gb"), "HW684")
    assert other.endswith("mount a `tmpfs` of that size at /dev/shm")
