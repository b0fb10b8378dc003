"""A Plan as a View, so that rules judge a profile as they judge anybody's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.readers.plan import PROFILE
from generator.units import Release, address, whole
from generator.view import Bound, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from generator.plan import Plan, Service


def view_of(plan: Plan) -> View:
    """Return the View of a Plan; places are keys of its profile."""
    service, source = plan.service, plan.source
    settings = service.judged
    return View(
        phrases=PROFILE,
        engine=service.engine,
        name=plan.name,
        place=Place(source),
        release=Release.parse(service.release),
        release_told=service.release_told,
        variables=(
            *_told(service, source),
            *(
                Variable(name=s.name, value=s.value, place=Place(source, key=s.key))
                for s in settings
            ),
        ),
        bounds=tuple(
            Bound(
                name=limit.name,
                value=None if limit.value == "infinity" else limit.value,
                place=Place(source, key=limit.key),
                derived=limit.source == "derived",
            )
            for limit in service.limits
        ),
        # Rules judge the GPUs that the service uses.
        host=plan.host if service.devices or plan.host.metal else replace(plan.host, gpus=()),
        models=_models(service, source),
        acceleration=service.acceleration,
        # A profile that says no to the job knows why.
        resume_fix=None if service.resume_declined else "resume" in {j.kind for j in service.jobs},
        silences=plan.silences,
        more_variables=bool(service.environment_files),
    )


def _told(service: Service, source: str) -> tuple[Variable, ...]:
    """Return where the server listens, if no variable says it: modules set it by themselves."""
    listen = service.listen
    if any(setting.name == listen.variable for setting in service.environment):
        return ()
    place = Place(source, key="listen")
    return (Variable(name=listen.variable, value=address(listen.host, listen.port), place=place),)


def _models(service: Service, source: str) -> tuple[ModelUse, ...]:
    warmed = {name for job in service.jobs if job.kind == "warmup" for name in job.models}
    return tuple(
        ModelUse(
            name=model.served,
            place=Place(source, key="models"),
            role=model.role,
            warmed=model.served in warmed,
            base=model.name,
            # What the model asks for itself; 0: nothing, or what is no number.
            threads=next(
                (n for p in model.parameters if p.name == "num_thread" if (n := whole(p.value))), 0
            ),
        )
        for model in service.models
    )
