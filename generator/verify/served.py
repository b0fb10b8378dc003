"""What the server itself answers, and where it is reached: release, models, published port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.catalogue.models import quantisation
from generator.formats.shell import quote
from generator.records import dataclass
from generator.units import Release, about, whole
from generator.verify.rows import NOTHING, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Running, ServedModel
    from generator.plan import Model, Service
    from generator.verify.observed import Answers, Observed


CPU: Final = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A model that the server has and the Plan does not; `remove` is the command for that."""

    name: str
    size: int
    modified: str
    remove: str


def published(wanted: str, seen: Observed) -> Iterator[Row]:
    """Yield the row of the port at which a container should be reached, and nowhere else."""
    if not wanted or seen.held is None or seen.held.published is None:
        return
    ports = seen.held.published
    shown = " ".join(ports) or NOTHING
    row = Row(setting="published", intended=wanted, held=shown, effective=shown)
    if ports == (wanted,):
        yield row
    else:
        some = "the container is reached elsewhere, or by others as well"
        yield replace(row, verdict="drift", why=some if ports else "no port of it is published")


def acceleration(service: Service, seen: Observed) -> Iterator[Row]:
    """Yield the row of what computes, by the server's log and by where its models are."""
    loaded = seen.answers.loaded if seen.answers else ()
    if not seen.devices and not loaded:
        return
    wanted = service.acceleration
    told = ", ".join(dict.fromkeys(seen.devices)) or _where(loaded)
    row = Row(setting="acceleration", intended=wanted, effective=told)
    why = _elsewhere(service, seen.devices, loaded)
    yield replace(row, verdict="drift", why=why) if why else row


def _where(loaded: tuple[ServedModel, ...]) -> str:
    return "GPU" if any(one.on_gpus for one in loaded) else CPU


def _elsewhere(service: Service, devices: tuple[str, ...], loaded: tuple[ServedModel, ...]) -> str:
    """Return what computes in place of what should; empty: it is what should."""
    wanted, on_gpus = service.acceleration, any(one.on_gpus for one in loaded)
    if wanted == CPU:
        others = {*devices} - {CPU}
        return "it computes on a GPU as well" if others or on_gpus else ""
    if devices and wanted not in devices:
        return f"it has found no device for {wanted}: it computes on the {devices[0].upper()}"
    if loaded and not on_gpus:
        return "nothing of the models that are loaded is on a GPU"
    ids = service.devices.ids if service.devices else ()
    number = devices.count(wanted)
    return f"it has found {number} of {len(ids)} GPUs" if devices and number < len(ids) else ""


def unanswered(seen: Observed) -> Row:
    """Return the row of a server that answers nothing."""
    return Row(setting="API", intended=seen.url, verdict="unknown", why=seen.unanswered)


def release(service: Service, answers: Answers) -> Row:
    """Return the row of the release: the Plan holds for those of its era."""
    row = Row(setting="release", intended=service.release, effective=answers.release or NOTHING)
    if not answers.release:
        return replace(row, verdict="unknown", why="a build of its own, which tells no release")
    told, until = Release.parse(answers.release), service.era_until
    if Release.parse(service.era_since) <= told and not (until and Release.parse(until) <= told):
        return row
    why = f"the profile is resolved for another one; --ollama-version {answers.release} is for it"
    return replace(row, verdict="drift", why=why)


def model(wanted: Model, answers: Answers, size: int = 0) -> Row:
    """Return the row of a model: whether it is there, as it should be, and how it is loaded.

    `size` are the bytes that it is pulled with, 0: nobody knows.
    """
    there = found(wanted.served, answers.installed)
    loaded = found(wanted.served, answers.loaded)
    row = Row(
        setting=f"model {wanted.served}",
        intended=wanted.name,
        held=_on_disk(there),
        effective=_in_memory(loaded),
    )
    why = _missing(wanted, size) if there is None else _other(wanted, there, loaded, answers)
    if why:
        return replace(row, verdict="drift", why=why)
    untold = _untold(wanted, answers) if there else ""
    return replace(row, verdict="unknown", why=untold) if untold else row


def extras(service: Service, answers: Answers) -> tuple[Extra, ...]:
    """Return the models that no profile asks for, the largest first."""
    wanted = {tagged(name) for m in service.models for name in (m.name, m.served)}
    others = (one for one in answers.installed if tagged(one.name) not in wanted)
    program = service.container.program
    return tuple(
        Extra(name=o.name, size=o.size, modified=o.modified, remove=f"{program} rm {quote(o.name)}")
        for o in sorted(others, key=lambda one: (-one.size, one.name))
    )


def room(room: int, missing: int) -> str:
    """Return what is free where models go, and whether that holds those that are missing."""
    free = f"{about(room)} are free where models go"
    if missing <= room:
        return free
    return f"{free}, less than is missing: about {about(missing)} are to be pulled"


def pulled(service: Service, answers: Answers, running: Running) -> int:
    """Return the bytes of all models that are to be pulled, as far as anybody knows."""
    names = {one.name for one in service.models if found(one.served, answers.installed) is None}
    away = [name for name in sorted(names) if found(name, answers.installed) is None]
    return sum(map(running.download, away))


def _missing(wanted: Model, size: int) -> str:
    of = f", about {about(size)}" if size else ""
    by = f"create it from {wanted.name}" if wanted.serve_as else f"pull {wanted.name}{of}"
    return f"the server does not have it; {by}"


def _another(wanted: Model, answers: Answers) -> str:
    """Return how the pulled model is another than was meant; empty: it is that one."""
    base = found(wanted.name, answers.installed)
    if not wanted.digest or base is None:
        return ""
    has = base.digest.removeprefix("sha256:").casefold()
    if not has or has.startswith(wanted.digest):
        return ""
    return f"its digest is {has[:12]}, not {wanted.digest[:12]}: the name has another model now"


def _untold(wanted: Model, answers: Answers) -> str:
    """Return what nobody tells of a model that is there; empty: nothing is missing."""
    base = found(wanted.name, answers.installed)
    if wanted.digest and (base is None or not base.digest):
        return f"nobody tells the digest of {wanted.name}"
    if wanted.parameters and wanted.served not in answers.parameters:
        return "nobody tells what it was made with"
    return ""


def _other(wanted: Model, there: ServedModel, loaded: ServedModel | None, answers: Answers) -> str:
    """Return what is not as it should be of a model that is there; empty: nothing."""
    said = quantisation(wanted.name.rpartition("-")[2].casefold())
    if said and there.quantisation and said.casefold() != there.quantisation.casefold():
        return f"it is of {there.quantisation}, not {said}"
    if why := _another(wanted, answers):
        return why
    made = answers.parameters.get(wanted.served)
    for each in wanted.parameters if made is not None else ():
        values = [value for name, value in made or () if name == each.name]
        if each.value not in values:
            has = f"{' and '.join(values)}, not {each.value}" if values else "not set"
            return f"its {each.name} is {has}: it is an older one, create it again"
    context = next((p.value for p in wanted.parameters if p.name == "num_ctx"), "")
    if loaded and loaded.context and whole(context) not in {None, loaded.context}:
        return f"its num_ctx is {context}, and a client has asked for another"
    return ""


def _on_disk(there: ServedModel | None) -> str:
    return NOTHING if there is None else there.quantisation or "there"


def _in_memory(loaded: ServedModel | None) -> str:
    if loaded is None:
        return "not loaded"
    return f"{loaded.context} tokens" if loaded.context else "loaded"


def found(name: str, models: tuple[ServedModel, ...]) -> ServedModel | None:
    """Return the model of that name, however its tag is written; None: there is none."""
    return next((one for one in models if tagged(one.name) == tagged(name)), None)


def tagged(name: str) -> str:
    """Return a model's name with the tag that it has where it names none; case does not count."""
    last = name.rpartition("/")[2]
    return (name if ":" in last else f"{name}:latest").casefold()
