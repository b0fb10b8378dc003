"""`apply.sh` and a front: a new file is read, and nothing restarted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.host import UNITS, Host

if TYPE_CHECKING:
    from pathlib import Path

FRONT: Final = "hostwright-front.service"
CONFIG: Final = "etc/hostwright/front/haproxy.cfg"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    made.stub("haproxy", "exit 0")
    return made


def one(host: Host, **front: Any) -> dict[str, Any]:
    return {"front": {"program": str(host.bin / "haproxy"), **front}}


def calls(host: Host) -> list[str]:
    return [call for call in host.calls if FRONT in call]


def test_a_front_is_put_in_place_enabled_and_started(host: Host) -> None:
    host.apply(one(host))
    assert {CONFIG, f"{UNITS}/{FRONT}"} <= set(host.files)
    assert FRONT in host.enabled
    assert calls(host)[-1] == f"systemctl --no-block restart {FRONT}"
    host.apply(one(host))
    assert calls(host) == []


def test_another_configuration_is_read_and_nothing_restarted(host: Host) -> None:
    host.apply(one(host))
    host.apply(one(host, queue_timeout="2m"))
    assert "timeout queue 120s" in (host.root / CONFIG).read_text(encoding="utf-8")
    assert [call for call in host.calls if "start" in call] == [
        f"systemctl reload-or-restart {FRONT}"
    ]


def test_a_front_that_is_stopped_is_started_with_its_server(host: Host) -> None:
    host.apply(one(host))
    (host.state / "active").unlink()
    host.on("start", ': >"$state/active"')
    host.apply(one(host))
    assert "systemctl restart ollama.service" in host.calls


def test_a_front_that_is_no_longer_asked_for_goes(host: Host) -> None:
    host.apply(one(host))
    host.apply({})
    assert f"systemctl disable --now {FRONT}" in host.calls
    assert not {CONFIG, f"{UNITS}/{FRONT}"} & set(host.files)
    assert not (host.root / "etc/hostwright/front").exists()


def test_without_its_program_nothing_is_touched(host: Host) -> None:
    (host.bin / "haproxy").unlink()
    before = host.files
    bundle = host.bundle(one(host))
    done = host.run("sh", bundle / "apply.sh")
    assert done.returncode == 1
    assert "/bin/haproxy on this host: install it first." in done.stderr
    assert (host.files, calls(host)) == (before, [])
