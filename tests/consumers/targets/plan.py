"""`plan`: read back by the program itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from generator.codec import from_dict, to_dict
from generator.errors import HostwrightError
from tests.consumers.effective import Effective
from tests.consumers.same import bytes_of, environment_on_the_host

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan


def complaints(folder: Path, plan: Plan) -> list[str]:
    try:
        _again(folder)
    except HostwrightError as error:
        return [str(error)]
    return []


def read(folder: Path, plan: Plan) -> Effective:
    again = _again(folder)
    return Effective(
        environment=environment_on_the_host(again),
        restart=again.service.restart.policy,
        memory_max=bytes_of(again, "memory_max"),
        extra={"plan": to_dict(again)},
    )


def _again(folder: Path) -> Plan:
    return from_dict(json.loads((folder / "plan.json").read_text(encoding="utf-8")))


def compare(plan: Plan, found: Effective) -> None:
    assert found.environment == environment_on_the_host(plan)
    assert found.extra["plan"] == to_dict(plan)
