"""What the server itself answers: its release, its models, and how they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from generator.errors import EnvironmentFailure, HostwrightError
from generator.verify.observed import Answers
from generator.verify.served import found

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.engines.base import AskApi, Running
    from generator.plan import Service

_T = TypeVar("_T")


def answers(service: Service, ask: AskApi, running: Running) -> Answers | EnvironmentFailure:
    """Return what the server answers, or why it does not; what it was asked of one model, and does
    not tell, is missing.
    """
    try:
        release, there = running.release(ask), running.installed(ask)
        loaded = running.loaded(ask)
        ours = [model.served for model in service.models if found(model.served, loaded)]
        made = {m.served for m in service.models if m.parameters and found(m.served, there)}
        told = {name: _of_model(running.parameters, ask, name) for name in sorted(made)}
        return Answers(
            release=release,
            installed=there,
            loaded=loaded,
            parameters={name: has for name, has in told.items() if has is not None},
            weights={name: _of_model(running.weights, ask, name) or "" for name in ours},
        )
    except EnvironmentFailure as error:
        return error


def _of_model(tells: Callable[[AskApi, str], _T], ask: AskApi, name: str) -> _T | None:
    """Return what is told of a model; None: a capture is without it, or it has gone meanwhile."""
    try:
        return tells(ask, name)
    except HostwrightError:
        return None
