"""What is watched of a host: scrapes, recordings, alerts and panels, each with its reason. Pure.

An alert that could never fire on this host is not written; `Absent` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from generator.meaning import parse_go_duration
from generator.monitor import Absent, Alert, Collector, Monitor, Receiver, Watched
from generator.resolve.monitor import fronts
from generator.resolve.monitor.alerts import ALERTS
from generator.resolve.monitor.panels import rows
from generator.resolve.monitor.recordings import recordings
from generator.resolve.monitor.scrapes import scrapes
from generator.resolve.monitor.seen import Seen
from generator.units import is_local, tagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.cache import Cache
    from generator.engines.base import Server
    from generator.errors import Problem
    from generator.fit.measured import Measured
    from generator.front import Front
    from generator.host import Host
    from generator.plan import Service
    from generator.profiles.schema import Profile
    from generator.profiles.schema import Receiver as ReceiverTable

LEAST_SECONDS = 15
"""Between two runs of the textfile job: it starts a program or two."""


def monitor_of(
    profile: Profile,
    host: Host,
    server: Server,
    services: tuple[Service, ...],
    front: Front | None,
    cache: Cache | None,
    kept: tuple[tuple[str, str], ...],
    measured: Sequence[Measured],
) -> Monitor | None:
    """Return what is watched; None: the profile does not ask for it, or nobody can be asked.

    `kept` are the models, behind their service, that are loaded at start and for ever; `measured`
    is what is remembered of this very host.
    """
    told = server.told
    if not profile.monitor.enable or told is None:
        return None
    seconds = max(1, parse_go_duration(profile.monitor.interval) // 10**9)
    seen = Seen(
        table=profile.monitor,
        slo=profile.slo,
        host=host,
        told=told,
        services=services,
        front=front,
        store=cache.store if cache else None,
        kept=kept,
        measured=tuple(measured),
        seconds=seconds,
    )
    found = [each for rule in ALERTS for each in rule(seen)]
    recorded, missing = recordings(seen)
    return Monitor(
        seconds=seconds,
        alertmanager=profile.monitor.alertmanager,
        prober=told.alive,
        says=told.says,
        scrapes=scrapes(seen),
        recordings=recorded,
        alerts=tuple(each for each in found if isinstance(each, Alert)),
        absent=(*(each for each in found if isinstance(each, Absent)), *missing),
        follow=fronts.following(seen) if len(services) == 1 else (),
        rows=rows(seen),
        receiver=_receiver(profile.monitor.receiver),
        collector=_collector(seen),
        reason="`[monitor]` of the profile; thresholds come from it, and from `[slo]`.",
    )


def kept(profile: Profile, service: Service) -> tuple[tuple[str, str], ...]:
    """Return the models that are loaded at start, each behind its service, as a server tells it."""
    loaded = {model.name for model in profile.models if model.preload}
    own = (model for model in service.models if model.name in loaded)
    return tuple((service.name, tagged(model.served)) for model in own)


def faults(profile: Profile, services: Sequence[Service]) -> tuple[Problem, ...]:
    """Return what does not go together in the table."""
    return (*_ports(profile, services), *_untold(profile.monitor.receiver))


def _ports(profile: Profile, services: Sequence[Service]) -> Iterator[Problem]:
    """Yield the ports of exporters that others of this host have."""
    from generator.errors import Problem

    table, front, cache = profile.monitor, profile.front, profile.cache
    if not table.enable or not is_local(table.address):
        return
    taken = {one.listen.port: f"the server `{one.name}`" for one in services}
    if front and front.kind != "none":
        taken |= {front.port: "the front", front.metrics_port: "the front's metrics"}
    taken |= {cache.port: "LiteLLM", cache.redis_port: "Redis"} if cache else {}
    for name in ("node", "blackbox", "dcgm", *(["redis"] if cache else [])):
        port = getattr(table, f"{name}_port")
        if port in taken:
            message = f"{port} is that of {taken[port]}"
            yield Problem(f"monitor.{name}_port", message, "choose another one")
        if port is not None:
            taken[port] = f"{name}_exporter"


def _untold(table: ReceiverTable) -> tuple[Problem, ...]:
    """Return the ways to tell people that lack something."""
    from generator.errors import Problem

    needs = {
        "email_to": ("email_from", "smarthost"),
        "email_from": ("email_to",),
        "smarthost": ("email_to",),
        "email_user": ("email_to", "email_password_file"),
        "email_password_file": ("email_to", "email_user"),
        "slack_channel": ("slack_url_file",),
        "webhook_token_file": ("webhook",),
    }
    return tuple(
        Problem(
            f"monitor.receiver.{key}", f"is of no use without `{other}`", f"write `{other}` too"
        )
        for key, others in needs.items()
        if getattr(table, key) is not None
        for other in others
        if getattr(table, other) is None
    )


def _receiver(table: ReceiverTable) -> Receiver:
    return Receiver(**{name: getattr(table, name) or "" for name in Receiver.__dataclass_fields__})


def _cards(seen: Seen) -> Literal["", "nvidia-smi", "amdgpu"]:
    if seen.vendor == "amd":
        return "amdgpu"
    return "nvidia-smi" if seen.vendor == "nvidia" and not seen.dcgm else ""


def _collector(seen: Seen) -> Collector:
    return Collector(
        directory=seen.table.textfile_dir,
        seconds=max(LEAST_SECONDS, seen.seconds),
        cards=_cards(seen),
        watched=tuple(
            Watched(
                service=service.name,
                address=service.listen.address,
                loaded=seen.told.loaded,
                installed=seen.told.installed,
                show=seen.told.show,
                runner=seen.told.runner if seen.tells(service) else "",
                metrics=seen.told.metrics if seen.tells(service) else "",
            )
            for service in seen.services
        ),
    )
