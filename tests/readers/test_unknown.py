"""What somebody else fills in is named, and what can be judged beside it is."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: ollama}}
spec:
  containers:
    - name: ollama
      image: ollama/ollama:0.32.15
      volumeMounts: [{{name: m, mountPath: /root/.ollama}}]
      {}
  volumes: [{{name: m, hostPath: {{path: /srv/m}}}}]
"""
BOX = """\
services:
  ollama:
    image: {image}
    restart: always
    environment: {env}
    volumes: ["m:/root/.ollama"]
volumes: {{m: }}
"""
UNIT = """\
[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Restart=always
{}
"""
QUADLET = """\
[Container]
Image=docker.io/ollama/ollama:0.32.15
Volume=m.volume:/root/.ollama
{}
[Service]
Restart=always
"""
VALUES = "ollama: {{gpu: {{enabled: true}}}}\npersistentVolume: {{enabled: true}}\n{}\n"
TASK = """\
- name: run
  community.docker.docker_container:
    name: ollama
    image: ollama/ollama:0.32.15
    restart_policy: always
    volumes: ["m:/root/.ollama"]
    {}
"""
RUN = "docker run -e OLLAMA_HOST=$H -v m:/root/.ollama --restart always ollama/ollama:0.32.15\n"
FROM_KEY = "env: [{{name: {}, valueFrom: {{secretKeyRef: {{name: a, key: b}}}}}}]"


def checked(folder: Path, name: str, text: str) -> Report:
    (folder / name).write_text(text)
    return check(CheckRequest(paths=[str(folder / name)]))


@pytest.mark.parametrize(
    ("name", "text", "line", "named"),
    [
        ("a.yaml", POD.format("envFrom: [{secretRef: {name: keys}}]"), 9, "Secret `keys`"),
        ("a.yaml", POD.format("envFrom: [{configMapRef: {name: c}}]"), 9, "ConfigMap `c`"),
        ("a.yaml", POD.format(FROM_KEY.format("OLLAMA_HOST")), 9, "OLLAMA_HOST"),
        ("compose.yaml", BOX.format(image="ollama/ollama:0.32.15", env="{OLLAMA_HOST: '${H}'}"),
         5, "OLLAMA_HOST"),
        ("compose.yaml", BOX.format(image="${OLLAMA_IMAGE}", env="{}"), 3, "which image"),
        ("ollama.service", UNIT.format("PassEnvironment=OLLAMA_HOST"), 5, "OLLAMA_HOST"),
        ("ollama.service.j2", UNIT.format("Environment=OLLAMA_HOST={{ h }}"), 5, "OLLAMA_HOST"),
        ("ollama.container", QUADLET.format("Secret=h,type=env,target=OLLAMA_HOST"),
         4, "OLLAMA_HOST"),
        ("values.yaml", VALUES.format("extraEnvFrom: [{secretRef: {name: keys}}]"),
         3, "Secret `keys`"),
        ("play.yml", TASK.format('env: "{{ ollama_env }}"'), 7, "ollama_env"),
        ("play.yml", TASK.format("env_file: /etc/o.env"), 7, "not at hand"),
        ("run.sh", RUN, 1, "OLLAMA_HOST"),
    ],
)  # fmt: skip
def test_what_is_told_elsewhere_is_named(
    tmp_path: Path, name: str, text: str, line: int, named: str
) -> None:
    report = checked(tmp_path, name, text)
    (gap,) = report.not_judged
    assert (gap.line, bool(gap.part)) == (line, True)
    assert named in gap.reason + gap.part
    assert report.in_part


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # A secret is nobody's to judge, and what the engine does not read is no setting.
        ("a.yaml", POD.format(FROM_KEY.format("OLLAMA_API_KEY"))),
        ("a.yaml", POD.format(FROM_KEY.format("HF_TOKEN"))),
        # What it is where nobody says otherwise is judged.
        ("compose.yaml", BOX.format(image="ollama/ollama:0.32.15",
                                    env="{OLLAMA_NUM_PARALLEL: '${N:-2}'}")),
        ("ollama.container", QUADLET.format("Secret=h,type=mount")),
    ],
)  # fmt: skip
def test_what_nobody_has_to_judge_is_not(tmp_path: Path, name: str, text: str) -> None:
    assert checked(tmp_path, name, text).not_judged == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mem_limit: 2Gi", ["HW000 5", "HW109 6"]),
        ("cpus: lots", ["HW000 5", "HW109 6"]),
        ("labels: [{a: b}]", ["HW000 5", "HW109 6"]),
    ],
)
def test_a_value_that_compose_refuses_hides_nothing(
    tmp_path: Path, text: str, found: list[str]
) -> None:
    whole = BOX.format(image="ollama/ollama:0.32.15", env=f"{{}}\n    {text}")
    whole = whole.replace("    environment: {}\n", "").replace(
        "    volumes:", "    environment: {OLLAMA_KEEP_ALIVE: 2d}\n    volumes:"
    )
    report = checked(tmp_path, "compose.yaml", whole)
    told = [f"{p.finding.rule} {p.place.line}" for p in report.findings]
    assert told == found
    assert report.judged


def test_a_quantity_that_kubernetes_refuses_hides_nothing(tmp_path: Path) -> None:
    text = VALUES.format("extraEnv: [{name: OLLAMA_KEEP_ALIVE, value: 2d}]\n"
                         "resources: {limits: {memory: 8 GB}}")  # fmt: skip
    report = checked(tmp_path, "values.yaml", text)
    assert {p.finding.rule for p in report.findings} == {"HW000", "HW109"}


BRANCHES = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: always
    volumes: ["{{ dir }}:/root/.ollama"]
{% if curl %}
    healthcheck: {test: ["CMD", "curl", "http://localhost:{{ port }}/"]}
{% else %}
    healthcheck: {test: ["CMD", "ollama", "list"]}
{% endif %}
"""


def test_of_branches_that_exclude_each_other_the_first_is_judged(tmp_path: Path) -> None:
    report = checked(tmp_path, "compose.yaml.j2", BRANCHES)
    assert [(p.finding.rule, p.place.line) for p in report.findings] == [("HW509", 7)]
    assert [gap.part for gap in report.not_judged] == ["other branches of the template"]


def test_an_expression_stands_alone_in_braces(tmp_path: Path) -> None:
    more = ("deploy: {resources: {reservations: {devices: "
            "[{driver: nvidia, count: {{ n }}, capabilities: [gpu]}]}}}\n"
            "    environment: {OLLAMA_KEEP_ALIVE: 2d}")  # fmt: skip
    whole = BOX.format(image="ollama/ollama:{{ v }}", env="{}").replace("environment: {}", more)
    report = checked(tmp_path, "compose.yaml.j2", whole)
    assert [(p.finding.rule, p.place.line) for p in report.findings] == [("HW109", 6)]
