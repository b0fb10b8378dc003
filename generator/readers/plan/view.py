"""A Plan as a View, so that rules judge a profile as they judge anybody's files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.readers.plan import PROFILE
from generator.units import Release, address, whole
from generator.view import Bound, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from generator.host import Host
    from generator.plan import Plan, Service


def views_of(plan: Plan) -> tuple[View, ...]:
    """Return the View of each service of a Plan, by its name where there are several."""
    several = len(plan.services) > 1
    return tuple(
        replace(view, name=f"{plan.name}: {part.service.name}") if several else view
        for part in plan.parts
        for view in [view_of(part)]
    )


def view_of(plan: Plan) -> View:
    """Return the View of a Plan with one service; places are keys of its profile."""
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
            *(
                Variable(name=each.name, value=each.value, place=Place(source, key=each.key))
                for each in service.arguments
                if each.value
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


def loading_view(plan: Plan) -> View:
    """Return the View of a Plan with one service as that loads models: on the GPUs it may use."""
    view = view_of(plan)
    return replace(view, host=_used(view.host, plan.service))


def _used(host: Host, service: Service) -> Host:
    """Return the host with the GPUs that the service uses, where it is known which these are."""
    devices = service.devices
    if devices is None:
        return host
    by_speed = any(s.value == "FASTEST_FIRST" for s in service.settings("gpu"))
    places = {gpu.uuid: place for place, gpu in enumerate(host.gpus) if gpu.uuid}
    chosen = [int(one) if one.isdecimal() else places.get(one, -1) for one in devices.ids]
    if by_speed or not chosen or not all(0 <= place < len(host.gpus) for place in chosen):
        return host
    return replace(host, gpus=tuple(host.gpus[place] for place in sorted(set(chosen))))


def _told(service: Service, source: str) -> tuple[Variable, ...]:
    """Return where the server listens, if no variable says it: modules set it by themselves."""
    listen = service.listen
    told = {setting.name for setting in service.environment}
    if listen.variable in told | {each.name for each in service.arguments}:
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
            bits=model.bits,
            # What the model asks for itself; 0: nothing, or what is no number.
            threads=next(
                (n for p in model.parameters if p.name == "num_thread" if (n := whole(p.value))), 0
            ),
        )
        for model in service.models
    )
