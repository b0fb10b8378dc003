"""A visit: the server has a Choice, and is measured under it; then comes the next one."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from generator.bench.measure import measure
from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import Server, asked
from generator.trial.restart import put_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.bench.measure import Load
    from generator.bench.measurement import Measurement, Workload
    from generator.trial.choice import Choice
    from generator.trial.restart import Restarter

    Told = Callable[[str], None]
    """What is told of progress."""

_SETTLING: Final = 120.0  # seconds that a model has to be loaded again at the end
_LATE: Final = 10.0  # of them where the time is up
_FOREVER: Final = "2100"  # a server that keeps a model for ever names a year behind that
_NEVER: Final = -1


class Visits:
    """One server, one workload, and all visits within one time."""

    def __init__(
        self,
        url: str,
        workload: Workload,
        load: Load,
        *,
        seconds: float,
        restarter: Restarter | None = None,
        told: Told = lambda _: None,
    ) -> None:
        self.url, self.workload, self.load = url, workload, load
        self._restarter, self._told, self._seconds = restarter, told, seconds
        self._until = time.monotonic() + seconds
        self._salt = token_hex(4)
        self._before: Mapping[str, str] = {}
        self._models: set[str] = set()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._until - time.monotonic()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put the server and its models back at the end, whatever ends it.

        Raises EnvironmentFailure where no server answers, or it cannot be put back.
        """
        self._before = _loaded(Server.at(self.url, min(self._seconds, 10)))
        with put_back(self._end):
            yield

    def visit(self, choice: Choice, number: int, name: str) -> Measurement:
        """Return what is measured under a Choice; rounds of one `number` ask the same.

        Raises HostwrightError where the server does not take it, EnvironmentFailure where nothing
        could be measured, or the time is up.
        """
        if self.left <= 0:
            raise self.late
        if choice.restarts:
            if self._restarter is None:
                raise HostwrightError("nobody can start the server anew")
            self._told(f"{name}: starting the server anew")
            self._restarter.apply(choice.change, self.left)
        self._models.add(choice.model)
        # Other prompts each round, or a cache would have them.
        workload = replace(self.workload, options=choice.options, seed=self.workload.seed + number)
        return measure(
            Server(url=self.url, seconds=self._seconds, ends=self._until),
            choice.model,
            workload,
            self.load,
            salt=self._salt,
            told=lambda load, done: self._told(f"{name}: {load}, {done} of {workload.requests}"),
        )

    @property
    def late(self) -> EnvironmentFailure:
        """What is said where all of it took too long."""
        return EnvironmentFailure(
            f"not done within {self._seconds:g} s", hint="a longer `--timeout` waits for it"
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What nobody could see."""
        return tuple(self._restarter.remarks) if self._restarter else ()

    def _end(self) -> None:
        """Put back the server, and the models as they were loaded before."""
        self._told("putting the server back as it was")
        if self._restarter is not None:
            self._restarter.restore()
        # One that has not answered in all of the time is not waited for as long again.
        server = Server.at(self.url, min(_SETTLING, max(self.left, _LATE)))
        for model in self._models:
            # A model that is not put back is loaded as it should be with the next request.
            with suppress(HostwrightError):
                asked(server, "/api/generate", _settled(model, self._before))


def _settled(model: str, before: Mapping[str, str]) -> dict[str, Any]:
    """Return the request after which a model is loaded as before, or no longer."""
    until = before.get(model, before.get(f"{model}:latest"))
    if until is None:
        return {"model": model, "keep_alive": 0, "stream": False}
    always = {"keep_alive": _NEVER} if until > _FOREVER else {}
    return {"model": model, "stream": False, **always}


def _loaded(server: Server) -> dict[str, str]:
    """Return until when the server keeps each model that it has in memory."""
    listed = asked(server, "/api/ps").get("models")
    found = (each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
    return {str(each.get("name", "")): str(each.get("expires_at", "")) for each in found}
