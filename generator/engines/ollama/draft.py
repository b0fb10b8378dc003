"""The Draft: what `resolve` has decided so far. Settings go in through one door, `Draft.set`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.names import name_fault
from generator.errors import Problem
from generator.plan import Group, Omission, Parameter, Scope, Setting, Source
from generator.rules.registry import rule_of

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.errors import Finding

GROUPS: Final[tuple[Group, ...]] = ("gpu", "threads", "server", "environment")


def commented(reason: str, replaces: tuple[str, ...]) -> str:
    """Return the comment of a value: why it is, and what it stands in for."""
    if not replaces:
        return reason
    return f"{reason} Stands in for {' and '.join(replaces)}, which no release reads."


class Draft:
    """The decisions in the making, with the facts they rest on.

    The Facts are those of the release that the output is for.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.profile, self.facts, self.host = case.profile, case.facts, case.host
        self.acceleration, self.legacy_env = case.acceleration, case.legacy_env
        self.gpus = case.gpus
        self.settings: list[Setting] = []
        self.omissions: list[Omission] = []
        self.parameters: list[Parameter] = []
        self.findings: list[Finding] = []
        self.problems: list[Problem] = []

    def note(self, rule: str, message: str, where: str, fix: str = "", link: str = "") -> None:
        """Record a Finding of a rule."""
        self.findings.append(rule_of(rule).finding(message, where, fix, link))

    def problem(self, where: str, message: str, hint: str = "") -> None:
        """Record a fault of the profile; any of them stops `resolve` at its end."""
        self.problems.append(Problem(where, message, hint))

    def omit(self, what: str, reason: str, where: str, group: Group = "server") -> None:
        """Leave something out on purpose; the output says so in one comment."""
        line = f"Not set: {what}. {reason}"
        self.omissions.append(Omission(what=what, reason=line, group=group, key=where))

    def reads(self, name: str) -> bool:
        """Whether the release reads the variable and it does something."""
        variable = self.facts.variable(name)
        return variable is not None and variable.works

    def set(
        self,
        name: str,
        value: str,
        *,
        where: str,
        reason: str,
        group: Group = "server",
        source: Source = "profile",
        replaces: tuple[str, ...] = (),
        scope: Scope = "any",
    ) -> None:
        """Emit a variable that the release reads; otherwise say why not."""
        variable = self.facts.variable(name)
        if variable is None or not variable.known:
            self._dropped(name, where, group)
            return
        allowed = variable.allowed(self.profile.host.system)
        if allowed is not None and value not in allowed:
            choices = ", ".join(allowed)
            self.problem(
                where, f"Ollama {self.facts.release} does not take `{value}`", f"one of {choices}"
            )
            return
        self.emit(
            Setting(
                name=name,
                value=value,
                reason=commented(reason, replaces),
                source=source,
                group=group,
                key=where,
                scope=scope,
            )
        )

    def emit(self, setting: Setting) -> None:
        """Put a variable into the output as it is; a later one of the same name is a problem."""
        if any(other.name == setting.name for other in self.settings):
            self.problem(
                f"ollama.env.{setting.name}",
                f"`{setting.name}` is set already by another key",
                "remove it here",
            )
            return
        self.settings.append(setting)

    def all_models(
        self, name: str, value: str, where: str, reason: str, replaces: tuple[str, ...] = ()
    ) -> None:
        """Set a Modelfile parameter on every model: the lever where no variable is read."""
        if not self.profile.models:
            self.note(
                "HW503",
                f"Ollama {self.facts.release} takes `{name}` only from a model or a request, and "
                f"this profile names no models; left out",
                where,
                fix="add a `[[models]]` table",
            )
            told = "Only a model or a request carries it in this release, and there is no model."
            self.omit(f"{name} {value}", told, where)
        comment = commented(reason, replaces)
        self.parameters.append(Parameter(name=name, value=value, reason=comment, key=where))

    def emit_legacy(self, intent: str, value: str) -> tuple[str, ...]:
        """Return the dead names for `intent`; under --legacy-env emit them with `value` too."""
        names = self.facts.legacy_names(intent)
        for name in names if self.legacy_env else ():
            self.emit(
                Setting(
                    name=name,
                    value=value,
                    reason="Read by no release of Ollama; here for wrappers that read it.",
                    source="legacy",
                    group="environment",
                    key=intent,
                )
            )
        return names

    def ordered_settings(self) -> tuple[Setting, ...]:
        """Return the variables by group, within a group as decided."""
        return tuple(sorted(self.settings, key=lambda setting: GROUPS.index(setting.group)))

    def _dropped(self, name: str, where: str, group: Group) -> None:
        fault = name_fault(name, self.facts)
        if fault is None:  # Nothing has facts about it: no name that is written in code.
            raise KeyError(name)
        self.omit(name, f"It {fault.what}; this is for Ollama {self.facts.release}.", where, group)
        self.note(
            fault.rule,
            f"`{name}` {fault.what}; left out for Ollama {self.facts.release}",
            where,
            fix=f"use {fault.use}" if fault.use else "",
            link=fault.link,
        )
