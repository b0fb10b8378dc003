"""Values that a command line gives a chart: `helm install … --set a.b[0].c=d --set-json e={}`."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from generator.readers.syntax.yaml_scalar import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STEP: Final = re.compile(r"((?:[^.\[\]=\\]|\\.)+)|\[(\d{1,3})\]|\.")
_PART: Final = re.compile(r"((?:[^=,\\]|\\.)+)=((?:\{[^{}]*\}|\\.|[^,\\])*)(?:,|$)", re.DOTALL)
_JSON: Final = re.compile(r"([^=]+)=(.*)", re.DOTALL)
_SETS: Final = frozenset({"--set", "--set-string", "--set-json", "--set-literal"})
_ESCAPED: Final = re.compile(r"\\(.)")

Step = str | int


def values_set(words: Sequence[str]) -> dict[str, Any]:
    """Return the values that a command line sets, without what a shell has yet to fill in."""
    found: dict[str, Any] = {}
    for option, text in _options(words):
        for name, value in _pairs(option, text):
            path = _path(name)
            if path and isinstance(path[0], str):
                _put(found, path, value)
    return found


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for at, word in enumerate(words):
        name, equals, text = word.partition("=")
        if name in _SETS:
            text = text if equals else next(iter(words[at + 1 : at + 2]), "")
            yield name, text


def _pairs(option: str, text: str) -> Iterator[tuple[str, Any]]:
    if option in {"--set-json", "--set-literal"}:
        found = _JSON.fullmatch(text)
        if found:
            try:
                value = json.loads(found[2]) if option == "--set-json" else found[2]
            except (ValueError, RecursionError):
                return
            yield found[1], value
        return
    for part in _PART.finditer(text):
        if "$" not in part[2]:
            yield part[1], _value(part[2], plain=option == "--set")


def _value(text: str, *, plain: bool) -> Any:  # noqa: ANN401 -- any value of a chart
    """Return a value as Helm reads it: a list in braces, and with `--set` numbers and switches."""
    if text.startswith("{") and text.endswith("}"):
        return [_value(one.strip(), plain=plain) for one in text[1:-1].split(",") if one.strip()]
    kind, told = resolved(text, "") if plain else ("str", text)
    if kind in {"bool", "null"}:
        return {"true": True, "false": False}.get(told)
    return int(told) if kind == "int" and len(told) < 19 else _ESCAPED.sub(r"\1", text)  # noqa: PLR2004


def _path(name: str) -> list[Step]:
    """Return the steps of a key: names, and numbers in lists; none where it is no key."""
    found: list[Step] = []
    at = 0
    while at < len(name):
        step = _STEP.match(name, at)
        if step is None:
            return []
        at = step.end()
        if step[1]:
            found.append(_ESCAPED.sub(r"\1", step[1]))
        elif step[2]:
            found.append(int(step[2]))
    return found


def _put(into: Any, path: Sequence[Step], value: Any) -> None:  # noqa: ANN401
    """Put a value at its place; what is there in another form gives way."""
    for step, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        inner = _at(into, step)
        if type(inner) is not type(empty):
            inner = empty
            _set(into, step, inner)
        into = inner
    _set(into, path[-1], value)


def _at(holder: Any, step: Step) -> Any:  # noqa: ANN401
    if isinstance(step, int):
        return holder[step] if step < len(holder) else None
    return holder.get(step)


def _set(holder: Any, step: Step, value: Any) -> None:  # noqa: ANN401
    if isinstance(step, int):
        holder.extend([None] * (step + 1 - len(holder)))
    holder[step] = value
