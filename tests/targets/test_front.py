"""The front of a Plan, as each target has it: read by HAProxy, and by who starts it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import ProfileError, RenderError
from generator.targets import all_files, load_target
from tests.consumers import compose, nix, quadlet, systemd
from tests.consumers.front import certificate, complaints
from tests.host import put
from tests.plans import plan

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan

FULL: dict[str, Any] = {
    "host": "0.0.0.0",  # noqa: S104 -- with a key
    "port": 443,
    "auth": "basic",
    "auth_file": "/etc/hostwright/front+a=key,~@file",
    "certificate": "/etc/ssl/front.pem",
    "certificate_key": "/etc/ssl/front.key",
    "allow": ["/api/pull", "/api/blobs/"],
    "health": "loaded",
    "route_by_body": True,
    "queue_timeout": "1ms",
    "answer_timeout": "2h",
}
MODELS = [
    {
        "name": "hf.co/Some-Org/Model_x.y-GGUF:Q4_K_M",
        "preload": True,
        "serve_as": "a.b:c",
        "parameters": {"num_ctx": 4096},
    }
]
TARGETS = ("compose", "nixos", "quadlet", "systemd")


def decided(**front: Any) -> Plan:
    return plan({"ollama": {"keep_alive": "-1"}, "models": MODELS, "front": front})


def files_of(target: str, whole: Plan) -> dict[str, str]:
    return {file.path: file.text for file in all_files(target, whole)}


def config_of(target: str, whole: Plan) -> str:
    """Return the configuration in the files of a target."""
    files = files_of(target, whole)
    if target != "nixos":
        return next(text for path, text in files.items() if path.endswith("/haproxy.cfg"))
    (module,) = (text for path, text in files.items() if path.endswith(".nix"))
    block = re.search(r"mkDefault ''\n(.*?)\n    '';", module, re.S)
    assert block
    lines = (one.removeprefix(" " * 6) for one in block[1].splitlines())
    return "".join(f"{one}\n" for one in lines).replace("''${", "${").replace("'''", "''")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("front", [{}, FULL, {"host": "::1", "metrics_host": "::"}])
def test_haproxy_takes_it(target: str, front: dict[str, Any], tmp_path: Path) -> None:
    secrets = {"keys": "alice:secret\n", **certificate(tmp_path)}
    text = config_of(target, decided(**front)).replace("/run/secrets", f"{tmp_path}/secrets")
    text = re.sub(r"/run/[a-z-]+/admin", f"{tmp_path}/admin", text)
    found = complaints("haproxy", text, tmp_path, secrets)
    assert [one for one in found if "could not resolve address" not in one] == []


def test_compose_takes_it(tmp_path: Path) -> None:
    file = put(load_target("compose").render(decided(**FULL)), tmp_path) / "compose.yaml"
    assert compose.verify(file) == []
    front = compose.read(file, "front").extra["service"]
    assert {port["published"] for port in front["ports"]} == {"443", "8405"}
    assert {one["target"] for one in front["secrets"]} == {
        "keys",
        "certificate.pem",
        "certificate.pem.key",
    }
    assert front["volumes"][0]["target"] == "/usr/local/etc/haproxy"


def test_compose_lays_no_front_over_another_file() -> None:
    whole = plan({"container": {"compose": "override"}, "front": {}})
    with pytest.raises(RenderError, match="`front` adds a container"):
        load_target("compose").render(whole)


@pytest.mark.parametrize("rootless", [False, True])
def test_podman_takes_it(rootless: bool, tmp_path: Path) -> None:
    data = {"models": MODELS, "ollama": {"keep_alive": "-1"}, "front": FULL}
    whole = plan({**data, "container": {"rootless": rootless}})
    put(load_target("quadlet").render(whole), tmp_path)
    home = ".config" if rootless else "etc"
    units = tmp_path / home / ("systemd/user" if rootless else "systemd/system")
    folder = tmp_path / home / "containers/systemd"
    assert quadlet.verify(folder, units, rootless=rootless) == []


def test_systemd_takes_it(tmp_path: Path) -> None:
    put(load_target("systemd").render(decided(**FULL)), tmp_path)
    said = systemd.verify(tmp_path / "etc/systemd/system", ["hostwright-front.service"])
    assert [one for one in said if "/usr/sbin/haproxy" not in one] == []


def test_nixos_takes_it(tmp_path: Path) -> None:
    whole = decided(**FULL)
    put(load_target("nixos").render(whole), tmp_path)
    result = nix.evaluate(tmp_path / "test.nix")
    assert result["haproxy"] == {"enable": True, "config": config_of("nixos", whole)}
    text = result["units"]["haproxy.service"]
    assert "LoadCredential=keys:/etc/hostwright/" in text
    assert "KillSignal=SIGUSR1" in text


@pytest.mark.parametrize("target", TARGETS)
def test_what_a_key_is_stands_in_no_file(target: str) -> None:
    # The paths stand in what hands them over; the configuration has the names alone.
    assert FULL["auth_file"] not in config_of(target, decided(**FULL))


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({"front": {"port": 11434}}, {"front.port"}),
        ({"front": {"metrics_port": 11433}}, {"front.metrics_port"}),
        ({"front": {"auth": "bearer", "certificate": "/a"}}, {"front.auth", "front.certificate"}),
        (
            {"front": {"auth_file": "/a", "certificate_key": "/b"}},
            {"front.auth_file", "front.certificate_key"},
        ),
        ({"front": {"health": "loaded"}}, {"front.health"}),
        ({"front": {"health": "loaded"}, "models": MODELS}, {"front.health"}),
        ({"front": {"kind": "none", "port": 11434}}, set()),
    ],
)
def test_what_a_front_cannot_be_is_said_at_once(data: dict[str, Any], faults: set[str]) -> None:
    if not faults:
        assert plan(data).front is None
        return
    with pytest.raises(ProfileError) as caught:
        plan(data)
    assert {problem.where for problem in caught.value.problems} == faults


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        ({"front": {}}, set()),
        ({"front": {"host": "0.0.0.0"}}, {"HW220"}),  # noqa: S104 -- it is to be found
        ({"front": {"host": "192.0.2.1", "auth": "bearer", "auth_file": "/etc/k"}}, {"HW222"}),
        ({"front": {}, "ollama": {"host": "192.0.2.1"}}, {"HW221", "HW401"}),
    ],
)
def test_what_a_front_lets_through_is_found(data: dict[str, Any], rules: set[str]) -> None:
    found = {finding.rule for finding in plan(data).findings}
    assert found & {"HW220", "HW221", "HW222", "HW401"} == rules


@pytest.mark.parametrize("path", ["api/pull", "/api/../pull", "/a b", "//x", "/x'y", "/x\n"])
def test_a_path_that_no_request_has_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path of the API"):
        plan({"front": {"allow": [path]}})
