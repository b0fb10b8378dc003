"""Looking at a server: how long one that is still starting is waited for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from generator.errors import EnvironmentFailure
from generator.verify import look
from generator.verify.machine import Machine
from tests.commands import called

if TYPE_CHECKING:
    import pytest


HERE = Path(__file__).parent


class Clock:
    """A clock that only sleep moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_it_waits_as_long_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, tries = Clock(), list[str]()

    def refused(path: str) -> NoReturn:
        tries.append(path)
        raise EnvironmentFailure("nobody is there")

    monkeypatch.setattr(look, "time", clock)
    machine = Machine(None, 1)
    monkeypatch.setattr(machine, "api", lambda _: refused)
    look.wait(machine, "http://127.0.0.1:9", 1.75)
    assert (clock.now, tries) == (1.75, ["/api/version"] * 4)


def test_where_several_servers_listen_that_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {7: {"OLLAMA_HOST": "127.0.0.1:8001"}, 8: {"OLLAMA_HOST": "0.0.0.0:8000"}, 9: None}
    monkeypatch.setattr(look, "processes", lambda _: {})
    monkeypatch.setattr(look, "servers", lambda *_: [*given])
    monkeypatch.setattr(look, "environment", lambda _, pid: given[pid])
    done = called("verify", str(HERE / "small.toml"), "--url", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert done.stderr.endswith("hint: Ollama listens at 8000, 8001 here: name one by --url\n")


def test_of_two_managers_the_one_that_is_reached_there(tmp_path: Path) -> None:
    """A unit at 11434, and a container that is published at 11435: each by the port it has."""
    for name in ("docker", "as-wanted"):
        shutil.copytree(HERE / "machines" / name, tmp_path, dirs_exist_ok=True)
    inspect = tmp_path / ".hostwright/tools/docker-inspect.json"
    told = inspect.read_text(encoding="utf-8")
    inspect.write_text(told.replace('"HostPort": "11434"', '"HostPort": "11435"'), encoding="utf-8")

    def manager(*words: str) -> str:
        profile = str(HERE / "small.toml")
        done = called("verify", profile, "--root", str(tmp_path), "--json", *words)
        return str(json.loads(done.stdout)["manager"]["by"])

    assert manager() == "systemd"
    assert manager("--set", "ollama.port=11435") == "docker"
