"""A Plan as a View, so that the rules judge a profile as they judge anybody's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.profiles.phrases import PROFILE
from generator.resolve.spelling import TYPED_ELSEWHERE
from generator.units import Release
from generator.view import Bound, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from generator.host import Host
    from generator.plan import Plan, Setting
    from generator.profiles.schema import Profile


def view_of(plan: Plan, profile: Profile, host: Host) -> View:
    """Return the View of a decided profile on its host; places are keys of the profile."""
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
        phrases=PROFILE,
        engine="ollama",
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
        # A GPU that the service does not use is none of its.
        host=host if plan.devices else replace(host, gpus=()),
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


def _models(plan: Plan) -> tuple[ModelUse, ...]:
    warmed = {name for unit in plan.units if unit.kind == "warmup" for name in unit.models}
    return tuple(
        ModelUse(
            name=model.served,
            place=Place(plan.source, key="models"),
            role=model.role,
            warmed=model.served in warmed,
            base=model.name,
            threads=next((int(p.value) for p in model.parameters if p.name == "num_thread"), 0),
        )
        for model in plan.models
    )
