"""What Docker Compose makes of a rendered file: `docker compose config`, which needs no engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from tests.consumers.effective import ConsumerError, Effective, Memlock
from tests.tools import require

ROOT = Path(__file__).parents[2]
DEFAULT_SHARES = 1024


def verify(file: Path) -> list[str]:
    """Return every line that Compose writes about `file`, warnings too; none means accepted."""
    return _config(file)[1]


def read(file: Path, service: str = "ollama") -> Effective:
    """Return what Compose understood of `service`; ConsumerError for any complaint of its.

    `cpu_weight` is `cpu_shares` on systemd's scale (1024 shares are weight 100), `memory_high`
    is `mem_reservation`, `memory_swap_max` is what `memswap_limit` leaves beyond the memory.
    Each limit is found in its short form or under `deploy.resources`; Compose lets both stand
    only if they agree. `extra`: `service` and `project` (all of Compose's answer, `$$` undone),
    `devices`, `ports`, `volumes`, and `passed_through` (variables that come from the host).
    """
    answer, complaints = _config(file)
    if complaints:
        raise ConsumerError("\n".join(complaints))
    project = _undo_dollars(json.loads(answer))
    found: dict[str, Any] = project["services"].get(service, {})
    if not found:
        raise ConsumerError(f"compose does not know a service `{service}`")
    return _effective(found, project)


def _config(file: Path) -> tuple[str, list[str]]:
    # Nothing of this machine's environment may reach the interpolation.
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    result = subprocess.run(
        [*_binary(), "-f", str(file), "config", "--format", "json"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        encoding="utf-8",
    )
    complaints = [line for line in result.stderr.splitlines() if line.strip()]
    if result.returncode != 0 and not complaints:
        complaints = [f"docker compose config: exit status {result.returncode}"]
    return result.stdout, complaints


@cache
def _binary() -> tuple[str, ...]:
    """Find Compose of version 2 or later: version 1 reads another language."""
    chosen = os.environ.get("HOSTWRIGHT_COMPOSE")
    docker, legacy = shutil.which("docker"), shutil.which("docker-compose")
    candidates = [
        (chosen,) if chosen else (),
        (docker, "compose") if docker else (),
        (str(ROOT / ".tools" / "docker-compose"),),
        (legacy,) if legacy else (),
    ]
    found = next((argv for argv in candidates if argv and _version(argv) >= 2), None)
    return found or (require("docker-compose-v2"),)


def _version(argv: tuple[str, ...]) -> int:
    """Return the major version of a Compose, 0 when there is none at `argv`."""
    try:
        result = subprocess.run(
            [*argv, "version"], capture_output=True, timeout=20, check=False, encoding="utf-8"
        )
    except OSError:
        return 0
    found = re.search(r"version v?(\d+)\.", result.stdout)
    return int(found[1]) if found and result.returncode == 0 else 0


def _undo_dollars(value: Any) -> Any:
    """Undo `$$`: the answer is a compose file again, so Compose escapes what it has read."""
    if isinstance(value, dict):
        return {key: _undo_dollars(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_undo_dollars(item) for item in value]
    return value.replace("$$", "$") if isinstance(value, str) else value


def _effective(service: dict[str, Any], project: dict[str, Any]) -> Effective:
    environment: dict[str, str | None] = service.get("environment") or {}
    memory = _bytes(_limit(service, "mem_limit", "limits", "memory"))
    both = _bytes(service.get("memswap_limit"))
    cpus = _limit(service, "cpus", "limits", "cpus")
    shares = service.get("cpu_shares")
    extra = {
        "service": service,
        "project": project,
        "devices": _devices(service),
        "ports": service.get("ports", []),
        "volumes": service.get("volumes", []),
        "passed_through": [name for name, value in environment.items() if value is None],
    }
    return Effective(
        environment={name: value for name, value in environment.items() if value is not None},
        restart=service.get("restart", "no"),
        cpu_quota_percent=None if cpus is None else round(float(cpus) * 100),
        cpu_weight=None if shares is None else round(int(shares) * 100 / DEFAULT_SHARES),
        memory_max=memory,
        memory_high=_bytes(_limit(service, "mem_reservation", "reservations", "memory")),
        memory_swap_max=None if memory is None or both is None else both - memory,
        limit_memlock=_memlock(service.get("ulimits", {}).get("memlock")),
        extra=extra,
    )


def _limit(service: dict[str, Any], short: str, section: str, key: str) -> Any:
    return service.get(short, _resources(service, section).get(key))


def _resources(service: dict[str, Any], section: str) -> dict[str, Any]:
    found: dict[str, Any] = service.get("deploy", {}).get("resources", {}).get(section, {})
    return found


def _devices(service: dict[str, Any]) -> list[Any]:
    reserved = _resources(service, "reservations").get("devices", [])
    return [*reserved, *service.get("devices", [])]


def _bytes(value: str | int | None) -> int | None:
    """Read a size of the answer, bytes as a string; -1 is Docker's word for no limit."""
    return None if value is None or int(value) < 0 else int(value)


def _memlock(value: Any) -> Memlock:
    hard = value.get("hard", value.get("single")) if isinstance(value, dict) else value
    if hard is None:
        return None
    return "infinity" if int(hard) < 0 else int(hard)
