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
