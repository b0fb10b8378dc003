"""HW611 to HW617 and others as whole files: what a container reaches, uses and is asked at."""

from pathlib import Path

import pytest

from tests.consumers import compose
from tests.texts import Cases, Text, messages, pod, service, sides, told, unit

MODELS = ("volumeMounts: [{name: m, mountPath: /root/.ollama}]",)
VOLUME = "  volumes: [{name: m, hostPath: {path: /srv/m}}]\n"
SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: o}}\n"
    "spec: {{selector: {{app: ollama}}, ports: [{{port: 80, targetPort: {}}}]}}\n"
)
RUN = {"run.sh": "docker run -d {} ollama/ollama:0.32.15\n"}
LOOPBACK = "env: [{name: OLLAMA_HOST, value: 127.0.0.1}]"
THREADS = "environment: {LLAMA_ARG_THREADS: 8}"
ROOT = "securityContext: {readOnlyRootFilesystem: true}"


def run(options: str) -> Text:
    return {name: text.format(options) for name, text in RUN.items()}


def policy(word: str) -> Text:
    (text,) = service().values()
    return {"compose.yaml": text.replace("restart: always", f"restart: {word}")}


def of_release(release: str, *lines: str) -> Text:
    (text,) = service(*lines).values()
    return {"compose.yaml": text.replace(":0.32.15", f":{release}")}


UI = "  ui:\n    image: x\n    environment:\n"

# rule: (caught, left alone)
CASES: Cases = {
    "HW621": (
        (
            service(top=f"{UI}      OLLAMA_BASE_URL: http://localhost:11434\n"),
            service(top=f"{UI}      OLLAMA_API: http://127.0.0.1:11434/api\n"),
        ),
        (
            service(top=f"{UI}      OLLAMA_BASE_URL: http://ollama:11434\n"),
            service(top=f"{UI}      OTHER_URL: http://localhost:9000\n"),
            service(top=f"{UI}      VITE_OLLAMA: http://localhost:11434\n"),
            service(
                top="  ui:\n    image: x\n    network_mode: host\n    environment:\n"
                "      OLLAMA_BASE_URL: http://localhost:11434\n"
            ),
        ),
    ),
    "HW611": (
        (
            service('ports: ["127.0.0.1:11434:8080"]'),
            service("ports: [{target: 80, published: 11434}]"),
            service("labels: [traefik.http.services.o.loadbalancer.server.port=8080]"),
            run("-p 127.0.0.1:11434:8080"),
            {"a.container": "[Container]\nImage=ollama/ollama:0.32.15\nPublishPort=11434:80\n"},
            pod(*MODELS, spec=VOLUME, more=SERVICE.format(8080)),
            pod("livenessProbe: {tcpSocket: {port: 8080}}"),
            service("environment: {OLLAMA_HOST: '0.0.0.0:8080'}", "ports: ['11434:11434']"),
        ),
        (
            service('ports: ["127.0.0.1:8080:11434"]'),
            service("labels: {traefik.http.services.o.loadbalancer.server.port: 11434}"),
            service("labels: ['traefik.http.services.o.loadbalancer.server.port=${PORT}']"),
            service('ports: ["127.0.0.1:8080:11434", "127.0.0.1:9100:9100"]'),
            service('ports: ["127.0.0.1:8080:${PORT}"]'),
            service("ports: ['11430-11440:11430-11440']"),
            service("environment: {OLLAMA_HOST: '0.0.0.0:8080'}", "ports: ['8080:8080']"),
            pod("ports: [{name: api, containerPort: 11434}]", more=SERVICE.format("api")),
            pod("livenessProbe: {httpGet: {path: /, port: 11434}}"),
        ),
    ),
    "HW612": (
        (
            service('volumes: ["/srv/o:/root/.ollama:ro"]'),
            service("read_only: true", 'volumes: ["/srv/o:/root/.ollama/models"]'),
            run("--read-only -v /srv/m:/root/.ollama/models"),
            pod(ROOT),
        ),
        (
            service('volumes: ["/srv/o:/root/.ollama"]', "read_only: true"),
            service("volumes: [/srv/o:/root/.ollama, /srv/m:/root/.ollama/models:ro]"),
            service("read_only: true", "tmpfs: [/root]", "volumes: [/s:/root/.ollama/models]"),
            service("read_only: true", "environment: {HOME: /data}", "volumes: [/s:/data]"),
            pod(ROOT, *MODELS, spec=VOLUME),
        ),
    ),
    "HW614": (
        (policy("alwayss"), run("--restart=on-fail")),
        (
            policy("on-failure:5"),
            policy("'no'"),
            policy("${RESTART:-always}"),
            run("--restart unless-stopped"),
            unit("Restart=on-abnormal"),
        ),
    ),
    "HW615": (
        (pod("volumeMounts: [{name: zz, mountPath: /root/.ollama}]", spec=VOLUME),),
        (
            pod(*MODELS, spec=VOLUME),
            pod(),
            {
                "set.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: o}\nspec:\n"
                "  template:\n    spec:\n      containers:\n        - name: ollama\n"
                "          image: ollama/ollama:0.32.15\n          volumeMounts:\n"
                "            - {name: m, mountPath: /root/.ollama}\n"
                "  volumeClaimTemplates: [{metadata: {name: m}}]\n"
            },
        ),
    ),
    "HW617": (
        (
            pod(LOOPBACK, "readinessProbe: {httpGet: {path: /, port: 11434}}"),
            pod(LOOPBACK, more=SERVICE.format(11434)),
        ),
        (
            pod(LOOPBACK, "readinessProbe: {exec: {command: [ollama, list]}}"),
            pod(LOOPBACK, more=SERVICE.format(11434).replace("app: ollama", "app: other")),
            pod("readinessProbe: {httpGet: {path: /, port: 11434}}"),
        ),
    ),
    "HW616": (
        (
            unit("AllowedCPUs=0-3", "Environment=LLAMA_ARG_THREADS=8"),
            service('cpuset: "0-3"', THREADS),
            run("--cpuset-cpus=0,1 -e LLAMA_ARG_THREADS=8"),
        ),
        (
            unit("AllowedCPUs=0-7", "Environment=LLAMA_ARG_THREADS=8"),
            service('cpuset: "0-7"', THREADS),
            service(THREADS),
        ),
    ),
    "HW213": (
        (
            unit("CPUQuota=400%"),
            service("cpus: 4"),
            service('cpuset: "0-3"'),
            of_release("0.12.11", "cpus: 4"),
            of_release("0.24.0", 'cpuset: "0-3"'),
            of_release("0.24.0", "cpus: 4", "cgroup: host"),
            {
                "ollama.container": "[Container]\nImage=docker.io/ollama/ollama:0.24.0\n"
                "[Service]\nCPUQuota=400%\n"
            },
        ),
        (
            unit("CPUQuota=400%", "Environment=LLAMA_ARG_THREADS=3"),
            unit("CPUQuota=400%", "Environment=CUDA_VISIBLE_DEVICES=0"),
            service('cpuset: "0-3"', "gpus: all"),
            {"ollama.service.d/a.conf": "[Service]\nCPUQuota=400%\n"},
            of_release("0.13.0", "cpus: 4"),
            of_release("0.24.0", "deploy: {resources: {limits: {cpus: '4'}}}"),
        ),
    ),
    "HW522": (
        (
            service("networks: [nonet]"),
            service("networks: {nonet: {}}", top="networks: {lan: {}}\n"),
            service("depends_on: [nosuch]"),
            service("depends_on: {nosuch: {condition: service_started}}"),
            service('volumes: ["data:/root/.ollama"]'),
            pod("envs: [{name: OLLAMA_DEBUG, value: '1'}]"),
            pod("readinessProbe: {httpget: {path: /, port: 11434}}"),
        ),
        (
            service("networks: [lan, default]", top="networks: {lan: {}}\n"),
            service("depends_on: [db]", top="  db: {image: postgres:17}\n"),
            service('volumes: ["data:/root/.ollama"]', top="volumes: {data: {}}\n"),
            service("extends: {file: a.yaml, service: b}", "networks: [nonet]"),
            pod(*MODELS, "imagePullPolicy: Always", "lifecycle: {}", "env:", spec=VOLUME),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


@pytest.mark.parametrize(
    ("files", "caught"),
    [
        (files, caught)
        for rule, files, caught in sides(CASES)
        if rule == "HW522" and "compose.yaml" in files and "extends" not in files["compose.yaml"]
    ],
)
def test_compose_refuses_what_is_said_to_be_refused(
    files: Text, caught: bool, tmp_path: Path
) -> None:
    (tmp_path / "compose.yaml").write_text(files["compose.yaml"], encoding="utf-8")
    assert bool(compose.verify(tmp_path / "compose.yaml")) is caught


def test_a_pull_into_what_is_read_only_is_told(tmp_path: Path) -> None:
    mounted = "volumes: [/srv/o:/root/.ollama, /srv/m:/root/.ollama/models:ro]"
    job = "  pull:\n    image: ollama/ollama:0.32.15\n    command: pull qwen3:8b\n"
    job += "    environment: {OLLAMA_HOST: 'ollama:11434'}\n"
    (said,) = messages(tmp_path, service(mounted, top=job), "HW612")
    assert "`qwen3:8b` is to be pulled" in said
