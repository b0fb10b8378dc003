"""Where Prometheus reads metrics of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.monitor import Endpoint, Scrape
from generator.resolve.monitor import fronts
from generator.resolve.monitor.seen import JOB, labels
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.resolve.monitor.seen import Seen


EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- where others listen


def scrapes(seen: Seen) -> tuple[Scrape, ...]:
    """Return the jobs."""
    return tuple(_scrapes(seen))


def _scrapes(seen: Seen) -> Iterator[Scrape]:
    table = seen.table
    yield Scrape(
        job=JOB,
        path="/probe",
        module="server",
        via=address(table.address, table.blackbox_port),
        endpoints=tuple(
            Endpoint(
                address=f"http://{service.listen.address}{seen.told.alive}",
                labels=labels(service=service.name),
            )
            for service in seen.services
        ),
        reason="Whether each server answers, asked by blackbox_exporter; no model is loaded by it.",
    )
    if seen.told.own:
        yield Scrape(
            job="engine",
            path=seen.told.own,
            endpoints=tuple(
                Endpoint(address=service.listen.address, labels=labels(service=service.name))
                for service in seen.services
            ),
            reason="What each server tells of itself: who waits, who runs, its cache.",
        )
    yield Scrape(
        job="node",
        path="/metrics",
        endpoints=(Endpoint(address=address(table.address, table.node_port)),),
        reason="The machine, and what the textfile job writes of models, memory and GPUs.",
    )
    if seen.front:
        own = seen.front.metrics_host
        host = table.address if own in EVERYWHERE else own
        yield Scrape(
            job=fronts.JOB,
            path="/metrics",
            endpoints=(Endpoint(address=address(host, seen.front.metrics_port)),),
            reason="The front: who waits, how long, and who is sent away.",
        )
    if seen.store:
        yield Scrape(
            job="redis",
            path="/metrics",
            endpoints=(Endpoint(address=address(table.address, table.redis_port)),),
            reason="The Redis of the cache, by redis_exporter, whose -redis.addr is "
            f"redis://127.0.0.1:{seen.store.port}.",
        )
    if seen.dcgm:
        yield Scrape(
            job="dcgm",
            path="/metrics",
            endpoints=(Endpoint(address=address(table.address, table.dcgm_port or 0)),),
            reason="GPUs; names of metrics are those of dcgm_exporter before 4.9.",
        )
