"""The folder `monitor` on NixOS: a module that sets upstream's options and reads the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.nix import Call, Interpolated, Raw, to_nix
from generator.formats.text import Commented, comment
from generator.targets.base import File
from generator.targets.monitor import FOLDER, NAME, RULES, SANDBOX, scrape

if TYPE_CHECKING:
    from generator.monitor import Monitor, Scrape
    from generator.plan import Plan

_HEAD: Final = """\
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault mkIf;
in"""
_PROGRAMS: Final = "systemctl, and the programs of drivers, where NixOS has them."
_WRITES: Final = "What the textfile job writes, node_exporter reads."
_FLAG: Final = "--collector.textfile.directory="


def nixos_module(plan: Plan) -> tuple[File, ...]:
    """Return `monitor.nix`; nothing where the profile does not ask to be watched."""
    monitor = plan.monitor
    if monitor is None:
        return ()
    above = [line for text in plan.header for line in comment(text)]
    document = {
        ("services", "prometheus"): _prometheus(monitor),
        ("services", "grafana", "provision"): _grafana(),
        ("systemd", "services", NAME): _job(monitor),
        ("systemd", "timers", NAME): _timer(monitor),
        ("systemd", "tmpfiles", "rules"): [f"d {monitor.collector.directory} 0755 root root"],
    }
    parts = {path: Commented(value, "", gap=True) for path, value in document.items()}
    return (File(f"{FOLDER}/monitor.nix", "\n".join([*above, _HEAD, to_nix(parts), ""])),)


def _soft(value: Any, reason: str = "") -> Any:  # noqa: ANN401 -- a document value
    call = Call("mkDefault", value)
    return Commented(call, reason) if reason else call


def _prometheus(monitor: Monitor) -> dict[str, Any]:
    span = f"{monitor.seconds}s"
    host, _, port = monitor.alertmanager.rpartition(":")
    own = {"port": _soft(int(port))} if host in {"127.0.0.1", "localhost", "[::1]"} else {}
    ports = {each.job: _port(each) for each in monitor.scrapes}
    return {
        "enable": _soft(value=True, reason=monitor.reason),
        "globalConfig": {"scrape_interval": _soft(span), "evaluation_interval": _soft(span)},
        "ruleFiles": [Raw(f"./{RULES}")],
        "alertmanagers": [{"static_configs": [{"targets": [monitor.alertmanager]}]}],
        "scrapeConfigs": [Commented(scrape(each), each.reason) for each in monitor.scrapes],
        "alertmanager": {
            "enable": _soft(value=bool(own)),
            **own,
            "configText": Raw("builtins.readFile ./alertmanager.yml"),
        },
        "exporters": {
            "node": {
                "enable": _soft(value=True),
                "port": _soft(ports["node"]),
                "extraFlags": Commented([f"{_FLAG}{monitor.collector.directory}"], _WRITES),
            },
            "blackbox": {
                "enable": _soft(value=True),
                "port": _soft(ports["server"]),
                "configFile": Raw("./blackbox.yml"),
            },
        },
    }


def _port(each: Scrape) -> int:
    """Return the port of who is asked: the prober, where there is one."""
    return int((each.via or each.endpoints[0].address).rpartition(":")[2])


def _grafana() -> Call:
    board = Raw('pkgs.writeTextDir "hostwright.json" (builtins.readFile ./dashboard.json)')
    providers = [{"name": "hostwright", "options": {"path": board}}]
    shown = {"enable": _soft(value=True), ("dashboards", "settings", "providers"): providers}
    return Call("mkIf config.services.grafana.enable", shown)


def _job(monitor: Monitor) -> dict[Any, Any]:
    parts = (
        Raw("pkgs.python3"),
        "/bin/python3 ",
        Raw("./textfile.py"),
        " ",
        Raw("./textfile.json"),
    )
    return {
        "description": "What node_exporter does not tell of models, memory and GPUs",
        "path": Commented(["/run/current-system/sw"], _PROGRAMS),
        "serviceConfig": {
            "Type": "oneshot",
            "ExecStart": Interpolated(parts),
            "TimeoutStartSec": 60,
            "CapabilityBoundingSet": "CAP_DAC_READ_SEARCH CAP_SYS_PTRACE",
            "NoNewPrivileges": True,
            **dict(SANDBOX),
            "ReadWritePaths": monitor.collector.directory,
        },
    }


def _timer(monitor: Monitor) -> dict[str, Any]:
    span = f"{monitor.collector.seconds}s"
    return {
        "wantedBy": ["timers.target"],
        "timerConfig": {"OnBootSec": span, "OnUnitInactiveSec": span, "AccuracySec": "1s"},
    }
