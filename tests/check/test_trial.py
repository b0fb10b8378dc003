"""Edits that would do more than they say are left to a person."""

import json
from pathlib import Path

import pytest

from generator.check import trial
from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from generator.cli.check_text import render
from generator.readers.base import Context
from generator.readers.discover import Found
from generator.readers.seen import Seen, views

HEAD = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: unless-stopped
    volumes: ["ollama:/root/.ollama"]
"""
TAIL = "volumes: { ollama: }\n"


def fixed(folder: Path, name: str, text: str) -> str:
    """Return the text after every fix that has proved harmless."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(path)]), fixing=True)
    return mended(report.found, report.texts).get(str(path), text)


def compose(environment: str) -> str:
    return f"{HEAD}    environment:{environment}{TAIL}"


@pytest.mark.parametrize(
    "environment",
    [
        " { OLLAMA_NO_CUDA: 1, OLLAMA_CONTEXT_LENGTH: 8192 }\n",
        "\n      OLLAMA_NO_CUDA: |\n        1\n      OLLAMA_DEBUG: 1\n",
        "\n      OLLAMA_NO_CUDA: &one 1\n      OLLAMA_DEBUG: *one\n",
        "\n      OLLAMA_NUM_THREADS: auto\n",
        '\n      OLLAMA_FLASH_ATTENTION: "off"\n      OLLAMA_KV_CACHE_TYPE: q8_0\n',
    ],
)
def test_an_edit_with_consequences_is_not_made(environment: str, tmp_path: Path) -> None:
    text = compose(environment)
    assert fixed(tmp_path, "compose.yaml", text) == text


def test_the_others_are_made_all_the_same(tmp_path: Path) -> None:
    text = compose("\n      OLLAMA_NUM_THREADS: auto\n      OLLAMA_KEEP_ALIVE: 1d\n")
    assert fixed(tmp_path, "compose.yaml", text) == text.replace("1d", "24h")


def test_an_address_that_nothing_read_stays_unread(tmp_path: Path) -> None:
    text = "[Service]\nEnvironment=OLLAMA_BIND=0.0.0.0\n"
    assert fixed(tmp_path, "ollama.service.d/a.conf", text) == text


def test_a_file_that_nobody_named_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "shared.env").write_text("OLLAMA_KEEP_ALIVE=1d\n", encoding="utf-8")
    text = HEAD + "    env_file: shared.env\n" + TAIL
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path / "compose.yaml")]), fixing=True)
    assert [placed.finding.rule for placed in report.findings] == ["HW109"]
    assert mended(report.found, report.texts) == {}


@pytest.mark.parametrize(
    "line",
    [
        "EnviromentFile=/etc/none",
        "ExecStartPres=/bin/false",
        "export OLLAMA_MODELS=/none",
        "Environment=OLLAMA_TMPDIR=/x",
        "Environment=HTTP_PROXY=http://p:3128",
        "Environment=OLLAMA_FLASH_ATTN=${FA}",
    ],
)
def test_what_would_come_to_life_is_for_a_person(line: str, tmp_path: Path) -> None:
    text = f"[Service]\n{line}\n"
    assert fixed(tmp_path, "ollama.service.d/a.conf", text) == text


@pytest.mark.parametrize("entry", ["OLLAMA_NEW_ENGINE: 1", "- OLLAMA_NEW_ENGINE=1"])
def test_an_environment_is_never_left_empty(entry: str, tmp_path: Path) -> None:
    text = compose(f"\n      {entry}\n")
    assert fixed(tmp_path, "compose.yaml", text) == text


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("opened", ["{", "["])
def test_a_line_of_json_goes_with_its_comma(opened: str, at: int, tmp_path: Path) -> None:
    entries = [("OLLAMA_KEEP_ALIVE", "2h"), ("OLLAMA_DEBUG", "1")]
    entries.insert(at, ("OLLAMA_KEEPALIVE", "1h"))
    form = '"{}": "{}"' if opened == "{" else '"{}={}"'
    lines = ",\n".join(form.format(*entry) for entry in entries)
    inside = f"{opened}\n{lines}\n{'}' if opened == '{' else ']'}"
    service = f'"image": "ollama/ollama:0.32.15", "restart": "always", "environment": {inside}'
    new = fixed(tmp_path, "compose.json", f'{{"services": {{"ollama": {{{service}}}}}}}\n')
    left = json.loads(new)["services"]["ollama"]["environment"]
    assert [*left] == [
        "OLLAMA_KEEP_ALIVE" if opened == "{" else "OLLAMA_KEEP_ALIVE=2h",
        "OLLAMA_DEBUG" if opened == "{" else "OLLAMA_DEBUG=1",
    ]


@pytest.mark.parametrize("entry", ["OLLAMA_KEEPALIVE: 1h", "- OLLAMA_KEEPALIVE=1h"])
def test_nor_is_one_over_which_another_file_lays_more(entry: str, tmp_path: Path) -> None:
    over = "services: {ollama: {environment: {OLLAMA_KEEP_ALIVE: 3h}}}\n"
    (tmp_path / "compose.yaml").write_text(compose(f"\n      {entry}\n"), encoding="utf-8")
    (tmp_path / "compose.override.yaml").write_text(over, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]), fixing=True)
    (placed,) = (placed for placed in report.found if placed.finding.rule == "HW101")
    assert placed.withheld == "it would leave `environment:` empty"
    assert mended(report.found, report.texts) == {}


@pytest.mark.parametrize("head", ["", "[Service]\n"])
def test_thousands_of_edits_take_a_few_readings(
    head: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[Found] = []

    def counted(found: Found, context: Context) -> Seen:
        readings.append(found)
        return views(found, context)

    monkeypatch.setattr(trial, "views", counted)
    name = "ollama.service.d/a.conf" if head else "ollama.env"
    assign = "Environment=" if head else ""
    pairs = [
        f"{assign}OLLAMA_KV_CACH_TYPE=q8_0\n{assign}OLLAMA_NUM_PARALEL=x{number}\n"
        for number in range(600)
    ]
    text = fixed(tmp_path, name, head + "".join(pairs))
    assert text.count("OLLAMA_KV_CACHE_TYPE") > 500  # Each of the others leads to a new warning.
    assert text.count("OLLAMA_NUM_PARALEL=") > 500
    assert len(readings) <= trial.FEWEST_READINGS + 1


def test_what_many_edits_do_together_is_what_they_do_alone(tmp_path: Path) -> None:
    lines = ["OLLAMA_NUM_THREADS: auto", "OLLAMA_KEEP_ALIVE: 1d", 'OLLAMA_FLASH_ATTENTION: "off"']
    text = compose("".join(f"\n      {line}" for line in (*lines, "OLLAMA_KV_CACHE_TYPE: q8_0\n")))
    assert fixed(tmp_path, "compose.yaml", text) == text.replace("1d", "24h")


UNIT = "[Service]\nExecStart=/usr/bin/ollama serve\nUser=ollama\nRestart=always\n"


def test_drop_ins_that_shadow_each_other_are_both_mended(tmp_path: Path) -> None:
    folder = tmp_path / "ollama.service.d"
    folder.mkdir()
    (tmp_path / "ollama.service").write_text(UNIT, encoding="utf-8")
    first, second = folder / "10-a.conf", folder / "20-b.conf"
    first.write_text("[Service]\nEnvironment=OLLAMA_NUM_THREAD=8\n", encoding="utf-8")
    second.write_text("[Service]\nEnvironment=OLLAMA_NUM_THREAD=9\n", encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]), fixing=True)
    assert mended(report.found, report.texts) == {
        str(first): "[Service]\nEnvironment=LLAMA_ARG_THREADS=8\n",
        str(second): "[Service]\nEnvironment=LLAMA_ARG_THREADS=9\n",
    }
    assert not any(placed.withheld for placed in report.found)


def test_why_a_fix_is_not_made_is_said(tmp_path: Path) -> None:
    text = f"{UNIT}Environment=OLLAMA_NUM_PARALEL=four\nEnvironment=OLLAMA_KEEP_ALIVE=1d\n"
    (tmp_path / "ollama.service").write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path)]), fixing=True)
    told = {placed.finding.rule: placed.withheld for placed in report.found}
    assert told["HW104"] == "it would lead to HW111"
    assert told["HW109"] == ""
    assert "(not by --fix: it would lead to HW111)" in " ".join(render(report).split())


def test_of_a_file_that_nobody_named_it_is_said_too(tmp_path: Path) -> None:
    (tmp_path / "shared.env").write_text("OLLAMA_KEEP_ALIVE=1d\n", encoding="utf-8")
    text = HEAD + "    env_file: shared.env\n" + TAIL
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    report = check(CheckRequest(paths=[str(tmp_path / "compose.yaml")]))
    assert [placed.withheld for placed in report.findings] == ["nobody named that file"]
