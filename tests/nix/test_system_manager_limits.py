"""What `modules/system-manager.nix` refuses by name, and which values survive it."""

import json
from pathlib import Path

import pytest

from generator.codec import to_dict
from tests.consumers import system_manager
from tests.consumers.effective import ConsumerError
from tests.consumers.system_manager import host
from tests.hostile import HOSTILE
from tests.plans import shipped

XEON = '  hostwright.profile = "xeon-cpu";\n'


def refusal(folder: Path, body: str) -> str:
    with pytest.raises(ConsumerError) as error:
        system_manager.evaluate(host(folder, body))
    return str(error.value)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ("package = pkgs.ollama;", ["hostwright.package", "update Ollama with its installer"]),
        ('ollama.acceleration = "cuda";', ["hostwright.ollama.acceleration", "into the profile"]),
        ('settings.OLLAMA_HOST = "x";', ["hostwright.settings.OLLAMA_HOST", "ollama.host"]),
        ('settings.OLLAMA_MODELS = "/x";', ["hostwright.settings.OLLAMA_MODELS", "modelsDir"]),
        ('settings.HOME = "/x";', ["hostwright.settings.HOME", "service.home"]),
        ('resources.cpuQuota = "20";', ["hostwright.resources.cpuQuota"]),
        ("threads = 0;", ["hostwright.threads"]),
        ("ollama.port = 99999;", ["hostwright.ollama.port"]),
        ("thread = 4;", ["hostwright.thread"]),
        (
            'service.user = null; hostwright.ollama.modelsDir = "/srv/m";',
            ["hostwright.ollama.modelsDir is /srv/m", "hostwright.service.user"],
        ),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(
    body: str, messages: list[str], tmp_path: Path
) -> None:
    text = refusal(tmp_path, f"{XEON}  hostwright.{body}")
    assert [message for message in messages if message not in text] == []


def test_a_complete_unit_is_refused(tmp_path: Path) -> None:
    plan = shipped("dual-pascal", "service.full_unit=true")
    (tmp_path / "plan.json").write_text(json.dumps(to_dict(plan)), encoding="utf-8")
    told = refusal(tmp_path, f"  hostwright.profile = {tmp_path}/plan.json;")
    assert "service.full_unit = false" in told


def test_the_firewall_is_left_to_the_host_and_said_so(tmp_path: Path) -> None:
    body = '  hostwright.ollama = { host = "0.0.0.0"; port = 8000; openFirewall = true; };'
    (warning,) = system_manager.evaluate(host(tmp_path, XEON + body))["warnings"]
    assert "hostwright.ollama.openFirewall" in warning
    assert "TCP port 8000" in warning


def test_every_value_survives(tmp_path: Path) -> None:
    values = {f"HOSTILE_{n}": text for n, text in enumerate(HOSTILE)}
    (tmp_path / "values.json").write_text(json.dumps(values), encoding="utf-8")
    body = f"  hostwright.settings = lib.importJSON {tmp_path}/values.json;"
    found = system_manager.read(host(tmp_path, XEON + body)).environment
    assert {name: found[name] for name in values} == values
