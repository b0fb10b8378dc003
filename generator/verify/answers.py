"""What the server itself answers: its release, its models, and how they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import EnvironmentFailure, HostwrightError
from generator.verify.observed import Answers
from generator.verify.served import found

if TYPE_CHECKING:
    from generator.engines.base import AskApi, Running
    from generator.plan import Service


def answers(service: Service, ask: AskApi, running: Running) -> Answers | EnvironmentFailure:
    """Return what the server answers, or why it does not."""
    made = [model.served for model in service.models if model.parameters]
    try:
        release, there = running.release(ask), running.installed(ask)
        loaded = running.loaded(ask)
        ours = [model.served for model in service.models if found(model.served, loaded)]
        names = [name for name in made if found(name, there)]
        return Answers(
            release=release,
            installed=there,
            loaded=loaded,
            parameters={name: running.parameters(ask, name) for name in names},
            weights={name: _weights(running, ask, name) for name in ours},
        )
    except EnvironmentFailure as error:
        return error


def _weights(running: Running, ask: AskApi, name: str) -> str:
    try:
        return running.weights(ask, name)
    except HostwrightError:  # a capture without it, or a model that has gone meanwhile
        return ""
