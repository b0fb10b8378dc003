"""Decide: Profile × Catalogue → Plan. Pure; every conflict is reported at once."""

from __future__ import annotations

from dataclasses import KW_ONLY, replace
from itertools import chain
from typing import TYPE_CHECKING

from generator.engines import ENGINES, load_engine
from generator.engines.base import Case
from generator.errors import SEVERITIES, Problem, ProfileError, Silence, quietened, split_message
from generator.fit.host import host_of
from generator.fit.measured import machine_of
from generator.host import Gpu, Host
from generator.plan import SCHEMA_VERSION, Plan
from generator.readers.plan.view import view_of
from generator.records import dataclass
from generator.resolve import (
    cache,
    claims,
    confine,
    credentials,
    devices,
    front,
    instance_faults,
    instances,
    kserve,
    limits,
    monitor,
    pods,
    scale,
    scaling,
    service,
)
from generator.resolve.parts import parts_of
from generator.resolve.silences import silenced
from generator.rules.alike import judge
from generator.rules.registry import every_rule
from generator.units import written_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.engines.base import Asked, Engine
    from generator.errors import Finding
    from generator.fit.measured import Measured
    from generator.monitor import Monitor
    from generator.plan import Service
    from generator.profiles.schema import Host as HostTable
    from generator.profiles.schema import HostGpu, Profile
    from generator.resolve.parts import Part
    from generator.view import View


def resolve(
    profile: Profile,
    catalogue: Catalogue,
    *,
    source: str,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
    measured: Sequence[Measured] = (),
) -> Plan:
    """Return the Plan of `profile` for a release of its engine.

    `source` names the profile in the output; `version` overrides the profile's; `legacy_env`
    also emits the names that no release reads; `strict` makes an error of every setting that the
    release does not take as written. `measured` is what is remembered beside the profile, for
    alerts. Raises ProfileError with every Problem.
    """
    name, engine = _engine(profile)
    asked = engine.asked(profile)
    facts = _facts(name, asked, catalogue, source, version)
    parts = parts_of(profile, name, engine.SERVER, asked)
    asker = _Asker(name, engine, facts, source, legacy_env=legacy_env, strict=strict)
    every = [_resolved(part, asker) for part in parts]
    problems = [
        *instance_faults.faults(profile, every[0].plan.host),
        *(
            problem
            for one, part in zip(every, parts, strict=True)
            for problem in instances.told(one.problems, part)
        ),
    ]
    services = tuple(
        instances.named(one.plan.service, part) for one, part in zip(every, parts, strict=True)
    )
    problems += [
        *instances.clashes(services),
        *scale.faults(profile, engine),
        *scaling.faults(profile),
        *pods.faults(profile, services, facts),
        *kserve.faults(profile.k8s, engine.SERVER),
        *cache.faults(profile, services, facts),
        *monitor.faults(profile, services),
        *front.faults(profile, engine, facts, services),
    ]
    if problems:
        raise ProfileError(source, tuple(dict.fromkeys(problems)))
    services = instances.joined(
        [
            claims.claimed(one, each.seen, engine, facts)
            for one, each in zip(services, every, strict=True)
        ]
    )
    before = front.front_of(profile, engine, facts, services)
    services = scaling.scaled(profile, engine, services, before)
    said = [*instances.remarked([one.found for one in every], parts)]
    said += instances.on_one_pool(services)
    said += [*front.remarks(before, services), *cache.remarks(profile, before)]
    found = list(dict.fromkeys(said))
    found.sort(key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.where))
    plan = replace(
        every[0].plan,
        services=services,
        front=before,
        cache=cache.cache_of(profile, services, before, catalogue, facts),
    )
    plan = replace(plan, monitor=_monitor(asker, parts, plan, every[0], measured))
    return replace(plan, findings=tuple(quietened(each, plan.silences) for each in found))


@dataclass(frozen=True, slots=True)
class _Asker:
    """What is so of all servers of a profile: their engine, its facts, and what is asked for."""

    name: str
    engine: Engine
    facts: Facts
    source: str
    _: KW_ONLY
    legacy_env: bool
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolved:
    """What is decided of one server: a Plan of it alone, and what there is to say."""

    plan: Plan
    seen: View
    found: tuple[Finding, ...]
    problems: tuple[Problem, ...]


def _resolved(part: Part, asker: _Asker) -> _Resolved:
    """Return what is decided of one server of a profile."""
    profile, name, engine, facts = part.profile, asker.name, asker.engine, asker.facts
    asked = engine.asked(profile)
    case = _case(part, asker, asked)
    decided = scale.with_jobs(case, engine, engine.decide(case))
    bounds = limits.limits_of(
        profile, case.host, case.threads.number, asked.locked, divisor=part.divisor
    )
    served = service.service_of(name, engine.SERVER, asked, case, decided, tuple(bounds))
    plan = _plan(case, asker.source, served)
    found = [*decided.findings, *_remarks(name, asked, case)]
    seen = view_of(plan)
    found += (located.finding for located in judge(seen, facts))
    problems = [
        *devices.faults(profile.gpu, case.host, facts, case.acceleration),
        *limits.faults(profile, case.host),
        *decided.problems,
        *scale.quota_faults(case),
        *credentials.faults(profile, served, facts),
        *confine.faults(case, cached=bool(decided.cache)),
        *credentials.written_out(found, (ignored.rule for ignored in profile.check.ignore)),
    ]
    if asker.strict:
        problems += (
            Problem(f.where, f.message, f.fix) for f in found if every_rule()[f.rule].deviates
        )
    if not problems:
        found = list(dict.fromkeys(found))
        plan = silenced(plan, seen, found, facts)
    return _Resolved(plan=plan, seen=seen, found=tuple(found), problems=tuple(problems))


def _monitor(
    asker: _Asker,
    parts: Sequence[Part],
    plan: Plan,
    first: _Resolved,
    measured: Sequence[Measured],
) -> Monitor | None:
    """Return what is watched of the host; what was measured elsewhere says nothing of it."""
    profile = parts[0].profile
    if not profile.monitor.enable:
        return None
    here = machine_of(host_of(first.seen))
    kept = (
        monitor.kept(part.profile, one)
        for part, one in zip(parts, plan.services, strict=True)
        if asker.engine.asked(part.profile).kept
    )
    return monitor.monitor_of(
        profile,
        first.plan.host,
        asker.engine.SERVER,
        plan.services,
        plan.front,
        plan.cache,
        tuple(chain.from_iterable(kept)),
        [each for each in measured if each.machine == here],
    )


def _engine(profile: Profile) -> tuple[str, Engine]:
    """Return the engine that the profile names, or whose table it writes, or the first one."""
    written = [name for name in ENGINES if name in profile.model_fields_set]
    name = profile.engine or (*written, *ENGINES)[0]
    return name, load_engine(name)


def _facts(
    name: str, asked: Asked, catalogue: Catalogue, source: str, version: str | None
) -> Facts:
    # The option is about the engine that most tables are of.
    told = version if name == catalogue.engine else None
    where = "--ollama-version" if told else f"{name}.version"
    try:
        return catalogue.at(name, catalogue.of(name).release(told or asked.version))
    except ValueError as error:
        message, hint = split_message(error)
        raise ProfileError(source, (Problem(where, message, hint),)) from None


def _case(part: Part, asker: _Asker, asked: Asked) -> Case:
    profile, engine, facts = part.profile, asker.engine, asker.facts
    host = host_facts(profile.host, facts)
    acceleration = asked.acceleration or devices.library_of(host, facts)
    summary = _summary(host)
    header = (
        f"Generated by Hostwright from {asker.source}. Edit the profile, not this file.",
        f"For {engine.SERVER.product} {facts.release}" + (f" on {summary}." if summary else "."),
    )
    return Case(
        profile=profile,
        facts=facts,
        host=host,
        acceleration=acceleration,
        devices=devices.devices_of(profile.gpu, host, facts, acceleration),
        threads=limits.thread_count(profile, host, acceleration, part.divisor),
        listen=service.listen_of(asked, engine.SERVER),
        home=service.home_of(profile, engine.SERVER),
        header=header,
        legacy_env=asker.legacy_env,
        unit=part.unit,
        units=part.units,
        puller=part.puller,
    )


def host_facts(table: HostTable, facts: Facts) -> Host:
    """Return the Host that a profile describes; a compute capability left out is looked up."""
    cpu = table.cpu
    return Host(
        system=table.system,
        cpu=cpu.model if cpu else "",
        cores=cpu.cores if cpu else 0,
        threads=cpu.hardware_threads if cpu else 0,
        memory=table.memory or 0,
        gpus=tuple(_gpu(gpu, facts, unified=table.unified_memory) for gpu in table.gpus),
        driver=table.driver,
    )


def _gpu(gpu: HostGpu, facts: Facts, *, unified: bool) -> Gpu:
    known = facts.cards.by_pci(gpu.pci_id) if gpu.pci_id else None
    known = known or facts.card(gpu.name)
    return Gpu(
        name=gpu.name,
        memory=gpu.memory,
        compute_capability=gpu.compute_capability or (known.compute_capability if known else ""),
        uuid=gpu.uuid,
        unified=unified or (known is not None and known.unified),
        reserved=gpu.reserved,
        vendor=devices.vendor_of(gpu, known),
        target=known.target if known else "",
    )


def _remarks(name: str, asked: Asked, case: Case) -> Iterator[Finding]:
    """Yield what there is to say of release, GPUs and place."""
    facts = case.facts
    yield from devices.remarks(case.host, facts, case.acceleration)
    yield from service.remarks(name, asked, case)


def _plan(case: Case, source: str, served: Service) -> Plan:
    """Return the Plan, without its Findings."""
    profile = case.profile
    return Plan(
        schema_version=SCHEMA_VERSION,
        name=profile.name,
        description=profile.description,
        source=source,
        summary=_summary(case.host),
        header=case.header,
        host=case.host,
        services=(served,),
        silences=tuple(Silence(rule=e.rule, reason=e.reason) for e in profile.check.ignore),
        findings=(),
    )


def _summary(host: Host) -> str:
    """Return one line about the machine: `Intel Xeon …: 12 cores, 24 threads, 32 GiB, no GPU`."""
    parts: list[str] = []
    if host.cores:
        parts.append(f"{host.cores} cores")
        if host.threads != host.cores:
            parts.append(f"{host.threads} threads")
    if host.memory:
        parts.append(written_size(host.memory))
    parts += [f"{gpu.name} ({written_size(gpu.memory)})" for gpu in host.gpus]
    if not host.gpus and host.cores:
        parts.append("no GPU")
    return ": ".join(part for part in (host.cpu, ", ".join(parts)) if part)
