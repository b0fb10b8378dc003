"""The modules of a file: evaluated by Nix where that works, read off the syntax tree elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure, Problem, ProfileError
from generator.readers.base import NeedsMore, Source
from generator.readers.nixos import FLAKE
from generator.readers.nixos.evaluate import Definition, NotEvaluated, ToldBy, evaluate
from generator.readers.nixos.literal import INSTALL, Part, exclude, parts
from generator.readers.nixos.told import told
from generator.readers.syntax.grammar import TooMuch
from generator.records import dataclass
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from generator.readers.base import Context

MOST_NEIGHBOURS: Final = 20
MOUNTS: Final = ("fileSystems",)
_OF_UNIT: Final = re.compile(r"(?:Condition|Assert|StartLimit)[A-Z]")
_UNITS: Final = ("systemd", "services")
STARTS: Final = (("serviceConfig", "ExecStart"), ("script",))
"""Options below a unit with the command that it runs."""
_QUIET: Final = frozenset(
    {"package", "branch", "enable", "description", "wantedBy", "after", "path", "script"}
)
_MADE: Final = "an argument, another module or a function makes the value"
MOST_CONDITIONS: Final = 16
"""Conditions of a module under which it is read once more."""
HINT: Final = "name it with the values written out, or check the unit on the host"
HOME: Final = frozenset({
    "home-manager", "homeManager", "homeManagerModules", "homeModules", "homeConfigurations", "hm",
})  # fmt: skip
DARWIN: Final = frozenset({"darwin", "darwinModules", "darwinConfigurations", "nix-darwin"})
_OF_HOME: Final = re.compile(
    r"\bosConfig\b|\bhome\.(?:packages|sessionVariables|file|username|homeDirectory|stateVersion)\b"
)
_IMPORTS: Final = re.compile(r"\bimports\s*=[^\[;]{0,40}\[([^\]]{0,8000})\]")
_PATH: Final = re.compile(r"(?<![\w./])\.{1,2}/[\w./+-]+")


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a file: where it stands there, what it defines, and what was not judged of it."""

    where: tuple[str, ...]
    found: tuple[Definition, ...]
    gaps: tuple[NotJudged, ...] = ()
    declared: frozenset[str] = frozenset()
    """Options that the file declares below the ones of the service."""
    fault: NotEvaluated | None = None
    """Why Nix does not know what it defines."""
    otherwise: bool = False
    """Whether it is one that is there already, where conditions hold that it does not fulfil."""

    def nothing_known(self, source: Source) -> NeedsMore:
        """Return the error for a module of which no value is known."""
        unknown = self.found[0]
        where = self.fault.where if self.fault else f"line {unknown.line}"
        message = f"something else makes the value of `{'.'.join(unknown.path)}`"
        message = self.fault.reason if self.fault else message
        return NeedsMore(source.path, (Problem(where, message, HINT, source.path),))

    def is_for(self, names: frozenset[str], path: str) -> bool:
        """Return whether it is one of home-manager, or of nix-darwin."""
        return bool(names & {*self.where, *PurePosixPath(path).parts})


def roots(engine: str) -> tuple[tuple[str, ...], ...]:
    """Return the paths of the options that are read, as `module.nix` has them."""
    return (
        ("services", engine),
        ("systemd", "services", engine),
        ("systemd", "sockets", engine),
        ("systemd", "user", "services"),
        ("launchd",),
        ("virtualisation", "oci-containers", "containers"),
        ("virtualisation", "quadlet", "containers"),
        ("virtualisation", "arion", "projects"),
        ("hardware", "nvidia"),
        ("networking", "firewall"),
        ("nixpkgs", "config"),
        MOUNTS,
    )


def modules(source: Source, context: Context) -> list[Module]:
    """Return the modules of a file that set one of the options that are read.

    Raises ProfileError for what is no Nix, NeedsMore where nothing can read it, EnvironmentFailure
    where this machine has nothing to read it with.
    """
    others = told(source, context)
    units = _units(source, context)
    by = replace(others.by, units=units)
    answer, literal = _read(source, context, by)
    kept = (*roots(context.engine.name), *((*_UNITS, name) for name in units))
    declared = _declared(literal or (), context.engine.name)
    texts = source.text.split("\n")

    def ours(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
        of_roots = (d for d in definitions if any(d.path[: len(r)] == r for r in kept))
        return tuple(others.placed(d, texts) for d in of_roots)

    found = []
    for part in _parts(answer, literal, partial(_nested, source, context, by, kept)):
        if of_roots := ours(part.found):
            plain = _is_plain(part, of_roots, context.engine.name)
            gaps = tuple(_gaps(source, part, of_roots, answer, plain=plain))
            fault = answer if isinstance(answer, NotEvaluated) and not part.where else None
            found.append(Module(part.where, of_roots, gaps, declared, fault))
        written = next((each.found for each in literal or () if each.where == part.where), ())
        conditional = _otherwise(source, part, written, ours)
        found += (replace(module, declared=declared) for module in conditional)
    return found


def _units(source: Source, context: Context) -> tuple[str, ...]:
    """Return the names of units that may run the server, beside that of the engine."""
    program, *verb = context.engine.command
    found: dict[str, None] = {}
    for d in said_literally(source):
        if d.path[:2] == _UNITS and len(d.path) > len(_UNITS):
            name, below = d.path[2], d.path[3:]
            starts = below in STARTS and re.search(
                rf"\b{program}\b.{{0,200}}?\b{' '.join(verb)}\b", str(d.value), re.DOTALL
            )
            if name != program and (starts or (not below and program in name)):
                found[name] = None
    return tuple(found)


def said_literally(source: Source) -> list[Definition]:
    """Return all that the text of a file defines, whatever option it is of."""
    try:
        literal = parts(source.text) or ()
    except TooMuch:
        return []
    return [found for part in literal for found in part.found]


Answer = tuple[Definition, ...] | NotEvaluated


def _read(source: Source, context: Context, by: ToldBy) -> tuple[Answer, tuple[Part, ...] | None]:
    """Return what Nix says of a file, and what the syntax tree says."""
    flake = PurePosixPath(source.path).name == FLAKE
    answer: Answer = (
        NotEvaluated("is a flake, which puts modules together")
        if flake
        else evaluate(source.text, context.patience, by)
    )
    if isinstance(answer, NotEvaluated) and answer.broken:
        problem = Problem(answer.where, answer.reason, "mend the module", source.path)
        raise ProfileError(source.path, (problem,))
    try:
        literal = parts(source.text)
    except TooMuch:
        literal = ()
    if isinstance(answer, NotEvaluated) and not literal:
        raise _unreadable(source, answer, installed=literal is not None)
    return answer, literal


def _unreadable(source: Source, answer: NotEvaluated, *, installed: bool) -> Exception:
    hint = f"name a smaller module, or install what reads its text: {INSTALL}"
    if answer.absent and not installed:
        message = "only Nix can read a NixOS module, and there is no nix-instantiate"
        return EnvironmentFailure(
            message, hint=f"install Nix (Debian: `apt-get install nix-bin`), or {INSTALL}"
        )
    return NeedsMore(source.path, (Problem(answer.where, answer.reason, hint, source.path),))


def _nested(
    source: Source, context: Context, by: ToldBy, kept: tuple[tuple[str, ...], ...], part: Part
) -> Part:
    """Return a module within a file as Nix has it, where the text alone does not tell values."""
    ours = [d for d in part.found if any(d.path[: len(root)] == root for root in kept)]
    if not any(d.unresolved or d.below for d in ours):
        return part
    answer = evaluate(source.text, context.patience, by, part.where)
    if isinstance(answer, NotEvaluated) or not any(d.path for d in answer):
        return part
    return replace(part, found=tuple(_filled(answer, part.found)))


def _parts(
    answer: Answer, literal: tuple[Part, ...] | None, nested: Callable[[Part], Part]
) -> Iterator[Part]:
    """Yield the module that the file is, and those in it."""
    top = next((part for part in literal or () if not part.where), Part((), ()))
    if isinstance(answer, NotEvaluated):
        yield top
    else:
        whole = any(not d.path for d in answer)
        found = (*_filled(answer, top.found), *_left_out(answer, top.found))
        found += tuple(_of_releases(found, top.found))
        yield Part((), found, top.through if whole else ())
    yield from (nested(part) for part in literal or () if part.where)


def _filled(found: Sequence[Definition], literal: tuple[Definition, ...]) -> Iterator[Definition]:
    """Yield what Nix says, and what the text says where Nix does not know."""
    known = {(one.path, one.line) for one in found if not one.unresolved}
    left = [d for d in literal if (d.path, d.line) not in known]
    for one in found:
        below = [d for d in left if one.unresolved and d.path[: len(one.path)] == one.path]
        yield from below or (one,)


def _left_out(
    answer: tuple[Definition, ...], literal: tuple[Definition, ...]
) -> Iterator[Definition]:
    """Yield what stands in the wrong section once an option of the module is set."""
    known = {one.path for one in answer}
    for one in literal:
        of_unit = one.path[:2] == _UNITS and one.path[3:4] in {("serviceConfig",), ("unitConfig",)}
        above = {one.path[:n] for n in range(1, len(one.path) + 1)}
        if of_unit and _OF_UNIT.match(one.path[-1]) and not known & above:
            yield replace(one, maybe=True)


def _of_releases(
    found: Iterable[Definition], literal: tuple[Definition, ...]
) -> Iterator[Definition]:
    """Yield what the module sets where the release of NixOS has an option for it."""
    known = {(one.path, one.line) for one in found}
    for one in literal:
        if one.released and (one.path, one.line) not in known:
            yield replace(one, maybe=True)


def _is_plain(part: Part, found: tuple[Definition, ...], engine: str) -> bool:
    """Return whether the text says all of a module, so that Nix could not add to it."""
    every = (d for d in part.found if _touches(d.path, engine) and d.path[-1] not in _QUIET)
    computed = any(d.unresolved or (d.below and not d.released) for d in every)
    return bool(found) and not (part.open or part.through or computed)


def _touches(path: tuple[str, ...], engine: str) -> bool:
    """Return whether a path leads to an option that is read, or is below one."""
    return any(path[: len(root)] == root[: len(path)] for root in roots(engine) if root != MOUNTS)


def _declared(literal: tuple[Part, ...], engine: str) -> frozenset[str]:
    above = ("options", "services", engine)
    paths = (d.path for part in literal for d in part.found)
    return frozenset(
        p[len(above)] for p in paths if p[: len(above)] == above and len(p) > len(above)
    )


def _gaps(
    source: Source, part: Part, found: tuple[Definition, ...], answer: Answer, *, plain: bool
) -> Iterator[NotJudged]:
    """Yield what was not judged of a module; of one that is `plain` the text tells all."""
    where, line = ".".join(part.where), min(d.line for d in found)
    unasked = plain and isinstance(answer, NotEvaluated) and answer.passing
    if isinstance(answer, NotEvaluated) and not part.where and not unasked:
        reason = f"{answer.reason}; only what it says literally was judged"
        yield NotJudged(file=source.path, part="what it computes", reason=reason, hint=HINT)
    for name in dict.fromkeys(part.through):
        reason = f"nobody knows here what `{name}` makes of it; what it is given was judged"
        yield NotJudged(file=source.path, part=where, line=line, reason=reason, hint=HINT)
    always = {d.path for d in found if not d.maybe}
    for d in (d for d in found if d.maybe and d.path in always):
        reason = "a condition that is not known here may set it anew; the value without it counts"
        name = ".".join(d.path)
        yield NotJudged(file=source.path, part=name, line=d.line, reason=reason, hint=HINT)
    named = (d for d in found if d.path[:1] != MOUNTS)
    open_ = [d for d in named if d.unresolved and d.path[-1] not in _QUIET]
    if open_:
        yield _left(source, open_, _MADE)


def _otherwise(
    source: Source,
    part: Part,
    written: tuple[Definition, ...],
    ours: Callable[[Iterable[Definition]], tuple[Definition, ...]],
) -> Iterator[Module]:
    """Yield a module as it is where a condition holds that does not with its defaults.

    Once for each such condition; of too many, what the further ones add is named.
    """
    known = {(d.path, d.line) for d in part.found}
    left = [
        replace(d, maybe=False)
        for d in ours(written)
        if d.below and not d.released and (d.path, d.line) not in known
    ]
    conditions = [*dict.fromkeys(d.below for d in left)]
    further = {*conditions[MOST_CONDITIONS:]}
    below = {(d.path, d.line): d.below for d in written}
    for number, condition in enumerate(conditions[:MOST_CONDITIONS]):
        added = [d for d in left if d.below == condition[: len(d.below)]]
        base = _beside(part.found, added, {at for at in below if exclude(below[at], condition)})
        unknown = [d for d in added if d.unresolved and d.path[-1] not in _QUIET]
        gaps = [_left(source, unknown, _MADE)] if unknown else []
        if not number and (more := [d for d in left if d.below in further]):
            gaps.append(_left(source, more, f"more than {MOST_CONDITIONS} conditions set it"))
        yield Module(part.where, ours((*base, *added)), tuple(gaps), otherwise=True)


def _beside(
    found: tuple[Definition, ...],
    added: Sequence[Definition],
    off: Container[tuple[tuple[str, ...], int]],
) -> Iterator[Definition]:
    """Yield what a module defines with its defaults, and still beside what a condition adds."""
    stronger = {d.path: d.priority for d in added if not isinstance(d.value, list)}
    for d in found:
        if (d.path, d.line) not in off and d.priority < stronger.get(d.path, d.priority + 1):
            yield d


def _left(source: Source, definitions: Sequence[Definition], reason: str) -> NotJudged:
    """Return that definitions were not judged, the first few by name."""
    names = [".".join(d.path) for d in definitions]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004
    part, line = ", ".join(names[:3]) + more, definitions[0].line
    return NotJudged(file=source.path, part=part, line=line, reason=reason, hint=HINT)


def is_of_home(source: Source, module: Module) -> bool:
    """Return whether a module is one of home-manager, whose options have the same names."""
    if module.is_for(HOME, source.path):
        return True
    of_system = "home-manager.users" in source.text or "systemd.services" in source.text
    return not module.where and not of_system and bool(_OF_HOME.search(source.text))


def neighbours(source: Source, context: Context) -> Iterator[Definition]:
    """Yield what the files define that a module imports by a path."""
    seen, waiting = {source.path}, [source]
    while waiting and len(seen) <= MOST_NEIGHBOURS:
        for path in _imported(waiting.pop(0)):
            text = None if path in seen else context.read(path)
            seen.add(path)
            if text is None or context.engine.name not in text:
                continue
            other = Source(path, text)
            waiting.append(other)
            yield from _of_neighbour(other, context)


def _of_neighbour(other: Source, context: Context) -> Iterator[Definition]:
    try:
        found = modules(other, context)
    except (ProfileError, EnvironmentFailure):
        return  # It says so itself, where it is checked.
    for module in found:
        if not module.where and not module.otherwise:
            for d in module.found:
                yield replace(d, file=other.path)


def _imported(source: Source) -> Iterator[str]:
    folder = PurePosixPath(source.path).parent
    for listed in _IMPORTS.finditer(source.text):
        for found in _PATH.finditer(listed[1]):
            path = PurePosixPath(folder, found[0])
            steps: list[str] = []
            for step in path.parts:
                if step == ".." and steps and steps[-1] not in {"..", "/"}:
                    steps.pop()
                else:
                    steps.append(step)
            plain = PurePosixPath(*steps)
            yield str(plain if plain.suffix == ".nix" else plain / "default.nix")
