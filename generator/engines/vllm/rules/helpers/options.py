"""The options that a server is told, of its command line or of a Plan."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.view import Place, View

    Words = Sequence[tuple[str, Place]]

_SERVE: Final = "serve"
_SHORT: Final = {"-tp": "--tensor-parallel-size", "-pp": "--pipeline-parallel-size"}
_PROGRAM: Final = re.compile(r"(?:/[\w./-]*/)?(?:vllm|(?:ba|da)?sh|python(?:\d(?:\.\d+)?)?)")
_GAP: Final = re.compile(r"\$|\{[{%]|<|\[")
_MORE: Final = re.compile(
    r"\$(?:[@*]|\{[@*]|\{\w+(?:\[[@*]\]|:?\+)|\{?\w*(?:ARG|OPT|FLAG|EXTRA))", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"-[\d.]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An option as its parser calls it, with the word behind it or its `=`; empty: none."""

    name: str
    value: str
    place: Place
    of_value: Place


def options(view: View) -> tuple[Told, ...]:
    """Return the options of the server, those of a Plan by their keys."""
    words = _words(view)
    if words:
        return tuple(_options(words))
    named = (one for one in view.variables if one.name.startswith("--"))
    return tuple(
        Told(name=one.name, value=one.value, place=one.place, of_value=one.place) for one in named
    )


def options_in(words: Iterable[str], place: Place) -> tuple[Told, ...]:
    """Return the options of another server, by the words of its command."""
    return tuple(_options([(word, place) for word in words]))


def last(view: View, name: str) -> Told | None:
    """Return the option of that name that counts, the last one."""
    return next((one for one in reversed(options(view)) if one.name == name), None)


def number(view: View, name: str) -> int:
    """Return a number that is told; 1: it is not, or is none that can be read here."""
    told = last(view, name)
    return int(told.value) if told and re.fullmatch(r"[1-9][0-9]{0,5}", told.value) else 1


_INSIDE: Final = re.compile(r"\$\((\w+)\)")


def model(view: View) -> tuple[str, Place] | None:
    """Return the model that is served, by `--model` or as the first word; None: it is not told.

    Kubernetes puts a variable of the container in for `$(NAME)`.
    """
    words, told = _words(view), last(view, "--model")
    if told is not None:
        name, place = told.value, told.of_value
    elif words and not words[0][0].startswith("-"):
        name, place = words[0]
    else:
        return None
    held = _INSIDE.fullmatch(name)
    variable = view.variable(held[1]) if held else None
    return (variable.value if variable else name), place


def _words(view: View) -> Words:
    for command in view.commands:
        words = command.words
        if words and words[0][0] == _SERVE:
            return words[1:]
        if words:
            return words
    return view.container.arguments if view.container else ()


def program(view: View) -> tuple[str, Place] | None:
    """Return the first word that the image's own program is handed; None: it is no program."""
    words = _words(view)
    if len(words) > 1 and (view.commands == () or view.commands[0].words[0][0] != _SERVE):
        text, _ = words[0]
        return words[0] if _PROGRAM.fullmatch(text) else None
    return None


def open_ended(view: View) -> bool:
    """Return whether words stand for options that nobody can tell: `"$@"`, `$EXTRA`, `${ARGS[@]}`.

    The value of an option and the model are none.
    """
    words = [word for word, _ in _words(view)]
    loose = (word for before, word in itertools.pairwise(words) if not before.startswith("-"))
    return any(_GAP.match(word) for word in loose) or any(_MORE.match(word) for word in words)


def _options(words: Words) -> Iterator[Told]:
    for at, (word, place) in enumerate(words):
        if not re.match(r"-[a-zA-Z-]", word):
            continue
        if word == "--":
            return
        name, equals, value = word.partition("=")
        behind = words[at + 1] if at + 1 < len(words) and not equals else None
        if behind and (not behind[0].startswith("-") or _NUMBER.match(behind[0])):
            yield Told(name=called(name), value=behind[0], place=place, of_value=behind[1])
        else:
            yield Told(name=called(name), value=value, place=place, of_value=place)


def called(name: str) -> str:
    """Return the name that the parser makes of one: `--max_model_len`, `-tp`, `--some-config.key`.

    It takes `_` for `-`, and what follows a dot for a key of a value in JSON.
    """
    if not name.startswith("--"):
        return _SHORT.get(name, name)
    return name.partition(".")[0].replace("_", "-")
