"""`nixos`: evaluated by Nix, and its units read by systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.consumers import nix
from tests.consumers.same import environment_on_the_host, same_in_a_unit, same_wait

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.effective import Effective


def complaints(folder: Path, plan: Plan) -> list[str]:
    file = folder / f"{plan.name}.nix"
    nix.parse(file)
    return nix.verify(file)


def read(folder: Path, plan: Plan) -> Effective:
    return nix.read(folder / f"{plan.name}.nix")


def compare(plan: Plan, found: Effective) -> None:
    expected = environment_on_the_host(plan)
    assert {name: found.environment[name] for name in expected} == expected
    assert set(found.environment) - set(expected) <= {"HOME", "OLLAMA_MODELS"}
    same_in_a_unit(plan, found)
    assert found.restart == "always"
    same_wait(plan, found)
    answer = found.extra["nix"]
    models = dict.fromkeys(model.name for model in plan.service.models)
    assert answer["ollama"]["loadModels"] == list(models)
    assert answer["warnings"] == []
    devices = plan.service.devices
    modules = {name.replace("_", "-") for name in devices.modules} if devices else set()
    assert modules <= {name.replace("_", "-") for name in answer["kernel_modules"]}
    jobs = {job.unit for job in plan.service.jobs if job.kind != "pull"}
    assert jobs <= set(answer["units"])
