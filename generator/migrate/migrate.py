"""An old profile, fleet file or plan, as this version has it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.codec import from_dict, to_dict
from generator.errors import HostwrightError, Problem, ProfileError
from generator.formats.data import to_json
from generator.formats.edit import with_value
from generator.migrate.steps import STEPS, VERSIONS, Kind
from generator.pipeline import plan_of
from generator.plan import SCHEMA_VERSION
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.plan import Plan

_MARK: Final = "migrated: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A file as it is now: its kind, both versions, the text, and what whoever has it must know."""

    kind: Kind
    was: int
    now: int
    text: str
    notes: tuple[str, ...] = ()


def migrated(text: str, source: str, *, profile: str | None = None) -> Migrated:
    """Return what the text of a file becomes; the same text where nothing is old in it.

    A plan is decided anew, of `profile` or else of the profile that it names, for its release:
    what it then says of variables and limits that it said otherwise stands in the notes. Raises
    ProfileError for what is none of the three, or of a newer version.
    """
    if text.lstrip().startswith("{"):
        return _plan(_parsed(text, source), text, source, profile)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(source, "", f"this is no TOML: {error}", "mend its syntax") from error
    kind: Kind = "fleet" if "hosts" in data else "profile"
    version = _version(data, source, VERSIONS[kind])
    for path, value, why in _due(data, kind):
        text = with_value(text, path, value, why, mark=_MARK)
    return Migrated(kind=kind, was=version, now=VERSIONS[kind], text=text)


def _due(data: Mapping[str, Any], kind: Kind) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yield the keys that have an old value, with the new one and the reason."""
    for place in _places(data, kind):
        for step in STEPS:
            path = (*place, *step.path)
            new = step.becomes(_at(data, path))
            if new is not None:
                yield path, new, step.why


def _places(data: Mapping[str, Any], kind: Kind) -> Iterator[tuple[str, ...]]:
    if kind == "profile":
        yield ()
        return
    yield ("defaults", "overrides")
    for table in ("groups", "hosts"):
        named = data.get(table)
        yield from (
            (table, name, "overrides") for name in (named if isinstance(named, dict) else ())
        )


def _at(data: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 -- whatever a file has
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(source, "", f"this is no JSON: {error}", "name a plan") from error
    return data if isinstance(data, dict) else {}


def _plan(data: dict[str, Any], text: str, source: str, profile: str | None) -> Migrated:
    was = _version(data, source, SCHEMA_VERSION)
    old = data if was == 1 else _first(data.get("services"))
    if _current(data, source):
        return Migrated(kind="plan", was=was, now=was, text=text)
    release, named = old.get("release"), data.get("source")
    if not isinstance(release, str) or not isinstance(named, str):
        raise _fault(source, "", "this is no plan: it names no release, or no profile", "name one")
    plan = plan_of(read_document(profile or _profile(named, source)), version=release)
    return Migrated(
        kind="plan", was=was, now=SCHEMA_VERSION, text=to_json(to_dict(plan)),
        notes=tuple(_notes(old, plan)),
    )  # fmt: skip


def _current(data: dict[str, Any], source: str) -> bool:
    """Whether it is of this version and not of an earlier shape of it."""
    try:
        from_dict(data, source)
    except ProfileError:
        return False
    return True


def _profile(named: str, source: str) -> str:
    """Return the profile of a plan: a shipped one, or the file of that name beside the plan."""
    shipped = {f"profiles/{path.name}": path.stem for path in shipped_profiles()}
    beside = Path(source).parent / Path(named).name
    if named in shipped or beside.is_file():
        return shipped.get(named) or str(beside)
    raise HostwrightError(
        f"{source} is made of `{named}`, which is not beside it",
        hint="name the profile by -p; without one there is nothing to decide a plan of",
    )


def _notes(old: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    """Yield what the old plan says otherwise: of it, only --set or another release tell."""
    service = plan.services[0]
    pairs = (
        ("environment", "value", {each.name: each.value for each in service.environment}),
        ("limits", "value", {each.name: each.value for each in service.limits}),
    )
    for table, key, now in pairs:
        rows = old.get(table)
        items = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        was = {str(row.get("name")): row.get(key) for row in items}
        # Version 1 had the address beside the variables.
        told = service.listen.variable
        for name in sorted((was.keys() | now.keys()) - ({told} - was.keys())):
            if was.get(name) != now.get(name):
                yield f"{name}: was {was.get(name, 'not set')}, is {now.get(name, 'not set')}"


def _first(items: Any) -> Any:  # noqa: ANN401
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


def _version(data: Mapping[str, Any], source: str, newest: int) -> int:
    version = data.get("schema_version")
    if type(version) is not int or version < 1:
        raise _fault(source, "schema_version", "is missing, or no version", "it is a whole number")
    if version > newest:
        raise _fault(source, "schema_version", f"is {version}, and {newest} is the newest here",
                     "a newer `gen` has written it: use that one")  # fmt: skip
    return version


def _fault(source: str, where: str, message: str, hint: str) -> ProfileError:
    return ProfileError(source, (Problem(where, message, hint),))
