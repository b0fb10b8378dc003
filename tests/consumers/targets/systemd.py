"""`systemd`: drop-ins or a complete unit, and jobs, read by the manager itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.consumers import systemd
from tests.consumers.same import environment_on_the_host, same_access, same_in_a_unit, same_wait

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.effective import Effective

UNITS: Final = "etc/systemd/system"


def complaints(folder: Path, plan: Plan) -> list[str]:
    jobs = [job.unit for service in plan.services for job in service.jobs]
    return systemd.verify(folder / UNITS, [*(one.unit for one in plan.services), *jobs])


def read(folder: Path, plan: Plan) -> Effective:
    return systemd.read(folder / UNITS, plan.service.unit)


def compare(plan: Plan, found: Effective) -> None:
    home = {"HOME": plan.service.home} if plan.service.full_unit else {}
    assert found.environment == environment_on_the_host(plan) | home
    same_in_a_unit(plan, found)
    assert found.restart == "always"
    same_access(plan, found)
    same_wait(plan, found)
