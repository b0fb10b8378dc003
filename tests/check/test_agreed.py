"""A line that several services read is mended where that is right for all of them."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.mend import mended

SERVICE = """\
  {}:
    image: ollama/ollama:{}
    restart: unless-stopped
    volumes: ["{}:/root/.ollama"]
    {}
"""
SETS = {"OLLAMA_GPU_OVERHEAD": "1073741824", "OLLAMA_CONTEXT_LENGTH": "8192"}
POD = """\
---
apiVersion: v1
kind: Pod
metadata: {{name: {}}}
spec:
  containers:
  - name: ollama
    image: ollama/ollama:{}
    envFrom: [{{configMapRef: {{name: c}}}}]
"""


def written(*, mark: str = "", sign: str = ": ", quote: str = '"') -> str:
    return "".join(f"{mark}{name}{sign}{quote}{value}{quote}\n" for name, value in SETS.items())


def project(older: str, given: str, head: str = "") -> str:
    two = SERVICE.format("new", "0.32.15", "a", given) + SERVICE.format("old", older, "b", given)
    return f"{head}services:\n{two}volumes: {{a: {{}}, b: {{}}}}\n"


def shared_by(older: str) -> dict[str, dict[str, str]]:
    """Return the ways in which two servers share a line, each with its files."""
    anchor = f"x-e: &e\n{written(mark='  ')}"
    table = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{written(mark='  ')}"
    pods = POD.format("new", "0.32.15") + POD.format("old", older)
    return {
        "anchor": {"compose.yaml": project(older, "environment: *e", anchor)},
        "file": {
            "compose.yaml": project(older, "env_file: o.env"),
            "o.env": written(sign="=", quote=""),
        },
        "table": {"k.yaml": table + pods},
    }


def after(folder: Path, files: dict[str, str]) -> tuple[str, set[str]]:
    """Return the texts as fixes leave them, and why some are not made."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(folder)]), fixing=True)
    new = mended(report.found, report.texts)
    texts = (new.get(str(folder / name), text) for name, text in files.items())
    return "".join(texts), {placed.withheld for placed in report.found} - {""}


@pytest.mark.parametrize("way", ["anchor", "file", "table"])
def test_what_an_older_server_reads_is_left_to_it(way: str, tmp_path: Path) -> None:
    text, told = after(tmp_path, shared_by("0.12.6")[way])
    assert "OLLAMA_GPU_OVERHEAD" in text
    assert told == {"it is not right for `old`, which reads that line as well"}


@pytest.mark.parametrize("way", ["anchor", "file", "table"])
def test_what_is_right_for_both_is_done(way: str, tmp_path: Path) -> None:
    text, told = after(tmp_path, shared_by("0.32.15")[way])
    assert "OLLAMA_GPU_OVERHEAD" not in text
    assert told == set()


def test_one_that_sets_it_anew_does_not_read_the_line(tmp_path: Path) -> None:
    given = "environment: {<<: *e, OLLAMA_NUM_PARALLEL: 2}"
    text = project("0.12.6", given, f"x-e: &e\n{written(mark='  ')}")
    own = text.replace("PARALLEL: 2}", "PARALLEL: 2, OLLAMA_GPU_OVERHEAD: 1}", 2)
    own = own.replace(", OLLAMA_GPU_OVERHEAD: 1}", "}", 1)
    left, told = after(tmp_path, {"compose.yaml": own})
    assert left.count("OLLAMA_GPU_OVERHEAD") == 1
    assert told == set()


@pytest.mark.parametrize("given", ["environment: *e", "env_file: o.env"])
@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("build: ./app", {"`app` gets that line as well, and may use the name"}),
        ("image: busybox:1.37", set()),
    ],
)
def test_a_program_that_is_built_here_may_use_a_name(
    given: str, other: str, told: set[str], tmp_path: Path
) -> None:
    text = f"{SERVICE.format('new', '0.32.15', 'a', given)}  app:\n    {other}\n    {given}\n"
    head = "x-e: &e\n  OLLAMA_KEEPALIVE: 1h\n" if "*e" in given else ""
    files = {"compose.yaml": f"{head}services:\n{text}volumes: {{a: {{}}}}\n"}
    left, why = after(tmp_path, files if head else files | {"o.env": "OLLAMA_KEEPALIVE=1h\n"})
    assert why == told
    assert left.count("OLLAMA_KEEP_ALIVE") == (0 if told else 1)
