"""Small directories in the shapes that people have: what is told of them, and what is not."""

from pathlib import Path

import pytest

from tests.check.told import report

UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\nRestart=always\n"
SERVICE = "services:\n  llm:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
KEPT = "    volumes: ['m:/root/.ollama']\n"
NAMED = "volumes: {m: }\n"
CHART = "ollama:\n  gpu:\n    enabled: true\n"

RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: llm}}
spec:
  values:
    controllers:
      llm:
        containers:
          app:
            image: {{repository: ollama/ollama, tag: 0.32.15}}
    service:
      app:
        controller: llm
        ports: {{http: {{port: 11434}}}}
    persistence:
      models: {{existingClaim: models, globalMounts: [{{path: /root/.ollama}}]}}
    route:
      app:
        hostnames: ["llm.${{DOMAIN}}"]
        parentRefs: [{{name: {}}}]
        rules: [{{backendRefs: [{{identifier: app, port: 11434}}]}}]
"""


def told(folder: Path, files: dict[str, str]) -> set[str]:
    """Return `file:line rule` of each finding in a directory of `files`."""
    return {
        f"{Path(p.place.file).relative_to(folder)}:{p.place.line} {p.finding.rule}"
        for p in report(folder, files).findings
    }


TOLD = {
    "a user that the image makes": (
        {
            "compose.yaml": "services:\n  ollama:\n    build: .\n    restart: always\n"
            "    user: svc\n    volumes: ['m:/data']\nvolumes: {m: }\n",
            "Dockerfile": "FROM ollama/ollama:0.32.15\nRUN useradd -m svc\n",
        },
        {"compose.yaml:3 HW518"},
    ),
    "what a chart creates is made of": (
        {
            "values.yaml": CHART + "  models:\n    create:\n      - name: helper\n"
            "        template: |\n          FROM llama3.2:8b\n          PARAMETER num_ctx 8192\n"
        },
        {"values.yaml:8 HW507"},
    ),
    "a variable of the pod beside a device plugin": (
        {"values.yaml": CHART + "extraEnv:\n  - name: NVIDIA_VISIBLE_DEVICES\n    value: all\n"},
        {"values.yaml:6 HW313"},
    ),
    "a router of Traefik": (
        {
            "compose.yaml": SERVICE
            + KEPT
            + "    labels:\n      - traefik.http.routers.llm.rule=Host(`llm.example.org`)\n"
            + NAMED
        },
        {"compose.yaml:7 HW661"},
    ),
    "a name that is filled in, with a certificate": (
        {
            "compose.yaml": SERVICE
            + KEPT
            + "    deploy:\n      mode: global\n      labels:\n"
            + "        traefik.http.routers.llm.rule: Host(`${NAME}`)\n"
            + "        traefik.http.routers.llm.tls.certresolver: le\n"
            + NAMED
        },
        {"compose.yaml:9 HW661"},
    ),
    "a route of app-template": (
        {"release.yaml": RELEASE.format("external")},
        {"release.yaml:19 HW661"},
    ),
    "the Ingress of the chart": (
        {
            "values.yaml": CHART
            + "ingress:\n  enabled: true\n  hosts:\n    - host: llm.example.org\n"
        },
        {"values.yaml:7 HW661"},
    ),
    "a tunnel whose goal is a variable": (
        {
            "compose.yaml": SERVICE
            + KEPT
            + "  ngrok:\n    image: ngrok/ngrok:3\n    environment: {NGROK_PORT: 'llm:11434'}\n"
            + NAMED
        },
        {"compose.yaml:7 HW562"},
    ),
    "a tunnel that a workflow opens": (
        {
            ".github/workflows/llm.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
            "      - run: |\n          ollama serve &\n          nohup ngrok http 11434 &\n"
        },
        {".github/workflows/llm.yml:8 HW562"},
    ),
    "a time without a unit in a request": (
        {
            "warm.sh": "# of Ollama\ncurl -s http://localhost:11434/api/generate \\\n"
            '  -d "{\\"model\\": \\"qwen3:8b\\", \\"keep_alive\\": \\"-1\\"}"\n'
        },
        {"warm.sh:3 HW564"},
    ),
    "an option by its own name, as a variable": (
        {"compose.yaml": SERVICE + KEPT + "    environment: [NUM_THREAD=8]\n" + NAMED},
        {"compose.yaml:6 HW104"},
    ),
    "a reservation of none": (
        {
            "compose.yaml": SERVICE
            + KEPT
            + "    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 0,"
            " capabilities: [gpu]}]}}}\n" + NAMED
        },
        {"compose.yaml:6 HW318"},
    ),
    "a command of root beside the server": (
        {"ollama.service": UNIT + "ExecStartPost=/usr/bin/nvidia-smi -pm 1\n"},
        {"ollama.service:5 HW566"},
    ),
    "figures that nobody gives": (
        {
            "values.yaml": CHART
            + 'podAnnotations:\n  prometheus.io/scrape: "true"\n  prometheus.io/port: "11434"\n'
        },
        {"values.yaml:5 HW565"},
    ),
    "values of the chart by its volume": (
        {
            "values.yaml": "image:\n  repository: ollama/ollama\n  tag: 0.32.15\n"
            "env:\n  - name: OLLAMA_DEBUG\n    value: '0'\npersistentVolume:\n  enabled: true\n"
        },
        {"values.yaml:4 HW522"},
    ),
    "values of app-template alone": (
        {
            "values.yaml": "controllers:\n  llm:\n    containers:\n      app:\n"
            "        image: {repository: ollama/ollama, tag: 0.32.15}\n"
            "        env: {OLLAMA_NUM_THREADS: 8}\n"
        },
        {"values.yaml:6 HW101"},
    ),
    "models on a volume that goes with the pod": (
        {
            "values.yaml": CHART
            + "volumes: [{name: tmp, emptyDir: {}}]\nvolumeMounts:\n"
            + "  - name: tmp\n    mountPath: /root/.ollama\n"
        },
        {"values.yaml:6 HW518"},
    ),
    "a program that the image lacks": (
        {
            "wait.sh": "docker run -d --restart always --name ollama -v m:/root/.ollama "
            "ollama/ollama:0.32.15\nuntil docker exec ollama curl -s localhost:11434; do\n"
            "  sleep 1\ndone\n",
            "Dockerfile": "FROM ollama/ollama:0.32.15\nCOPY go.sh /go.sh\n"
            'HEALTHCHECK CMD curl -f localhost:11434\nENTRYPOINT ["/go.sh"]\n',
            "go.sh": "#!/bin/sh\nollama serve &\nuntil curl -s localhost:11434; do sleep 1; done\n"
            "wait\n",
        },
        {"wait.sh:2 HW543", "go.sh:3 HW543", "Dockerfile:3 HW509"},
    ),
    "a variable that a Compose file does not take": (
        {".env.example": "OLLAMA_MAX_QUEUE=9\n", "compose.yaml": SERVICE + KEPT + NAMED},
        {".env.example:1 HW558"},
    ),
    "a network of another service": (
        {"compose.yaml": SERVICE + KEPT + "  web:\n    image: x\n    networks: [out]\n" + NAMED},
        {"compose.yaml:8 HW522"},
    ),
    "values of a chart that has the template as a part": (
        {
            "values.yaml": "app-template:\n  controllers:\n    llm:\n      containers:\n"
            "        app:\n          image: {repository: ollama/ollama, tag: 0.1.29}\n"
        },
        {"values.yaml:6 HW549"},
    ),
}

SILENT = {
    "a path that a template fills in": (
        {
            "ollama.service.j2": "[Service]\nExecStart={{ bin }}/ollama serve\nUser=ollama\n"
            "Restart=always\n"
        },
        "HW",
    ),
    "a script that brings its program": (
        {
            "Dockerfile": "FROM ollama/ollama:0.32.15\nCOPY go.sh /go.sh\n"
            'HEALTHCHECK CMD curl -f localhost:11434\nENTRYPOINT ["/go.sh"]\n',
            "go.sh": "#!/bin/sh\napt-get install -y curl\nollama serve &\n"
            "until curl -s localhost:11434; do sleep 1; done\nwait\n",
        },
        "HW5",
    ),
    "a command of root, as root": (
        {"ollama.service": UNIT + "ExecStartPre=+/usr/bin/nvidia-smi -pm 1\n"},
        "HW566",
    ),
    "a time with a unit, or a number": (
        {
            "warm.sh": "# of Ollama\ncurl -s http://localhost:11434/api/generate \\\n"
            """  -d '{"model": "qwen3:8b", "keep_alive": -1, "options": {"num_ctx": 8192}}'\n"""
        },
        "HW564",
    ),
    "a route within": ({"release.yaml": RELEASE.format("internal")}, "HW661"),
    "a router that asks": (
        {
            "compose.yaml": SERVICE
            + KEPT
            + "    labels:\n      - traefik.http.routers.llm.rule=Host(`llm.example.org`)\n"
            + "      - traefik.http.routers.llm.middlewares=auth@docker\n"
            + NAMED
        },
        "HW661",
    ),
    "names that an installer replaces": (
        {
            "ollama.service.d/10.conf": "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=__KEEP__\n"
            "Environment=OLLAMA_NUM_PARALLEL=@SLOTS@\n__MORE__\n"
        },
        "HW",
    ),
    "a key for the reader of a guide to write": (
        {"README.md": "```sh\nexport APP_PASSWORD=your_password\nollama pull llama3.2\n```\n"},
        "HW406",
    ),
    "a secret of another program in a guide": (
        {"README.md": "```sh\nexport APP_PASSWORD=hunter2\nollama pull llama3.2\n```\n"},
        "HW406",
    ),
    "a check that asks as well": (
        {
            "compose.yaml": SERVICE + KEPT + "    healthcheck:\n"
            "      test: ['CMD-SHELL', 'ollama --version && ollama ps || exit 1']\n" + NAMED
        },
        "HW509",
    ),
    "a stack of a swarm": (
        {
            "compose.yaml": "services:\n  llm:\n    image: ollama/ollama:0.32.15\n"
            + KEPT
            + "    deploy: {mode: replicated, replicas: 1}\n"
            + NAMED
        },
        "HW513",
    ),
    "an image that has the program to ask": (
        {
            "compose.yaml": "services:\n  pull-ollama:\n    build: {dockerfile: pull.Dockerfile}\n",
            "pull.Dockerfile": "FROM ollama/ollama:0.32.15 AS o\nFROM python:3.13\n"
            "COPY --from=o /bin/ollama /bin/ollama\nENTRYPOINT ['python', 'pull.py']\n".replace(
                "'", '"'
            ),
        },
        "HW513",
    ),
    "a name that is created": (
        {
            "values.yaml": CHART + "  models:\n    create:\n      - name: qwen3:8bb\n"
            "        configMapKeyRef: {name: files, key: helper}\n"
        },
        "HW5",
    ),
    "memory that nobody keeps free": (
        {"ollama.service": UNIT + "Environment=OLLAMA_GPU_OVERHEAD=\n"},
        "HW114",
    ),
    "a variable that a Compose file hands over whole": (
        {
            ".env.example": "OLLAMA_MAX_QUEUE=9\n",
            "compose.yaml": SERVICE + KEPT + "    env_file: .env\n" + NAMED,
        },
        "HW558",
    ),
    "names of a Compose file in a sample": (
        {
            "sample.env": "OLLAMA_IMAGE=ollama/ollama:0.32.15\nOLLAMA_PORT=11434\n",
            "compose.yaml": SERVICE.replace("ollama/ollama:0.32.15", "${OLLAMA_IMAGE}")
            + KEPT
            + "    ports: ['127.0.0.1:${OLLAMA_PORT}:11434']\n"
            + NAMED,
        },
        "HW1",
    ),
    "what another service is given": (
        {
            ".env": "OLLAMA_WEBUI_EMAIL=a@example.org\n",
            "compose.yaml": SERVICE
            + KEPT
            + "  web:\n    image: ghcr.io/x/ollama-webui:1\n    environment:\n"
            "      - OLLAMA_WEBUI_EMAIL=${OLLAMA_WEBUI_EMAIL}\n" + NAMED,
        },
        "HW104",
    ),
    "a policy that a template fills in": (
        {
            "compose.yml.j2": SERVICE.replace("always", "{{ policy }}")
            + KEPT
            + "{% if gpu %}\n    runtime: nvidia\n{% endif %}\n"
            + NAMED
        },
        "HW513",
    ),
    "a volume of an image": (
        {"Dockerfile": 'FROM ollama/ollama:0.32.15\nVOLUME ["/root/.ollama"]\n'},
        "HW518",
    ),
    "a name for a script that a script calls": (
        {
            "Dockerfile": "FROM ollama/ollama:0.32.15\nENV OLLAMA_MODEL=qwen3:8b\n"
            "COPY start.sh get.sh /\nENTRYPOINT ['/start.sh']\n".replace("'", '"'),
            "start.sh": "ollama serve &\n/get.sh\nwait\n",
            "get.sh": 'ollama pull "$OLLAMA_MODEL"\n',
        },
        "HW101",
    ),
    "prompt caches of a release that has none": (
        {
            "compose.yaml": SERVICE.replace("0.32.15", "0.1.27")
            + KEPT
            + "    mem_limit: 8g\n"
            + NAMED
        },
        "HW211",
    ),
}


@pytest.mark.parametrize(("files", "expected"), TOLD.values(), ids=TOLD)
def test_it_is_told(tmp_path: Path, files: dict[str, str], expected: set[str]) -> None:
    assert expected <= told(tmp_path, files)


@pytest.mark.parametrize(("files", "rule"), SILENT.values(), ids=SILENT)
def test_it_is_left_alone(tmp_path: Path, files: dict[str, str], rule: str) -> None:
    assert not [one for one in told(tmp_path, files) if one.split()[1].startswith(rule)]
