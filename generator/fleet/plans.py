"""The Plans of a fleet: each combination of profile, overrides and release is decided once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from generator.errors import EnvironmentFailure, HostwrightError, Problem, ProfileError
from generator.pipeline import decide
from generator.profiles.load import overlaid, read_document
from generator.records import dataclass
from generator.rules.decided import DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.errors import Finding
    from generator.fleet.settings import Own
    from generator.plan import Plan
    from generator.profiles.document import Document

_NO_PROFILE = 'add `profile = "xeon-cpu"`, or the path of another, or a `report`'


@dataclass(frozen=True, slots=True)
class Base:
    """The Plan of a profile as it stands, which hosts with overrides differ from, and its name."""

    name: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Decision:
    """The Plan of a host, and what it is told by; `base` None: there is nothing like it."""

    plan: Plan
    base: Base | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A profile, or a report, for a release; `packaged` counts where nobody says one."""

    profile: str | None
    report: str | None
    version: str | None
    packaged: str | None


class Plans:
    """Decides the Plans of hosts, and collects all Problems."""

    def __init__(self, fleet: Document, folder: Path, *, strict: bool) -> None:
        self._fleet, self._folder, self._strict = fleet, folder, strict
        self._documents: dict[tuple[str | None, ...], Document | None] = {}
        self._decisions: dict[str, Decision] = {}
        self._faulty: dict[str, Decision | None] = {}
        self._bases: dict[_Asked, Base | None] = {}
        self._names: dict[str, Plan] = {}
        self.problems: list[Problem] = []
        self.doubts: dict[str, tuple[Finding, ...]] = {}

    def decision(self, own: Own, packaged: str | None) -> Decision | None:
        """Return what is decided for a host; None where it has Problems.

        `packaged` is the release that counts where nobody, nor the profile, says one.
        """
        asked = _Asked(own.profile, own.host.report, own.version, packaged)
        tables = [table for _, table in own.overrides]
        key = json.dumps([dataclasses.astuple(asked), tables], sort_keys=True, default=str)
        if key not in self._decisions:
            return self._decided_at(own, asked, key)
        return self._decisions[key]

    def _decided_at(self, own: Own, asked: _Asked, key: str) -> Decision | None:
        """Decide, and keep it for all who ask the same; Problems are told at each place."""
        placed = json.dumps([key, [place for place, _ in own.overrides]])
        if placed in self._faulty:
            return self._faulty[placed]
        before = len(self.problems)
        decision = self._decided(own, asked)
        if decision is None or len(self.problems) > before:
            self._faulty[placed] = decision
        else:
            self._decisions[key] = decision
        return decision

    def _decided(self, own: Own, asked: _Asked) -> Decision | None:
        document = self._document(own, asked)
        if document is None:
            return None
        tables = []
        for place, overrides in own.overrides:
            if "extends" in overrides:
                where = f"{place}.overrides.extends"
                hint = "name that profile by `profile`"
                self.problems.append(Problem(where, "a host extends its profile already", hint))
            tables.append({key: table for key, table in overrides.items() if key != "extends"})
        if not tables:
            plan = self._plan(own, document, asked)
            if plan is None:
                return None
            base = None if asked.report else Base(self._named(asked, plan), plan)
            return Decision(plan, base)
        merged = document
        for table in tables:
            merged = overlaid(merged, table, self._fleet.source)
        plan = self._plan(own, merged, asked, also=self._fleet.label)
        return None if plan is None else Decision(plan, self._base(document, asked))

    def _base(self, document: Document, asked: _Asked) -> Base | None:
        """Return what hosts with overrides of a profile have in common.

        None for a report, which is that of one host, and where only overrides make it a profile.
        """
        if asked not in self._bases:
            self._bases[asked] = None
            try:
                if asked.report is None:
                    plan = self._made(document, asked, self._fleet.label)
                    self._bases[asked] = Base(self._named(asked, plan, "-overridden"), plan)
            except HostwrightError:
                pass
        return self._bases[asked]

    def _named(self, asked: _Asked, plan: Plan, kind: str = "") -> str:
        """Return a name that no other Plan has, whichever others there are."""
        source = str(asked.profile)
        stem = PurePosixPath(source).name.removesuffix(".toml")
        name = f"{stem}-{plan.services[0].release}{kind}"
        if self._names.setdefault(name, plan) != plan:
            name += f"-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
            self._names[name] = plan
        return name

    def _plan(self, own: Own, document: Document, asked: _Asked, also: str = "") -> Plan | None:
        try:
            return self._made(document, asked, also)
        except ProfileError as error:
            self.problems += self._placed(own, error)
            return None

    def _made(self, document: Document, asked: _Asked, also: str = "") -> Plan:
        version = asked.version
        if not _says_release(document.data):
            version = version or asked.packaged
        return decide(document, version=version, strict=self._strict, also=also)

    def _document(self, own: Own, asked: _Asked) -> Document | None:
        """Read a profile or a report once; what is wrong with it is reported once, too."""
        if asked.profile is None and asked.report is None:
            where = f"hosts.{own.name}.profile"
            self.problems.append(Problem(where, "this key is required", _NO_PROFILE))
            return None
        key = (asked.profile,) if asked.report is None else dataclasses.astuple(asked)
        if key not in self._documents:
            self._documents[key] = None
            try:
                self._documents[key] = self._read(own, asked)
            except ProfileError as error:
                self.problems += self._placed(own, error)
            except EnvironmentFailure:
                raise
            except HostwrightError as error:
                self.problems.append(Problem(_said(own, asked), error.message, error.hint))
        return self._documents[key]

    def _read(self, own: Own, asked: _Asked) -> Document:
        if asked.report is None:
            return read_document(str(asked.profile), folder=self._folder)
        from generator.catalogue.catalogue import load_catalogue
        from generator.detect.detect import detect
        from generator.detect.facter import read_facter

        if own.host.profile is not None:
            message = "the profile of this host is what its `report` tells"
            raise HostwrightError(message, hint="take one of them out, and use `overrides`")
        path = self._folder / asked.report
        if not path.is_file():
            hint = "write it on the host with `nixos-facter -o`, and have git track it"
            raise HostwrightError(f"there is no file `{asked.report}`", hint=hint)
        found = read_facter(path)
        self.doubts[asked.report] = tuple(
            DOUBT.finding(f"{asked.report}: {doubt.message}", doubt.where)
            for doubt in found.warnings
        )
        # The profile names its host, not the place of the report on this machine.
        release = asked.version or asked.packaged
        text = detect(found, load_catalogue(), release=release).profile()
        return read_document(asked.report, stdin=text.encode())

    def _placed(self, own: Own, error: ProfileError) -> Iterator[Problem]:
        """Say where in the fleet file the cause stands; otherwise it stands in the profile."""
        for problem in error.problems:
            where, source = problem.where, problem.source or error.source
            if where == "--ollama-version":
                place = next(p for p, t in reversed(own.tables) if t.ollama_version is not None)
                where, source = f"{place}.ollama_version", self._fleet.source
            elif problem.source == self._fleet.source:
                where = f"{_overriding(own, where)}.overrides.{where}"
            yield dataclasses.replace(problem, where=where, source=source)


def _said(own: Own, asked: _Asked) -> str:
    """Return the key that names the profile or the report of a host."""
    if asked.report is not None:
        return f"hosts.{own.name}.report"
    place = next(place for place, table in reversed(own.tables) if table.profile is not None)
    return f"{place}.profile"


def _overriding(own: Own, where: str) -> str:
    """Return the place of the table that has most of a key, of several the strongest."""
    path = where.split(".")
    deepest = max(_depth(table, path) for _, table in own.overrides)
    return [place for place, table in own.overrides if _depth(table, path) == deepest][-1]


def _depth(table: Any, path: list[str]) -> int:  # noqa: ANN401 -- a table, or what is in one
    """Return how many steps of a path there are in a table."""
    if not path or not isinstance(table, dict) or path[0] not in table:
        return 0
    return 1 + _depth(table[path[0]], path[1:])


def _says_release(profile: dict[str, Any]) -> bool:
    return any("version" in table for table in profile.values() if isinstance(table, dict))
