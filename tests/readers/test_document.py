"""Markdown and text: fences in their languages, prose never."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.readers.base import Source
from generator.readers.document.fences import commands, fences
from generator.readers.signs import kind_of
from tests.effort import cpu_seconds
from tests.texts import checked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n```sh\nx\n```\nb", [("sh", "", "x\n", 3)]),
        ("~~~ yaml\nx: |\n  ```\n~~~", [("yaml", "", "x: |\n  ```\n", 2)]),
        ("- a\n  ```ini\n  x\n    y\n  ```", [("ini", "", "x\n  y\n", 3)]),
        ("````\n```\n````", [("", "", "```\n", 2)]),
        ("```sh\nx", [("sh", "", "x\n", 2)]),
        ("In `a/b.service`:\n\n```ini\nx\n```", [("ini", "a/b.service", "x\n", 4)]),
        ('```yaml title="compose.yaml"\nx\n```', [("yaml", "compose.yaml", "x\n", 2)]),
        ("```yaml\n# k8s/a.yaml\nx\n```", [("yaml", "k8s/a.yaml", "# k8s/a.yaml\nx\n", 2)]),
        ("In `a.yaml` or `b.yaml`:\n```yaml\nx\n```", [("yaml", "", "x\n", 3)]),
        ("a ``` b\n`x`", []),
    ],
)
def test_fences_know_their_lines(text: str, expected: list[tuple[str, str, str, int]]) -> None:
    assert [(f.language, f.name, f.text, f.line) for f in fences(text)] == expected


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("a\nb\n", "a\nb\n"),
        ("$ a\nout\n$ b\n", "a\n\nb\n"),
        ("$ a \\\n  b\nout\n", "a \\\n  b\n\n"),
        ("$ a 'b\nc'\nout\n", "a 'b\nc'\n\n"),
        ("$ cat <<X\nb\nX\nout\n", "cat <<X\nb\nX\n\n"),
        ("me@box:~$ a\nout\n", "a\n\n"),
    ],
)
def test_what_a_session_prints_is_no_command(text: str, typed: str) -> None:
    assert commands(text) == typed


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.md", "", "document"),
        ("a.txt", "See below.\n```sh\nollama list\n```\n", "document"),
        ("a.txt", "The server has\nEnvironment=OLLAMA_DEBUG=1\nin its unit\n", "document"),
        ("a.txt", "# of the attic\n[Service]\nEnvironment=OLLAMA_DEBUG=1\n", "systemd"),
        ("a.txt", "OLLAMA_DEBUG=1\n", "environment"),
        ("-", "services:\n  ollama:\n    image: ollama/ollama\n", "compose"),
        ("-", "#!/bin/sh\n# Start the thing now\ndocker run ollama/ollama\n", "script"),
    ],
)
def test_text_is_told_from_files(name: str, text: str, kind: str) -> None:
    assert kind_of(Source(name, text)) == kind


def test_prose_alone_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("Set OLLAMA_NUM_THREADS=8 and\nEnviroment=OLLAMA_DEBUG=1\n")
    report = check(CheckRequest(paths=[str(file)]))
    assert report.findings == ()
    assert [gap.file for gap in report.not_judged] == [str(file)]


def test_a_gap_to_fill_in_is_no_name(tmp_path: Path) -> None:
    unit = "[Service]\nUser=<your-user>\nExecStart=/usr/local/bin/ollama serve\nRestart=always\n"
    (tmp_path / "guide.md").write_text(f"```ini\n{unit}```\n", encoding="utf-8")
    (tmp_path / "ollama.service").write_text(unit, encoding="utf-8")

    def told(name: str) -> set[str]:
        report = check(CheckRequest(paths=[str(tmp_path / name)], select=["HW548"]))
        return {placed.finding.rule for placed in report.findings}

    assert told("guide.md") == set()
    assert told("ollama.service") == {"HW548"}


def test_what_is_broken_in_a_fence_has_the_line_of_the_document(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text(
        "```yaml\nservices:\n  ollama:\n    image: a\n    image: ollama/ollama\n```\n"
        "```sh\nollama list\n```\n"
    )
    report = check(CheckRequest(paths=[str(file)]))
    assert [(gap.line, gap.reason) for gap in report.not_judged] == [
        (2, "`image` stands here twice; the first is on line 4")
    ]


@pytest.mark.parametrize("unit", ["```\n", "```sh\nollama\n```\n", "~~~~", "$ a '\n", "A b c\n"])
def test_reading_is_linear(unit: str) -> None:
    def work(count: int) -> None:
        text = unit * count
        kind_of(Source("-", text))
        for fence in fences(text):
            commands(fence.text)

    _, less = cpu_seconds(lambda: work(1_000))
    _, more = cpu_seconds(lambda: work(8_000))
    assert more < 20 * less + 0.2


def test_a_program_is_judged_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ask.py"
    text = "ollama.chat(\n    model='m',\n    options={'max_tokens': 1},\n)\nx = num_ctx\n"
    file.write_text(text)
    report = check(CheckRequest(paths=[str(file)]))
    assert [(p.place.line, p.finding.rule) for p in report.findings] == [(3, "HW551")]
    assert check(CheckRequest(paths=[str(tmp_path)])).findings == ()


@pytest.mark.parametrize(
    ("fence", "told"),
    [
        ("bash\nOLLAMA_URL=http://gpu:11434\nOLLAMA_MODEL=phi4:14b", []),
        ("sh\nexport OLLAMA_MODEL=phi4:14b\n./app.py", []),
        ("sh\nexport OLLAMA_MODEL=phi4:14b\nollama serve", [(2, "HW101")]),
        ("sh\nexport OLLAMA_THREADS=4", [(2, "HW101")]),
        ("env\nOLLAMA_MODEL=a:1b\n# or\nOLLAMA_MODEL=b:2b", []),
        ("env\nOLLAMA_NUM_PARALLEL=2\n# or\nOLLAMA_NUM_PARALLEL=x", [(4, "HW111")]),
        ("env\nOLLAMA_NUM_PARALLEL=x\n# or\nOLLAMA_NUM_PARALLEL=2", [(2, "HW111")]),
        ("sh\nsystemctl show ollama | grep OLL\n...\nOLLAMA_HOST=0.0.0.0:11434", []),
        ("sh\nsudo systemctl edit ollama\nOLLAMA_HOST=0.0.0.0:11434", [(3, "HW401")]),
        ("sh\nexport OLLAMA_NUM_PARALLEL=4\nsudo systemctl restart ollama", [(2, "HW118")]),
        ("sh\nexport OLLAMA_NUM_PARALLEL=4\nbrew services start ollama", [(2, "HW118")]),
        ("sh\nexport OLLAMA_NUM_PARALLEL=4\nsystemctl stop ollama\nollama serve", []),
        ("sh\nexport OLLAMA_NUM_PARALLEL=4", []),
    ],
)
def test_variables_of_a_guide_are_for_whom_it_means(
    tmp_path: Path, fence: str, told: list[tuple[int, str]]
) -> None:
    file = tmp_path / "notes.md"
    file.write_text(f"```{fence}\n```\n")
    report = check(CheckRequest(paths=[str(file)]))
    assert [(p.place.line, p.finding.rule) for p in report.findings] == told


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("dockerfile", "ENV OLLAMA_KEEP_ALIVE=1d"),
        ("hcl", 'env = { "OLLAMA_KEEP_ALIVE" = "1d" }'),
        ("hcl", 'env {\n  name = "OLLAMA_KEEP_ALIVE"\n  value = "1d"\n}'),
        ("xml", "<key>OLLAMA_KEEP_ALIVE</key><string>1d</string>"),
    ],
)
def test_a_fence_that_nobody_reads_is_named(language: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "guide.md"
    path.write_text(f"```{language}\n{text}\n```\n", encoding="utf-8")
    report = check(CheckRequest(paths=[str(path)]))
    assert [f"`{language}` is not read here" in gap.reason for gap in report.not_judged] == [True]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("powershell", '$env:OLLAMA_NUM_THREADS = "8"\nollama serve'),
        ("ps1", "PS C:\\> $env:OLLAMA_NUM_THREADS = 8\nPS C:\\> ollama serve"),
        ("pwsh", "setx OLLAMA_NUM_THREADS 8"),
        ("bat", "@echo off\nset OLLAMA_NUM_THREADS=8\nollama serve"),
        ("cmd", "C:\\>setx OLLAMA_NUM_THREADS 8"),
    ],
)
def test_a_fence_for_windows_is_read_as_such_a_script(
    language: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "guide.md"
    path.write_text(f"```{language}\n{text}\n```\n", encoding="utf-8")
    report = check(CheckRequest(paths=[str(path)]))
    line = 2 + text.partition("OLLAMA")[0].count("\n")
    assert [(p.place.line, p.finding.rule) for p in report.findings] == [(line, "HW101")]
    assert report.not_judged == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("| Name | What |\n|---|---|\n| OLLAMA\\_DEBUG | more lines |\n", [3]),
        ("| `OLLAMA_NUM_PARALLEL` | `4` |\n", [1]),
        ("Say `export OLLAMA_DEBUG=1` first.\n", [1]),
        # An application's own, and what only names a variable.
        ("| `OLLAMA_BASE_URL` | where it is |\n", []),
        ("It reads OLLAMA_DEBUG itself.\n", []),
    ],
)
def test_a_table_of_variables_is_named_where_nobody_judges_it(
    text: str, told: list[int], tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text(text)
    report = check(CheckRequest(paths=[str(tmp_path)]))
    of_file = [gap for gap in report.not_judged if gap.file.endswith("README.md")]
    assert [int(gap.reason.split()[1].rstrip(":")) for gap in of_file] == told


def test_values_that_a_guide_lets_somebody_write_are_no_gap() -> None:
    text = "```sh\nhelm upgrade --install ollama otwld/ollama -f my-values.yaml\n```\n"
    guide = f"{text}\n```sh\nOLLAMA_KEEP_ALIVE=1d ollama serve\n```\n"
    report = check(CheckRequest(paths=["-"], stdin=guide.encode(), stdin_name="README.md"))
    assert [found.finding.rule for found in report.findings] == ["HW109"]
    assert report.not_judged == ()


@pytest.mark.parametrize(
    ("language", "text", "told"),
    [
        ("nginx", "location / {\n  proxy_pass http://ollama:11434;\n}", (7, "HW223")),
        ("caddyfile", "x.example.com {\n  reverse_proxy ollama:11434\n}", (6, "HW661")),
        ("haproxy", "backend b\n  mode http\n  timeout server 9s\n  server a ollama:11434",
         (8, "HW223")),
        ("yaml", "model_list:\n- litellm_params: {model: ollama/qwen3:8b}", (7, "HW655")),
        ("yaml", "scrape_configs:\n- job_name: a\n  static_configs: [{targets: ['ollama:11434']}]",
         (8, "HW565")),
    ],
)  # fmt: skip
def test_what_stands_around_a_server_is_read_in_its_language(
    tmp_path: Path, language: str, text: str, told: tuple[int, str]
) -> None:
    document = f"# Before it\n\nA proxy.\n\n```{language}\n{text}\n```\n"
    report = checked(tmp_path, {"README.md": document})
    assert told in {(p.place.line, p.finding.rule) for p in report.findings}
