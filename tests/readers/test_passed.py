"""What a directory holds and no reader takes: told, and never called clean."""

from pathlib import Path, PurePosixPath

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.readers.passed import reason_for, text_that_uses

COMPOSE = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"


def checked(folder: Path, files: dict[str, str]) -> Report:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check(CheckRequest(paths=[str(folder)]))


def rules(report: Report, folder: Path) -> list[str]:
    return [
        f"{Path(p.place.file).relative_to(folder)}:{p.place.line} {p.finding.rule}"
        for p in report.findings
    ]


@pytest.mark.parametrize("stamp", ["20261130T195231Z", "20261130T195231Z-1", "hostwright"])
def test_a_backup_is_what_a_file_was(tmp_path: Path, stamp: str) -> None:
    name = f"compose.yaml.before-{stamp}"
    report = checked(tmp_path, {"compose.yaml": COMPOSE, name: COMPOSE})
    assert not report.not_judged


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deploy.tf", 'env = ["OLLAMA_HOST=0.0.0.0"]\n'),
        ("app/server.py", 'os.environ["OLLAMA_HOST"]\n'),
        ("config.json", '{"image": "ollama/ollama:latest"}\n'),
        ("notes", "run ollama serve first\n"),
        ("stack.tmpl", "OLLAMA_HOST={{ .Host }}\n"),
        ("values.yaml", "env:\n  OLLAMA_HOST: 0.0.0.0\n"),
    ],
)
def test_what_uses_ollama_and_is_of_no_kind_is_named(tmp_path: Path, name: str, text: str) -> None:
    report = checked(tmp_path, {name: text})
    assert [gap.file for gap in report.not_judged] == [str(tmp_path / name)]
    assert all(gap.reason and gap.hint for gap in report.not_judged)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("main.tf", 'image = "nginx"\n'),
        ("notes.txt", "we like llamas, and ollama too\n"),
        ("go.sum", "github.com/ollama/ollama v0.1\n"),
        ("saved.json", '{"schema_version": 1, "text": "OLLAMA_HOST"}\n'),
    ],
)
def test_what_does_not_use_it_is_not(tmp_path: Path, name: str, text: str) -> None:
    report = checked(tmp_path, {name: text, "compose.yaml": COMPOSE})
    assert report.not_judged == ()


def test_bytes_are_no_text() -> None:
    assert text_that_uses(b"\0OLLAMA_HOST=1") is None
    assert text_that_uses(b"OLLAMA_HOST=1" + b" " * 2**20) is None
    assert text_that_uses(b"\xffOLLAMA_HOST=1") is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "# A\n\n```sh\nvllm serve org/name --gpu-memory-utilization 90\n```\n"),
        ("start", "#!/bin/sh\nexec vllm serve org/name --gpu-memory-utilization 90\n"),
    ],
)
def test_what_starts_another_engine_is_judged_whatever_its_name(
    tmp_path: Path, name: str, text: str
) -> None:
    report = checked(tmp_path, {name: text})
    assert "HW674" in {placed.finding.rule for placed in report.findings}


def test_a_program_and_a_template_have_reasons_of_their_own() -> None:
    reasons = {reason_for(PurePosixPath(name))[0] for name in ("a.py", "a.tmpl", "a.tf")}
    assert len(reasons) == 3


@pytest.mark.parametrize(
    "name", ["environment.conf", "server.settings", ".env.sample", "stack.env.example", "env"]
)
def test_a_file_of_assignments_is_judged_whatever_its_name(tmp_path: Path, name: str) -> None:
    report = checked(tmp_path, {name: "# ours\nOLLAMA_NUM_THREADS=8\n"})
    assert rules(report, tmp_path) == [f"{name}:2 HW101"]
    assert report.not_judged == ()


def test_a_sample_beside_a_compose_file_is_judged_for_what_is_passed_on(tmp_path: Path) -> None:
    passing = COMPOSE + (
        '    ports: ["127.0.0.1:${OLLAMA_PORT:-11434}:11434"]\n'
        "    volumes: [o:/root/.ollama]\n"
        "    environment:\n      OLLAMA_NUM_THREADS: ${OLLAMA_NUM_THREADS:-4}\n"
        "volumes: {o: {}}\n"
    )
    sample = "OLLAMA_PORT=11434\nOLLAMA_NUM_THREADS=8\nOLLAMA_HOST=0.0.0.0\n"
    report = checked(tmp_path, {"compose.yaml": passing, ".env.example": sample})
    assert [r for r in rules(report, tmp_path) if r.startswith(".env")] == [".env.example:2 HW101"]


def test_a_comment_of_a_dotenv_is_no_value(tmp_path: Path) -> None:
    text = 'OLLAMA_NUM_PARALLEL="2"   # two users\nOLLAMA_BIN=/opt/ollama\n'
    assert rules(checked(tmp_path, {".env.example": text}), tmp_path) == []


def test_a_guide_of_a_directory_is_judged_by_its_fences(tmp_path: Path) -> None:
    guide = "# Set up\n\n```ini\n[Service]\nEnvironment=OLLAMA_NUM_THREADS=8\n```\n"
    report = checked(tmp_path, {"docs/set-up.md": guide, "README.md": "Uses ollama run.\n"})
    assert rules(report, tmp_path) == ["docs/set-up.md:5 HW101"]
    assert report.not_judged == ()


@pytest.mark.parametrize("above", ["Bad:", "### Wrong", "❌ nothing reads this", "**Don't**"])
def test_a_fence_that_shows_a_mistake_is_none(tmp_path: Path, above: str) -> None:
    guide = f"{above}\n\n```bash\nexport OLLAMA_NUM_THREADS=8\nollama serve\n```\n"
    assert rules(checked(tmp_path, {"a.md": guide}), tmp_path) == []


DROP_IN = """\
{% if exposed %}
[Service]
Environment="OLLAMA_HOST={{ ollama_host }}:{{ ollama_port | default(11434) }}"
Environment="OLLAMA_NUM_THREADS={{ threads }}"
Environment="OLLAMA_KEEP_ALIVE={{ keep | default('soon') }}"
MemoryMax={{ memory }}
{% endif %}
"""


@pytest.mark.parametrize("name", ["override.conf.j2", "ollama.service.d/a.conf.jinja2"])
def test_a_template_is_read_as_what_becomes_of_it(tmp_path: Path, name: str) -> None:
    report = checked(tmp_path, {name: DROP_IN})
    assert rules(report, tmp_path) == [f"{name}:4 HW101", f"{name}:5 HW109"]
    named = check(CheckRequest(paths=[str(tmp_path / name)]))
    assert named.found == report.found


def test_a_template_of_a_compose_file_keeps_its_lines(tmp_path: Path) -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama:{{ ollama_version }}\n"
        '    restart: always\n    ports:\n      - "{{ port }}:11434"\n'
        "    volumes:\n      - {{ data_dir }}:/root/.ollama\n"
    )
    report = checked(tmp_path, {"compose.yml.j2": text})
    assert rules(report, tmp_path) == ["compose.yml.j2:6 HW402"]


def test_a_template_that_cannot_be_read_is_not_judged(tmp_path: Path) -> None:
    text = "services:\n  ollama:\n    image: ollama/ollama\n   {{ more | to_yaml }}\n"
    report = checked(tmp_path, {"compose.yaml.j2": text})
    assert [gap.file for gap in report.not_judged] == [str(tmp_path / "compose.yaml.j2")]
    assert report.found == ()


def test_a_sample_is_no_part_of_the_project(tmp_path: Path) -> None:
    sample = COMPOSE.replace("always", '"no"')
    report = checked(tmp_path, {"compose.yaml": COMPOSE, "compose.yaml.example": sample})
    assert {r.partition(":")[0] for r in rules(report, tmp_path)} == {
        "compose.yaml", "compose.yaml.example",
    }  # fmt: skip


OVERRIDE = "ollama.service.d/override.conf"
HANDLEBARS = """\
[Container]
ContainerName=ollama
{{#if amd_gpu}}
Image=docker.io/ollama/ollama:0.32.15-rocm
{{else}}
Image=docker.io/ollama/ollama:0.32.15
{{/if}}
Environment=OLLAMA_NUM_THREADS=8
Volume=ollama:/root/.ollama

[Service]
Restart=always
"""


@pytest.mark.parametrize("name", [OVERRIDE, f"{OVERRIDE}.j2"])
@pytest.mark.parametrize(
    "line",
    [
        "OLLAMA_HOST={{ ollama.host }}:{{ ollama.port }}",
        "OLLAMA_HOST={% if open %}0.0.0.0{% else %}127.0.0.1{% endif %}",
        "OLLAMA_HOST={{if .Open}}0.0.0.0{{else}}127.0.0.1{{end}}",
        "OLLAMA_KV_CACHE_TYPE={{ ollama_kv_cache_type }}",
        "OLLAMA_LLM_LIBRARY={{ .Library }}",
        "OLLAMA_KEEP_ALIVE={{keep}}",
        "OLLAMA_NUM_PARALLEL={{ n }}",
        "OLLAMA_MODELS={{ home }}/models",
    ],
)
def test_what_a_template_leaves_open_is_no_wrong_value(
    tmp_path: Path, name: str, line: str
) -> None:
    text = f'[Service]\nEnvironment="{line}"\nEnvironment=OLLAMA_NUM_THREADS=8\n'
    assert rules(checked(tmp_path, {name: text}), tmp_path) == [f"{name}:3 HW101"]


def test_branches_of_a_template_are_no_settings_said_twice(tmp_path: Path) -> None:
    found = rules(checked(tmp_path, {"ollama.container": HANDLEBARS}), tmp_path)
    assert found == ["ollama.container:8 HW101"]
    go = HANDLEBARS.replace("{{#if amd_gpu}}", "{{- if .amd -}}").replace("{{/if}}", "{{ end }}")
    assert rules(checked(tmp_path, {"ollama.container": go}), tmp_path) == found
    plain = "".join(line for line in HANDLEBARS.splitlines(keepends=True) if "{{" not in line)
    assert "ollama.container:3 HW124" in rules(
        checked(tmp_path, {"ollama.container": plain}), tmp_path
    )


def test_a_directive_of_a_template_in_a_compose_file_is_none_of_compose(tmp_path: Path) -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
        "    volumes: [/srv/ollama:/root/.ollama]\n"
        "{{#if open}}\n    environment:\n      OLLAMA_KEEP_ALIVE: {{keep}}\n"
        "      OLLAMA_NUM_THREADS: 8\n{{/if}}\n"
    )
    assert rules(checked(tmp_path, {"compose.yaml": text}), tmp_path) == ["compose.yaml:9 HW101"]


@pytest.mark.parametrize("host", ['"{{ host }}:{{ port }}"', "'{{ host }}'"])
def test_a_value_of_a_template_in_a_compose_file_is_untold(tmp_path: Path, host: str) -> None:
    text = (
        "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
        "    volumes: [/srv/ollama:/root/.ollama]\n"
        f"    environment:\n      OLLAMA_HOST: {host}\n      OLLAMA_KV_CACHE_TYPE: {host}\n"
    )
    assert rules(checked(tmp_path, {"compose.yaml": text}), tmp_path) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [("{{ ollama.host }}:{{ ollama.port }}", []), ("192.168.1.2", ["main.yml:6 HW401"])],
)
def test_a_unit_within_a_playbook_may_be_a_template(
    tmp_path: Path, value: str, found: list[str]
) -> None:
    text = (
        "- name: Configure Ollama\n  copy:\n    dest: /etc/systemd/system/ollama.service.d/a.conf\n"
        f'    content: |\n      [Service]\n      Environment="OLLAMA_HOST={value}"\n'
        "  notify: restart\n"
    )
    assert rules(checked(tmp_path, {"main.yml": text}), tmp_path) == found


BASE = (
    "services:\n  ollama:\n    image: ollama/ollama:{tag}\n    restart: always\n"
    "    volumes: [models:/root/.ollama]\n"
)
NAMED = "volumes: {models: {}}\n"
SMALL = (
    "services:\n  ollama:\n    deploy:\n      resources:\n        limits:\n          memory: 4G\n"
)


@pytest.mark.parametrize(("tag", "found"), [("0.6.5", False), ("0.32.15", True)])
def test_an_overlay_is_of_the_release_of_its_base(tmp_path: Path, tag: str, found: bool) -> None:
    files = {"docker-compose.yml": BASE.format(tag=tag) + NAMED, "docker-compose.jetson.yml": SMALL}
    told = rules(checked(tmp_path, files), tmp_path)
    assert any("jetson.yml:6 HW211" in one for one in told) == found


def test_a_base_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("services: [\n")
    (tmp_path / "docker-compose.jetson.yml").write_text(SMALL)
    report = check(CheckRequest(paths=[str(tmp_path / "docker-compose.jetson.yml")]))
    assert "HW211" in {one.finding.rule for one in report.found}


GUIDE = "# Ollama\n\n```sh\n{up}\n```\n\nEdit `.env`:\n\n```env\n{variables}\n```\n"


@pytest.mark.parametrize(
    ("up", "found"),
    [
        ("docker compose up -d", ["a.md:12 HW101"]),
        ("docker-compose up", ["a.md:12 HW101"]),
        ("systemctl restart ollama", ["a.md:12 HW101", "a.md:10 HW401"]),
    ],
)
def test_a_guide_to_compose_fills_its_gaps_with_a_dotenv(
    tmp_path: Path, up: str, found: list[str]
) -> None:
    variables = "OLLAMA_HOST=0.0.0.0\nOLLAMA_PORT=11434\nOLLAMA_NUM_THREADS=8"
    text = GUIDE.format(up=up, variables=variables)
    assert rules(checked(tmp_path, {"a.md": text}), tmp_path) == found


@pytest.mark.parametrize(
    ("policy", "found"),
    [("always", []), ("daily", []), ("missing", ["compose.yaml:3 HW508"])],
)
def test_a_tag_that_is_pulled_again_is_meant_to_move(
    tmp_path: Path, policy: str, found: list[str]
) -> None:
    text = BASE.format(tag="latest") + f"    pull_policy: {policy}\n" + NAMED
    assert rules(checked(tmp_path, {"compose.yaml": text}), tmp_path) == found


@pytest.mark.parametrize(("user", "found"), [("%u", False), ("%i", False), ("ollama", True)])
def test_the_user_of_a_specifier_is_no_stranger(tmp_path: Path, user: str, found: bool) -> None:
    text = (
        f'[Service]\nUser={user}\nEnvironment="HOME=%h"\nExecStart=/usr/bin/ollama serve\n'
        "Restart=always\n"
    )
    told = rules(checked(tmp_path, {"ollama.service": text}), tmp_path)
    assert ("ollama.service:3 HW505" in told) == found


@pytest.mark.parametrize(("host", "found"), [("${cfg.host}", False), ("192.168.1.2", True)])
def test_an_address_that_a_module_makes_is_untold(tmp_path: Path, host: str, found: bool) -> None:
    text = (
        "{ config, ... }: let cfg = config.my; in {\n  launchd.daemons.ollama = {\n"
        '    command = "ollama serve";\n    serviceConfig.EnvironmentVariables = {\n'
        f'      OLLAMA_HOST = "{host}:${{toString cfg.port}}";\n    }};\n  }};\n}}\n'
    )
    told = rules(checked(tmp_path, {"darwin.nix": text}), tmp_path)
    assert ("darwin.nix:5 HW401" in told) == found


FILLED = {
    "compose.yml.tmpl": (
        "services:\n  ollama:\n    image: ollama/ollama:{{ .Version }}\n    restart: always\n"
        '    ports: ["127.0.0.1:{{ .Port }}:11434"]\n    volumes: ["o:/root/.ollama"]\n'
        "    environment:\n      OLLAMA_KEEP_ALIVE: 2d\n      OLLAMA_NUM_PARALLEL: {{ .Slots }}\n"
        "volumes: {o: {}}\n"
    ),
    "ollama.service.erb": (
        "[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=<%= @user %>\nRestart=always\n"
        "<% if @quiet -%>\nEnvironment=OLLAMA_NUM_PARALLEL=2\n<% end -%>\n"
        "Environment=OLLAMA_KEEP_ALIVE=2d\nEnvironment=OLLAMA_HOST=<%= @host %>:11434\n"
    ),
    "ollama.env.hbs": "\n{{#if gpu}}\nOLLAMA_NUM_PARALLEL={{slots}}\n{{/if}}\n\n\n\n"
    "OLLAMA_KEEP_ALIVE=2d\n",
}


@pytest.mark.parametrize("name", FILLED)
def test_templates_of_other_languages_are_judged_by_what_they_say(
    name: str, tmp_path: Path
) -> None:
    report = checked(tmp_path, {name: FILLED[name]})
    assert rules(report, tmp_path) == [f"{name}:8 HW109"]
    # What the template leaves open is named, and nothing else.
    assert [gap.part for gap in report.not_judged] == ["values"]


def test_a_module_that_sets_no_option_of_a_service_is_not_judged_by_its_name_either(
    tmp_path: Path,
) -> None:
    (tmp_path / "o.nix").write_text('{ services.llm.vars.OLLAMA_NUM_THREADS = "4"; }\n')
    (gap,) = check(CheckRequest(paths=[str(tmp_path)])).not_judged
    assert gap.reason == "names Ollama, and nothing of a server is recognised in it"
    assert "where that reaches the server" in gap.hint
