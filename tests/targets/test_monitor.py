"""The folder `monitor` of a bundle, as the programs that read it take it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from generator.engines import load_engine
from generator.errors import ProfileError
from generator.fit.host import host_of
from generator.fit.measured import Measured, machine_of
from generator.profiles.schema import Profile
from generator.readers.plan.view import view_of
from generator.resolve import resolve
from generator.resolve.monitor import monitor_of
from generator.targets import all_files
from tests.consumers import grafana, nix, prometheus
from tests.plans import CATALOGUE, plan

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan

CARD = {"name": "NVIDIA GeForce RTX 3090", "memory": "24GiB"}
RADEON = {"name": "Radeon RX 7900 XTX", "memory": "24GiB"}
GB10 = {"name": "NVIDIA GB10", "memory": "119GiB"}
KEPT: dict[str, Any] = {
    "ollama": {"keep_alive": "-1"},
    "models": [{"name": "qwen3:14b", "preload": True}, {"name": "all-minilm", "preload": True}],
}
TOLD = {
    "webhook": "https://alerts.example.org/in?a=1&b=%7B",
    "webhook_token_file": "/etc/keys/webhook",
    "slack_url_file": "/etc/keys/slack",
    "slack_channel": "#llm_ops",
    "email_to": "ops@example.org",
    "email_from": "host@example.org",
    "smarthost": "mail.example.org:587",
    "email_user": "CORP\\host%x+1",
    "email_password_file": "/etc/keys/mail",
}
HOSTS: dict[str, dict[str, Any]] = {
    "bare": {},
    "cpu": {
        "host": {"memory": "32GiB", "cpu": {"cores": 12, "threads": 24}},
        "resources": {"cpu_quota": "1200%", "memory_max": "20G", "memory_high": "18G"},
        "slo": {"tokens_per_second": 4.5},
    },
    "cards": {"host": {"memory": "64GiB", "gpus": [CARD, CARD]}, **KEPT},
    "dcgm": {"host": {"gpus": [CARD]}, "monitor": {"dcgm_port": 9400, "gpu_percent": 80}},
    "amd": {"host": {"gpus": [RADEON]}, "ollama": {"acceleration": "rocm"}},
    "unified": {"host": {"gpus": [GB10], "unified_memory": True}},
    "told": {"monitor": {"receiver": TOLD}},
    "pair": {
        "host": {"gpus": [CARD, CARD]},
        **KEPT,
        "instances": [
            {"name": "a", "gpus": ["0"]},
            {"name": "b", "gpus": ["1"], "keep_alive": "5m"},
        ],
    },
    "front": {"slo": {"p95": "20s"}, "ollama": {"num_parallel": 4}, "front": {}},
    "fronts": {
        "slo": {"p95": "8s", "ttft": "2s"},
        "ollama": {"num_parallel": 3},
        "models": [{"name": "a/b:1b"}, {"name": "qwen3:14b"}],
        "instances": [{"name": "x", "models": ["a/b:1b"]}, {"name": "y", "models": ["qwen3:14b"]}],
        "front": {"metrics_host": "0.0.0.0"},  # noqa: S104
    },
    "cached": {"models": [{"name": "qwen3:14b"}], "cache": {}, "front": {}},
    "older": {"ollama": {"version": "0.24"}},
    "open": {"ollama": {"host": "::", "port": 11500}},
}


def watched(data: dict[str, Any]) -> Plan:
    return plan({**data, "monitor": {"enable": True, **data.get("monitor", {})}})


def folder_of(decided: Plan, into: Path, target: str = "systemd") -> Path:
    for file in all_files(target, decided):
        path = into / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return into / "monitor"


def alerts(decided: Plan) -> set[str]:
    assert decided.monitor
    return {alert.name for alert in decided.monitor.alerts}


def absent(decided: Plan) -> dict[str, str]:
    assert decided.monitor
    return {each.what: each.reason for each in decided.monitor.absent}


@pytest.mark.parametrize("name", HOSTS)
def test_every_program_takes_its_file(name: str, tmp_path: Path) -> None:
    """Among them promtool runs the tests of the rules: each alert fires, and stays silent."""
    folder = folder_of(watched(HOSTS[name]), tmp_path)
    assert prometheus.complaints(folder) == []


@pytest.mark.parametrize("name", HOSTS)
def test_what_a_host_has_not_raises_no_alert(name: str) -> None:
    """An alert is there or it is said why not."""
    decided = watched(HOSTS[name])
    every = {
        *("OllamaDown", "ScrapeDown", "TextfileStale", "TextfilePartMissing", "OllamaDiskLow"),
        *("OllamaOutOfMemory", "OllamaRestarting"),
        *("OllamaModelNotLoaded", "OllamaGpuLost", "GpuMemoryNearFull", "GpuMissing", "GpuFault"),
        *("OllamaTokensSlow", "OllamaDegraded", "OllamaCpuThrottled", "OllamaMemoryNearMax"),
        *("OllamaMemoryReclaimed", "OllamaQueueing", "OllamaShedding", "OllamaFirstByteSlow"),
        *("OllamaAnswerSlow", "FrontMissing"),
    }
    assert alerts(decided) | absent(decided).keys() >= every
    assert not alerts(decided) & absent(decided).keys()
    assert all(absent(decided).values())


GPU = {"OllamaGpuLost", "GpuMemoryNearFull", "GpuMissing"}


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("bare", set()),
        ("cpu", {"OllamaCpuThrottled", "OllamaMemoryReclaimed", "OllamaTokensSlow"}),
        ("cards", {*GPU, "OllamaModelNotLoaded"}),
        ("dcgm", {*GPU, "GpuFault"}),
        ("amd", GPU),
        ("unified", GPU - {"GpuMemoryNearFull"}),
    ],
)
def test_alerts_are_those_that_can_fire(name: str, there: set[str]) -> None:
    some = {*GPU, "GpuFault", "OllamaCpuThrottled", "OllamaMemoryReclaimed", "OllamaTokensSlow"}
    assert alerts(watched(HOSTS[name])) & {*some, "OllamaModelNotLoaded"} == there


def test_a_model_that_may_go_is_not_missed() -> None:
    for changes in ({"ollama": {"keep_alive": "24h"}}, {"models": [{"name": "qwen3:14b"}]}):
        assert "OllamaModelNotLoaded" in absent(watched({**KEPT, **changes}))


def test_a_model_is_named_as_the_server_names_it() -> None:
    decided = watched({**KEPT, "monitor": {}})
    assert decided.monitor
    (alert,) = (each for each in decided.monitor.alerts if each.name == "OllamaModelNotLoaded")
    assert 'model="all-minilm:latest"' in alert.expr


def test_of_several_servers_each_is_named() -> None:
    """One that lets its models go is not missed."""
    decided = watched(HOSTS["pair"])
    assert decided.monitor
    (alert,) = (each for each in decided.monitor.alerts if each.name == "OllamaModelNotLoaded")
    assert 'service="a",model="qwen3:14b"' in alert.expr
    assert 'service="b"' not in alert.expr
    (probe,) = (each for each in decided.monitor.scrapes if each.module)
    asked = [(one.address, one.labels[0].value) for one in probe.endpoints]
    version = "http://127.0.0.1:{}/api/version"
    assert asked == [(version.format(11434), "a"), (version.format(11435), "b")]
    assert {one.service for one in decided.monitor.collector.watched} == {"a", "b"}


FRONTS = {"OllamaQueueing", "OllamaShedding", "OllamaFirstByteSlow", "OllamaAnswerSlow"}


def test_the_queue_is_what_waits_for_slots() -> None:
    decided = watched(HOSTS["front"])
    assert alerts(decided) >= {*FRONTS, "FrontMissing"}
    assert decided.monitor
    exprs = {alert.name: alert.expr for alert in decided.monitor.alerts}
    assert exprs["OllamaQueueing"] == 'haproxy_backend_current_queue{proxy="ollama"} > 4'
    assert "> 20 and" in exprs["OllamaAnswerSlow"]
    asked = watched({**HOSTS["front"], "monitor": {"queue": 9, "ttft": "3s"}})
    assert asked.monitor
    exprs = {alert.name: alert.expr for alert in asked.monitor.alerts}
    assert exprs["OllamaQueueing"].endswith("> 9")
    assert "> 3 and" in exprs["OllamaFirstByteSlow"]


def test_each_set_of_models_has_a_queue() -> None:
    decided = watched(HOSTS["fronts"])
    assert decided.front
    assert decided.monitor
    (alert,) = (each for each in decided.monitor.alerts if each.name == "OllamaQueueing")
    assert len(decided.front.backends) == 2
    for backend in decided.front.backends:
        assert f'{{proxy="{backend.name}"}} > 3' in alert.expr
    (scrape,) = (each for each in decided.monitor.scrapes if each.job == "front")
    assert scrape.endpoints[0].address == "127.0.0.1:8405"
    assert decided.monitor.follow == ()


def caddy(data: dict[str, Any]) -> Plan:
    """Return the Plan of a host whose front is Caddy, as far as its monitor is concerned."""
    decided = watched(data)
    assert decided.front
    profile = Profile.model_validate(
        {"schema_version": 1, "name": "test", **data, "monitor": {"enable": True}}, strict=False
    )
    front = replace(decided.front, kind="caddy")
    server = load_engine("ollama").SERVER
    monitor = monitor_of(profile, decided.host, server, decided.services, front, None, (), ())
    return replace(decided, front=front, monitor=monitor)


@pytest.mark.parametrize(
    ("slo", "there"),
    [
        (
            {"ttft": "2s", "p95": "8s"},
            {"OllamaShedding", "OllamaFirstByteSlow", "OllamaAnswerSlow"},
        ),
        ({"p95": "20s"}, {"OllamaShedding", "OllamaFirstByteSlow"}),
        ({"ttft": "11s"}, {"OllamaShedding"}),
    ],
)
def test_caddy_has_histograms_and_no_queue(
    slo: dict[str, str], there: set[str], tmp_path: Path
) -> None:
    """What is slower than its last bucket cannot be seen."""
    decided = caddy({"slo": slo, "front": {}})
    assert alerts(decided) & {*FRONTS, "FrontMissing"} == there
    folder = folder_of(replace(decided, front=None), tmp_path)
    assert prometheus.complaints(folder) == []
    board = json.loads((folder / "dashboard.json").read_text())
    exprs = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    assert any("caddy_http_response_duration_seconds_bucket" in expr for expr in exprs)
    assert prometheus.unparsed(exprs, tmp_path) == []


@pytest.mark.parametrize("auth", ["bearer", "basic"])
def test_what_caddy_counts_as_errors_alone_is_seen(auth: str, tmp_path: Path) -> None:
    decided = caddy({"front": {"auth": auth, "auth_file": "/etc/hostwright/front.keys"}})
    assert decided.monitor
    (expr,) = (a.expr for a in decided.monitor.alerts if a.name == "OllamaShedding")
    # A wrong password is an error of Caddy as well.
    assert ("caddy_http_request_errors_total" in expr) == (auth == "bearer")
    assert prometheus.complaints(folder_of(replace(decided, front=None), tmp_path)) == []


def test_a_server_without_gpus_has_lost_none(tmp_path: Path) -> None:
    pair = [{"name": "card", "gpus": ["0"]}, {"name": "none", "gpus": []}]
    decided = watched({"host": {**HOSTS["cpu"]["host"], "gpus": [CARD]}, "instances": pair})
    assert decided.monitor
    (expr,) = (a.expr for a in decided.monitor.alerts if a.name == "OllamaGpuLost")
    assert 'hostwright_model_vram_bytes{service=~"card"}' in expr
    assert prometheus.complaints(folder_of(decided, tmp_path)) == []


def test_while_the_only_server_is_down_its_front_is_no_news(tmp_path: Path) -> None:
    text = (folder_of(watched(HOSTS["front"]), tmp_path) / "alertmanager.yml").read_text()
    rules = yaml.safe_load(text)["inhibit_rules"]
    assert rules[1]["target_matchers"] == [
        'alertname=~"OllamaQueueing|OllamaShedding|OllamaFirstByteSlow|OllamaAnswerSlow"'
    ]


def test_an_older_release_tells_no_tokens() -> None:
    newer, older = watched(HOSTS["cpu"]), watched({**HOSTS["cpu"], **HOSTS["older"]})
    assert "OllamaTokensSlow" in absent(older)
    metrics = "LLAMA_ARG_ENDPOINT_METRICS"
    assert metrics in {each.name for each in newer.service.environment}
    assert metrics not in {each.name for each in older.service.environment}
    assert metrics not in {each.name for each in plan(HOSTS["cpu"]).service.environment}
    declined = watched({**HOSTS["cpu"], "monitor": {"runner_metrics": False}})
    assert "OllamaTokensSlow" in absent(declined)
    assert metrics not in {each.name for each in declined.service.environment}


def test_thresholds_are_those_of_the_profile() -> None:
    data = {
        **HOSTS["cpu"],
        "host": {**HOSTS["cpu"]["host"], "gpus": [CARD]},
        "slo": {"vram_percent": 85, "tokens_per_second": 20},
        "monitor": {"throttled_percent": 5, "memory_percent": 80, "disk_percent": 7.5},
    }
    decided = watched(data)
    assert decided.monitor
    exprs = {alert.name: alert.expr for alert in decided.monitor.alerts}
    assert exprs["OllamaCpuThrottled"].endswith("> 0.05")
    assert exprs["OllamaMemoryNearMax"].endswith("> 0.8")
    assert "< 0.075 or" in exprs["OllamaDiskLow"]
    assert exprs["GpuMemoryNearFull"].endswith("> 0.85")
    assert exprs["OllamaTokensSlow"].endswith("< 20")


def test_who_is_told_stands_in_no_clear_text(tmp_path: Path) -> None:
    folder = folder_of(watched(HOSTS["told"]), tmp_path)
    assert prometheus.told(folder, "severity=critical", "alertname=OllamaDown") == "operators"
    found = yaml.safe_load((folder / "alertmanager.yml").read_text())["receivers"][0]
    assert found["slack_configs"][0]["channel"] == TOLD["slack_channel"]
    assert found["email_configs"][0]["auth_username"] == TOLD["email_user"]
    http = found["webhook_configs"][0]["http_config"]
    assert http["authorization"]["credentials_file"] == TOLD["webhook_token_file"]


def test_nobody_who_is_told_is_said(tmp_path: Path) -> None:
    text = (folder_of(watched({}), tmp_path) / "alertmanager.yml").read_text()
    assert "# Nobody is told" in text


@pytest.mark.parametrize("name", HOSTS)
def test_the_dashboard_asks_what_prometheus_can_read(name: str, tmp_path: Path) -> None:
    board = json.loads((folder_of(watched(HOSTS[name]), tmp_path) / "dashboard.json").read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    exprs = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(exprs) >= len(panels) > 0
    assert not any("$" in expr for expr in exprs)
    assert prometheus.unparsed(exprs, tmp_path) == []
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in board["panels"]]
    cells = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(cells) == len({*cells})
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_grafana_knows_each_key_of_the_dashboard_and_tells_of_others(tmp_path: Path) -> None:
    boards = {
        name: (folder_of(watched(HOSTS[name]), tmp_path / name) / "dashboard.json").read_text()
        for name in ("bare", "cards", "fronts")
    }
    odd = boards["bare"].replace('"gridPos"', '"gridpos"', 1)
    boards["odd"] = odd.replace('"refresh": "30s"', '"refresh": 30')
    told = grafana.complaints(boards, tmp_path)
    assert len(told.pop("odd")) == 2
    assert told == {"bare": [], "cards": [], "fronts": []}


def test_ports_of_exporters_are_nobody_elses() -> None:
    data = {
        "monitor": {"enable": True, "node_port": 11434, "blackbox_port": 8405},
        "front": {},
    }
    with pytest.raises(ProfileError) as caught:
        plan(data)
    assert [(p.where, p.message) for p in caught.value.problems] == [
        ("monitor.node_port", "11434 is that of the server `ollama`"),
        ("monitor.blackbox_port", "8405 is that of the front's metrics"),
    ]
    away = {**data["monitor"], "address": "192.0.2.1"}
    assert plan({**data, "monitor": away}).monitor
    with pytest.raises(ProfileError) as caught:
        plan({"monitor": {"enable": True, "dcgm_port": 9115}})
    assert [p.message for p in caught.value.problems] == ["9115 is that of blackbox_exporter"]


def test_what_does_not_go_together_is_refused() -> None:
    asked = {"enable": True, "receiver": {"email_to": "a@b.org", "slack_channel": "#x"}}
    with pytest.raises(ProfileError) as caught:
        plan({"monitor": asked})
    assert [(p.where, p.message) for p in caught.value.problems] == [
        ("monitor.receiver.email_to", "is of no use without `email_from`"),
        ("monitor.receiver.email_to", "is of no use without `smarthost`"),
        ("monitor.receiver.slack_channel", "is of no use without `slack_url_file`"),
    ]


@pytest.mark.parametrize("target", ["systemd", "compose", "quadlet", "nixos"])
def test_every_bundle_has_the_same_rules(target: str, tmp_path: Path) -> None:
    """What tells of a service is the target's: its unit or its container."""
    decided = watched(HOSTS["cards"])
    folder = folder_of(decided, tmp_path / target, target)
    own = folder_of(decided, tmp_path / "own")
    for name in ("prometheus.yml", "prometheus-rules.yml", "alertmanager.yml", "dashboard.json"):
        assert (folder / name).read_text() == (own / name).read_text()
    (found,) = json.loads((folder / "textfile.json").read_text())["services"]
    assert found["service"] == "ollama"
    assert bool(found["container"]) is (target in {"compose", "quadlet"})
    assert bool(found["unit"]) is (target != "compose")


def test_without_the_table_nothing_is_written(tmp_path: Path) -> None:
    for target in ("systemd", "compose", "quadlet", "nixos"):
        assert not [f for f in all_files(target, plan({})) if f.path.startswith("monitor")]


def decided_with(*found: Measured) -> Plan:
    data = {"schema_version": 1, "name": "test", **HOSTS["cards"], "monitor": {"enable": True}}
    profile = Profile.model_validate(data, strict=False)
    return resolve(profile, CATALOGUE, source="test.toml", measured=found)


def test_slow_is_what_is_slow_for_this_host(tmp_path: Path) -> None:
    """What was measured elsewhere, or of a model that is not served, says nothing."""
    here = machine_of(host_of(view_of(watched(HOSTS["cards"]))))
    elsewhere = decided_with(measured(90.0, "another machine"))
    assert "is remembered" in absent(elsewhere)["OllamaDegraded"]
    known = decided_with(measured(42.0, here))
    assert known.monitor
    (alert,) = (each for each in known.monitor.alerts if each.name == "OllamaDegraded")
    assert alert.expr.endswith('{service="ollama",model="qwen3:14b"} < 21')
    assert prometheus.complaints(folder_of(known, tmp_path)) == []


def measured(decode: float, machine: str) -> Measured:
    return Measured(
        model="qwen3:14b", quantisation="Q4_K_M", digest="", release="0.32.15", machine=machine,
        date="2026-11-01", requests=8, slots=1, context=4096, cache_type="f16", depth=200,
        decode=decode, low=decode - 1, high=decode + 1, prompt=900.0, size=1, on_gpus=1, load=2.0,
    )  # fmt: skip


STUB = """
{ file }:
let
  given = import file {
    lib = { mkDefault = value: value; mkIf = test: value: if test then value else null; };
    config.services.grafana.enable = true;
    pkgs = { python3 = "/python"; writeTextDir = name: text: text; };
  };
  inherit (given.services) prometheus grafana;
in
{
  scrape_configs = prometheus.scrapeConfigs;
  global = prometheus.globalConfig;
  rules = map toString prometheus.ruleFiles;
  alertmanager = prometheus.alertmanager.configText;
  alerting.alertmanagers = prometheus.alertmanagers;
  flags = prometheus.exporters.node.extraFlags;
  board = (builtins.head grafana.provision.dashboards.settings.providers).options.path;
  rules_of_tmpfiles = given.systemd.tmpfiles.rules;
}
"""


@pytest.mark.parametrize("name", ["cards", "front", "told"])
def test_nixos_is_told_the_same_by_its_own_options(name: str, tmp_path: Path) -> None:
    folder = folder_of(watched(HOSTS[name]), tmp_path, "nixos")
    told = nix.ask(STUB, {"file": str(folder / "monitor.nix")})
    plain = yaml.safe_load((folder / "prometheus.yml").read_text())
    for part in ("scrape_configs", "global", "alerting"):
        assert told[part] == plain[part]
    assert told["rules"] == [str(folder / "prometheus-rules.yml")]
    assert told["alertmanager"] == (folder / "alertmanager.yml").read_text()
    assert told["board"] == (folder / "dashboard.json").read_text()
    directory = json.loads((folder / "textfile.json").read_text())["directory"]
    assert told["flags"] == [f"--collector.textfile.directory={directory}"]
    assert told["rules_of_tmpfiles"] == [f"d {directory} 0755 root root"]
    assert not list(folder.glob("*.service"))
