"""What a directory has that is no file, what a role leaves out, and lists that patches change."""

import os
from pathlib import Path

import pytest

from generator.readers.base import Source
from generator.readers.kubernetes.patches import merged
from generator.readers.syntax.yaml_tree import Table, parse
from tests.check.told import report

BOX = "services:\n  ollama:\n    image: ollama/ollama:{}\n    restart: always\n    environment:\n"


def test_a_pipe_or_a_device_is_named_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ollama.service")
    os.mkfifo(tmp_path / "other.txt")
    (tmp_path / "compose.yaml").symlink_to("/dev/zero")
    found = report(tmp_path, {}).not_judged
    assert [(Path(gap.file).name, "no regular file" in gap.reason) for gap in found] == [
        ("compose.yaml", True), ("ollama.service", True)]  # fmt: skip


UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\n"
SETS = "OLLAMA_NUM_PARALLEL=lots\n"


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("lat.env", b"# caf\xe9\n" + SETS.encode(), True),
        ("u16.env", SETS.encode("utf-16"), True),
        ("u16.service", UNIT.encode("utf-16-le"), True),
        ("bin.service", UNIT.encode() + b"\0", True),
        ("start.sh", b"#!/bin/sh\n# caf\xe9\nollama serve\n", True),
        ("README.md", b"caf\xe9 and Ollama\n", False),
        ("README.md", "All about trees.\n".encode("utf-16"), False),
        ("web.service", b"[Service]\nExecStart=/bin/caf\xe9\n", False),
        ("picture.png", b"\x89PNG\0" + SETS.encode(), False),
        ("program", b"\x7fELF\0" + SETS.encode(), False),
        ("docker-compose.yml", b"services: [\n", False),
    ],
)
def test_what_cannot_be_decoded_is_missed_where_it_speaks_of_an_engine(
    name: str, raw: bytes, told: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(raw)
    found = report(tmp_path, {})
    assert [p.finding.rule for p in found.findings] == ["HW000"] * told
    assert [Path(gap.file).name for gap in found.not_judged if told] == [name] * told


@pytest.mark.parametrize("name", ["README.md", "variables.reg"])
def test_a_file_of_windows_that_no_reader_takes_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(f"```\n{SETS}```\n".encode("utf-16"))
    (gap,) = report(tmp_path, {}).not_judged
    assert (Path(gap.file).name, "UTF-16" in gap.reason) == (name, True)


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    for name in ("ollama.service", "ollama.service.d/override.conf", "web.service", ".env",
                 "ollama.png", "ollama/compose.yaml"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to("nowhere")
    found = [Path(gap.file).name for gap in report(tmp_path, {}).not_judged]
    assert found == ["ollama.service", "compose.yaml", "override.conf"]


def test_a_tag_older_than_all_that_are_known_is_the_one_that_is_named(tmp_path: Path) -> None:
    text = BOX.format("0.1.20") + "      OLLAMA_KV_CACHE_TYPE: q8_0\n"
    told = [p.finding.message for p in report(tmp_path, {"compose.yaml": text}).findings]
    assert any("Ollama 0.1.20 ignores it" in message for message in told)


ROLE = {
    "role/defaults/main.yml": "ollama_models: [qwen3:8b]\nollama_flash_attention: '0'\n"
    "ollama_kv_cache_type: q8_0\n",
    "role/templates/ollama.service.j2": "[Service]\nExecStart=/usr/local/bin/ollama serve\n"
    "User=ollama\nRestart=always\nEnvironment=OLLAMA_KV_CACHE_TYPE={{ ollama_kv_cache_type }}\n",
}


def test_a_value_that_no_template_of_a_role_has_is_nobodys(tmp_path: Path) -> None:
    def told(files: dict[str, str]) -> list[str]:
        found = report(tmp_path, files).findings
        return [f"{Path(p.place.file).name} {p.finding.severity}" for p in found
                if p.finding.rule == "HW107"]  # fmt: skip

    assert told(ROLE) == ["ollama.service.j2 info"]
    unit = ROLE["role/templates/ollama.service.j2"]
    more = unit + "Environment=OLLAMA_FLASH_ATTENTION={{ ollama_flash_attention }}\n"
    assert "ollama.service.j2 error" in told(ROLE | {"role/templates/ollama.service.j2": more})


def test_items_without_a_key_stay_apart_and_ports_have_a_protocol() -> None:
    def table(text: str) -> Table:
        found = parse(Source("a.yaml", text))
        assert isinstance(found, Table)
        return found

    old = table(
        "ports: [{port: 53, name: a}, {port: 53, protocol: UDP, name: b}]\nenv: [{name: A}]"
    )
    new = table("ports: [{port: 53, protocol: UDP, name: c}]\nenv: [{value: x}, {value: y}]")
    found = merged(old, new)
    assert [item.text("name") for item in found.items("ports") if isinstance(item, Table)] == [
        "a", "c"]  # fmt: skip
    assert len(found.items("env")) == 3
