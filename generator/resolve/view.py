"""A Plan as a View, so that the rules judge a profile as they judge anybody's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.resolve.spelling import TYPED_ELSEWHERE
from generator.units import Release
from generator.view import Bound, Card, Machine, Place, Used, Variable, View

if TYPE_CHECKING:
    from generator.plan import Plan, Setting
    from generator.profiles.schema import Profile


def view_of(plan: Plan, profile: Profile) -> View:
    """Return the View of a decided profile; places are keys of the profile."""
    source = Place(plan.source)
    address = f"[{plan.listen.host}]" if ":" in plan.listen.host else plan.listen.host
    listen = Variable(
        name="OLLAMA_HOST",
        value=f"{address}:{plan.listen.port}",
        place=Place(plan.source, key="ollama.host"),
    )
    # Dead names under --legacy-env are there on purpose.
    settings = [s for s in plan.environment if s.source != "legacy"]
    return View(
        origin="profile",
        name=plan.name,
        place=source,
        release=Release.parse(plan.release),
        release_told=profile.ollama.version is not None,
        variables=(listen, *(_variable(plan, setting) for setting in settings)),
        bounds=tuple(
            Bound(
                name=limit.name,
                value=None if limit.value == "infinity" else limit.value,
                place=Place(plan.source, key=f"resources.{limit.name}"),
            )
            for limit in plan.limits
        ),
        machine=_machine(plan, profile),
        models=_models(plan),
        acceleration=plan.acceleration,
        resume_fix=_resume_fix(plan, profile),
    )


def _resume_fix(plan: Plan, profile: Profile) -> bool | None:
    """Return whether the Plan has the job; a profile that says no knows why."""
    declined = "resume_fix" in profile.service.model_fields_set
    return any(unit.kind == "resume" for unit in plan.units) or (None if declined else False)


def _variable(plan: Plan, setting: Setting) -> Variable:
    return Variable(
        name=setting.name, value=setting.value, place=Place(plan.source, key=_key(setting))
    )


def _key(setting: Setting) -> str:
    """Return the key of the profile that a variable comes from."""
    if setting.group == "threads":
        return "threads.count"
    if setting.group == "environment":
        return f"ollama.env.{setting.name}"
    return TYPED_ELSEWHERE.get(setting.name, "gpu" if setting.group == "gpu" else "ollama.env")


def _machine(plan: Plan, profile: Profile) -> Machine:
    host = profile.host
    gpus = plan.devices.gpus if plan.devices else ()
    return Machine(
        cores=host.cpu.cores if host.cpu else 0,
        threads=host.cpu.hardware_threads if host.cpu else 0,
        memory=host.memory or 0,
        cards=tuple(
            Card(
                name=gpu.name,
                memory=gpu.memory,
                compute_capability=gpu.compute_capability,
                uuid=gpu.uuid,
                integrated=host.unified_memory,
            )
            for gpu in gpus
        ),
        driver=host.driver or "",
        system=host.system,
    )


def _models(plan: Plan) -> tuple[Used, ...]:
    warmed = {name for unit in plan.units if unit.kind == "warmup" for name in unit.models}
    return tuple(
        Used(
            name=model.served,
            place=Place(plan.source, key="models"),
            role=model.role,
            warmed=model.served in warmed,
            base=model.name,
        )
        for model in plan.models
    )
