"""Reach and health in whole files: HW314, HW401, HW509, HW513, HW543 to HW568, HW660, HW661."""

from pathlib import Path

import pytest

from tests.check.told import lines
from tests.texts import messages
from tests.tools import require

SERVER = """\
services:
  llm:
    image: ollama/ollama:0.32.15
    restart: unless-stopped
    volumes: [models:/root/.ollama]
"""
END = "volumes: {models: {}}\n"
UNIT = "[Unit]\nDescription=models\n[Service]\nExecStart=/usr/local/bin/ollama serve\n"
TUNNEL = (
    f"{SERVER}  way-in: {{image: cloudflare/cloudflared, command: tunnel --url http://%s}}\n{END}"
)
CHECK = f"{SERVER}    healthcheck: {{test: [CMD-SHELL, %s]}}\n{END}"
CARD = f"{SERVER}    environment: {{HSA_OVERRIDE_GFX_VERSION: 10.3.0}}\n%s{END}"
# rule: (the file, what is caught, what is left alone)
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm}
spec:
  template:
    metadata: {labels: {app: llm}}
    spec:
      containers:
        - name: llm
          image: ollama/ollama:0.32.15
          ports: [{containerPort: 11434}]
---
apiVersion: v1
kind: Service
metadata: {name: llm}
spec:
  selector: {app: llm}
  ports: [{port: 80, targetPort: 11434}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: llm
  annotations: {%s}
spec:
  rules:
    - host: llm.example.org
      http: {paths: [{path: /, backend: {service: {name: %s, port: {number: 80}}}}]}
"""
QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\n%s[Service]\nRestart=always\n%s"
ASKED = (
    '# ollama\ncurl localhost:11434/api/generate -d \'{"model": "qwen3:8b", "keep_alive": %s}\'\n'
)
FIGURES = POD.replace("{labels: {app: llm}}", "{labels: {app: llm}, annotations: {%s}}") % (
    'prometheus.io/scrape: "true", prometheus.io/port: "%s"', "", "llm",
)  # fmt: skip
CASES: dict[str, tuple[str, str, str]] = {
    "HW543": (
        "wait.sh",
        "until docker exec ollama curl -s localhost:11434; do sleep 1; done\n",
        "until docker exec ollama ollama list; do sleep 1; done\n",
    ),
    "HW549": ("compose.yaml", SERVER.replace("0.32.15", "0.1.27") + END, SERVER + END),
    "HW555": (
        "compose.yaml",
        f"{SERVER}  chat: {{image: x, depends_on: {{llm: {{condition: service_healthy}}}}}}\n{END}",
        f"{SERVER}  chat: {{image: x, depends_on: {{llm: {{condition: service_started}}}}}}\n{END}",
    ),
    "HW558": (".env", "OLLAMA_MAX_QUEUE=64\n", "TZ=UTC\n"),
    "HW564": ("ask.sh", ASKED % '"-1"', ASKED % '"30m"'),
    "HW567": ("up.sh", "ollama update\n", "ollama list\n"),
    "HW568": (
        "get.sh",
        "OLLAMA_VERSION=0.5.7 curl -fsSL https://ollama.com/install.sh | sh\nollama list\n",
        (
            "OLLAMA_VERSION=0.5.7; curl -fsSL https://ollama.com/install.sh | "
            "OLLAMA_VERSION=$OLLAMA_VERSION sh\nollama list\n"
        ),
    ),
    "HW565": ("llm.yaml", FIGURES % "11434", FIGURES % "9090"),
    "HW566": (
        "llm.service",
        f"{UNIT}User=ollama\nExecStartPre=/sbin/modprobe nvidia_uvm\n",
        f"{UNIT}User=ollama\nExecStartPre=+/sbin/modprobe nvidia_uvm\n",
    ),
    "HW559": (
        "llm.service",
        f"{UNIT}User=ollama\nEnvironment=LD_LIBRARY_PATH=opt/cuda/lib64\n",
        f"{UNIT}User=ollama\nEnvironment=LD_LIBRARY_PATH=/opt/cuda/lib64:%h/lib\n",
    ),
    "HW569": (
        "compose.yaml",
        f"{SERVER}    environment: {{NVIDIA_DRIVER_CAPABILITIES: 'compute,gpu'}}\n{END}",
        f"{SERVER}    environment: {{NVIDIA_DRIVER_CAPABILITIES: 'compute,utility'}}\n{END}",
    ),
    "HW570": (
        ".config/systemd/user/llm.service",
        f"{UNIT}User=ann\n",
        f"{UNIT}Environment=OLLAMA_KEEP_ALIVE=1h\n",
    ),
    "HW560": ("llm.service", UNIT, f"{UNIT}User=ollama\n"),
    "HW561": ("compose.yaml", CARD % "", CARD % "    devices: [/dev/kfd, /dev/dri]\n"),
    "HW562": ("compose.yaml", TUNNEL % "llm:11434", TUNNEL % "chat:8080"),
    "HW563": ("compose.yaml", CHECK % "ollama ps | grep -q qwen3", CHECK % "ollama ps"),
    "HW660": (
        "llm.container",
        QUADLET % ("", "Environment=OLLAMA_DEBUG=1\n"),
        QUADLET % ("Environment=OLLAMA_DEBUG=1\n", ""),
    ),
    "HW661": (
        "llm.yaml",
        POD % ("nginx.ingress.kubernetes.io/rewrite-target: /", "llm"),
        POD % ("nginx.ingress.kubernetes.io/auth-type: basic", "llm"),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str, tmp_path: Path) -> None:
    name, caught, left = CASES[rule]
    beside = {"compose__yaml": SERVER + END} if name == ".env" else {}
    assert len(of(lines(tmp_path, name, caught, **beside), rule)) == 1
    assert of(lines(tmp_path, name, left, **beside), rule) == []


def of(found: list[str], rule: str) -> list[str]:
    return [line for line in found if f" {rule} " in line]


@pytest.mark.parametrize(
    "other",
    [
        "image: cloudflare/cloudflared\n    command: tunnel --url http://llm:11434",
        "image: ngrok/ngrok\n    command: [http, 'llm:11434', --log=stdout]",
    ],
)
def test_a_tunnel_to_the_api(other: str, tmp_path: Path) -> None:
    text = f"{SERVER}  way-in:\n    {other}\n{END}"
    assert of(lines(tmp_path, "compose.yaml", text), "HW562") == ["8 HW562 error"]


@pytest.mark.parametrize(
    "other",
    [
        "image: cloudflare/cloudflared\n    command: tunnel --url http://chat:8080",
        "image: nginx\n    command: proxy http://llm:11434",
    ],
)
def test_a_tunnel_elsewhere_is_none_to_the_api(other: str, tmp_path: Path) -> None:
    text = f"{SERVER}  way-in:\n    {other}\n{END}"
    assert of(lines(tmp_path, "compose.yaml", text), "HW562") == []


@pytest.mark.parametrize(("condition", "severity"), [("healthy", "error"), ("started", "warning")])
def test_what_waits_for_a_check_that_never_passes(
    condition: str, severity: str, tmp_path: Path
) -> None:
    text = (
        f"{SERVER}    healthcheck: {{test: [CMD, curl, -f, 'http://localhost:11434']}}\n"
        f"  chat:\n    image: chat:1\n    depends_on: {{llm: {{condition: service_{condition}}}}}\n"
        f"{END}"
    )
    assert of(lines(tmp_path, "compose.yaml", text), "HW509") == [f"6 HW509 {severity}"]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("nvidia-smi -L", 1),
        ("rocm-smi || exit 1", 1),
        ("ollama", 1),
        ("ollama && nvidia-smi || exit 1", 1),
        ("ollama list && nvidia-smi", 0),
        ("nvidia-smi && ollama ps", 0),
        ("test -e /usr/bin/nvidia-smi.old", 0),
    ],
)
def test_a_check_that_asks_no_server(test: str, told: int, tmp_path: Path) -> None:
    assert len(of(lines(tmp_path, "compose.yaml", CHECK % f"'{test}'"), "HW509")) == told


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("ollama ps | grep -q qwen3", 1),
        ("ollama ps | awk 'NR>1' | grep .", 1),
        ("ollama ps", 0),
        ("ollama list | grep qwen3", 0),
    ],
)
def test_a_check_that_wants_a_model_loaded(test: str, told: int, tmp_path: Path) -> None:
    text = f'{SERVER}    healthcheck: {{test: [CMD-SHELL, "{test}"]}}\n{END}'
    assert len(of(lines(tmp_path, "compose.yaml", text), "HW563")) == told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", ["4 HW560 warning"]),
        ("User=root\n", ["5 HW560 warning"]),
        ("User=ollama\n", []),
        ("DynamicUser=yes\n", []),
        ("[Install]\nWantedBy=default.target\n", []),
    ],
)
def test_a_server_that_runs_as_root(more: str, told: list[str], tmp_path: Path) -> None:
    assert of(lines(tmp_path, "llm.service", UNIT + more), "HW560") == told


def test_a_drop_in_tells_no_user(tmp_path: Path) -> None:
    text = "[Service]\nExecStart=\nExecStart=/usr/local/bin/ollama serve\n"
    assert of(lines(tmp_path, "ollama.service.d/a.conf", text), "HW560") == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("environment: {HSA_OVERRIDE_GFX_VERSION: 10.3.0}", ["6 HW561 warning"]),
        ("environment: {NVIDIA_VISIBLE_DEVICES: all}", ["6 HW561 info"]),
        ("environment: {OLLAMA_NUM_GPU: 99}", ["6 HW561 info"]),
        ("environment: {OLLAMA_NUM_GPU: 0}", []),
        ("environment: {CUDA_VISIBLE_DEVICES: '-1'}", []),
        ("environment: {NVIDIA_VISIBLE_DEVICES: all}\n    runtime: nvidia", []),
        ("environment: {HSA_OVERRIDE_GFX_VERSION: 10.3.0}\n    devices: [/dev/kfd, /dev/dri]", []),
    ],
)
def test_a_gpu_that_nobody_hands_in(more: str, told: list[str], tmp_path: Path) -> None:
    assert of(lines(tmp_path, "compose.yaml", f"{SERVER}    {more}\n{END}"), "HW561") == told


@pytest.mark.parametrize(("value", "told"), [("all", 0), ("0", 1)])
def test_all_gpus_by_two_names_are_the_same(value: str, told: int, tmp_path: Path) -> None:
    text = (
        "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nVolume=o:/root/.ollama\n"
        f"AddDevice=nvidia.com/gpu=all\nEnvironment=NVIDIA_VISIBLE_DEVICES={value}\n"
        "[Service]\nRestart=always\n"
    )
    assert len(of(lines(tmp_path, "llm.container", text), "HW314")) == told


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ("", "info"),
        ("services.ollama.openFirewall = true;", "warning"),
        ("networking.firewall.allowedTCPPorts = [ 11434 ];", "warning"),
        ("networking.firewall.enable = false;", "warning"),
    ],
)
def test_the_firewall_of_nixos(more: str, severity: str, tmp_path: Path) -> None:
    require("nix-instantiate")
    text = f'{{ services.ollama.enable = true;\n services.ollama.host = "0.0.0.0";\n {more} }}\n'
    assert of(lines(tmp_path, "llm.nix", text), "HW401") == [f"2 HW401 {severity}"]


def test_a_fork_reads_its_names(tmp_path: Path) -> None:
    text = SERVER.replace("ollama/ollama:0.32.15", "intel/ipex-llm-ollama:2.2")
    text += f"    environment: {{OLLAMA_NUM_GPU: 999, OLLAMA_INTEL_GPU: 1}}\n{END}"
    found = lines(tmp_path, "compose.yaml", text.replace("  llm:", "  ollama:"))
    assert of(found, "HW101") + of(found, "HW102") == []


@pytest.mark.parametrize(
    ("notes", "service", "told"),
    [
        ("nginx.ingress.kubernetes.io/rewrite-target: /", "llm", ["27 HW661 warning"]),
        ("cert-manager.io/cluster-issuer: letsencrypt", "llm", ["27 HW661 warning"]),
        ("nginx.ingress.kubernetes.io/auth-type: basic", "llm", []),
        ("traefik.ingress.kubernetes.io/router.middlewares: a-b@kubernetescrd", "llm", []),
        ("nginx.ingress.kubernetes.io/whitelist-source-range: 10.0.0.0/8", "llm", []),
        ("nginx.ingress.kubernetes.io/rewrite-target: /", "chat", []),
    ],
)
def test_an_ingress_that_asks_nobody(
    notes: str, service: str, told: list[str], tmp_path: Path
) -> None:
    at_home = (POD % (notes, service)).replace("llm.example.org", "llm.box.local")
    assert of(lines(tmp_path, "llm.yaml", at_home), "HW661") == []
    assert of(lines(tmp_path, "llm.yaml", POD % (notes, service)), "HW661") == told


@pytest.mark.parametrize(
    ("notes", "kind", "how"),
    [
        (
            "cert-manager.io/cluster-issuer: letsencrypt",
            "",
            "nginx.ingress.kubernetes.io/auth-type",
        ),
        ("alb.ingress.kubernetes.io/scheme: internet-facing", "", "alb.ingress.kubernetes.io/auth"),
        ("cert-manager.io/cluster-issuer: x", "alb", "alb.ingress.kubernetes.io/auth-type"),
        ("cert-manager.io/cluster-issuer: x", "gce", "what its controller has for that"),
        ("cert-manager.io/cluster-issuer: x", "nginx", "nginx.ingress.kubernetes.io/auth-type"),
    ],
)
def test_how_an_ingress_asks_its_class_tells(
    notes: str, kind: str, how: str, tmp_path: Path
) -> None:
    text = POD % (notes, "llm")
    if kind:
        text = text.replace("  rules:\n", f"  ingressClassName: {kind}\n  rules:\n", 1)
        assert kind in text
    (told,) = messages(tmp_path, {"llm.yaml": text}, "HW661")
    assert how in told


@pytest.mark.parametrize(
    ("box", "service", "told"),
    [
        ("", "Environment=OLLAMA_DEBUG=1\n", ["5 HW660 warning"]),
        ("Environment=OLLAMA_DEBUG=1\n", "Environment=OLLAMA_DEBUG=1\n", ["6 HW660 info"]),
        ("Environment=OLLAMA_DEBUG\n", "Environment=OLLAMA_DEBUG=1\n", []),
        ("Environment=OLLAMA_HOST=${OLLAMA_PLACE}\n", "Environment=OLLAMA_PLACE=::\n", []),
        ("PodmanArgs=--env-host\n", "Environment=OLLAMA_DEBUG=1\n", []),
        ("", "Environment=TZ=UTC\n", []),
        ("", "Environment=OLLAMA_HOST=::1\nExecStartPost=ollama list\n", []),
    ],
)
def test_what_podman_keeps_for_itself(
    box: str, service: str, told: list[str], tmp_path: Path
) -> None:
    assert of(lines(tmp_path, "llm.container", QUADLET % (box, service)), "HW660") == told


WRAPPED = "[Service]\nExecStart=/opt/start-ollama.sh\n%s"


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("RestartSec=10\n", ["3 HW513 warning"]),
        ("RestartSec=10\nRestart=always\n", []),
        ("RestartSec=10\nType=oneshot\n", []),
        ("", []),
    ],
)
def test_a_pause_before_a_restart_that_never_comes(
    rest: str, told: list[str], tmp_path: Path
) -> None:
    assert of(lines(tmp_path, "ollama.service", WRAPPED % rest), "HW513") == told
