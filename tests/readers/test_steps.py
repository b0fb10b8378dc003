"""CI files, cloud-init and Ansible: what they start, run and write."""

import base64
import gzip
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.readers.base import Context, Source
from generator.readers.signs import kind_of
from generator.readers.steps.read import read
from generator.view import View
from tests.check.told import report


def views(text: str, name: str = "a.yml") -> tuple[View, ...]:
    return read((Source(name, text),), Context(load_catalogue()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test.yml", "on: push\njobs:\n  a:\n    steps: []\n"),
        (".gitlab-ci.yml", "include: x\n"),
        ("a.yaml", "#cloud-config\nruncmd: []\n"),
        ("user-data", "#cloud-config\n"),
        ("main.yml", "- name: a\n  community.docker.docker_container:\n    name: a\n"),
        ("site.yml", "- hosts: all\n"),
    ],
)
def test_they_are_recognised(name: str, text: str) -> None:
    assert kind_of(Source(name, text)) == "steps"


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("jobs: {a: {steps: [{run: docker run ollama/ollama:0.1.2}]}}", "ollama/ollama:0.1.2"),
        ("a:\n  script:\n    - docker run ollama/ollama:0.1.2\n", "ollama/ollama:0.1.2"),
        ("runcmd:\n  - [docker, run, ollama/ollama]\n", "ollama/ollama"),
        ("jobs: {a: {services: {o: {image: ollama/ollama}}}}", "ollama/ollama"),
        ("a: {services: [ollama/ollama]}", "ollama/ollama"),
        ("- docker_container: {name: a, image: ollama/ollama}", "ollama/ollama"),
        ("- hosts: a\n  tasks: [{block: [{shell: docker run ollama/ollama}]}]", "ollama/ollama"),
    ],
)
def test_containers_are_found(text: str, image: str) -> None:
    assert [view.container.image for view in views(text) if view.container] == [image]


@pytest.mark.parametrize(
    "text",
    [
        "jobs: {a: {steps: [{run: make}]}}",
        "a: {services: [postgres]}",
        "- docker_container: {name: a, image: ollama/ollama, state: absent}",
        "- docker_container: {name: a, image: caddy}",
        "x: &x {y: 1}\nz: [*x, *x]",
        "",
    ],
)
def test_what_starts_nothing_has_no_view(text: str) -> None:
    assert views(text) == ()


def test_files_that_are_written_are_read_as_what_they_are() -> None:
    (view,) = views(
        "write_files:\n  - path: /etc/default/ollama.env\n    content: |\n      OLLAMA_DEBUG=1\n"
    )
    assert [(v.name, v.place.file, v.place.line) for v in view.variables] == [
        ("OLLAMA_DEBUG", "a.yml", 4)
    ]


def test_gaps_of_jinja_are_no_values() -> None:
    (view,) = views(
        "- docker_container:\n    name: ollama\n    image: '{{ image }}'\n"
        "    env: {OLLAMA_MODELS: '{{ models }}'}\n"
    )
    assert view.container is not None
    assert view.container.digest
    assert [v.unresolved for v in view.variables] == [True]


GITLAB = """\
variables: {OLLAMA_KEEP_ALIVE: 5m, OLLAMA_DEBUG: "1"}
test:
  variables: {OLLAMA_KEEP_ALIVE: 6m, OLLAMA_HOST: "http://ollama:11434"}
  services:
    - name: ollama/ollama:0.32.15
      variables: {OLLAMA_DEBUG: "0"}
    - postgres:18
  script: [pytest]
"""


def test_a_service_gets_the_variables_of_its_job() -> None:
    (view,) = views(GITLAB, ".gitlab-ci.yml")
    found = {variable.name: variable.value for variable in view.variables}
    assert found == {"OLLAMA_KEEP_ALIVE": "6m", "OLLAMA_DEBUG": "0"}


def test_a_service_of_a_workflow_has_options() -> None:
    text = """\
jobs:
  test:
    services:
      ollama:
        image: ollama/ollama:0.32.15
        env: {OLLAMA_KEEP_ALIVE: 5m}
        options: >-
          --cpus 2 -e OLLAMA_DEBUG=1
          --health-cmd "ollama list"
"""
    (view,) = views(text)
    assert view.container is not None
    assert {v.name for v in view.variables} == {"OLLAMA_KEEP_ALIVE", "OLLAMA_DEBUG"}
    assert [bound.value for bound in view.bounds] == [200]
    assert view.container.healthcheck is not None
    assert view.container.healthcheck[0] == ("CMD-SHELL", "ollama list")


SERVE = "ollama serve &"
WORKFLOW = """\
on: push
env: {{OLLAMA_DEBUG: 1, OLLAMA_NUM_PARALLEL: 1}}
jobs:
  a:
    env: {{OLLAMA_NUM_PARALLEL: 2, OLLAMA_MAX_QUEUE: 9}}
    steps:
      - {{run: {}, env: {{OLLAMA_KEEP_ALIVE: 1h}}}}
      - {{run: make, env: {{OLLAMA_ORIGINS: b}}}}
  b: {{env: {{OLLAMA_MODELS: /m}}, steps: [{{run: make}}]}}
"""


def served(text: str, name: str = "a.yml") -> dict[str, str]:
    return {v.name: v.value for one in views(text, name) for v in one.variables}


def test_a_server_has_what_its_step_job_and_file_set() -> None:
    assert served(WORKFLOW.format(SERVE)) == {
        "OLLAMA_KEEP_ALIVE": "1h",
        "OLLAMA_NUM_PARALLEL": "2",
        "OLLAMA_MAX_QUEUE": "9",
        "OLLAMA_DEBUG": "1",
    }
    assert served(WORKFLOW.format("'OLLAMA_DEBUG=2 ollama serve'"))["OLLAMA_DEBUG"] == "2"
    assert served(WORKFLOW.format("ollama pull a")) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".gitlab-ci.yml", "t: {variables: {A: {value: b}}, script: [ollama serve]}"),
        (".woodpecker.yml", "steps: [{environment: {A: b}, commands: [ollama serve]}]"),
        (".drone.yml", "steps: [{image: ollama/ollama, detach: true, environment: {A: b}}]"),
        ("a.yml", "jobs: {a: {container: {image: b, env: {A: b}}, steps: [{run: ollama serve}]}}"),
    ],
)
def test_other_files_hand_variables_down_as_well(name: str, text: str) -> None:
    assert served(text, name) == {"A": "b"}


DROP_IN = b"[Service]\n\nEnvironment=OLLAMA_NUM_PARALLEL=6\nType=notify\nExecStart=ollama serve\n"
OF_OURS = "/etc/systemd/system/ollama.service.d/a.conf"


def packed(encoding: str, raw: bytes, path: str = OF_OURS) -> str:
    text = base64.b64encode(raw).decode()
    file = f"{{path: {path}, encoding: {encoding}, content: {text}}}"
    return f"#cloud-config\nwrite_files:\n  - {file}\nruncmd: [ollama pull a]\n"


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [("b64", DROP_IN), ("base64", DROP_IN), ("gz+b64", gzip.compress(DROP_IN, mtime=0))],
)
def test_packed_files_are_read_and_not_mended(encoding: str, raw: bytes, tmp_path: Path) -> None:
    text = packed(encoding, raw)
    (variable,) = (v for one in views(text) for v in one.variables)
    assert (variable.value, variable.place.line) == ("6", 3)
    (tmp_path / "user-data").write_text(text, encoding="utf-8")
    found = check(CheckRequest(paths=[str(tmp_path / "user-data")])).findings
    assert ("HW547", 3) in {(p.finding.rule, p.place.line) for p in found}
    assert not any(p.edits for p in found)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", DROP_IN),
        ("rot13", DROP_IN),
        ("b64", b"\xff\xfe"),
        ("gz+b64", DROP_IN),
        ("gz+b64", gzip.compress(b"a" * 2**21, mtime=0)),
    ],
)
def test_files_that_nobody_unpacks_are_named(encoding: str, raw: bytes) -> None:
    (one,) = views(packed(encoding, raw))
    assert [(gap.part, gap.line) for gap in one.not_judged] == [(OF_OURS, 3)]
    (one,) = views(packed(encoding, raw, "/etc/motd"))
    assert one.not_judged == ()


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ("lineinfile: {path: /etc/default/ollama, line: A=1}", ["lineinfile: /etc/default/ollama"]),
        (
            "ansible.builtin.blockinfile: {dest: /etc/environment, block: OLLAMA_DEBUG=1}",
            ["ansible.builtin.blockinfile: /etc/environment"],
        ),
        ("lineinfile: {path: /etc/default/ollama, regexp: A, state: absent}", []),
        ("lineinfile: {path: /etc/hosts, line: 127.0.0.1 a}", []),
    ],
)
def test_a_change_of_a_file_that_is_not_here_is_named(task: str, named: list[str]) -> None:
    # What is put into it is judged all the same.
    seen, *_ = views(f"- hosts: a\n  tasks:\n    - shell: ollama pull a\n    - {task}\n")
    assert [gap.part for gap in seen.not_judged] == named
    assert {gap.line for gap in seen.not_judged} <= {4}


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("ollama_models:\n  - qwen3:8b\n  - name: llama3.1:8b\n", ["qwen3:8b", "llama3.1:8b"]),
        ("- hosts: a\n  vars:\n    ollama_models_to_pull: [qwen3:8b]\n", ["qwen3:8b"]),
        (
            "- hosts: a\n  tasks:\n    - command: ollama pull {{ item }}\n      loop: [a:1, b:2]\n",
            ["a:1", "b:2"],
        ),
        (
            (
                "- hosts: a\n  tasks:\n    - command: ollama pull {{ item }}\n"
                '      loop: "{{ ollama_models }}"\n'
            ),
            [],
        ),
    ],
)
def test_models_in_lists_of_ansible(text: str, models: list[str]) -> None:
    assert kind_of(Source("vars.yml", text)) == "steps"
    (seen,) = views(text)
    assert [used.name for used in seen.models] == models


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ollama_origins: '*'", [("OLLAMA_ORIGINS", "*")]),
        ("ollama_host: 0.0.0.0:11434", [("OLLAMA_HOST", "0.0.0.0:11434")]),
        ("ollama_host: llm.example.org", []),
        ("ollama_version: 0.32.15", []),
        ("ollama_keep_alive: '{{ keep }}'", [("OLLAMA_KEEP_ALIVE", "{{ keep }}")]),
    ],
)
def test_what_a_role_calls_like_a_variable(line: str, told: list[tuple[str, str]]) -> None:
    (seen,) = views(f"ollama_models:\n  - qwen3:8b\n{line}\n")
    assert [(v.name, v.value) for v in seen.variables] == told
    assert all(v.unresolved == ("{{" in v.value) for v in seen.variables)


@pytest.mark.parametrize("key", ["ollama_[debug", "ollama_(debug", "ollama_*"])
def test_a_key_that_is_no_name_is_read_like_another(key: str) -> None:
    text = f"- hosts: all\n  vars:\n    '{key}': a\n  tasks:\n  - shell: ollama pull qwen3:4b\n"
    assert [use.name for use in views(text)[0].models] == ["qwen3:4b"]


def test_a_model_that_is_made_needs_what_it_is_made_of() -> None:
    text = "ollama_models:\n  - {name: mine, base: qwen3:8b}\n  - {name: own, modelfile: a}\n"
    (seen,) = views(text)
    assert [used.name for used in seen.models] == ["qwen3:8b"]


def test_the_environment_that_a_role_is_given() -> None:
    (seen,) = views("ollama_environment:\n  OLLAMA_KEEP_ALIVE: 2d\n", "vars.yml")
    assert [(v.name, v.value, v.reach) for v in seen.variables] == [
        ("OLLAMA_KEEP_ALIVE", "2d", "server")
    ]


@pytest.mark.parametrize(
    ("name", "run", "told"),
    [
        ("OLLAMA_TEST_MODEL", "ollama serve & pytest", False),
        ("OLLAMA_TEST_MODEL", "ollama serve & sleep 5", True),
        ("OLLAMA_KEEP_ALIV", "ollama serve & pytest", True),
    ],
)
def test_a_variable_may_be_for_another_program(
    name: str, run: str, told: bool, tmp_path: Path
) -> None:
    job = f"jobs:\n  a:\n    env: {{{name}: x}}\n    steps:\n    - run: {run}\n"
    script = f"#!/bin/sh\nexport {name}=x\n{run}\n"
    for number, text in enumerate((job, script)):
        path = tmp_path / ("ci.yml", "a.sh")[number]
        path.write_text(text)
        found = check(CheckRequest(paths=(str(path),))).findings
        assert [p.finding.rule for p in found if p.finding.rule == "HW104"] == ["HW104"] * told


PLAY = """\
- hosts: all
  vars:
    ollama_image: ollama/ollama
    keep: 1d
  tasks:
    - community.docker.docker_container:
        name: llm
        image: "{{ ollama_image }}:{{ ollama_tag | default('0.30.0') }}"
        env:
          OLLAMA_KEEP_ALIVE: "{{ keep }}"
          OLLAMA_DEBUG: "{{ told_elsewhere }}"
        mounts:
          - {source: m, target: /root/.ollama, type: volume}
"""


def test_templates_stand_for_the_variables_of_a_play() -> None:
    (view,) = views(PLAY)
    assert view.container is not None
    assert view.container.image == "ollama/ollama:0.30.0"
    assert [text for text, _ in view.container.mounts] == ["m:/root/.ollama"]
    assert [(v.name, v.value, v.unresolved, v.place.line) for v in view.variables] == [
        ("OLLAMA_KEEP_ALIVE", "1d", False, 10),
        ("OLLAMA_DEBUG", "{{ told_elsewhere }}", True, 11),
    ]


def test_a_role_has_its_variables_in_files() -> None:
    tasks = "- docker_container:\n    image: '{{ img }}'\n    env: {A: '{{ a }}', B: '{{ b }}'}\n"
    files = {
        "roles/llm/defaults/main.yml": "img: ollama/ollama:0.5.0\na: one\nb: two\n",
        "roles/llm/vars/main.yml": "b: '{{ a }}s'\n",
    }
    context = Context(load_catalogue(), read=files.get)
    (view,) = read([Source("roles/llm/tasks/main.yml", tasks)], context)
    assert {v.name: v.value for v in view.variables} == {"A": "one", "B": "ones"}


@pytest.mark.parametrize(
    ("image", "ours"),
    [
        ("{{ ollama_image }}", True),
        ("{{ ollama_docker_image_name }}:{{ ollama_version }}", True),
        ("{{ollama_image}}", True),
        ("{{ ollama_webui_image }}", False),
        ("{{ ollama_exporter_image }}", False),
        ("{{ open_webui_image }}", False),
    ],
)
def test_an_image_that_a_template_names(image: str, ours: bool) -> None:
    text = f"- docker_container: {{name: llm, image: '{image}', env: {{OLLAMA_DEBUG: '1'}}}}\n"
    assert bool(views(text)) is ours


HANDED = """\
- name: start it
  community.docker.docker_compose_v2:
    project_name: llm
    definition:
      services:
        ollama:
          image: ollama/ollama:0.32.15
          environment:
            OLLAMA_KEEP_ALIVE: 1d
          volumes: ["m:/root/.ollama"]
      volumes: {m: {}}
  register: out
- kubernetes.core.k8s:
    state: present
    definition:
      kind: Pod
      apiVersion: v1
      metadata: {name: llm}
      spec:
        containers:
          - name: ollama
            image: ollama/ollama:0.32.15
            env: [{name: OLLAMA_DEBUG, value: "{{ debug }}"}]
- kubernetes.core.helm:
    chart_ref: otwld/ollama
    values_files: [base.yaml]
    release_values:
      ollama: {gpu: {enabled: true}}
"""


def test_a_task_hands_over_projects_manifests_and_charts() -> None:
    values = {"base.yaml": "extraEnv: [{name: OLLAMA_NUM_PARALLEL, value: '2'}]\n"}
    context = Context(load_catalogue(), read=values.get)
    project, pod, chart = read([Source("a.yml", HANDED)], context)
    assert [(v.value, v.place.line) for v in project.variables] == [("1d", 9)]
    assert project.phrases.kind == "compose"
    assert [(v.name, v.unresolved, v.place.line) for v in pod.variables] == [
        ("OLLAMA_DEBUG", True, 23)
    ]
    assert [(v.value, v.place.file) for v in chart.variables] == [("2", "base.yaml")]
    assert chart.acceleration == "cuda"


def test_options_of_a_service_stand_on_several_lines() -> None:
    text = """\
jobs:
  a:
    services:
      ollama:
        image: ollama/ollama:0.32.15
        options: >-
          --gpus all

          --health-cmd "ollama --version"
          --memory 8g
"""
    (view,) = views(text)
    assert view.container is not None
    assert view.container.healthcheck is not None
    assert view.container.healthcheck[1].line == 9
    assert [bound.place.line for bound in view.bounds] == [10]


@pytest.mark.parametrize(
    ("runners", "told"),
    [
        (("ubuntu-latest",), False),
        (("ubuntu-24.04", "'macos-14' # arm"), False),
        (("[self-hosted, gpu]",), True),
        (("ubuntu-latest", "self-hosted"), True),
        (("${{ matrix.os }}",), True),
    ],
)
def test_a_container_goes_with_the_machine_that_is_made_for_a_job(
    runners: tuple[str, ...], told: bool, tmp_path: Path
) -> None:
    jobs = "".join(
        f"  j{number}:\n    runs-on: {runner}\n    steps:\n"
        "      - run: docker run -d -p 127.0.0.1:11434:11434 ollama/ollama:0.32.15\n"
        for number, runner in enumerate(runners)
    )
    path = tmp_path / "ci.yml"
    path.write_text(f"on: push\njobs:\n{jobs}")
    found = {p.finding.rule for p in check(CheckRequest(paths=[str(path)])).findings}
    assert found & {"HW513", "HW518"} == ({"HW513", "HW518"} if told else set())


AZURE = """\
resources:
  containers:
    - container: llm
      image: ollama/ollama:0.32.15
      env: {OLLAMA_KEEP_ALIVE: 2d}
    - container: db
      image: postgres:17
jobs:
  - job: a
    services: {one: llm, two: db}
    steps: [{bash: "OLLAMA_KEEP_ALIVE=3d ollama serve &"}]
  - job: b
    services: {one: llm}
"""


def test_services_of_azure_name_containers_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "azure-pipelines.yml").write_text(AZURE)
    report = check(CheckRequest(paths=[str(tmp_path / "azure-pipelines.yml")]))
    assert [(p.finding.rule, p.place.line) for p in report.findings] == [
        ("HW109", 5), ("HW109", 11)]  # fmt: skip


TASK = """
- name: start it
  community.docker.docker_container:
    name: ollama
    image: ollama/ollama:0.32.15
    restart_policy: always
    env: "{{ ollama_environment }}"
    published_ports: "{{ ollama_ports | default([]) }}"
    volumes: ["ollama:/root/.ollama"]
"""
DEFAULTS = """
ollama_environment:
  OLLAMA_HOST: 0.0.0.0:8080
  OLLAMA_NUM_THREADS: "8"
ollama_ports: ["127.0.0.1:8080:8080"]
"""


def test_a_container_gets_the_mapping_that_its_role_names(tmp_path: Path) -> None:
    files = {"roles/o/tasks/main.yml": TASK, "roles/o/defaults/main.yml": DEFAULTS}
    seen = report(tmp_path, files)
    told = [(p.finding.rule, Path(p.place.file).parent.name, p.place.line) for p in seen.findings]
    assert told == [("HW101", "defaults", 4)]
    assert seen.not_judged == ()


def test_variables_that_nobody_tells_may_name_the_port(tmp_path: Path) -> None:
    ports = TASK.replace('"{{ ollama_ports | default([]) }}"', '["127.0.0.1:8080:8080"]')
    seen = report(tmp_path, {"tasks.yml": ports})
    assert not seen.findings
    assert [gap.part for gap in seen.not_judged] == ["`env`"]


def test_the_words_of_a_command_in_a_list_are_one(tmp_path: Path) -> None:
    words = "[docker, run, -d, -e, OLLAMA_NUM_THREADS=8, ollama/ollama:0.32.15]"
    text = f"- hosts: all\n  tasks:\n    - ansible.builtin.command:\n        argv: {words}\n"
    assert "HW101" in {p.finding.rule for p in report(tmp_path, {"a.yml": text}).findings}
