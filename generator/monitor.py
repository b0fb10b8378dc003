"""What is watched of a host: records of a Plan, decided; plain data, no third party.

Expressions are PromQL, whole. Targets print them; nothing in them is decided there.
"""

from __future__ import annotations

from typing import Literal

from generator.records import dataclass

Severity = Literal["critical", "warning"]
Unit = Literal["s", "bytes", "percentunit", "short", "reqps", "tok/s", "none"]
Shape = Literal["timeseries", "stat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is asked: `address` as a scrape configuration has it, with `labels` for its series."""

    address: str
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """A job of Prometheus: where metrics are. With a `module`, the prober at `via` asks there."""

    job: str
    path: str
    endpoints: tuple[Endpoint, ...]
    module: str = ""
    via: str = ""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A series that is computed, under `name`."""

    name: str
    expr: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What a test has Prometheus read: a series with its labels, and values a minute apart."""

    name: str
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """An alert as a test expects it: its labels beside the rule's own, and its text filled in."""

    labels: tuple[Label, ...]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A test of an alert: what there is, and what of it has fired after `minutes`."""

    series: tuple[Series, ...]
    minutes: int
    fired: tuple[Fired, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule that fires once `expr` has held for `seconds`.

    `summary` is a template of Prometheus, `todo` what to do. `reason` says why this threshold,
    `key` is the one of the profile that sets it.
    """

    name: str
    expr: str
    seconds: int
    severity: Severity
    summary: str
    todo: str
    reason: str
    key: str
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """What is not watched here, and why: it could never fire, or nothing tells of it."""

    what: str
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line of a panel: PromQL, and its name with labels in `{{}}`."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel of the dashboard; `limit` is the threshold drawn in it (0: none)."""

    title: str
    shape: Shape
    unit: Unit
    curves: tuple[Curve, ...]
    text: str
    limit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is told of alerts; secrets are read from files. Empty: not in that way."""

    webhook: str = ""
    webhook_token_file: str = ""
    slack_url_file: str = ""
    slack_channel: str = ""
    email_to: str = ""
    email_from: str = ""
    smarthost: str = ""
    email_user: str = ""
    email_password_file: str = ""

    @property
    def told(self) -> bool:
        """Whether anybody is."""
        return bool(self.webhook or self.slack_url_file or self.email_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the textfile job asks of a service, beside its control group.

    `loaded`, `installed` and `show` are paths of its API (empty: it has none). `runner` is what the
    program of a model is called where that one tells its own metrics, at the path `metrics`.
    """

    service: str
    address: str
    loaded: str
    installed: str
    show: str
    runner: str
    metrics: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """The textfile job: every `seconds` it writes the file `hostwright.prom` in `directory`.

    `cards` says by whom it asks for the memory of GPUs.
    """

    directory: str
    seconds: int
    cards: Literal["", "nvidia-smi", "amdgpu"]
    watched: tuple[Watched, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """What Prometheus, Alertmanager and Grafana are told of a host.

    `seconds` lie between two scrapes. `prober` is the path that answers where a server is alive,
    `says` a text of that answer. While the only server of a host is down, the alerts that `follow`
    are no news, though their series are of no service.
    """

    seconds: int
    alertmanager: str
    prober: str
    says: str
    scrapes: tuple[Scrape, ...]
    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]
    absent: tuple[Absent, ...]
    follow: tuple[str, ...]
    rows: tuple[Row, ...]
    receiver: Receiver
    collector: Collector
    reason: str
