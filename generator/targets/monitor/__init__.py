"""What is watched of a host, as files of Prometheus, Alertmanager, its exporters and Grafana.

Every target puts the same files into the folder `monitor`; only how the textfile job finds a
service is the target's own. The rules alone are for whoever has another Prometheus: `rule_groups`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.data import to_json
from generator.formats.promql import any_of, plain_template
from generator.formats.template import render_template, shipped_text
from generator.formats.text import Commented, comment
from generator.formats.unit import Entry, Section, exec_line, specifier_escape, unit_text
from generator.formats.yaml import to_yaml
from generator.records import dataclass
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.monitor import Alert, Label, Monitor, Panel, Receiver, Scrape, Trial
    from generator.plan import Plan

FOLDER: Final = "monitor"
RULES: Final = "prometheus-rules.yml"
NAME: Final = "hostwright-monitor"
SCRIPT: Final = "/usr/local/lib/hostwright/textfile.py"
CONFIG: Final = "/etc/hostwright/textfile.json"
_WIDTH: Final = 24
"""Columns of a dashboard of Grafana, ..."""
_PANELS: Final = 4
"""... and panels beside each other in a row."""
_SEVERE: Final = 'severity="critical"'
_UNITS: Final = {"tok/s": "suffix: tok/s"}
SANDBOX: Final = (
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("ProtectKernelModules", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
)
"""What the textfile job may not do."""
_NOBODY: Final = "Nobody is told: `[monitor.receiver]` of the profile names nobody."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How the textfile job finds a service, and where the server has its models.

    `container` is the name of the container that it runs in (empty: none does).
    """

    service: str
    manager: str
    unit: str
    container: str = ""
    of_a_user: bool = False
    models: str


def monitor_files(plan: Plan, found: Iterable[Found], *, units: bool = True) -> tuple[File, ...]:
    """Return the folder; nothing where the profile does not ask for it.

    Without `units` somebody else runs the textfile job.
    """
    monitor = plan.monitor
    if monitor is None:
        return ()
    known = {each.service: each for each in found}
    texts = {
        "prometheus.yml": _headed(plan, prometheus(monitor)),
        RULES: _headed(plan, {"groups": rule_groups(monitor)}, *_left_out(monitor)),
        "prometheus-rules_test.yml": _headed(plan, _tests(monitor)),
        "alertmanager.yml": _headed(plan, alertmanager(monitor)),
        "blackbox.yml": _headed(plan, blackbox(monitor)),
        "dashboard.json": to_json(dashboard(plan, monitor)),
        "textfile.json": to_json(textfile(plan, monitor, known)),
        **(_units(plan, monitor, known.values()) if units else {}),
        "README.md": render_template(
            "monitor/README.md.jinja",
            plan=plan,
            monitor=monitor,
            of_a_user=any(each.of_a_user for each in known.values()),
            script=SCRIPT,
            config=CONFIG,
            unit=NAME if units else "",
        ),
    }
    script = File(
        f"{FOLDER}/textfile.py",
        shipped_text("monitor/textfile.py"),
        executable=True,
        static=True,
    )
    return (*(File(f"{FOLDER}/{name}", text) for name, text in texts.items()), script)


def _headed(plan: Plan, document: Mapping[str, Any], *more: str) -> str:
    above = [line for text in (*plan.header, *more) for line in comment(text)]
    return "\n".join([*above, to_yaml(document)])


def _left_out(monitor: Monitor) -> Iterator[str]:
    for each in monitor.absent:
        yield f"Not here: {each.what}, as {each.reason}" + (
            f" (`{each.key}`)." if each.key else "."
        )


def _labels(labels: Iterable[Label]) -> dict[str, Any]:
    return {label.name: label.value for label in labels}


# ── Prometheus ────────────────────────────────────────────────────────────────────────────────────


def prometheus(monitor: Monitor) -> dict[str, Any]:
    """Return what Prometheus reads."""
    span = f"{monitor.seconds}s"
    return {
        "global": Commented({"scrape_interval": span, "evaluation_interval": span}, monitor.reason),
        "rule_files": [RULES],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [monitor.alertmanager]}]}]},
        "scrape_configs": [Commented(scrape(each), each.reason) for each in monitor.scrapes],
    }


def scrape(each: Scrape) -> dict[str, Any]:
    """Return one job of Prometheus."""
    static = [
        {"targets": [one.address], **({"labels": _labels(one.labels)} if one.labels else {})}
        for one in each.endpoints
    ]
    document: dict[str, Any] = {"job_name": each.job, "metrics_path": each.path}
    if not each.module:
        return {**document, "static_configs": static}
    return {
        **document,
        "params": {"module": [each.module]},
        "static_configs": static,
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": each.via},
        ],
    }


def blackbox(monitor: Monitor) -> dict[str, Any]:
    """Return how blackbox_exporter asks a server."""
    http = {
        "method": "GET",
        "valid_status_codes": [200],
        "fail_if_body_not_matches_regexp": [monitor.says],
        "follow_redirects": False,
    }
    asked = f"A GET of {monitor.prober}, which loads no model."
    module = {"prober": "http", "timeout": "5s", "http": http}
    return {"modules": {"server": Commented(module, asked)}}


def rule_groups(monitor: Monitor) -> list[dict[str, Any]]:
    """Return the groups of rules, as Prometheus and its operator read them."""
    recordings = [
        Commented(
            {"record": each.name, "expr": each.expr},
            each.reason,
        )
        for each in monitor.recordings
    ]
    alerts = [Commented(_alert(each), each.reason) for each in monitor.alerts]
    groups = (("hostwright-recordings", recordings), ("hostwright-alerts", alerts))
    return [{"name": name, "rules": rules} for name, rules in groups if rules]


def _alert(each: Alert) -> dict[str, Any]:
    return {
        "alert": each.name,
        "expr": each.expr,
        **({"for": f"{each.seconds}s"} if each.seconds else {}),
        "labels": {"severity": each.severity},
        "annotations": {"summary": each.summary, "todo": plain_template(each.todo)},
    }


def _tests(monitor: Monitor) -> dict[str, Any]:
    """Return what `promtool test rules` runs: each alert fires, and each stays silent."""
    return {
        "rule_files": [RULES],
        "evaluation_interval": "1m",
        "tests": [
            _test(alert, trial, fires=bool(trial.fired))
            for alert in monitor.alerts
            for trial in alert.trials
        ],
    }


def _test(alert: Alert, trial: Trial, *, fires: bool) -> Commented:
    expected = [
        {
            "exp_labels": {**_labels(one.labels), "severity": alert.severity},
            "exp_annotations": {"summary": one.summary, "todo": alert.todo},
        }
        for one in trial.fired
    ]
    document = {
        "interval": "1m",
        "input_series": [{"series": one.name, "values": one.values} for one in trial.series],
        "alert_rule_test": [
            {
                "eval_time": f"{trial.minutes}m",
                "alertname": alert.name,
                **({"exp_alerts": expected} if fires else {}),
            }
        ],
    }
    return Commented(document, f"{alert.name} {'fires' if fires else 'stays silent'}.")


# ── Alertmanager ──────────────────────────────────────────────────────────────────────────────────


def alertmanager(monitor: Monitor) -> dict[str, Any]:
    """Return who is told of what; while a server is down, nothing else is said of it."""
    receiver, told = "operators", monitor.receiver.told
    down = next(alert.name for alert in monitor.alerts)
    route = {
        "receiver": receiver,
        "group_by": ["alertname", "service"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "12h",
        "routes": [
            {
                "matchers": [_SEVERE],
                "receiver": receiver,
                "group_wait": "5s",
                "repeat_interval": "1h",
            }
        ],
    }
    inhibit = {
        "source_matchers": [f'alertname="{down}"'],
        "target_matchers": [f'alertname!="{down}"'],
        "equal": ["service"],
    }
    rules = [Commented(inhibit, "Of a server that is down, nothing else is news.")]
    if monitor.follow:
        those = f"alertname=~{any_of(*monitor.follow)}"
        follow = {"source_matchers": [f'alertname="{down}"'], "target_matchers": [those]}
        rules.append(Commented(follow, "Nor is what its front says: it has no other server."))
    who = {"name": receiver, **_receiver(monitor.receiver)}
    return {
        "route": route,
        "receivers": [Commented(who, "" if told else _NOBODY)],
        "inhibit_rules": rules,
    }


def _receiver(told: Receiver) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if told.webhook:
        token = {"type": "Bearer", "credentials_file": told.webhook_token_file}
        given = {"http_config": {"authorization": token}} if told.webhook_token_file else {}
        found["webhook_configs"] = [{"url": told.webhook, "send_resolved": True, **given}]
    if told.slack_url_file:
        channel = {"channel": told.slack_channel} if told.slack_channel else {}
        slack = {"api_url_file": told.slack_url_file, "send_resolved": True, **channel}
        found["slack_configs"] = [slack]
    if told.email_to:
        login = {"auth_username": told.email_user, "auth_password_file": told.email_password_file}
        mail = {"to": told.email_to, "from": told.email_from, "smarthost": told.smarthost}
        found["email_configs"] = [
            {**mail, "send_resolved": True, **(login if told.email_user else {})}
        ]
    return found


# ── Grafana ───────────────────────────────────────────────────────────────────────────────────────


def dashboard(plan: Plan, monitor: Monitor) -> dict[str, Any]:
    """Return a dashboard of Grafana; its source of data is chosen above it."""
    return {
        "uid": f"hostwright-{plan.name}"[:40],
        "title": f"Hostwright: {plan.name}",
        "description": " ".join(plan.header),
        "tags": ["hostwright"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": list(_panels(monitor)),
    }


def _panels(monitor: Monitor) -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for row in monitor.rows:
        number += 1
        place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "gridPos": place, "panels": []}
        top += 1
        across = min(_PANELS, len(row.panels))
        for at, panel in enumerate(row.panels):
            number += 1
            wide, high = _WIDTH // across, 8
            x, y = at % across * wide, top + at // across * high
            yield {"id": number, **_panel(panel), "gridPos": {"x": x, "y": y, "w": wide, "h": high}}
        top += -(-len(row.panels) // across) * 8


def _panel(panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${source}"}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.limit:
        steps.append({"color": "red", "value": panel.limit})
    line = {"custom": {"thresholdsStyle": {"mode": "line"}}} if panel.limit else {}
    most = {"min": 0, "max": 1} if panel.unit == "percentunit" else {"min": 0}
    return {
        "type": panel.shape,
        "title": panel.title,
        "description": panel.text,
        "datasource": source,
        "targets": [
            {"refId": chr(ord("A") + at), "expr": curve.expr, "legendFormat": curve.legend}
            for at, curve in enumerate(panel.curves)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": _UNITS.get(panel.unit, panel.unit),
                **most,
                "thresholds": {"mode": "absolute", "steps": steps},
                **line,
            },
            "overrides": [],
        },
        "options": {},
    }


# ── The textfile job ──────────────────────────────────────────────────────────────────────────────


def textfile(plan: Plan, monitor: Monitor, found: Mapping[str, Found]) -> dict[str, Any]:
    """Return what the script reads."""
    job = monitor.collector
    return {
        "header": plan.header,
        "directory": job.directory,
        "cards": job.cards,
        "services": [
            {
                "service": each.service,
                "manager": found[each.service].manager,
                "unit": found[each.service].unit,
                "container": found[each.service].container,
                "user": found[each.service].of_a_user,
                "models": found[each.service].models,
                "address": each.address,
                "loaded": each.loaded,
                "installed": each.installed,
                "show": each.show,
                "runner": each.runner,
                "metrics": each.metrics,
            }
            for each in job.watched
        ],
    }


def _units(plan: Plan, monitor: Monitor, found: Iterable[Found]) -> dict[str, str]:
    service, timer = _service(plan, monitor, found), _timer(plan, monitor)
    return {f"{NAME}.service": service, f"{NAME}.timer": timer}


def _service(plan: Plan, monitor: Monitor, found: Iterable[Found]) -> str:
    """Return the unit of the script: it reads what others run, and writes one directory."""
    boxes = [each for each in found if each.container]
    user = any(each.of_a_user for each in boxes)
    enters = boxes and any(each.runner for each in monitor.collector.watched)
    rights = ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", *(["CAP_SYS_ADMIN"] if enters else [])]
    why = "Directories of servers, and their processes" + (
        "; a network namespace is entered with the last." if enters else "."
    )
    entries = [
        Entry("Type", "oneshot"),
        Entry("ExecStart", exec_line(["/usr/bin/python3", SCRIPT, CONFIG])),
        Entry("TimeoutStartSec", "60"),
        *([] if user else [Entry("CapabilityBoundingSet", " ".join(rights), why)]),
        Entry("NoNewPrivileges", "yes"),
        *([] if user else _sandbox(monitor)),
    ]
    unit = [
        Entry("Description", "What node_exporter does not tell of models, memory and GPUs"),
        Entry("Documentation", "https://github.com/prometheus/node_exporter#textfile-collector"),
    ]
    return unit_text(_whose(plan), [Section("Unit", unit), Section("Service", entries)])


def _sandbox(monitor: Monitor) -> Sequence[Entry]:
    return (
        Entry(
            "ReadWritePaths",
            specifier_escape(monitor.collector.directory),
            "It writes there, and nowhere else.",
        ),
        *(Entry(name, value) for name, value in SANDBOX),
    )


def _timer(plan: Plan, monitor: Monitor) -> str:
    span = f"{monitor.collector.seconds}s"
    timer = [
        Entry("OnBootSec", span),
        Entry("OnUnitInactiveSec", span),
        Entry("AccuracySec", "1s", "systemd would wait up to a minute for company."),
    ]
    sections = [
        Section("Unit", [Entry("Description", "Tells of models, memory and GPUs")]),
        Section("Timer", timer),
        Section("Install", [Entry("WantedBy", "timers.target")]),
    ]
    return unit_text(_whose(plan), sections)


def _whose(plan: Plan) -> Sequence[str]:
    """Return what a unit that runs no server begins with: not which server the rest is for."""
    return plan.header[:1]
