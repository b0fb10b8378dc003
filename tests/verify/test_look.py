"""Looking at a server: how long one that is still starting is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from generator.errors import EnvironmentFailure
from generator.verify import look
from generator.verify.machine import Machine

if TYPE_CHECKING:
    import pytest


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
