"""Check everything that is named: profiles and foreign files, into one Report."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.nixos import no_channel
from generator.check.agreed import agreed
from generator.check.excerpt import with_secrets
from generator.check.report import Report
from generator.check.settings import NAME, Settings
from generator.check.silence import silenced
from generator.errors import (
    Problem,
    ProfileError,
    quietened,
    split_message,
)
from generator.host import Host
from generator.readers.base import Context
from generator.readers.discover import STDIN, discover
from generator.readers.links import is_link, real_name
from generator.readers.seen import views
from generator.readers.text import listed_once, read_beside
from generator.records import replace
from generator.rules.decided import SILENCE, UNREADABLE
from generator.rules.registry import every_rule, judge, ordered
from generator.view import LocatedFinding, NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from generator.catalogue.catalogue import Catalogue
    from generator.readers.base import Source
    from generator.readers.discover import Found
    from generator.units import Release
    from generator.view import Variable, View

_AT_HAND: Final = 64
"""So many files beside others are kept: those of one folder are asked for again and again."""
_FEW: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to check, and for what: a release, one of NixOS, a machine, targets of profiles, rules.

    Without `paths` it is what the machine runs whose files are below `root`. `select` and `ignore`
    hold rule ids or their beginnings (`HW1`); an empty `select` leaves it to the `settings` of the
    repository.
    """

    paths: Sequence[str] = ()
    root: str | None = None
    version: str | None = None
    nixos: str | None = None
    host: Path | None = None
    targets: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    stdin: bytes | None = None
    stdin_name: str = ""
    settings: Settings = field(default_factory=Settings)


@dataclass(slots=True)
class _Gathered:
    found: list[LocatedFinding] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    not_judged: list[NotJudged] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """The files of which there are Views, whatever else is wrong with them."""
    names: set[str] = field(default_factory=set)
    """Those of all variables that are set."""
    beside: set[str] = field(default_factory=set)
    """The paths of further files that were read for those."""


def check(wanted: CheckRequest, *, fixing: bool = False) -> Report:
    """Return the Report of all that is named.

    Edits are tried, and only harmless ones stay: always for `fixing`, otherwise while they are
    few, because each takes another reading of its file.

    What cannot be read is a Finding under the rule id UNREADABLE, so that one bad file does not
    hide the others; what tells nothing, or cannot be read on this machine, is not judged. Raises
    HostwrightError for a release or a host file that makes no sense.
    """
    catalogue = load_catalogue()
    release, host = _release(wanted.version, catalogue), _host(wanted, catalogue)
    context = Context(
        catalogue,
        release,
        host,
        functools.lru_cache(maxsize=_AT_HAND)(read_beside),
        release_by_file=wanted.settings.release,
        channel_by_file=wanted.settings.channel,
        exists=os.path.lexists,
        listed=listed_once(),
        channel=_channel(wanted.nixos, catalogue),
    )
    names = _shipped(wanted.paths)
    paths = [path for path in wanted.paths if path not in names]
    text = (wanted.stdin or b"").decode("utf-8", "surrogateescape")
    found = discover(paths, stdin=text, stdin_name=wanted.stdin_name)
    if not wanted.paths:
        from generator.check.machine import HERE, installed

        found = installed(wanted.root or HERE)
    gathered = _Gathered()
    for fleet in found.fleets:
        _fleet(fleet, wanted, gathered)
    for name in dict.fromkeys((*names, *found.profiles)):
        _profile(name, wanted, gathered)
    _foreign(found, context, gathered)
    chosen = (placed for placed in gathered.found if _chosen(placed, wanted))
    findings = _once(ordered(list(chosen)))
    edited = sum(bool(placed.edits) for placed in findings)
    if edited and wanted.paths:
        from generator.check.written import without_kept

        findings = without_kept(findings)
    if edited and (fixing or edited <= _FEW):
        findings = _certain(findings, found, context, gathered)
    not_judged = tuple(_all_not_judged(gathered))
    secret = _secret(gathered, catalogue)
    return Report(findings, gathered.texts, not_judged, secret, dict(found.links))


def _certain(
    findings: tuple[LocatedFinding, ...], found: Found, context: Context, gathered: _Gathered
) -> tuple[LocatedFinding, ...]:
    """Return the Findings with those Edits only that do what they say and no more."""
    from generator.check.names import without_used
    from generator.check.trial import proven
    from generator.check.written import at_one_name

    texts = {source.path: source.text for source in found.around} | gathered.texts
    known = {os.path.normpath(path) for path in texts}
    further = (path for path in sorted(gathered.beside) if os.path.normpath(path) not in known)
    texts |= {path: context.read(path) or "" for path in further}
    tried = proven(without_used(findings, texts, gathered.names), found, context)
    # An Edit that is not made may leave a use where it was.
    return at_one_name(without_used(tried, texts, gathered.names))


def _secret(gathered: _Gathered, catalogue: Catalogue) -> frozenset[Place]:
    """Return the places of lines that no report shows: a rule says so, or they look like it."""
    rules = every_rule()
    told = {placed.place for placed in gathered.found if rules[placed.finding.rule].secret}
    has = catalogue.at(catalogue.engine).secrets.has
    return frozenset(told | set(with_secrets(gathered.found, gathered.texts, has)))


def notes(wanted: CheckRequest, report: Report) -> Iterator[str]:
    """Yield what there is to say of what was asked for, and not of a file."""
    catalogue = load_catalogue()
    told = (_release(wanted.version, catalogue), *(s.release for s in wanted.settings.scopes))
    for release in dict.fromkeys(one for one in told if one and one > catalogue.newest):
        yield (
            f"Ollama {release} is newer than {catalogue.newest}, the newest that is known here: "
            "it is judged as that one"
        )
    for pattern in wanted.settings.idle(report.texts):
        yield f'{wanted.settings.folder / NAME}: no file matches `path = "{pattern}"`'


def _shipped(paths: Sequence[str]) -> list[str]:
    """Return those of the paths that are names of shipped profiles, which have no `.` and `/`."""
    bare = [path for path in paths if not {".", "/"} & set(path)]
    if not bare:
        return []
    # Most checks are of other files.
    from generator.profiles.shipped import shipped_profiles

    names = {path.stem for path in shipped_profiles()}
    return [path for path in bare if path in names]


def _host(wanted: CheckRequest, catalogue: Catalogue) -> Host:
    """Return the Host that the `[host]` table of a file describes, a profile's or alone."""
    if wanted.host is None:
        return Host()
    # Most checks name no host, and pydantic takes longer to load than they do.
    from generator.profiles.load import read_file
    from generator.profiles.validate import validate
    from generator.resolve import host_facts

    document = read_file(wanted.host, stdin=wanted.stdin if str(wanted.host) == STDIN else None)
    if not isinstance(document.data.get("host"), dict):
        problem = Problem("host", "there is no such table", "write the machine under `[host]`")
        raise ProfileError(document.source, (problem,))
    data = {"schema_version": 1, "name": "host", "host": document.data["host"]}
    return host_facts(validate(replace(document, data=data)).host, catalogue.at(catalogue.engine))


def _release(version: str | None, catalogue: Catalogue) -> Release | None:
    if version is None:
        return None
    try:
        return catalogue.release(version)
    except ValueError as error:
        message, hint = split_message(error)
        raise ProfileError("--ollama-version", (Problem("", message, hint),)) from None


def _channel(name: str | None, catalogue: Catalogue) -> str:
    problem = None if name is None else no_channel("", name, catalogue.channels)
    if problem is not None:
        raise ProfileError("--nixos", (problem,))
    return name or ""


def _profile(name: str, wanted: CheckRequest, gathered: _Gathered) -> None:
    from generator.check.profiles import check_profile

    piped = STDIN in wanted.paths and name == (wanted.stdin_name or STDIN)
    stdin = wanted.stdin if piped else None
    release = wanted.settings.release(name)
    version = wanted.version or (str(release) if release else None)
    found, texts = check_profile(name, version, wanted.targets, stdin)
    gathered.found += found
    gathered.texts |= texts or {name: ""}


def _fleet(fleet: Source, wanted: CheckRequest, gathered: _Gathered) -> None:
    from generator.check.fleets import check_fleet

    piped = STDIN in wanted.paths and fleet.path == (wanted.stdin_name or STDIN)
    found, texts = check_fleet(fleet.path, fleet.text, wanted.stdin if piped else None)
    gathered.found += found
    gathered.texts |= texts


def _foreign(found: Found, context: Context, gathered: _Gathered) -> None:
    seen = views(found, context)
    gathered.not_judged += seen.not_judged
    gathered.seen |= {view.place.file for view in seen.views}
    texts = seen.texts
    judged = [(view, _judged(view, context)) for view in seen.views]
    placed = list(agreed(judged))
    # A file that another one refers to can be judged, mended and silenced as well.
    files = (v.place.file for view in seen.views for v in view.variables)
    for file in dict.fromkeys((*(p.place.file for p in placed), *files)):
        if file not in texts:
            texts[file] = context.read(file) or ""
    gathered.names |= {v.name for view in seen.views for v in _variables(view)}
    gathered.beside |= seen.read
    gathered.found += silenced(dict.fromkeys(placed), texts)
    gathered.found += [_problem(problem) for problem in seen.problems]
    gathered.texts |= texts | {p.source: "" for p in seen.problems if p.source not in texts}


def _judged(view: View, context: Context) -> list[LocatedFinding]:
    found = judge(view, context.facts(view))
    return [replace(one, finding=quietened(one.finding, view.silences)) for one in found]


def _variables(view: View) -> Iterator[Variable]:
    yield from view.variables
    for client in view.clients:
        yield from client.variables


def _all_not_judged(gathered: _Gathered) -> Iterator[NotJudged]:
    """Yield what tells nothing, and each file that is broken, whose Finding says more."""
    yield from dict.fromkeys(gathered.not_judged)
    found = (placed for placed in gathered.found if placed.finding.rule == UNREADABLE.id)
    broken = {placed.place.file: placed for placed in found}
    for file, placed in broken.items():
        if file in gathered.seen:
            continue
        yield NotJudged(file=file, reason=placed.finding.message, hint=placed.finding.fix)


def _once(found: Sequence[LocatedFinding]) -> tuple[LocatedFinding, ...]:
    """Tell a fault of a line once, however many services share the line by an anchor or a link."""
    first: dict[tuple[object, ...], LocatedFinding] = {}
    names = dict.fromkeys(placed.place.file for placed in found)
    real = {file: real_name(file) for file in names}
    for placed in sorted(found, key=lambda placed: is_link(placed.place.file)):
        finding, place = placed.finding, placed.place
        where = "" if place.line else finding.where
        said = (finding.rule, finding.message, real[place.file], place.line, where)
        first.setdefault(said, placed)
    told = {id(placed) for placed in first.values()}
    return tuple(placed for placed in found if id(placed) in told)


def _problem(problem: Problem) -> LocatedFinding:
    """Return what is wrong with a file; readers say a line as `line 3` or `line 3, column 5`."""
    where, line = problem.where, 0
    head, _, rest = where.partition(" ")
    if head == "line" and rest.partition(",")[0].isdecimal():
        where, line = "", int(rest.partition(",")[0])
    finding = UNREADABLE.finding(problem.message, where, problem.hint)
    return LocatedFinding(finding, Place(problem.source, line))


def _chosen(placed: LocatedFinding, wanted: CheckRequest) -> bool:
    rule = placed.finding.rule
    if rule == UNREADABLE.id:
        return True
    if wanted.select:
        selected = rule == SILENCE.id or rule.startswith(tuple(wanted.select))
    else:
        selected = wanted.settings.wants(placed.place.file, rule)
    return selected and not rule.startswith(tuple(wanted.ignore))
