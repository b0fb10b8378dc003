"""HW217, HW605, HW609 and HW682: what directives take, held against systemd, need, and reach."""

from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from tests.consumers.systemd import verify
from tests.texts import Cases, Text, messages, service, sides, told, unit

RUN = "ExecStart=/usr/bin/{} run --rm ollama/ollama:0.32.15"
# rule: (caught, left alone)
QUADLET = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nVolume=o:/root/.ollama\n"
CASES: Cases = {
    "HW217": (
        (
            unit("IPAddressAllow=192.168.1.0/24"),
            unit("Restart=always", "RestartSteps=5"),
            unit("NUMAMask=0"),
            {"llm.container": f"{QUADLET}HealthInterval=30s\n"},
            service("healthcheck: {interval: 30s}"),
        ),
        (
            unit("IPAddressDeny=any", "IPAddressAllow=192.168.1.0/24"),
            unit("Restart=always", "RestartSteps=5", "RestartMaxDelaySec=60"),
            {"ollama.service.d/a.conf": "[Service]\nIPAddressAllow=192.168.1.0/24\n"},
            {"llm.container": f"{QUADLET}HealthInterval=30s\nHealthCmd=ollama list\n"},
            service("healthcheck: {test: [CMD, ollama, list], interval: 30s}"),
            service("healthcheck: {disable: true}"),
        ),
    ),
    "HW605": (
        (
            unit("Restart=always # whatever happens"),
            unit("Restart=on_failure"),
            unit("TimeoutStartSec=abc"),
            unit("RestartSec=3 s # three"),
            unit("ProtectHome=readonly"),
            unit("PrivateTmp=ja"),
            unit('KillMode="mixed;"'),
            unit("LimitNPROC=unlimited"),
            unit("EnvironmentFile=~/.ollama.env"),
            unit('EnvironmentFile="/etc/ollama.env"'),
            unit("StandardOutput=/var/log/ollama.log"),
        ),
        (
            unit("Restart=on-failure", "RestartSec=2min 30s", "TimeoutStartSec=infinity"),
            unit("RestartSec=500ms", "TimeoutStopSec=1h30min", "TimeoutSec=0"),
            unit("ProtectHome=read-only", "ProtectSystem=strict", "PrivateTmp=Yes"),
            unit("LimitNOFILE=65535", "LimitCORE=0:infinity"),
            unit("EnvironmentFile=-/etc/default/ollama", "StandardError=inherit"),
            unit("StandardOutput=append:/var/log/ollama.log", "StandardError=fd:out"),
            unit("Restart=%i"),
            unit("Restart="),
        ),
    ),
    "HW682": (
        (
            unit("Restart=always", "[Install]", "WantedBy=multi-user"),
            unit("[Unit]", "After=network-online.target,nvidia-persistenced.service"),
            unit("[Unit]", "Requires=docker.services"),
        ),
        (
            unit("[Unit]", "After=network-online.target docker.service # both"),
            unit("[Unit]", "After=%i.target $TARGET"),
            unit("[Unit]", "After="),
        ),
    ),
    "HW609": (
        (
            unit(RUN.format("docker"), "CPUQuota=50%"),
            unit(RUN.format("podman"), "MemoryMax=20G"),
        ),
        (
            unit(RUN.format("docker"), "Restart=always"),
            unit(RUN.format("podman").replace("--rm", "--cgroups=split"), "MemoryMax=20G"),
            unit("CPUQuota=400%"),
            {"a.container": "[Container]\nImage=ollama/ollama:0.32.15\n[Service]\nMemoryMax=9G\n"},
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


WRONG = {
    "": "sometimes",
    "switch": "maybe",
    "time": "soon",
    "limit": "unlimited",
    "path": '"/etc/env"',
    "output": "/var/log/o",
}
RIGHT = {
    "": (),
    "switch": ("yes", "off"),
    "time": ("90", "1h 30min", "500ms"),
    "limit": ("1024", "512:1024"),
    "path": ("/etc/env", "-/etc/env"),
    "output": ("append:/var/log/o", "file:/var/log/o", "truncate:/var/log/o", "fd"),
}
# Words that are younger than the systemd of the tests.
YOUNGER = {"notify-reload", "disconnected"}


def test_systemd_takes_what_the_table_says_and_nothing_else(tmp_path: Path) -> None:
    """One unit for each value: `systemd-analyze verify` names those that it ignores."""
    names: dict[str, bool] = {}
    for table in load_catalogue().tables["taken"]:
        kind = table.get("kind", "")
        words = [w for w in table.get("words", ()) if w not in YOUNGER]
        for key in table["names"]:
            for at, value in enumerate((WRONG[kind], *words, *RIGHT[kind])):
                name = f"{key.lower()}-{at}.service"
                names[name] = at > 0
                text = unit(f"{key}={value}", "ExecStart=/bin/true")["ollama.service"]
                (tmp_path / name).write_text(text)
    said = verify(tmp_path, sorted(names))
    strange = ("arse", "nvalid", "nknown lvalue", "not absolute")
    ignored = {n for n in names for line in said if n in line and any(s in line for s in strange)}
    older = {n for n in names if n.startswith("restartmaxdelaysec")}
    assert ignored - older == {name for name, right in names.items() if not right} - older


def test_it_says_which_line_holds_then(tmp_path: Path) -> None:
    (said,) = messages(tmp_path, unit("Restart=no", "Restart=always", "Restart=Always"), "HW605")
    assert "and `always` of line 6 holds" in said
    (said,) = messages(tmp_path, unit("Restart=Always"), "HW605")
    assert "and the default holds" in said
    drop_in = {"ollama.service.d/o.conf": "[Service]\nRestart=Always\n"}
    (said,) = messages(tmp_path, drop_in, "HW605")
    assert "and what the unit says, or the default, holds" in said


def test_a_line_that_systemd_ignores_wins_over_none(tmp_path: Path) -> None:
    assert messages(tmp_path, unit("Restart=always", "Restart=Always"), "HW124") == []
    (said,) = messages(tmp_path, unit("Restart=no", "Restart=always", "Restart=x"), "HW124")
    assert "line 6 sets it again to `always`, and wins" in said


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("multi-user.target.wants", "multi-user.target"),
        ("default.wants", "default.target"),
        ("ollama.service.d", "ollama.service"),
        ("ollama.requires", "ollama.service"),
    ],
)
def test_a_directory_is_named_for_its_unit(tmp_path: Path, name: str, right: str) -> None:
    (said,) = messages(tmp_path, unit("[Install]", f"WantedBy={name}"), "HW682")
    assert said.endswith(f"write `{right}`")


def test_the_comment_is_told_to_go(tmp_path: Path) -> None:
    (said,) = messages(tmp_path, unit("Restart=always # whatever"), "HW605")
    assert said.endswith("write `Restart=always`")
