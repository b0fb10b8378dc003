"""What a Compose file says of the container, and which of its services are servers."""

import pytest

from tests.readers.composing import one, views

BOX = """\
version: "3.8"
services:
  ollama:
    image: ollama/ollama:0.32.15
    runtime: nvidia
    privileged: true
    network_mode: host
    user: 1000:1000
    restart: always
    cap_add: [IPC_LOCK]
    ports:
      - 11434
      - target: 11434
        published: "8080"
        host_ip: ::1
        mode: host
      - {target: 1, published: 2-3, protocol: udp}
    volumes:
      - ollama:/root/.ollama
      - type: bind
        source: ./m
        target: /models
        read_only: true
      - {type: tmpfs, target: /tmp}
      - /cache
    healthcheck:
      test: curl -f http://localhost:11434 || exit 1
    devices: [nvidia.com/gpu=0, /dev/kfd:/dev/kfd]
    x-note: {deep: [1, {er: 2}]}
"""


def test_the_container_is_told_in_short_forms() -> None:
    view = one(BOX)
    box = view.container
    assert box is not None
    assert (box.image, box.tag, box.digest) == ("ollama/ollama:0.32.15", "0.32.15", False)
    assert box.place.line == 4
    assert (box.gpu_access, box.gpu_also, box.gpus) == (
        "runtime", ("cdi",), ("nvidia.com/gpu=0",),
    )  # fmt: skip
    assert box.privileged is not None
    assert box.privileged.line == 6
    assert box.host_network is not None
    assert box.host_network.line == 7
    assert (box.user, box.restart, box.memlock) == ("1000:1000", "always", True)
    assert [(text, place.line) for text, place in box.ports] == [
        ("11434", 12),
        ("[::1]:8080:11434", 13),
        ("2-3:1/udp", 17),
    ]
    assert [(text, place.line) for text, place in box.mounts] == [
        ("ollama:/root/.ollama", 19),
        ("./m:/models:ro", 20),
        ("/cache", 25),
    ]
    assert box.healthcheck is not None
    assert box.healthcheck[0] == ("CMD-SHELL", "curl -f http://localhost:11434 || exit 1")
    assert box.healthcheck[1].line == 27
    lines = {(line.section, line.name, line.value) for line in view.lines}
    assert ("", "version", "3.8") in lines
    assert ("services.ollama.x-note.deep", "er", "2") in lines
    assert view.acceleration == "rocm"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("{test: [CMD, ollama, list]}", ("CMD", "ollama", "list")),
        ("{test: [NONE]}", ("NONE",)),
        ("{disable: true}", ("NONE",)),
        ("{test: 'true'}", ("CMD-SHELL", "true")),
        ("{interval: 5s}", None),
    ],
)
def test_every_form_of_a_health_check(check: str, expected: tuple[str, ...] | None) -> None:
    box = one(f"services: {{ollama: {{image: ollama/ollama, healthcheck: {check}}}}}").container
    assert box is not None
    assert (box.healthcheck[0] if box.healthcheck else None) == expected


RESERVED = "deploy: {{resources: {{reservations: {{devices: [{{{}, capabilities: [gpu]}}]}}}}}}"


@pytest.mark.parametrize(
    ("service", "access", "gpus"),
    [
        ("gpus: all", "reservation", ()),
        ("gpus: [{driver: nvidia, device_ids: ['1']}]", "reservation", ("1",)),
        (
            RESERVED.format("driver: nvidia, count: all"),
            "reservation",
            (),
        ),
        (
            RESERVED.format("driver: cdi, device_ids: ['nvidia.com/gpu=all']"),
            "cdi",
            ("nvidia.com/gpu=all",),
        ),
        ("devices: [/dev/kfd, /dev/dri]", "devices", ()),
        ("devices: [{source: /dev/nvidia0, target: /dev/nvidia0}]", "devices", ()),
        ("devices: [/dev/dxg]", "devices", ()),
        ("devices: [/dev/ttyUSB0]", "", ()),
    ],
)
def test_every_way_of_a_gpu(service: str, access: str, gpus: tuple[str, ...]) -> None:
    box = one(f"services: {{ollama: {{image: ollama/ollama, {service}}}}}").container
    assert box is not None
    assert (box.gpu_access, box.gpus, box.gpu_also) == (access, gpus, ())


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("gpus: all", "cuda"),
        ("devices: [/dev/nvidia0]", "cuda"),
        ("devices: [/dev/kfd, /dev/dri]", "rocm"),
        (RESERVED.format("driver: cdi, device_ids: ['amd.com/gpu=0']"), "rocm"),
        ("devices: [/dev/dri]", ""),
    ],
)
def test_a_compose_service_computes_on_what_docker_run_would(service: str, expected: str) -> None:
    text = f"services: {{ollama: {{image: ollama/ollama, {service}}}}}"
    assert one(text).acceleration == expected


@pytest.mark.parametrize(
    ("service", "restart"),
    [
        ("restart: unless-stopped", "unless-stopped"),
        ("restart: 'no'", "no"),
        ("deploy: {restart_policy: {condition: on-failure}}", "on-failure"),
        ("deploy: {restart_policy: {condition: any}}", "always"),
        ("deploy: {restart_policy: {}}", "always"),
        ("deploy: {}", ""),
    ],
)
def test_every_form_of_a_restart_policy(service: str, restart: str) -> None:
    box = one(f"services: {{ollama: {{image: ollama/ollama, {service}}}}}").container
    assert box is not None
    assert box.restart == restart


SEVERAL = """\
services:
  a:
    image: ollama/ollama:rocm
    environment: {OLLAMA_DEBUG: 1}
  b:
    image: registry.lan/llm
    command: ["/usr/bin/ollama", "serve"]
  c:
    image: intel/llm
    environment: [OLLAMA_HOST=0.0.0.0]
  ollama:
    build: .
  ollama-webui:
    image: ghcr.io/open-webui/open-webui:main
    environment: {OLLAMA_BASE_URL: "http://a:11434", OLLAMA_KEEP_ALIVE: 1d}
  pull:
    image: ollama/ollama
    environment: {OLLAMA_HOST: "http://b:11434"}
    entrypoint: /bin/sh -c "sleep 3; ollama pull llama3.1:8b && ollama pull nomic-embed-text"
  warm:
    image: ollama/ollama
    entrypoint: /bin/ollama
    command: run qwen3:8b hi
  api:
    image: curlimages/curl
    command: 'curl http://c:11434/api/pull -d {"name":"phi4"}'
"""


def test_servers_are_told_from_clients_and_jobs() -> None:
    found = {view.name: view for view in views(SEVERAL)}
    assert list(found) == ["a", "b", "c", "ollama"]
    assert found["a"].neighbours == ("b", "c", "ollama", "ollama-webui")
    assert {n: [m.name for m in v.models] for n, v in found.items()} == {
        "a": ["qwen3:8b"],
        "b": ["llama3.1:8b", "nomic-embed-text", "qwen3:8b"],
        "c": ["qwen3:8b"],
        "ollama": ["qwen3:8b"],
    }
    assert [m.warmed for m in found["b"].models] == [False, False, True]


def test_a_server_that_pulls_by_itself_is_a_server() -> None:
    view = one(
        "services:\n  llm:\n    image: ollama/ollama\n    entrypoint: [sh, -c, 'ollama serve & "
        "sleep 5; ollama pull mistral:7b; wait']\n"
    )
    assert [(m.name, m.place.line) for m in view.models] == [("mistral:7b", 4)]
