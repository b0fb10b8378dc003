"""The models that a server and its jobs pull, create and load, as tables of a profile."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from generator.importing.entries import Entry, Left
from generator.view import each_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.view import Line, ModelUse, View

KEY = "models"
_CREATE = "create"
_MODELFILE = "modelfile"
_FILE_OPTIONS = frozenset({"-f", "--file"})


def models(views: Sequence[View], facts: Facts) -> Iterator[Entry | Left]:
    """Yield what the models of a server, of its jobs and of Modelfiles beside them become."""
    files = [view for view in views if view.phrases.kind == _MODELFILE and view.models]
    others = [view for view in views if view not in files]
    found = each_once(use for view in others for use in view.models)
    bases = set[str]()
    tables = list[Entry | Left]()
    for use in found:
        inline = bool(use.base) and not use.made and not use.pulled
        file = _modelfile(use, others, files) if use.made else None
        if inline or (use.made and file is None and not use.base):
            tables.append(_inline(use) if inline else _unknown(use))
            continue
        table = _table(use, file, facts)
        if use.made:
            bases.add(table["name"])
        tables.append(Entry(key=KEY, value=table, name=use.name, place=use.place))
    # What is pulled only as the base of another is in the table of that one.
    yield from (one for one in tables if not (isinstance(one, Entry) and _is_base(one, bases)))


def _is_base(one: Entry, bases: set[str]) -> bool:
    return one.value["name"] in bases and not one.value.keys() - {"name"}


def _unknown(use: ModelUse) -> Left:
    return Left(
        name=use.name,
        value=use.name,
        place=use.place,
        reason="it is created from a Modelfile that is not among the files",
        fix="name its Modelfile, too, or write a `[[models]]` table with `parameters`",
    )


def _inline(use: ModelUse) -> Left:
    return Left(
        name=use.name,
        value="",
        place=use.place,
        reason="it is created here, from a Modelfile in the values or in a ConfigMap",
        fix="write a `[[models]]` table with `serve_as` and `parameters`",
    )


def _table(use: ModelUse, file: View | None, facts: Facts) -> dict[str, Any]:
    base = file.models[0].name if file else use.base
    table: dict[str, Any] = {"name": base if use.made else use.name}
    if use.role:
        table["role"] = use.role
    if use.warmed:
        table["preload"] = True
    if use.made and use.name not in {f"{base}-tuned", f"{base}:tuned"}:
        table["serve_as"] = use.name
    parameters = dict(_parameters(file.lines, facts)) if file else {}
    if use.threads and "num_thread" not in parameters:
        parameters["num_thread"] = use.threads
    if parameters:
        table["parameters"] = parameters
    return table


def _parameters(lines: Sequence[Line], facts: Facts) -> Iterator[tuple[str, Any]]:
    """Yield each parameter; one that stands there several times has a list."""
    found: dict[str, list[Any]] = {}
    for line in lines:
        if line.section == "PARAMETER":
            found.setdefault(line.name, []).append(_typed(line, facts))
    for name, values in found.items():
        yield name, values if len(values) > 1 else values[0]


def _typed(line: Line, facts: Facts) -> bool | float | str:
    option, text = facts.options.get(line.name), line.value.strip().strip('"')
    kind = option.type if option else "string"
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        return int(text) if kind == "int" else float(text) if kind == "float" else text
    except (KeyError, ValueError):
        return text


def _modelfile(use: ModelUse, views: Sequence[View], files: Sequence[View]) -> View | None:
    """Return the Modelfile of a model: the one that its command names, or the only one like it."""
    calls = (
        [word for word, _ in call.words] for view in views for call in view.commands if call.words
    )
    named = {
        posixpath.basename(words[at + 1])
        for words in calls
        if words[:2] == [_CREATE, use.name]
        for at, word in enumerate(words[:-1])
        if word in _FILE_OPTIONS
    }
    for file in files:
        if posixpath.basename(file.place.file) in named:
            return file
    like = [file for file in files if use.name.startswith(file.models[0].name)]
    return max(like, key=lambda file: len(file.models[0].name), default=None)
