"""Plans of profiles seen before, so that starting again needs neither pydantic nor the Catalogue.

A Plan is a pure function of the profile's text, the flags and this program; the key is a digest
of all three. Anything that goes wrong here means working it out again, never a failure.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.codec import from_dict, to_dict
from generator.errors import HostwrightError, ProfileError
from generator.load import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.load import Document
    from generator.plan import Plan

OFF: Final = "HOSTWRIGHT_NO_CACHE"
KEEP: Final = 200
_CODE: Final = Path(__file__).parent


def plan_of(
    name: str,
    overrides: Sequence[str] = (),
    *,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
) -> Plan:
    """Return the Plan of the profile `name` (a shipped name or a path), remembered or decided.

    Raises what `read_document`, `validate` and `resolve` raise. HOSTWRIGHT_NO_CACHE=1 always
    decides and remembers nothing.
    """
    document = read_document(name, overrides)
    flags = json.dumps([document.source, version, legacy_env, strict])
    plain = not (overrides or version or legacy_env or strict)
    if plain and (plan := _packaged(document)):
        return plan
    file = _file(document, flags)
    plan = _recall(file) if file else None
    if plan is None:
        plan = decide(document, version=version, legacy_env=legacy_env, strict=strict)
        if file:
            _remember(file, plan)
    return plan


def _packaged(document: Document) -> Plan | None:
    """Return the Plan that an installed program carries for this very text of a shipped profile.

    A checkout has none: there both the profiles and the code may change under a plan.
    """
    file = _CODE / "modules/plans" / Path(document.source).with_suffix(".json").name
    if not file.is_file() or read_document(file.stem).digest != document.digest:
        return None
    return from_dict(json.loads(file.read_bytes()))


def decide(
    document: Document,
    *,
    version: str | None = None,
    legacy_env: bool = False,
    strict: bool = False,
) -> Plan:
    """Validate `document` and return its Plan, remembering nothing. Raises as `plan_of` does."""
    from generator.catalogue import load_catalogue
    from generator.resolve import resolve
    from generator.validate import validate

    profile = validate(document)
    try:
        return resolve(
            profile,
            load_catalogue(),
            source=document.label,
            version=version,
            legacy_env=legacy_env,
            strict=strict,
        )
    except ProfileError as error:
        problems = (
            problem
            if problem.source
            else dataclasses.replace(problem, source=document.origin(problem.where.split(".")))
            for problem in error.problems
        )
        raise ProfileError(document.source, tuple(problems)) from None


def _file(document: Document, flags: str) -> Path | None:
    home = os.environ.get("HOME", "")
    folder = os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if os.environ.get(OFF, "0") not in {"", "0"} or not folder.startswith("/"):
        return None
    key = hashlib.sha256(document.digest.encode() + flags.encode())
    for line in _fingerprint():
        key.update(line.encode())
    return Path(folder, "hostwright", "plans", f"{key.hexdigest()}.plan")


def _fingerprint() -> Iterator[str]:
    """Yield what tells one state of this program from another, cheaper than reading it."""
    folders = [_CODE, *(_CODE / name for name in ("data", "resolve", "rules"))]
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith((".py", ".toml")):
                    status = entry.stat()
                    yield f"{entry.path}:{status.st_size}:{status.st_mtime_ns}\n"


def _recall(file: Path) -> Plan | None:
    try:
        if file.stat().st_uid != os.geteuid():
            return None
        digest, _, text = file.read_bytes().partition(b"\n")
        if digest != _digest(text):
            return None
        return from_dict(json.loads(text))
    except (OSError, ValueError, HostwrightError):
        return None


def _remember(file: Path, plan: Plan) -> None:
    import tempfile

    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".new")
        text = json.dumps(to_dict(plan)).encode()
        with os.fdopen(handle, "wb") as stream:
            stream.write(_digest(text) + b"\n" + text)
        Path(name).replace(file)
        _prune(file.parent)


def _digest(text: bytes) -> bytes:
    """Return the first line of a remembered Plan, so that a damaged one is told from a whole."""
    return hashlib.sha256(text).hexdigest().encode()


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-KEEP]:
        path.unlink(missing_ok=True)
