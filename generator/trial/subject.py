"""What is tuned: the values that a machine and a model have, that of the profile, the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.detect.cpu import read_cpu
from generator.detect.root import open_root
from generator.errors import HostwrightError
from generator.live.client import Server, asked, host_and_port
from generator.trial.knob import of_model, values
from generator.trial.memory import Memory, cards
from generator.units import is_local
from generator.verify.served import tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.plan import Plan, Service
    from generator.trial.knob import Knob, Vary


def current_value(service: Service, knob: Knob, model: str) -> int | None:
    """Return the value that the profile has now; None: it leaves that to the server."""
    if knob.option == "num_thread" and service.threads:
        return service.threads
    told = [each.value for each in service.environment if each.key == knob.key]
    for one in service.models:
        if tagged(model) in {tagged(one.served), tagged(one.name)}:
            told += [each.value for each in one.parameters if each.name == knob.option]
    return next((int(text) for text in told if text.isdecimal() and len(text) < 10), None)  # noqa: PLR2004


def values_for(vary: Vary, plan: Plan, url: str, model: str) -> tuple[int, ...]:
    """Return the values to try, by the machine and by what the server says of the model.

    None where nobody tells. Raises as `asked` does.
    """
    shown: Mapping[str, Any] = {}
    if vary in {"gpu_layers", "context"}:
        shown = asked(Server.at(url), "/api/show", {"model": model})
    cores, threads = _processor(plan, url)
    blocks, context = (of_model(shown, key) for key in ("block_count", "context_length"))
    return values(vary, cores=cores, threads=threads, blocks=blocks, context=context)


def _processor(plan: Plan, url: str) -> tuple[int, int]:
    """Return cores and hardware threads of the profile, or of this machine for a server on it."""
    if plan.host.cores:
        return plan.host.cores, plan.host.threads
    if not is_local(host_and_port(url)[0]):
        return 0, 0
    cpu, _, _ = read_cpu(open_root(None))
    return cpu.cores, cpu.threads


def memory_of(plan: Plan, url: str, model: str, share: float) -> Memory:
    """Return the bound of the memory of the GPUs, and what of it others hold now.

    Raises HostwrightError where nobody tells how much there is.
    """
    used, total = cards() if is_local(host_and_port(url)[0]) else (0, 0)
    total = total or sum(gpu.memory for gpu in plan.host.gpus)
    if not total:
        raise HostwrightError(
            "nobody tells how much memory the GPUs have",
            hint="write them into the profile: host.gpus",
        )
    server = Server.at(url)
    blocks = of_model(asked(server, "/api/show", {"model": model}), "block_count")
    listed = _listed(server, "/api/tags")
    files = (one for one in listed if tagged(str(one.get("name", ""))) == tagged(model))
    there = _sum(_listed(server, "/api/ps"), "size_vram")
    return Memory(total, share, _sum(files, "size"), blocks + 1, others=max(used - there, 0))


def _listed(server: Server, path: str) -> list[dict[str, Any]]:
    listed = asked(server, path).get("models")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _sum(models: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(size for one in models if type(size := one.get(key)) is int and size > 0)
