"""PowerShell and batch files: the variables that they set for Ollama's app, or for a server.

What is stored for the user or the machine reaches the app; what the script sets for itself
reaches a server that it starts, and else a client.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.applications import of_applications
from generator.readers.signs import BOM
from generator.readers.windows import WINDOWS
from generator.view import PARTED, Line, ModelUse, Place, Reach, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source

_VALUE: Final = r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s;\"')]+))"
_SAYS: Final = (
    re.compile(rf"(?i)^\s*\$env:(?P<name>\w+)\s*=\s*{_VALUE}"),
    re.compile(
        r"(?i)^\s*\[(?:System\.)?Environment\]::SetEnvironmentVariable\(\s*[\"'](?P<name>\w+)[\"']"
        rf"\s*,\s*{_VALUE}\s*(?:,\s*(?P<stored>[^)\n]*))?\)"
    ),
    re.compile(rf"(?i)^\s*@?(?P<stored>setx)(?:\.exe)?\s+(?:/m\s+)?(?P<name>\w+)\s+{_VALUE}"),
    re.compile(r"(?i)^\s*@?set\s+\"(?P<name>\w+)=(?P<bare>[^\"\n]*)\""),
    re.compile(r"(?i)^\s*@?set\s+(?P<name>\w+)=(?P<bare>[^\n&|]*)"),
)
_OF_CMD: Final = (".bat", ".cmd")
_PARTED: Final = re.compile(r"(?i)\s*@?set\s+(?P<name>\w+)[ \t]+=(?P<value>[^\n&|]*)")
_COMMENT: Final = re.compile(r"(?i)\s*(?:#|::|@?rem\b)")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each script that sets something for the engine."""
    return tuple(view for source in sources for view in _views(source, context))


def _views(source: Source, context: Context) -> Iterator[View]:
    serves = r"\s+".join(map(re.escape, context.engine.command))
    started = re.search(rf"(?i)\b{serves}\b|\b{context.engine.name}(?: app)?\.exe\b", source.text)
    found = [
        variable
        for number, line in enumerate(source.text.removeprefix(BOM).split("\n"), 1)
        if (variable := _variable(line, Place(source.path, number), served=bool(started)))
    ]
    parted = tuple(_parted(source, context))
    models = tuple(_models(source, context))
    ours = any(_is_ours(variable, context, started=bool(started)) for variable in found)
    if parted or ours or models or (started and _START.search(source.text)):
        yield context.view(
            WINDOWS,
            context.release_for(),
            name=posixpath.basename(source.path),
            place=Place(source.path),
            variables=tuple(of_applications(_for_itself(found, source.text, context), context)),
            lines=parted,
            models=models,
        )
    if _IN_A_CONTAINER.search(source.text):
        # What reads scripts asks this room for what they keep in Windows.
        from generator.readers.windows.containers import containers

        yield from containers(source, context)


_IN_A_CONTAINER: Final = re.compile(r"(?i)\b(?:docker|podman|nerdctl)\b")


def _is_ours(variable: Variable, context: Context, *, started: bool) -> bool:
    """Return whether a variable is the engine's: by its name, or as one that a server reads."""
    if variable.name.startswith(context.engine.prefixes):
        return True
    facts = context.catalogue.at(context.engine.name)
    return started and facts.variable(variable.name) is not None


_USED: Final = re.compile(r"(?i)%(?:~\w*)?(\w+)%|!(\w+)!|\$(?:env:|\{env:)(\w+)(?!\w*\s*=[^=])")


def _for_itself(found: list[Variable], text: str, context: Context) -> list[Variable]:
    """Return variables; what the script uses itself, and no release reads, is its own."""
    facts = context.catalogue.at(context.engine.name)
    used = {name for names in _USED.findall(text) for name in names}
    return [
        replace(v, reach="client") if v.name in used and facts.variable(v.name) is None else v
        for v in found
    ]


_START: Final = re.compile(r"(?im)^[ \t]*(?:\$\w+[ \t]*=[ \t]*)?(?:&[ \t]*)?Start-Process\b")
_SHOWN: Final = re.compile(r"(?i)\bWrite-\w+|^\s*@?echo\b|^\s*(?:Read-Host|throw)\b")
_WORD: Final = r"[\w./:@$%{}-]+"
_SET: Final = re.compile(
    r"(?im)^[ \t]*(?:@?set[ \t]+\"?|\[string\][ \t]*)?\$?(\w+)[ \t]*=[ \t]*"
    r"[\"']?([\w./:@-]+)[\"']?,?[ \t\r]*$"
)


def _models(source: Source, context: Context) -> Iterator[ModelUse]:
    """Yield the models that the script has pulled or run, by the program or `Start-Process`."""
    verbs = "|".join(sorted(context.engine.verbs & {"pull", "run"}))
    if not verbs:
        return
    program = rf"\b{context.engine.name}(?:\.exe)?[\"']?"
    handed = r"[^\n|]{0,80}?-(?:ArgumentList|Args)\s+(?:@?\(\s*)?"
    asked = re.compile(
        rf"(?i){program}(?:\s+|{handed})[\"']?(?P<verb>{verbs})[\"']?(?:\s*,\s*|\s+)"
        rf"[\"']?(?P<name>{_WORD})"
    )
    known = dict(_SET.findall(source.text))
    for number, line in enumerate(source.text.removeprefix(BOM).split("\n"), 1):
        match = None if _COMMENT.match(line) or _SHOWN.search(line) else asked.search(line)
        name = _filled(match["name"], known) if match else ""
        if match and name:
            place = Place(source.path, number)
            yield ModelUse(name=name, place=place, pulled=match["verb"].lower() == "pull")


def _filled(name: str, known: dict[str, str]) -> str:
    """Return the name of a model, which a variable of the script may hold; empty: nobody knows."""
    bare = name.strip("%${}")
    told = name if bare == name else known.get(bare, "")
    return "" if any(sign in told for sign in "%${}") or told.startswith("-") else told


def _parted(source: Source, context: Context) -> Iterator[Line]:
    """Yield variables of the engine of which cmd takes the blank before `=` for a part."""
    lines = source.text.removeprefix(BOM).split("\n")
    for number, line in enumerate(lines if source.path.lower().endswith(_OF_CMD) else (), 1):
        match = _PARTED.match(line)
        if match and match["name"].startswith(context.engine.prefixes):
            value = match["value"].strip()
            place = Place(source.path, number, match["name"])
            yield Line(section=PARTED, name=match["name"], value=value, place=place)


def stored_by(program: str, words: Sequence[str], place: Place) -> Iterator[Variable]:
    """Yield what a call of a program of Windows keeps for the user, as out of WSL."""
    name = re.split(r"[\\/]", program)[-1].lower().removesuffix(".exe")
    if name in _SHELLS:
        text = " ".join(words)
        told = [_LEADS.sub("", part, count=1) for part in re.split(r"[;&\n]", text)]
    else:
        told = [f"setx {' '.join(words)}"] if name == "setx" else []
    for part in told:
        found = _variable(part, place, served=False)
        if found is not None and found.reach == "server":
            yield found


_SHELLS: Final = frozenset({"powershell", "pwsh", "cmd"})
_LEADS: Final = re.compile(r"(?i)^\s*(?:[-/]\w+\s+(?:bypass\s+|unrestricted\s+)?)*")


def _variable(line: str, place: Place, *, served: bool) -> Variable | None:
    if _COMMENT.match(line):
        return None
    match = next((m for pattern in _SAYS if (m := pattern.match(line))), None)
    if match is None:
        return None
    parts = match.groupdict()
    value = next((parts[k] for k in ("double", "single", "bare") if parts.get(k) is not None), "")
    stored = (parts.get("stored") or "").strip("\"' ").lower()
    kept = stored == "setx" or stored.endswith(("user", "machine"))
    reach: Reach = "server" if kept or served else "client"
    open_ended = any(sign in value for sign in "$%!") and parts.get("single") is None
    return Variable(
        name=match["name"],
        value=value.strip(),
        place=Place(place.file, place.line, match["name"]),
        reach=reach,
        unresolved=open_ended,
    )
