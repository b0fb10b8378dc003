"""Cold starts: the model's file, the page cache, and a server that lets go of what it has."""

import mmap
from pathlib import Path

import pytest

from generator.bench import cold
from generator.bench.cold import model_files, starts, unload
from generator.bench.measurement import Sample, StartKind
from generator.bench.pagecache import drop, held
from generator.errors import EnvironmentFailure
from generator.live.client import Server
from tests.live.stub import Installed, Stub, serving

PAGE = mmap.PAGESIZE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sha256-1"
    path.write_bytes(b"x" * (64 * PAGE))
    return path


def test_a_file_that_was_just_written_is_in_the_page_cache(file: Path) -> None:
    assert held([file]) == 100
    drop([file])
    assert held([file]) in {0, 100}  # a file system in memory has no other place for it
    assert file.read_bytes()[:1] == b"x"
    assert held([file]) == 100
    assert held([]) == -1


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    drop([tmp_path / "none"])
    assert held([tmp_path / "none"]) == -1


def stub(modelfile: str) -> Stub:
    return Stub([Installed("mine:1b", modelfile=modelfile)])


@pytest.mark.parametrize(
    ("modelfile", "why"),
    [
        ("", "does not say"),
        ("FROM llama3", "does not say"),
        ("FROM /nowhere/blob", "there is no file"),
        ("FROM /dev/zero", "there is no file"),
        ("FROM /\0", "there is no file"),
        (f"FROM /{'x' * 100_000}", "cannot read /xxx"),
        ("FROM /x\n" * 100, "does not say"),
    ],
)
def test_why_a_file_cannot_be_dropped(modelfile: str, why: str) -> None:
    with serving(stub(modelfile)) as running:
        files, told = model_files(Server.at(running.url, 10), "mine:1b")
    assert files == ()
    assert why in told
    assert len(told) < 120


def test_the_files_of_a_model(file: Path) -> None:
    text = f"# FROM mine\nFROM {file}\nADAPTER {file}\nTEMPLATE FROM /etc/passwd\n"
    with serving(stub(text)) as running:
        assert model_files(Server.at(running.url, 10), "mine:1b") == ((file, file), "")
    away = Server.at("http://203.0.113.9:1", 1)
    assert model_files(away, "mine:1b") == ((), "the server is on another machine")


def test_kinds_take_turns(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page cache that obeys: nothing of the file after it was dropped, all once it was read."""
    asked: list[tuple[StartKind, int, bool]] = []
    there = [100]
    monkeypatch.setattr(cold, "drop", lambda _: there.__setitem__(0, 0))
    monkeypatch.setattr(cold, "held", lambda _: there[0])
    with serving(stub(f"FROM {file}")) as running:

        def ask(kind: StartKind, at: int) -> Sample:
            asked.append((kind, at, bool(running.loaded)))
            running.loaded.add("mine:1b")
            there[0] = 100
            return Sample(ended=1)

        found = starts(Server.at(running.url, 10), "mine:1b", ask, 2, lambda _: None)
    assert asked == [
        ("dropped", 0, False), ("kept", 0, False), ("warm", 0, True),
        ("dropped", 1, False), ("kept", 1, False), ("warm", 1, True),
    ]  # fmt: skip
    assert [(each.kind, each.held, len(each.samples), each.why) for each in found] == [
        ("dropped", 0, 2, ""), ("kept", 100, 2, ""), ("warm", 100, 2, ""),
    ]  # fmt: skip


def test_what_stays_in_the_page_cache_is_no_cold_start(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold, "drop", lambda _: None)
    monkeypatch.setattr(cold, "held", lambda _: 80)
    with serving(stub(f"FROM {file}")) as running:
        first, second, _ = starts(
            Server.at(running.url, 10), "mine:1b", lambda *_: Sample(ended=1), 2, lambda _: None
        )
    assert (first.samples, first.why) == ((), "80 % of the file stayed in the page cache")
    assert len(second.samples) == 2


def test_a_server_that_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "PATIENCE", 0.0)
    with serving(Stub([Installed("mine:1b")])) as running:
        server = Server.at(running.url, 10)
        monkeypatch.setattr(cold, "_loaded", lambda *_: True)
        with pytest.raises(EnvironmentFailure, match="does not let go of mine:1b"):
            unload(server, "mine:1b")
