"""What a part of the engine may decide: parts yield these, and one function puts them together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from generator.engines.ollama.rules.helpers.names import name_fault
from generator.errors import Finding, Problem
from generator.plan import Model, Omission, Parameter, Setting
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.base import Case
    from generator.plan import Group, Scope, Source

Decision: TypeAlias = "Setting | Omission | Parameter | Model | Finding | Problem"
Kind = TypeVar("Kind", Setting, Omission, Parameter, Model, Finding, Problem)
Decisions: TypeAlias = "Iterator[Decision]"
GROUPS: Final[tuple[Group, ...]] = ("gpu", "threads", "server", "environment")
# Keys of `[ollama]` whose variables stand with those of the GPUs.
WITH_GPUS: Final = frozenset({"acceleration", "sched_spread", "llm_library", "gpu_overhead"})


def group_of(key: str) -> Group:
    """Return the group in which the variable of a profile key stands."""
    table, _, name = key.partition(".")
    if table == "gpu" or (table == "ollama" and name in WITH_GPUS):
        return "gpu"
    if table == "ollama" and name.startswith("env."):
        return "environment"
    return "threads" if table == "threads" else "server"


def plain(
    name: str,
    value: str,
    reason: str,
    where: str,
    source: Source = "profile",
    scope: Scope = "any",
) -> Setting:
    """Return a variable as it is, whatever the release makes of it."""
    group: Group = "environment" if source == "legacy" else group_of(where)
    return Setting(
        name=name, value=value, reason=reason, source=source, group=group, key=where, scope=scope
    )


def note(rule: str, message: str, where: str, fix: str = "", link: str = "") -> Finding:
    """Return a Finding of a rule."""
    return every_rule()[rule].finding(message, where, fix, link)


def omission(what: str, reason: str, where: str) -> Omission:
    """Return what is left out on purpose; the output says so in one comment."""
    reason = f"Not set: {what}. {reason}"
    return Omission(what=what, reason=reason, group=group_of(where), key=where)


def reads(case: Case, name: str) -> bool:
    """Whether the release reads the variable and it does something."""
    variable = case.facts.variable(name)
    return variable is not None and variable.works


def setting(
    case: Case,
    name: str,
    value: str,
    *,
    where: str,
    reason: str,
    source: Source = "profile",
    scope: Scope = "any",
) -> Decisions:
    """Yield a variable that the release reads; otherwise why not."""
    variable = case.facts.variable(name)
    if variable is None or not variable.known:
        yield from _dropped(case, name, where)
        return
    allowed = variable.allowed(case.host.system)
    if allowed is not None and value not in allowed:
        message = f"Ollama {case.facts.release} does not take `{value}`"
        yield Problem(where, message, f"one of {', '.join(allowed)}")
        return
    yield plain(name, value, reason, where, source, scope)


def _dropped(case: Case, name: str, where: str) -> Decisions:
    fault = name_fault(name, case.facts)
    if fault is None:  # Nothing has facts about it: no name that is written in code.
        raise KeyError(name)
    release = case.facts.release
    yield omission(name, f"It {fault.what}; this is for Ollama {release}.", where)
    yield note(
        fault.rule,
        f"`{name}` {fault.what}; left out for Ollama {release}",
        where,
        fix=f"use {fault.use}" if fault.use else "",
        link=fault.link,
    )


def lever(
    case: Case,
    variable: str,
    parameter: str,
    value: str,
    *,
    where: str,
    reason: str,
    source: Source = "profile",
) -> Decisions:
    """Yield the variable where the release reads it, otherwise a parameter of every model."""
    if source == "profile":  # Otherwise nobody has asked for what it stands in for.
        reason = commented(reason, case.facts.legacy_names(where))
    if reads(case, variable):
        yield from setting(case, variable, value, where=where, reason=reason, source=source)
    else:
        yield from _all_models(case, parameter, value, where, reason)


def _all_models(case: Case, name: str, value: str, where: str, reason: str) -> Decisions:
    if not case.profile.models:
        yield note(
            "HW503",
            f"Ollama {case.facts.release} takes `{name}` only from a model or a request, and "
            f"this profile names no models; left out",
            where,
            fix="add a `[[models]]` table",
        )
        message = "Only a model or a request carries it in this release, and there is no model."
        yield omission(f"{name} {value}", message, where)
    yield Parameter(name=name, value=value, reason=reason, key=where)


def legacy(case: Case, intent: str, value: str) -> Decisions:
    """Yield the dead names for `intent` under --legacy-env."""
    for name in case.facts.legacy_names(intent) if case.legacy_env else ():
        reason = "Read by no release of Ollama; here for wrappers that read it."
        yield plain(name, value, reason, intent, "legacy")


def commented(reason: str, replaces: tuple[str, ...]) -> str:
    """Return the comment of a value: why it is, and what it stands in for."""
    if not replaces:
        return reason
    return f"{reason} Stands in for {' and '.join(replaces)}, which no release reads."


def only(kind: type[Kind], decisions: Iterable[Decision]) -> tuple[Kind, ...]:
    """Return the decisions of one kind, in order."""
    return tuple(decision for decision in decisions if isinstance(decision, kind))


def environment(decisions: Iterable[Decision]) -> tuple[Setting, ...]:
    """Return the variables by group, within a group as decided, each name once."""
    found: dict[str, Setting] = {}
    for decided in only(Setting, decisions):
        found.setdefault(decided.name, decided)
    return tuple(sorted(found.values(), key=lambda one: GROUPS.index(one.group)))


def doubled(decisions: Iterable[Decision]) -> Iterator[Problem]:
    """Yield a Problem for each variable that two keys set."""
    counts = Counter(decided.name for decided in only(Setting, decisions))
    for name, count in counts.items():
        if count > 1:
            message = f"`{name}` is set already by another key"
            yield Problem(f"ollama.env.{name}", message, "remove it here")
