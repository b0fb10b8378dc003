"""What alerts, recordings and panels are decided by, and how they are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.promql import selector
from generator.monitor import Alert, Fired, Label, Series, Trial
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.cache import Store
    from generator.engines.base import Told
    from generator.fit.measured import Measured
    from generator.front import Front
    from generator.host import Host
    from generator.monitor import Severity
    from generator.plan import Service
    from generator.profiles.schema import Monitor as MonitorTable
    from generator.profiles.schema import Slo

JOB: Final = "server"
"""The job that asks whether servers are alive."""
MINUTE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is so of a host: its services, what the profile promises, what was measured on it.

    `kept` are the models, behind their service, that are loaded at start and for ever.
    """

    table: MonitorTable
    slo: Slo
    host: Host
    told: Told
    services: tuple[Service, ...]
    front: Front | None
    store: Store | None
    kept: tuple[tuple[str, str], ...]
    measured: tuple[Measured, ...]
    seconds: int

    @property
    def product(self) -> str:
        """What alerts are called after: the letters of the product."""
        return "".join(filter(str.isalnum, self.services[0].product))

    @property
    def engine(self) -> str:
        """What recordings for people are called after."""
        return self.services[0].engine

    @property
    def model(self) -> str:
        """What a line of a model is called: where several servers have it, with that of each."""
        return "{{model}} on {{service}}" if len(self.services) > 1 else "{{model}}"

    @property
    def vendor(self) -> str:
        """Whose the GPUs are; empty: there is none that computes."""
        return next((s.devices.vendor for s in self.services if s.devices), "")

    @property
    def unified(self) -> bool:
        """Whether the GPUs have no memory of their own."""
        return any(gpu.unified for gpu in self.host.gpus)

    @property
    def dcgm(self) -> bool:
        """Whether NVIDIA's exporter is asked."""
        return self.table.dcgm_port is not None and self.vendor == "nvidia"

    def tells(self, service: Service) -> bool:
        """Return whether the program of a model of that service tells its tokens."""
        return any(setting.name == self.told.variable for setting in service.environment)

    @property
    def tokens(self) -> bool:
        """Whether any does."""
        return any(map(self.tells, self.services))

    def limited(self, name: str) -> list[Service]:
        """Return the services with a limit of that name that is one."""
        limits = ((service, service.limit(name)) for service in self.services)
        return [service for service, limit in limits if limit and limit.value != "infinity"]


def labels(**values: str) -> tuple[Label, ...]:
    """Return labels."""
    return tuple(Label(name=name, value=value) for name, value in values.items())


def series(name: str, values: str, **given: str) -> Series:
    """Return a series that a test reads: its values are in the notation of promtool."""
    return Series(name=selector(name, **given), values=values)


def alert(
    name: str,
    expr: str,
    *,
    seconds: int,
    summary: str,
    todo: str,
    reason: str,
    key: str,
    bad: Sequence[Series],
    good: Sequence[Series],
    minutes: int,
    severity: Severity = "warning",
    value: str = "",
    fires: Sequence[Mapping[str, str]] = ({},),
) -> Alert:
    """Return an alert with its tests: `bad` makes it fire with the labels of `fires`, `good` not.

    `value` is what a template of its summary with `$value` in it becomes.
    """
    fired = tuple(
        Fired(labels=labels(**each), summary=_filled(summary, each, value)) for each in fires
    )
    return Alert(
        name=name,
        expr=expr,
        seconds=seconds,
        severity=severity,
        summary=summary,
        todo=todo,
        reason=reason,
        key=key,
        trials=(
            Trial(series=tuple(bad), minutes=minutes, fired=fired),
            Trial(series=tuple(good), minutes=minutes, fired=()),
        ),
    )


def _filled(template: str, given: Mapping[str, str], value: str) -> str:
    """Return a summary as Prometheus fills it in, for labels that stand alone in their braces."""
    for name, text in given.items():
        template = template.replace(f"{{{{ $labels.{name} }}}}", text)
    head, opened, tail = template.partition("{{ $value")
    return f"{head}{value}{tail.partition('}}')[2]}" if opened else template


def percent(share: float) -> str:
    """Return a percentage as PromQL has a share: `25` is `0.25`."""
    return f"{share / 100:.6g}"
