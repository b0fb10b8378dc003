"""The use case of `gen warmup`: a Plan and a running server → its models in memory."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generator.engines import load_engine
from generator.errors import HostwrightError
from generator.live.client import Server, asked, streamed
from generator.verify.served import found
from generator.warmup.warmed import Warmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.engines.base import Running, ServedModel
    from generator.plan import Job, Plan, Service

    Tell = Callable[[str], None]


def warm_up(
    plan: Plan,
    catalogue: Catalogue,
    *,
    url: str | None = None,
    seconds: float | None = None,
    models: Sequence[str] = (),
    pull: bool = False,
    tell: Tell = lambda _: None,
) -> tuple[Warmed, ...]:
    """Load models one after the other, and return what has become of each.

    `url` is where the server answers, None: where the Plan has it listen; all of it may take
    `seconds`, None: those of the profile. `models` are others than the profile's. `pull`: download
    what is missing. `tell` hears what is being done. Raises HostwrightError where there is no model
    to load, and EnvironmentFailure where no server answers.
    """
    service = plan.service
    job = _job(service)
    names = tuple(models) or job.models or tuple(model.served for model in service.models)
    if not names:
        raise HostwrightError("the profile names no model", hint="name one by --model")
    facts = catalogue.told(service.engine, service.release)
    server = Server.at(url or f"http://{service.listen.address}", seconds or job.timeout_seconds)
    return _Round(server, load_engine(service.engine).running(facts), service, job.tokens, tell).of(
        tuple(dict.fromkeys(names)), pull=pull
    )


def _job(service: Service) -> Job:
    every = (*service.jobs, *service.offered)
    found = next((job for job in every if job.kind == "warmup"), None)
    if found is None:
        raise HostwrightError(
            f"{service.product} loads its model when it starts, and nothing is left to warm up",
            hint="ask its health until it answers",
        )
    return found


class _Round:
    """One server, asked for one model after the other."""

    def __init__(
        self, server: Server, running: Running, service: Service, tokens: int, tell: Tell
    ) -> None:
        self._server, self._running, self._service = server, running, service
        self._tokens, self._tell = tokens, tell
        self._given = {setting.name: setting.value for setting in service.environment}

    def ask(self, path: str, body: dict[str, Any] | None = None, /) -> Mapping[str, Any]:
        return asked(self._server, path, body)

    def of(self, names: tuple[str, ...], *, pull: bool) -> tuple[Warmed, ...]:
        """Return what has become of each model."""
        there, now = self._running.installed(self.ask), self._running.loaded(self.ask)
        done: list[Warmed] = []
        for number, name in enumerate(names, 1):
            place = f", {number} of {len(names)}" if len(names) > 1 else ""
            one, now = self._one(name, place, there, now, pull=pull)
            done = [*(_still(each, now) for each in done), one]
        return tuple(done)

    def _one(
        self,
        name: str,
        place: str,
        there: tuple[ServedModel, ...],
        before: tuple[ServedModel, ...],
        *,
        pull: bool,
    ) -> tuple[Warmed, tuple[ServedModel, ...]]:
        """Return what has become of one model, and which the server has in memory then."""
        lacks = found(name, there) is None
        if lacks and (why := self._cannot_pull(name, pull=pull)):
            return Warmed(model=name, state="missing", why=why), before
        already = found(name, before) is not None
        try:
            if lacks:
                self._pull(name, place)
            self._tell(f"loading {name}{place}")
            began = time.monotonic()
            told = self._running.load(self.ask, name, self._tokens, self._given)
            took = time.monotonic() - began
            now = self._running.loaded(self.ask)
        except HostwrightError as error:
            return Warmed(model=name, state="failed", pulled=lacks, why=error.message), before
        one = Warmed(
            model=name,
            state="loaded",
            already=already,
            pulled=lacks,
            seconds=round(took, 3),
            load_duration=told,
        )
        return _seen(one, now), now

    def _cannot_pull(self, name: str, *, pull: bool) -> str:
        """Return why a model that is missing is not downloaded; empty: it is."""
        model = next((each for each in self._service.models if each.served == name), None)
        if model and model.serve_as:
            return f"the server does not have it; create it from {model.name}"
        return "" if pull else "the server does not have it; --pull downloads it"

    def _pull(self, name: str, place: str) -> None:
        def told(path: str, body: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
            return streamed(self._server, path, body)

        for status, part in self._running.pull(told, name):
            share = "" if part is None else f" {part:.0%}"
            self._tell(f"pulling {name}{place}: {status}{share}")


def _seen(one: Warmed, now: tuple[ServedModel, ...]) -> Warmed:
    """Return a model with what the server tells of it once it is loaded."""
    seen = found(one.model, now)
    if seen is None:
        why = "the server has let it go at once; a keep-alive of 0 does that"
        return replace(one, state="unloaded", why=why)
    return replace(
        one, context=seen.context, size=seen.size, on_gpus=seen.on_gpus, until=seen.until
    )


def _still(one: Warmed, now: tuple[ServedModel, ...]) -> Warmed:
    """Return a model that was loaded before, which the server may have let go for another."""
    if one.state != "loaded" or found(one.model, now):
        return one
    return replace(one, state="unloaded", why="the server has let it go for another model")
