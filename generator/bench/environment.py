"""What a server says of itself and of a model, and what this machine is if it runs here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from generator.bench.measurement import Environment
from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import Server, asked, host_and_port
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.bench.measurement import Task, Workload


def environment_of(server: Server, model: str, workload: Workload) -> tuple[Environment, Task]:
    """Return what the server says of itself and of the model on its disk, and what that does.

    A model that makes vectors and nothing else is asked for those.
    """
    if workload.api != "ollama":
        # Others have no such questions, and where nothing answers the first request says so.
        release = ""
        with suppress(HostwrightError):
            release = _text(asked(server, "/api/version"), "version")
        return Environment(release=release, **_machine(server.url)), workload.task
    release = _text(asked(server, "/api/version"), "version")
    found = _entry(asked(server, "/api/tags"), model)
    if found is None:
        raise HostwrightError(
            f"{server.url} has no model `{model}`", hint="`ollama list` shows those it has"
        )
    details = found.get("details")
    embeds = workload.task != "embed" and _embeds(server, model, found)
    seen = Environment(
        release=release,
        digest=_text(found, "digest"),
        quantisation=_text(details if isinstance(details, dict) else {}, "quantization_level"),
        **_machine(server.url),
    )
    return seen, "embed" if embeds else workload.task


def _embeds(server: Server, model: str, found: Mapping[str, Any]) -> bool:
    """Return whether a model makes vectors and nothing else.

    The newest list of models says so, `/api/show` since 0.6.4, and before only the family does:
    a request for an answer is refused, "does not support generate".
    """
    able = found.get("capabilities")
    if not isinstance(able, list):
        with suppress(HostwrightError):
            able = asked(server, "/api/show", {"model": model}).get("capabilities")
    if isinstance(able, list):
        return "embedding" in able and "completion" not in able
    details = found.get("details")
    return _text(details if isinstance(details, dict) else {}, "family").endswith("bert")


def loaded(environment: Environment, server: Server, model: str) -> Environment:
    """Return the Environment with what the server says of the model in its memory."""
    found = None
    with suppress(HostwrightError):
        found = _entry(asked(server, "/api/ps"), model, environment.digest)
    if found is None:
        return environment
    size, on_gpus, context = (_number(found, k) for k in ("size", "size_vram", "context_length"))
    stays = _stays(_text(found, "expires_at"))
    return replace(environment, size=size, on_gpus=on_gpus, context=context, stays=stays)


def _stays(until: str) -> int:
    """Return the seconds until a time; 0: it is none."""
    try:
        # Go writes nanoseconds, of which Python reads as many digits as there are.
        ends = datetime.fromisoformat(until)
        return round((ends - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return 0


def _machine(url: str) -> dict[str, Any]:
    """Return what this machine is, if the server is on it."""
    from generator.detect.cpu import read_cpu
    from generator.detect.machine import read_memory
    from generator.detect.root import open_root

    if not is_local(host_and_port(url)[0]):
        return {}
    root = open_root(None)
    cpu, _, _ = read_cpu(root)
    return {
        "architecture": cpu.architecture,
        "cpu": cpu.model,
        "cores": cpu.cores,
        "memory": read_memory(root).total,
    }


def _entry(answer: Mapping[str, Any], model: str, digest: str = "") -> dict[str, Any] | None:
    """Return what a list of models says of one; of two names for one file the server lists one."""
    listed = answer.get("models")
    if not isinstance(listed, list):
        raise EnvironmentFailure("no answer of an Ollama server: it lists no models")
    names = {model, f"{model}:latest"}
    for each in listed:
        if isinstance(each, dict) and each.get("name") in names:
            return each
    same = (each for each in listed if isinstance(each, dict) and digest)
    return next((each for each in same if each.get("digest") == digest), None)


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    return value if type(value) is int and 0 <= value < 2**62 else 0
