"""What was decided of several servers, put together: names, keys, and who writes the models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, Silence
from generator.plan import Setting
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.errors import Finding
    from generator.plan import Job, Service
    from generator.resolve.parts import Part

_SHARED: Final = ("pull", "create")
"""Jobs that only the server does that writes the models."""
_READS: Final = Silence(rule="HW505", reason="another server writes the models")


def named(service: Service, part: Part) -> Service:
    """Return what was decided of a part, under the names and keys that the user knows."""
    if not part.is_alone:
        box, name = service.container, part.name
        box = replace(box, name=f"{box.name}-{name}", service=f"{box.service}-{name}")
        after = (*service.after, part.puller) if part.puller else service.after
        service = replace(service, name=name, container=box, puller=part.puller, after=after)
    if not part.keys and not part.reasons:
        return service
    return replace(
        service,
        environment=tuple(_keyed(one, part) for one in service.environment),
        arguments=tuple(_keyed(one, part) for one in service.arguments),
        limits=tuple(_keyed(one, part) for one in service.limits),
        omissions=(*(_keyed(one, part) for one in service.omissions), *part.omissions),
        models=tuple(
            replace(
                model,
                key=part.key(model.key),
                parameters=tuple(_keyed(one, part) for one in model.parameters),
            )
            for model in service.models
        ),
    )


def _keyed(one: Any, part: Part) -> Any:  # noqa: ANN401 -- any record with a key
    reason = part.reasons.get(one.key, one.reason)
    if part.puller and isinstance(one, Setting) and one.key.endswith(".models_dir"):
        one = replace(one, silences=(*one.silences, _READS))
    source = {"source": "derived"} if reason != one.reason and hasattr(one, "source") else {}
    return replace(one, key=part.key(one.key), reason=reason, **source)


def joined(services: Sequence[Service]) -> tuple[Service, ...]:
    """Return services of which one does for all what is done to their models."""
    if len(services) == 1:
        return tuple(services)
    puller = next(service for service in services if not service.puller)
    shared = tuple(_of_all(puller, services))
    units = tuple(job.unit for job in shared)
    return tuple(
        replace(
            one,
            jobs=(*(shared if one is puller else ()), *_own(one.jobs, one, units)),
            offered=one.offered if one is puller else _own(one.offered, one, units),
            alone=tuple(job for job in one.jobs if job.kind in _SHARED),
        )
        for one in services
    )


def clashes(services: Sequence[Service]) -> Iterator[Problem]:
    """Yield models that two services would create under one name, each with other parameters."""
    seen: dict[str, tuple[str, str]] = {}
    for service in services:
        for model in service.models:
            text = model.modelfile.text if model.modelfile else ""
            name, other = seen.setdefault(model.served, (service.name, text))
            if text != other:
                message = f"`{model.served}` is another one for `{service.name}` than for `{name}`,"
                message += " and all have one store of models"
                hint = "add a second table for it with a name of its own in `serve_as`"
                yield Problem(f"{model.key}.serve_as", message, hint)


def _of_all(puller: Service, services: Sequence[Service]) -> Iterator[Job]:
    """Yield the jobs on the models of all services, under the names of the one that does them."""
    before: tuple[str, ...] = ()
    for kind in _SHARED:
        found = [job for one in (puller, *services) for job in one.jobs if job.kind == kind]
        if not found:
            continue
        name = f"{puller.stem}-{kind}"
        own = (puller.unit, *before)
        others = {unit for one in services for unit in (one.unit, *(j.unit for j in one.jobs))}
        job = replace(
            found[0],
            name=name,
            unit=f"{name}.service",
            models=tuple(dict.fromkeys(model for job in found for model in job.models)),
            steps=tuple(dict.fromkeys(step for job in found for step in job.steps)),
            after=(*own, *(unit for unit in found[0].after if unit not in others)),
            part_of=(puller.unit,),
            wanted_by=(puller.unit,),
        )
        before = (*before, job.unit)
        yield job


def _own(jobs: Sequence[Job], service: Service, shared: tuple[str, ...]) -> tuple[Job, ...]:
    """Return the jobs that each service does by itself, after those of the one that pulls."""
    dropped = {job.unit for job in jobs if job.kind in _SHARED}
    dropped |= {f"{service.stem}-{kind}.service" for kind in _SHARED}
    return tuple(
        replace(
            job,
            after=(*(u for u in job.after if u not in dropped), *shared)
            if job.kind == "warmup"
            else job.after,
        )
        for job in jobs
        if job.kind not in _SHARED
    )


def told(problems: Sequence[Problem], part: Part) -> Iterator[Problem]:
    """Yield Problems at the keys that the user knows."""
    for problem in problems:
        yield replace(problem, where=part.key(problem.where))


def remarked(found: Sequence[Sequence[Finding]], parts: Sequence[Part]) -> Iterator[Finding]:
    """Yield what is found of all parts, with the name of one that alone is concerned."""
    keyed = [
        [replace(one, where=part.key(one.where)) for one in some]
        for some, part in zip(found, parts, strict=True)
    ]
    for some, part in zip(keyed, parts, strict=True):
        for one in some:
            general = all(one in others for others in keyed)
            about = one.message if general else f"{part.name}: {one.message}"
            yield replace(one, message=about)


def on_one_pool(services: Sequence[Service]) -> Iterator[Finding]:
    """Yield a Finding for each set of servers that compute on the same CPUs."""
    pools: dict[str, list[str]] = {}
    for service in services:
        if service.acceleration == "cpu":
            limit = service.limit("allowed_cpus")
            pools.setdefault(limit.written if limit else "", []).append(service.name)
    for names in pools.values():
        if len(names) > 1:
            every = ", ".join(f"`{name}`" for name in names)
            message = f"{every} compute on the same CPUs, and share their memory bandwidth"
            hint = "give each a `numa_node` or `allowed_cpus`, or have one with more slots"
            yield every_rule()["HW321"].finding(message, "instances", hint)
