"""The build of the Catalogue: what it makes, and what it refuses."""

import re
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generator.catalogue import build, hardware, models, records
from generator.errors import CatalogueError

ROOT = Path(__file__).parents[2]
RECORDS = [
    kind
    for module in (hardware, models, records)
    for kind in vars(module).values()
    if isinstance(kind, type) and kind.__module__ == module.__name__
]
TEXTS = build.read()


def test_a_line_of_it_is_a_record() -> None:
    tables = build.build(TEXTS)
    lines = build.text(tables).splitlines()
    records = sum(len(table) for table in tables.values() if isinstance(table, list))
    assert records > 400
    assert sum(line.startswith("{") and len(line) > 1 for line in lines) == records


def test_every_data_file_is_built() -> None:
    assert {path.name for path in build.DATA.iterdir()} == {*TEXTS}


@pytest.mark.parametrize("name", TEXTS)
def test_every_fact_has_a_source(name: str) -> None:
    """A table has its own, or its file has one for all; `checked` is required of every file."""
    file = build.parsed(name, TEXTS[name])
    meta: Any = file.meta  # type: ignore[attr-defined]
    bare = [key for key in build.FILES[name] if any(not _source(t) for t in _tables(file, key))]
    assert not bare or meta.source, bare


READERS = [
    *(path for path in (ROOT / "generator").rglob("*.py") if path != Path(build.__file__)),
    *(ROOT / "tools").glob("*.py"),
]


@pytest.mark.parametrize("kind", [kind for kind in RECORDS if is_dataclass(kind)])
def test_every_field_has_a_reader(kind: type) -> None:
    """As an attribute, or in the table that a record is not made of."""
    assert {field.name for field in fields(kind)} - names_read() == set()


@cache
def names_read() -> frozenset[str]:
    """Return each attribute, and each word in quotes, of the readers."""
    texts = (path.read_text(encoding="utf-8") for path in READERS)
    found = (re.findall(r'\.(\w+)\b|"(\w+)"', text) for text in texts)
    return frozenset(name for pairs in found for pair in pairs for name in pair)


def _tables(file: object, key: str) -> tuple[object, ...]:
    value = getattr(file, key)
    return value if isinstance(value, tuple) else (value,)


def _source(table: object) -> str:
    return str(getattr(table, "source", ""))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "ollama.toml",
            'kind = "duration"',
            'kind = "time"',
            "data/ollama.toml: variable.OLLAMA_KEEP_ALIVE.kind: Input should be",
        ),
        (
            "ollama.toml",
            'removed = "0.0.20"',
            'removed = "0.0.1"',
            "variable.OLLAMA_PORT: removed 0.0.1 is not after since 0.0.1",
        ),
        (
            "ollama.toml",
            'name = "OLLAMA_ORIGINS"',
            'name = "OLLAMA_PORT"',
            "data/ollama.toml: `OLLAMA_PORT` is listed twice",
        ),
        (
            "ollama.toml",
            'source = "envconfig/config.go@v0.32.15:85-109"',
            'source = ""',
            "variable.OLLAMA_ORIGINS.source: String should have at least 1 character",
        ),
        (
            "ollama.toml",
            'name = "OLLAMA_HOST"',
            'name = "OLLAMA_HOST"\nnmae = "x"',
            "variable.OLLAMA_HOST.nmae: Extra inputs are not permitted",
        ),
        (
            "ollama.toml",
            'since = "0.1.34"\ndefaults = [{ since = "0.1.34"',
            'since = "0.1.34"\ndefaults = [{ since = "0.1.33"',
            "variable.OLLAMA_MAX_QUEUE: defaults are out of order, or older than since",
        ),
        (
            "ollama.toml",
            'until = "0.9.3", system = "x86_64-linux"',
            'until = "0.5.0", system = "x86_64-linux"',
            "until 0.5.0 is not after since 0.5.8",
        ),
        ("ollama.toml", 'since = "0.0.14"', "since = 0.14", "must be text in quotes"),
        (
            "ollama.toml",
            'legacy = ["OLLAMA_NUM_THREADS"]',
            'legacy = ["OLLAMA_X"]',
            "`OLLAMA_X` is not listed",
        ),
        ("releases.toml", "14, 15]", "14]", "newest is 0.32.15, but 0.32.14 is the last"),
        ("releases.toml", "[lines]", "[lines", "data/releases.toml: "),
        ("gpus.toml", '"12.1"]', '"12.0"]', "`12.0` is listed twice"),
        ("cards.toml", 'memory = "8GiB"', 'memory = "8GB"', "data/cards.toml: card."),
        ("cards.toml", '"10de:2684"', '"10de:2685"', "`10de:2685` is listed twice"),
        ("images.toml", "port = 11434", "", "data/images.toml: image.port: Field required"),
        ("behaviour.toml", 'id = "llm-library-strict"', "", "data/behaviour.toml: behaviour."),
        (
            "models.toml",
            'quantisation = "MXFP4"',
            'quantisation = "IQ5"',
            "no size of gpt-oss:20b at IQ5",
        ),
        (
            "models.toml",
            '"llama3.1:latest"',
            '"llama3:latest"',
            "data/models.toml: `llama3:latest` is listed twice",
        ),
        (
            "models.toml",
            'Q8_0 = "8435.36MiB"',
            'Q8_0 = "8435.36MB"',
            "data/models.toml: model.['deepseek-r1:8b', ",
        ),
        ("models.toml", 'like = "llama2:7b"', 'like = "llama7"', "`llama7` is not listed"),
        ("hardware.toml", '"gfx1151"', '"gfx1150"', "`gfx1150` is listed twice"),
        ("keys.toml", 'name = "ollama.port"', 'name = "ollama.host"', "`ollama.host` is listed"),
        ("limits.toml", 'ollama = "', 'olama = "', "limit.CPUQuota.ollama: Field required"),
        ("systemd.toml", "checked = 2026-08-21", "", "data/systemd.toml: meta.checked: Field"),
    ],
)
def test_a_broken_file_names_itself_and_the_key(
    file: str, old: str, new: str, message: str
) -> None:
    assert old in TEXTS[file]
    broken = TEXTS | {file: TEXTS[file].replace(old, new, 1)}
    with pytest.raises(CatalogueError, match=re.escape(message)):
        build.build(broken)
