"""Decide: Profile × Catalogue → Plan. Pure; every conflict is reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import SEVERITIES, Problem, ProfileError, split_message
from generator.plan import SCHEMA_VERSION, Listen, Plan
from generator.resolve import context, gpu, models, resources, service, threads, variables
from generator.resolve.draft import Draft
from generator.resolve.host import host_facts
from generator.resolve.view import view_of
from generator.rules import judge
from generator.rules.registry import rule_of
from generator.units import is_local, written_size

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.profiles.schema import Profile


def resolve(
    profile: Profile,
    catalogue: Catalogue,
    *,
    source: str,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
) -> Plan:
    """Return the Plan of `profile` for an Ollama release.

    `source` names the profile in the output; `version` overrides `ollama.version`; `legacy_env`
    also emits the names that no release reads; `strict` makes an error of every setting that the
    release does not take as written. Raises ProfileError with every Problem.
    """
    facts = _facts(profile, catalogue, source, version)
    draft = Draft(profile, facts, legacy_env=legacy_env)
    gpu.decide(draft)
    threads.decide(draft)
    variables.decide(draft)
    context.decide(draft)
    limits = resources.decide(draft)
    plan = _plan(draft, limits=limits, source=source)
    view = view_of(plan, profile, host_facts(profile.host, facts))
    draft.findings.extend(found.finding for found in judge(view, facts))
    problems = [*draft.problems, *(_strict_problems(draft) if strict else ())]
    if problems:
        raise ProfileError(source, tuple(problems))
    return _with_findings(plan, draft)


def _facts(profile: Profile, catalogue: Catalogue, source: str, version: str | None) -> Facts:
    where = "--ollama-version" if version else "ollama.version"
    try:
        return catalogue.at("ollama", catalogue.release(version or profile.ollama.version))
    except ValueError as error:
        message, hint = split_message(error)
        raise ProfileError(source, (Problem(where, message, hint),)) from None


def _strict_problems(draft: Draft) -> list[Problem]:
    return [Problem(f.where, f.message, f.fix) for f in draft.findings if rule_of(f.rule).deviates]


def _with_findings(plan: Plan, draft: Draft) -> Plan:
    from dataclasses import replace

    ordered = sorted(draft.findings, key=lambda f: (SEVERITIES.index(f.severity), f.rule, f.where))
    silenced = {entry.rule: entry.reason for entry in draft.profile.check.ignore}
    marked = (replace(f, ignored=silenced.get(f.rule, "")) for f in dict.fromkeys(ordered))
    return replace(plan, findings=tuple(marked))


def _plan(draft: Draft, *, limits: resources.Limits, source: str) -> Plan:
    profile = draft.profile
    # Everything that adds to the draft comes before what reads it.
    decided_models = models.decide(draft)
    era = draft.facts.era
    jobs = service.units(draft, decided_models)
    return Plan(
        schema_version=SCHEMA_VERSION,
        name=profile.name,
        description=profile.description,
        source=source,
        release=str(draft.facts.release),
        era_since=str(era.since),
        era_until=str(era.until or ""),
        system=profile.host.system,
        acceleration=draft.acceleration,
        summary=_summary(draft),
        listen=_listen(draft),
        models_dir=profile.ollama.models_dir or "",
        environment=draft.ordered_settings(),
        omissions=tuple(draft.omissions),
        limits=limits,
        devices=draft.devices,
        models=decided_models,
        units=jobs,
        service=service.decide(draft),
        container=service.container(draft),
        findings=(),
    )


def _listen(draft: Draft) -> Listen:
    ollama = draft.profile.ollama
    reach = "this machine only" if is_local(ollama.host) else "every machine that can reach it"
    return Listen(
        host=ollama.host,
        port=ollama.port,
        open_firewall=ollama.open_firewall,
        reason=f"Reachable from {reach}; the API has no authentication.",
    )


def _summary(draft: Draft) -> str:
    """Return one line about the machine: `Intel Xeon …: 12 cores, 24 threads, 32 GiB, no GPU`."""
    host = draft.profile.host
    parts: list[str] = []
    if host.cpu:
        parts.append(f"{host.cpu.cores} cores")
        if host.cpu.hardware_threads != host.cpu.cores:
            parts.append(f"{host.cpu.hardware_threads} threads")
    if host.memory:
        parts.append(written_size(host.memory))
    parts += [f"{gpu.name} ({written_size(gpu.memory)})" for gpu in host.gpus]
    if not host.gpus and host.cpu:
        parts.append("no GPU")
    name = host.cpu.model if host.cpu else ""
    return ": ".join(part for part in (name, ", ".join(parts)) if part)
