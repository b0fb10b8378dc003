"""The Catalogue: which releases there are, and what it says where its file is broken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from generator.catalogue import catalogue as module
from generator.catalogue.catalogue import Catalogue, load_catalogue
from generator.errors import CatalogueError
from generator.units import Release

if TYPE_CHECKING:
    from pathlib import Path


def at(text: str) -> Release:
    return Release.parse(text)


@pytest.fixture(name="known")
def _known() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (None, "0.32.15"),
        ("0.32", "0.32.15"),
        ("v0.32", "0.32.15"),
        ("0.9", "0.9.6"),
        ("0.1", "0.1.48"),
        ("0.24", "0.24.0"),
        ("0.9.0", "0.9.0"),
        ("v0.9.2", "0.9.2"),
        ("0.1.33", "0.1.33"),
        ("0.30.0-rc1", "0.30.0-rc1"),
        ("0.32.16", "0.32.16"),
        ("0.33", "0.33.0"),
        ("0.33.0-rc2", "0.33.0-rc2"),
        ("1.0", "1.0.0"),
    ],
)
def test_a_release_is_read(known: Catalogue, text: str | None, release: str) -> None:
    assert known.release(text) == at(release)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.9.99", "`0.9.99` is not a release of Ollama; the newest of 0.9 is `0.9.6`"),
        ("0.9.99-rc1", "`0.9.99-rc1` is not a release of Ollama; the newest of 0.9 is `0.9.6`"),
        ("0.25", "`0.25` is not a release of Ollama; the newest is `0.32.15`"),
        ("0.25.1", "`0.25.1` is not a release of Ollama; the newest is `0.32.15`"),
        (
            "0.1.32",
            "`0.1.32` is not supported; the oldest release that Hostwright knows is `0.1.33`",
        ),
        ("0.0", "`0.0` is not supported; the oldest release that Hostwright knows is `0.1.33`"),
        ("latest", "`latest` is not a release; write it like `0.32` or `0.32.15`"),
    ],
)
def test_what_never_was_a_release_is_refused(known: Catalogue, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        known.release(text)


@pytest.mark.parametrize(
    ("text", "covered", "facts"),
    [
        ("0.9.6", True, "0.9.6"),
        ("0.30.0-rc1", True, "0.30.0"),
        ("0.32.15", True, "0.32.15"),
        ("0.32.16", False, "0.32.15"),
        ("0.33.0-rc2", False, "0.32.15"),
        ("1.0.0", False, "0.32.15"),
    ],
)
def test_younger_releases_get_the_newest_facts(
    known: Catalogue, text: str, covered: bool, facts: str
) -> None:
    found = known.at("ollama", at(text))
    assert found.known is covered
    assert (found.release, found.at) == (at(text), at(facts))


def test_no_engine_but_those_there_are_has_facts(known: Catalogue) -> None:
    with pytest.raises(CatalogueError, match="no facts of sglang"):
        known.at("sglang")


@pytest.mark.parametrize("text", [None, "{", "[]", "{}"])
def test_a_broken_installation_is_told(
    text: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "catalogue.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(module, "FILE", file)
    with pytest.raises(CatalogueError, match=r"^catalogue\.json: ") as caught:
        load_catalogue.__wrapped__()
    assert caught.value.hint == "install Hostwright again"


def test_tables_apart_are_read_when_one_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "first.json").write_text('{"apart":{"b":"second.json","c":"second.json"},"a":1}')
    (tmp_path / "second.json").write_text('{"b":2,"c":3}')
    tables = module.Tables(tmp_path / "first.json")
    assert (tables["a"], set(tables)) == (1, {"apart", "a"})
    assert (tables["b"], set(tables)) == (2, {"apart", "a", "b", "c"})
    with pytest.raises(KeyError, match="d"):
        tables["d"]


def test_a_start_reads_no_models() -> None:
    catalogue = load_catalogue.__wrapped__()
    facts = catalogue.at("ollama")
    assert facts.variable("OLLAMA_HOST")
    assert "model" not in catalogue.tables
    assert facts.model("llama3.1:8b")
    assert "model" in catalogue.tables


@pytest.mark.parametrize("text", [None, "{", "3", "{}"])
def test_a_broken_file_apart_is_told(text: str | None, tmp_path: Path) -> None:
    (tmp_path / "first.json").write_text('{"apart":{"b":"second.json"}}')
    if text is not None:
        (tmp_path / "second.json").write_text(text)
    with pytest.raises(CatalogueError, match=r"^second\.json: "):
        module.Tables(tmp_path / "first.json")["b"]
