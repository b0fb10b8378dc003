"""The use case of `gen import`: files of others → one service → a profile, and what it lacks."""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.engines import READ
from generator.errors import HostwrightError, ProfileError
from generator.host import Host
from generator.importing.choose import Chosen, choose
from generator.importing.effect import differences
from generator.importing.entries import Added, Entry, Left
from generator.importing.files import without_secrets
from generator.importing.guess import guessed, target_of
from generator.importing.profile import name_from, profile_text
from generator.importing.render_back import NO_KEY
from generator.importing.settle import settled
from generator.importing.silences import silences
from generator.importing.sources import entries_of
from generator.profiles.document import Document
from generator.profiles.validate import validate
from generator.readers.base import Context
from generator.readers.discover import discover
from generator.readers.seen import views
from generator.readers.text import listed_beside, read_beside
from generator.records import dataclass, replace
from generator.redact import HIDDEN, redacted
from generator.resolve import host_facts
from generator.targets import load_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.readers.discover import Found
    from generator.readers.seen import Seen
    from generator.units import Release


REFERENCES: Final = frozenset({"secrets", "--secret", "Secret"})
"""Settings that name a secret, and hold none."""
HOLDERS: Final = frozenset({"SetCredential", "SetCredentialEncrypted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """What to import: `paths`, or what the machine runs whose files are below `root`.

    `service` is the one to take of several, `release` the one that runs where no file says so,
    `host` the `[host]` table of the machine, empty: not told. `stdin` is the text of `-`, which is
    called `stdin_name`.
    """

    paths: Sequence[str] = ()
    root: str | None = None
    service: str | None = None
    name: str = ""
    release: Release | None = None
    host: Mapping[str, Any] = field(default_factory=dict)
    stdin: str | None = None
    stdin_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A profile as `text`, the `service` and `files` that it comes from, and what became of each
    setting.

    `retire` are files that win over what a bundle puts beside them, so that they have to go.
    `target` is the one that writes files of their kind.
    """

    name: str
    service: str
    files: tuple[str, ...]
    text: str
    carried: tuple[Entry, ...]
    left: tuple[Left, ...]
    added: tuple[Added, ...]
    retire: tuple[str, ...] = ()
    target: str = ""

    @property
    def lost(self) -> tuple[Left, ...]:
        """What had an effect, and has none in the profile."""
        return tuple(one for one in self.left if not one.idle)


def imported(wanted: ImportRequest) -> Imported:
    """Return the profile of a service that files describe.

    Raises HostwrightError where there is none, or several and `service` chooses none of them;
    ProfileError for a file that cannot be read, and for a `host` that makes no sense.
    """
    catalogue = load_catalogue()
    context = Context(
        catalogue,
        wanted.release,
        _host(wanted, catalogue),
        read=read_beside,
        exists=os.path.lexists,
        listed=listed_beside,
    )
    seen = views(_found(wanted), context)
    if seen.problems:
        raise ProfileError(seen.problems[0].source, tuple(seen.problems))
    _without_others(seen)
    chosen = choose(seen, wanted.service)
    facts = catalogue.at(chosen.view.engine, chosen.view.release)
    return _settled(chosen, wanted, facts, context)


def _without_others(seen: Seen) -> None:
    """Take out servers of engines that are judged and not imported. Raises where all are."""
    others = [view for view in seen.views if view.engine not in READ]
    if others and len(others) == len(seen.views):
        engine = others[0].engine
        raise HostwrightError(
            f"{others[0].place.file}: this is a server of {engine}, whose files are not imported",
            hint=f'write a profile with engine = "{engine}", and what it serves as models.hf',
        )
    seen.views[:] = [view for view in seen.views if view.engine in READ]


def _host(wanted: ImportRequest, catalogue: Catalogue) -> Host:
    """Return the machine, which limits may be a percentage of."""
    if not wanted.host:
        return Host()
    data = {"schema_version": 1, "name": "host", "host": dict(wanted.host)}
    profile = validate(Document("--here", data, {}, ""))
    return host_facts(profile.host, catalogue.at(catalogue.engine))


def _found(wanted: ImportRequest) -> Found:
    if wanted.paths:
        return discover(wanted.paths, stdin=wanted.stdin, stdin_name=wanted.stdin_name)
    from generator.check.machine import HERE, installed

    return installed(wanted.root or HERE)


def _each_once(left: Iterable[Left]) -> tuple[Left, ...]:
    """Return what is left, each once: that no key says it goes without saying beside a reason."""
    every = tuple(dict.fromkeys(left))
    reasons = {(one.name, one.place.file, one.place.line) for one in every if one.reason != NO_KEY}
    return tuple(
        one
        for one in every
        if one.reason != NO_KEY or (one.name, one.place.file, one.place.line) not in reasons
    )


def _hidden(one: Left, secret: Callable[[str], bool]) -> Left:
    """Return something Left without the secrets in its texts: a command may hold one."""
    if one.name in HOLDERS or (secret(one.name) and one.name not in REFERENCES):
        return replace(one, value=HIDDEN if one.value else "", reason=redacted(one.reason, secret))
    value, reason = (redacted(text, secret) for text in (one.value, one.reason))
    return replace(one, value=value, reason=reason)


def _settled(chosen: Chosen, wanted: ImportRequest, facts: Facts, context: Context) -> Imported:
    name = wanted.name or name_from(chosen.view.name)
    base: dict[str, Any] = {"schema_version": 1, "name": name}
    if wanted.host:
        base["host"] = dict(wanted.host)
    view, secrets = without_secrets(chosen.view, facts, context.exists)
    hidden = {one.name for one in chosen.view.variables} - {one.name for one in view.variables}
    chosen = replace(chosen, view=view, hidden=frozenset(hidden))
    every = [*secrets, *entries_of(chosen, facts)]
    told = [one for one in every if isinstance(one, Left)]
    entries = [one for one in every if isinstance(one, Entry)]
    tried = guessed(chosen, entries, base, context)
    result = tried.settled
    if quiet := [*silences(view, chosen.texts, result.plan, facts)]:
        result = settled(
            [*result.kept, *quiet], base, context.catalogue, f"{name}.toml", result.left
        )
    told = [one for one in told if one.value not in tried.mounts]
    found = differences(view, result, [*told, *tried.unsaid], facts)
    every_left = (*found.left, *chosen.left)
    left = _each_once(_hidden(one, facts.secrets.has) for one in every_left)
    ours = {PurePosixPath(file.path).name for file in load_target("systemd").render(result.plan)}
    made = Imported(
        name=name,
        service=view.name,
        files=chosen.files,
        text="",
        carried=result.kept,
        left=left,
        added=(*found.added, *tried.added),
        target=target_of(chosen.view),
        retire=tuple(path for path in chosen.drop_ins if PurePosixPath(path).name not in ours),
    )
    return replace(made, text=profile_text(base, made))
