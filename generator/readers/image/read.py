"""Dockerfiles: the image that their last stage makes, where that runs an engine's server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source, image_name
from generator.readers.image import IMAGE
from generator.readers.syntax.shell import calls
from generator.records import dataclass
from generator.view import Container, Line, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine

_WORD: Final = re.compile(r"([A-Za-z]+)[ \t]+(.*)", re.DOTALL)
_REFERENCE: Final = re.compile(r"\$(?:\{(\w+)(?::?-([^{}$]*))?\}|(\w+))")
_ASSIGNED: Final = re.compile(
    r"([A-Za-z_]\w*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:[^\s\\]|\\.)*)", re.S
)
_INSTALLS: Final = re.compile(
    r"\b(?:apt(?:-get)?|apk|dnf|yum|microdnf)\b.{0,200}?\b(?:curl|wget)\b", re.S
)
_HEALTH: Final = re.compile(r"(?:--[\w-]+=\S+\s+)*CMD\s+(.*)", re.DOTALL)
Told = tuple[tuple[str, ...], Place]
"""The words of an instruction, and where it stands."""
_MOST: Final = 5000  # instructions


@dataclass(frozen=True, slots=True)
class Image:
    """What the last stage of a Dockerfile makes: its base, and what it sets on top of that.

    `argv` is what the image runs, without the entry point of its base where it sets none, which
    then gets the `arguments`. `tools`: it installs curl or wget.
    """

    base: str
    place: Place
    variables: tuple[Variable, ...] = ()
    argv: tuple[str, ...] = ()
    told: tuple[Line, ...] = ()
    health: tuple[tuple[str, ...], Place] | None = None
    scripts: tuple[tuple[str, Place], ...] = ()
    user: str = ""
    arguments: tuple[tuple[str, Place], ...] = ()
    tools: bool = False


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each image that runs the server."""
    images = ((source, image_of(source)) for source in sources)
    return tuple(
        _view(source, image, context)
        for source, image in images
        if image is not None and runs(image, context.engine)
    )


def runs(image: Image, engine: Engine) -> bool:
    """Return whether an image runs the server: its own image, or one whose command starts it."""
    command = r"[\s\"',]+".join(engine.command)
    if re.search(rf"\b{command}\b", " ".join(image.argv)):
        return True
    return engine.is_image(image_name(image.base).repository)


def image_of(source: Source) -> Image | None:
    """Return what a Dockerfile makes; None where it has no stage."""
    stages: dict[str, _Stage] = {}
    last: _Stage | None = None
    arguments: dict[str, str] = {}
    for word, rest, line in _instructions(source.text):
        place = Place(source.path, line)
        if word == "FROM":
            words = [w for w in _filled(rest, arguments).split() if not w.startswith("--")]
            base = words[0] if words else ""
            last = _Stage(base, place, stages.get(base.lower()), dict(arguments))
            if len(words) > 2 and words[1].upper() == "AS":  # noqa: PLR2004 -- FROM x AS y
                stages[words[2].lower()] = last
        elif last is not None:
            last.take(word, rest, place)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            arguments[name.strip()] = value.strip("\"' \n")
    return last.image() if last else None


def _instructions(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield each instruction with its line; lines that end with a backslash go on."""
    open_: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        plain = line.strip()
        if plain.startswith("#") or (not plain and open_):
            # Within an instruction a comment takes no part, and its line counts.
            open_ += ["\n"] if open_ else []
            continue
        if not open_:
            first = number
        open_.append(plain.removesuffix("\\") + "\n")
        if plain.endswith("\\"):
            continue
        if found := _WORD.match("".join(open_)):
            yield found[1].upper(), found[2], first
        open_ = []
        if number > _MOST:
            return


def _filled(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        told = known.get(found[1] or found[3])
        return told or found[2] or found[0]

    return _REFERENCE.sub(value, text) if "$" in text else text


class _Stage:
    """One stage; what it is made of may be an earlier one."""

    def __init__(
        self, base: str, place: Place, under: _Stage | None, known: dict[str, str]
    ) -> None:
        self.base: str = under.base if under else base
        self.place: Place = under.place if under else place
        self.known: dict[str, str] = {**(under.known if under else {}), **known}
        self.variables: dict[str, Variable] = dict(under.variables) if under else {}
        self.entry: Told | None = under.entry if under else None
        self.command: Told | None = under.command if under else None
        self.health: Told | None = under.health if under else None
        self.scripts: list[tuple[str, Place]] = list(under.scripts) if under else []
        self.user: str = under.user if under else ""

    def take(self, word: str, rest: str, place: Place) -> None:
        """Take in an instruction."""
        if word == "ENV":
            self._variables(rest, place)
        elif word == "ARG":
            name, _, value = rest.partition("=")
            self.known.setdefault(name.strip(), value.strip("\"' \n"))
        elif word == "ENTRYPOINT":
            self.entry, self.command = (_argv(rest), place), None
        elif word == "CMD":
            self.command = _argv(rest), place
        elif word == "HEALTHCHECK" and (found := _HEALTH.fullmatch(rest.strip())):
            self.health = _check(found[1]), place
        elif word == "RUN":
            self.scripts.append((rest, place))
        elif word == "USER":
            self.user = rest.strip().partition(":")[0]

    def _variables(self, rest: str, place: Place) -> None:
        found = list(_ASSIGNED.finditer(rest))
        if not found or rest[: found[0].start()].strip():
            name, _, value = rest.strip().partition(" ")  # The old form: `ENV NAME value`.
            self._variable(name, value.strip(), value.strip(), place, 0)
            return
        for one in found:
            written = one[2]
            value = written[1:-1] if written[:1] in {"'", '"'} else written.replace("\\ ", " ")
            self._variable(one[1], value, written, place, rest.count("\n", 0, one.start()))

    def _variable(self, name: str, value: str, written: str, place: Place, below: int) -> None:
        text = _filled(value, self.known)
        self.known[name] = text
        self.variables.pop(name, None)
        self.variables[name] = Variable(
            name=name,
            value=text,
            place=Place(place.file, place.line + below, name),
            written=written if text == value else "",
            unresolved="$" in text,
        )

    def image(self) -> Image:
        entry, command = self.entry, self.command
        told = [
            Line(section="", name=name, value=" ".join(found[0]), place=found[1])
            for name, found in (("entrypoint", entry), ("command", command))
            if found
        ]
        return Image(
            base=self.base,
            place=self.place,
            variables=tuple(self.variables.values()),
            argv=(*(entry[0] if entry else ()), *(command[0] if command else ())),
            told=tuple(told),
            health=self.health,
            scripts=tuple(self.scripts),
            user=self.user,
            arguments=tuple((word, command[1]) for word in command[0])
            if command and entry is None
            else (),
            tools=any(_INSTALLS.search(script) for script, _ in self.scripts),
        )


def _argv(rest: str) -> tuple[str, ...]:
    """Return the words of a command: a list as JSON has it, or a line for a shell."""
    text = rest.strip()
    if text.startswith("["):
        try:
            words = json.loads(text)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return tuple(words)
    return ("/bin/sh", "-c", text)


def _check(text: str) -> tuple[str, ...]:
    words = _argv(text)
    shell = words[:2] == ("/bin/sh", "-c")
    return ("CMD-SHELL", words[2]) if shell else ("CMD", *words)


def _view(source: Source, image: Image, context: Context) -> View:
    name = image_name(image.base)
    own = context.engine.is_image(name.repository)
    box = Container(
        image=image.base,
        place=image.place,
        tag=name.tag,
        # Which release of another image is underneath, is no matter of the engine.
        digest=name.digest or "$" in image.base or not own,
        user=image.user,
        healthcheck=None if image.tools else image.health,
        restart="untold",
        arguments=image.arguments,
    )
    return context.view(
        IMAGE,
        context.release_of(image.base),
        name=context.engine.name,
        place=Place(source.path, image.place.line),
        variables=image.variables,
        lines=image.told,
        models=tuple(_models(image, context.engine)),
        container=box,
    )


def _models(image: Image, engine: Engine) -> Iterator[ModelUse]:
    for script, place in image.scripts:
        for call in calls(["/bin/sh", "-c", script], engine):
            yield ModelUse(name=call.model, place=place)
