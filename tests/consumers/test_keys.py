"""The keys of the Catalogue against the programs that read them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.consumers import compose, quadlet, systemd
from tests.facts import facts_at

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = facts_at().accepted("compose")
CONTAINER = facts_at().accepted("quadlet").below(("Container",)) or {}
EXPIRING = facts_at().expiring.values()
SERVICE = "services:\n  ollama:\n    image: ollama/ollama\n"


@pytest.mark.parametrize(
    ("path", "key", "text"),
    [
        ("services.ollama", "env", "    env: [A=b]"),
        ("services.ollama.deploy", "limits", "    deploy: {limits: {memory: 1G}}"),
        ("services.ollama.deploy.resources.limits", "cpu",
         "    deploy: {resources: {limits: {cpu: 1}}}"),
        ("services.ollama.healthcheck", "command", "    healthcheck: {command: a}"),
        ("services.ollama.build", "dockerfil", "    build: {context: ., dockerfil: a}"),
        ("services.ollama.ports", "host-ip", "    ports: [{target: 1, host-ip: 127.0.0.1}]"),
        ("services.ollama.volumes", "dest", "    volumes: [{type: bind, target: /b, dest: /c}]"),
        ("services.ollama.logging", "option", "    logging: {option: {}}"),
        ("networks.inner", "subnet", "networks: {inner: {subnet: 10.0.0.0/8}}"),
        ("volumes.models", "size", "volumes: {models: {size: 10G}}"),
        ("", "service", "service: {}"),
    ],
)  # fmt: skip
def test_compose_refuses_a_key_that_the_catalogue_does_not_know(
    path: str, key: str, text: str, tmp_path: Path
) -> None:
    known = COMPOSE.below(tuple(filter(None, path.split("."))))
    assert known is not None
    assert key not in known
    file = tmp_path / "compose.yaml"
    file.write_text(f"{SERVICE}{text}\n", encoding="utf-8")
    assert re.search(rf"Additional property {key} is not allowed", "".join(compose.verify(file)))


# Compose 2.26 does not know these yet.
LATER = {"gpus", "label_file", "models", "post_start", "pre_stop", "provider", "use_api_socket",
         "pull_refresh_after"}  # fmt: skip


def test_compose_knows_every_key_of_a_service(tmp_path: Path) -> None:
    known = COMPOSE.below(("services", "ollama")) or {}
    text = yaml.safe_dump({"services": {"o": dict.fromkeys(sorted({*known} - LATER), 1)}})
    file = tmp_path / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    assert not re.findall(r"Additional property (\w+)", "\n".join(compose.verify(file)))


def generated(text: str, folder: Path) -> tuple[str, str]:
    """Return the services that quadlet writes, and what it complains about."""
    (folder / "o.container").write_text(text, encoding="utf-8")
    result = subprocess.run(
        [quadlet.binary(), "-dryrun"],
        env={"QUADLET_UNIT_DIRS": str(folder)},
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=60,
    )
    return result.stdout, result.stderr


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("key", [*CONTAINER, "SecurityLabel", "image", "Restart"])
def test_podman_takes_and_unquotes_what_the_catalogue_says(
    key: str, quote: str, tmp_path: Path
) -> None:
    known, kept = CONTAINER.get(key), "'a:b" if quote == "'" else '\\"a:b'
    image = "" if key in {"Image", "Rootfs"} else "Image=docker.io/ollama/ollama:1\n"
    services, said = generated(f"[Container]\n{image}{key}={quote}a:b{quote}\n", tmp_path)
    if known is None:
        assert f"unsupported key '{key}'" in said
    elif quote in known.verbatim and "invalid port" not in said:
        assert kept in services
    elif "unsupported key" in said:
        assert known.since > "5.4"
    else:
        assert kept not in services.partition("ExecStart=")[2]


@pytest.mark.parametrize("one", EXPIRING, ids=lambda one: one.name)
def test_systemd_gives_up_a_directive_and_takes_what_comes_instead(
    one: Any, tmp_path: Path
) -> None:
    device = "/dev/null " if "Device" in one.name or "Bandwidth" in one.name else ""
    value = "yes" if one.name.endswith("Accounting") else f"{device}100"
    unit = tmp_path / "o.service"
    for name in (one.name, one.instead):
        unit.write_text(f"[Service]\nExecStart=/bin/true\n{name}={value}\n", encoding="utf-8")
        complaints = " ".join(systemd.verify(tmp_path, ["o.service"]))
        assert "Unknown key" not in complaints
        assert not complaints or name == one.name
