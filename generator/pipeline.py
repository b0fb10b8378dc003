"""Plans of profiles seen before, so that starting again needs neither pydantic nor the Catalogue.

A Plan is a pure function of the profile's text, the flags and this program.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.codec import from_dict, to_dict
from generator.errors import HostwrightError, ProfileError
from generator.files.cache import remembered
from generator.profiles.load import read_document
from generator.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from generator.errors import Problem
    from generator.plan import Plan
    from generator.profiles.document import Document
    from generator.profiles.schema import Profile

INSISTED: Final = "--allow-plain-secrets insists on it"
_CODE: Final = Path(__file__).parent


def plan_of(
    document: Document,
    *,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
    allow_plain_secrets: bool = False,
) -> Plan:
    """Return the Plan of a profile that was read, remembered or decided.

    `allow_plain_secrets`: the rules against them are ignored, as by the profile. Raises what
    `validate` and `resolve` raise. HOSTWRIGHT_NO_CACHE=1 always decides and remembers nothing.
    """
    if allow_plain_secrets:
        document = insisting(document)
    plan = _plan_of(document, version=version, legacy_env=legacy_env, strict=strict)
    return plan.of(document.instance) if document.instance else plan


def _plan_of(document: Document, *, version: str | None, legacy_env: bool, strict: bool) -> Plan:
    beside = measured_beside(document)
    flags = json.dumps([document.source, version, legacy_env, strict, *(beside or ())])
    plain = not (version or legacy_env or strict)
    if plain and (plan := _packaged(document)):
        return plan
    made: list[Plan] = []

    def text() -> str:
        made.append(decide(document, version=version, legacy_env=legacy_env, strict=strict))
        return json.dumps(to_dict(made[0]))

    kept = remembered("plans", document.digest + flags, text)
    return made[0] if made else from_dict(json.loads(kept))


def insisting(document: Document) -> Document:
    """Return a profile that ignores each rule about secrets, where it does not yet."""
    from generator.resolve.credentials import secret_rules

    data = copy.deepcopy(document.data)
    check = data.setdefault("check", {})
    ignore = check.get("ignore", []) if isinstance(check, dict) else None
    if not isinstance(ignore, list):
        return document  # of which validation says what is wrong
    ignored = {one.get("rule") for one in ignore if isinstance(one, dict)}
    new = [name for name in secret_rules() if name not in ignored]
    check["ignore"] = [*ignore, *({"rule": name, "reason": INSISTED} for name in new)]
    digest = f"{document.digest} {' '.join(new)}"
    return dataclasses.replace(document, data=data, digest=digest if new else document.digest)


def release_of(channel: str) -> str | None:
    """Return the release of the engine that a release of NixOS has; unstable: the newest known.

    None where there is no such release of NixOS.
    """
    from generator.catalogue.catalogue import load_catalogue

    catalogue = load_catalogue()
    found = catalogue.channels.get(channel)
    return str(found.release or catalogue.newest) if found else None


def measured_beside(document: Document) -> tuple[str, str] | None:
    """Return the file beside a profile that is watched, and what it says of measurements.

    None: there is no such file, or nobody needs it.
    """
    watched = document.data.get("monitor")
    if not isinstance(watched, dict) or watched.get("enable") is not True:
        return None
    from generator.bench.remembered import remembered_beside

    path = remembered_beside(document.source)
    if not path.is_file():
        return None
    return path.as_posix(), read_regular(path).decode("utf-8", "replace")


def _packaged(document: Document) -> Plan | None:
    """Return the Plan that an installed program carries for this very text of a shipped profile.

    A checkout has none: there both the profiles and the code may change under a plan.
    """
    file = _CODE / "shipped/modules/plans" / Path(document.source).with_suffix(".json").name
    if not file.is_file() or read_document(file.stem).digest != document.digest:
        return None
    return from_dict(json.loads(file.read_bytes()))


def decide(
    document: Document,
    *,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
    also: str = "",
) -> Plan:
    """Validate `document` and return its Plan, remembering nothing. Raises as `plan_of` does.

    `also` names another file that has a say in it, for the output.
    """
    from generator.profiles.validate import validate

    try:
        profile = validate(document)
    except ProfileError as error:
        beside, _ = _rest(document, error.problems, version)
        raise ProfileError(document.source, (*error.problems, *beside)) from None
    return _resolved(
        document, profile, version=version, legacy_env=legacy_env, strict=strict, also=also
    )


def _resolved(
    document: Document,
    profile: Profile,
    *,
    version: str | None,
    legacy_env: bool = False,
    strict: bool = False,
    also: str = "",
) -> Plan:
    from generator.bench.remembered import parsed
    from generator.catalogue.catalogue import load_catalogue
    from generator.resolve import resolve

    beside = measured_beside(document)
    measured = parsed(beside[1].encode(), beside[0]) if beside else ()
    try:
        return resolve(
            profile,
            load_catalogue(),
            source=f"{document.label} and {also}" if also else document.label,
            version=version,
            legacy_env=legacy_env,
            strict=strict,
            measured=measured,
        )
    except ProfileError as error:
        problems = [
            dataclasses.replace(p, source=p.source or document.origin(p.where.split(".")))
            for p in error.problems
        ]
        raise ProfileError(document.source, tuple(problems)) from None


def plan_of_rest(
    document: Document, problems: Sequence[Problem], version: str | None = None
) -> Plan | None:
    """Return the Plan of a profile without the keys that have `problems`; None: there is none."""
    _, plan = _rest(document, problems, version)
    return plan


# What follows from a table or key, so that nothing is said of it where that is taken out.
_FOLLOWS: Final = {
    "engine": re.compile(""),
    "host": re.compile(r"(host|gpu|engine|instances|[a-z]+\.(acceleration|llm_library|build))\b"),
    "instances": re.compile(r"(instances|front|models|[a-z]+\.(host|port|models_dir))\b"),
    "models": re.compile(r"(models|warmup|cache|(instances|scale)\..*\bmodels)\b"),
    "front.kind": re.compile(r"(front|cache|scale)\b"),
}


def _rest(
    document: Document, formless: Sequence[Problem], version: str | None
) -> tuple[Sequence[Problem], Plan | None]:
    """Return what is wrong with a profile beside `formless`, and the Plan without all of that.

    Nothing where one of those has a say in all the others.
    """
    from generator.profiles.validate import UNKNOWN, validate

    known = {problem.where for problem in formless}
    unknown = {problem.where for problem in formless if problem.message == UNKNOWN}
    if any(where.endswith(("-version", ".version")) for where in known):
        return (), None
    hostless = any(where.startswith("host") for where in known)
    rest, taken = _without(document, {"host", "gpu"} | known if hostless else known)
    found: list[Problem] = []
    for _ in range(3):
        try:
            return found, _resolved(rest, validate(rest), version=version)
        except ProfileError as error:
            spoilt = (known | taken) - unknown
            found += [one for one in error.problems if not _follows(one.where, spoilt)]
            known |= (wrong := {problem.where for problem in error.problems})
            rest, more = _without(rest, wrong)
            taken |= more
        except HostwrightError:
            break  # It is told once the profile has its form.
    return found, None


def _follows(where: str, spoilt: Collection[str]) -> bool:
    """Return whether a Problem there may be one only because keys, `spoilt`, are taken out."""
    if any(f"{each}.".startswith(f"{where}.") for each in spoilt):
        return True
    return any(key in spoilt and says.match(where) for key, says in _FOLLOWS.items())


def _without(document: Document, keys: Collection[str]) -> tuple[Document, set[str]]:
    """Return a profile without those keys, and what was taken out for that."""
    data = copy.deepcopy(document.data)
    taken = {_take_out(data, where.split(".")) for where in keys}
    data = {"schema_version": 1, "name": "unnamed", **data}
    return dataclasses.replace(document, data=data, digest="", unfit=()), taken - {""}


def _take_out(data: Any, path: Sequence[str]) -> str:  # noqa: ANN401 -- tables and lists
    """Delete the key at `path`, or what it is missing in; of an item, the list that it is in.

    Return the key that is gone; empty: nothing is.
    """
    table, key, gone = data, "", ""
    for at, step in enumerate(path, 1):
        if isinstance(data, list):
            data = data[int(step)] if step.isdecimal() and int(step) < len(data) else None
        elif isinstance(data, dict) and step in data:
            table, key, data = data, step, data[step]
            gone = ".".join(path[:at])
        else:
            break
    if key:
        del table[key]
    return gone
