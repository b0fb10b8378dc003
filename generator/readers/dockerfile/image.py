"""The images that a Dockerfile makes: its stages, each with its base, ENV and ARG filled in."""

from __future__ import annotations

import dataclasses
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name, refused
from generator.readers.syntax.dockerfile import Instruction, Value, instructions, value
from generator.view import Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Source

Words = tuple[tuple[str, Place], ...]
_SHELL: Final = ("/bin/sh", "-c")
_DEFAULTED: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?-([^{}]*))?\})")
_LONGEST: Final = 100_000  # characters that variables stand for, all stages together
_SCRIPT: Final = re.compile(r"(?:^|[\s\"'/])([\w.-]+\.(?:sh|bash|py))(?=[\s\"';&|]|$)")
_OF_PYTHON: Final = re.compile(r"\bpython[\d.]*\b|\.py\b")
_PROBE: Final = {
    "interval": "interval",
    "timeout": "timeout",
    "start-period": "start_period",
    "retries": "retries",
}
"""Options of HEALTHCHECK, as compose files call them."""


@dataclasses.dataclass(slots=True)
class Stage:
    """A stage of a build: its base with what it does to it.

    `image` is the reference at the root of its bases, as far as it is told, and `written` the same
    with the default of a variable in place; `base` the number of the stage that it goes on with.
    `entry` and `words` are the entry point and the command, None: those of the base image.
    """

    name: str
    place: Place
    image: str = ""
    written: str = ""
    base: int | None = None
    variables: dict[str, Variable] = dataclasses.field(default_factory=dict)
    arguments: dict[str, str | None] = dataclasses.field(default_factory=dict)
    runs: list[Instruction] = dataclasses.field(default_factory=list)
    copies: list[tuple[str, Instruction]] = dataclasses.field(default_factory=list)
    entry: Words | None = None
    words: Words | None = None
    command: Instruction | None = None
    entries: list[Instruction] = dataclasses.field(default_factory=list)
    user: str = ""
    volumes: list[tuple[str, Place]] = dataclasses.field(default_factory=list)
    probe: tuple[tuple[str, ...], Place] | None = None
    exposed: list[tuple[str, Place]] = dataclasses.field(default_factory=list)
    lines: list[Line] = dataclasses.field(default_factory=list)

    @property
    def known(self) -> dict[str, str | None]:
        """What a variable stands for in it; None: nobody tells."""
        told = {v.name: None if v.unresolved else v.value for v in self.variables.values()}
        return {**self.arguments, **told}

    def starts(self) -> str:
        """Return what a container of it runs, as far as its own lines tell."""
        return " ".join(word for word, _ in (*(self.entry or ()), *(self.words or ())))

    def serves(self, engine: Engine, others: Collection[str] = ()) -> bool:
        """Whether it is an image of the engine's server: by its base, or as it installs that.

        `others` are stages of the file that begin with an image of the engine.
        """
        base = image_name(self.image).repository.rpartition("/")[2]
        if engine.is_image(base) or re.fullmatch(engine.builds, base):
            return True
        if re.search(rf"\b{engine.command[0]}[\"',\s]+{engine.command[1]}\b", self.starts()):
            return True
        starts = self.starts()
        # What a program of Python has it for, nobody tells.
        begun = bool(starts) and not _OF_PYTHON.search(starts)
        copied = any(
            (engine.is_image(image_name(image).repository) or (image in others and begun))
            and f"bin/{engine.name}" in one.rest
            for image, one in self.copies
        )
        if copied and starts and not starts.startswith(_SHELL[0]) and not self.asked_scripts():
            return False  # Another program starts, which has it to ask a server.
        return copied or any(re.search(engine.installs, one.script) for one in self.runs)

    def asked_scripts(self) -> list[str]:
        """Return the names of scripts that a container of it runs."""
        return _SCRIPT.findall(self.starts())


def stages(source: Source, told: Mapping[str, str] | None = None) -> list[Stage]:
    """Return the stages of a Dockerfile; `told` are arguments that whoever builds gives.

    Raises ProfileError for what no builder takes.
    """
    return _Build(source, told or {}).stages()


def last_ones(found: Sequence[Stage]) -> list[Stage]:
    """Return the stages that no other one goes on with: each may be what is built."""
    bases = {stage.base for stage in found}
    return [stage for number, stage in enumerate(found) if number not in bases]


class _Build:
    def __init__(self, source: Source, told: Mapping[str, str]) -> None:
        self.source, self.told = source, told
        self.around: dict[str, str | None] = dict(told)
        self.defaults: dict[str, str] = {}
        self.found: list[Stage] = []
        self.room = _LONGEST

    def stages(self) -> list[Stage]:
        for one in instructions(self.source):
            self._take(one)
        if not self.found:
            hint = "a Dockerfile begins with `FROM image`"
            raise refused(self.source.path, "", "there is no FROM in this Dockerfile", hint)
        return self.found

    def _take(self, one: Instruction) -> None:
        if one.name == "FROM":
            self._from(one)
        elif not self.found:
            if one.name != "ARG":
                hint = "begin with `FROM image`"
                raise refused(
                    self.source.path, f"line {one.script_line}", f"{one.name} before FROM", hint
                )
            self._arg(one, self.around)
        else:
            stage = self.found[-1]
            taken = _TAKEN.get(one.name)
            if one.name == "ARG":
                self._arg(one, stage.arguments)
            elif one.name == "ENV":
                for variable in self._variables(one, stage):
                    stage.variables.pop(variable.name, None)
                    stage.variables[variable.name] = variable
            elif taken is not None:
                taken(stage, one)

    def _value(self, raw: str, known: Mapping[str, str | None], escape: str = "\\") -> Value:
        made = value(raw, known, escape)
        self.room -= max(len(made.text) - len(raw), 0)
        return made if self.room > 0 else Value(raw, unresolved=True)

    def _from(self, one: Instruction) -> None:
        words = one.words()
        if not words:
            hint = "name an image, like `FROM image:tag`"
            raise refused(self.source.path, f"line {one.script_line}", "FROM names none", hint)
        image = self._value(words[0].raw, self.around, one.escape)
        named = len(words) > 2 and words[1].raw.upper() == "AS"  # noqa: PLR2004
        stage = Stage(words[2].raw.lower() if named else "", one.text.place(words[0].start))
        base = next(
            (n for n, s in enumerate(self.found) if s.name and s.name == image.text.lower()), None
        )
        if base is not None:
            stage = _goes_on(self.found[base], stage, base)
        else:
            stage.image, stage.written = image.text, self._written(words[0].raw, image)
        self.found.append(stage)

    def _written(self, raw: str, image: Value) -> str:
        """Return a reference whose tag is an argument with its default, as a shell spells that."""
        if image.unresolved or "$" not in raw:
            return image.text
        name, _, tag = raw.rpartition(":")
        found = _DEFAULTED.fullmatch(tag)
        argument = (found[1] or found[2]) if found else ""
        if not found or "/" in tag or argument in self.told:
            return image.text
        default = self.defaults.get(argument) or found[3] or ""
        base = self._value(name, self.around).text
        return f"{base}:${{{argument}:-{default}}}"

    def _arg(self, one: Instruction, into: dict[str, str | None]) -> None:
        for word in one.words():
            name, equals, raw = word.raw.partition("=")
            outer = self.told.get(name, self.around.get(name))
            if name in self.told:
                into[name] = self.told[name]
            elif equals:
                made = self._value(raw, {**self.around, **into}, one.escape)
                into[name] = None if made.unresolved else made.text
                self.defaults[name] = made.text
            else:
                into[name] = outer

    def _variables(self, one: Instruction, stage: Stage) -> Iterator[Variable]:
        """Yield what ENV sets: `NAME=value …`, or `NAME value`."""
        words, known = one.words(), stage.known
        if words and "=" not in words[0].raw:
            start = words[0].start + len(words[0].raw)
            raw = one.text.text[start:].strip()
            if not raw:
                self._no_value(one, words[0].start, words[0].raw)
            made = self._value(raw, known, one.escape)
            yield _variable(words[0].raw, made, one.text.place(words[0].start), "")
            return
        for word in words:
            name, equals, raw = word.raw.partition("=")
            if not equals:
                self._no_value(one, word.start, name)
            made = self._value(raw, known, one.escape)
            # A value that goes on on the next line cannot be named.
            one_line = one.text.place(word.start) == one.text.place(word.start + len(word.raw) - 1)
            yield _variable(name, made, one.text.place(word.start), raw if one_line else "")

    def _no_value(self, one: Instruction, at: int, name: str) -> None:
        raise refused(
            self.source.path,
            f"line {one.text.place(at).line}",
            f"ENV: there is no `=` in `{name[:40]}`",
            "write `NAME=value`, with quotes around what has blanks",
        )


def _variable(name: str, made: Value, place: Place, written: str) -> Variable:
    return Variable(
        name=name,
        value=made.text,
        place=Place(place.file, place.line, f"ENV.{name}"),
        written=written,
        unresolved=made.unresolved,
    )


def _goes_on(base: Stage, stage: Stage, number: int) -> Stage:
    """Return a stage that begins as another one ends; its arguments are not passed on."""
    return dataclasses.replace(
        base,
        name=stage.name,
        place=base.place,
        base=number,
        arguments={},
        variables=dict(base.variables),
        runs=list(base.runs),
        entries=list(base.entries),
        copies=list(base.copies),
        volumes=list(base.volumes),
        lines=list(base.lines),
    )


def _words_of(one: Instruction, skipped: str = "") -> Words:
    """Return the words of the exec form, or the shell that runs the shell form."""
    if skipped:
        one = replace(one, skipped=one.skipped + one.rest.index(skipped) + len(skipped))
    listed = one.listed()
    if listed is not None:
        found, at = list[tuple[str, Place]](), one.skipped
        for word in listed:
            at = max(one.text.text.find(word, at), at)
            found.append((word, one.text.place(at)))
        return tuple(found)
    text = one.rest.strip()
    return tuple((word, one.place) for word in (*_SHELL, text)) if text else ()


def _entry(stage: Stage, one: Instruction) -> None:
    stage.entry = _words_of(one)
    stage.entries.append(one)
    # An entry point takes the command of the base image away.
    stage.words = stage.words if stage.words is not None else ()
    stage.lines.append(_line("entrypoint", one))


def _command(stage: Stage, one: Instruction) -> None:
    stage.words, stage.command = _words_of(one), one
    stage.lines.append(_line("cmd", one))


def _line(name: str, one: Instruction) -> Line:
    # With a section: of a unit that is built from it these are no lines before its first one.
    return Line(section="Dockerfile", name=name, value=one.rest.strip(), place=one.place)


def _probe(stage: Stage, one: Instruction) -> None:
    kind = (one.rest.split(None, 1) or [""])[0]
    if kind.upper() == "NONE":
        stage.probe = ("NONE",), one.place
    elif kind.upper() == "CMD":
        words = _words_of(one, kind)
        shell = tuple(word for word, _ in words[:2]) == _SHELL and one.listed() is None
        listed = tuple(word for word, _ in words)
        place = words[-1][1] if words else one.place
        at = one.text.text.find(kind, one.skipped)
        place = one.text.place(at)
        is_shell = shell and not one.rest[len(kind) :].lstrip().startswith("[")
        stage.probe = (("CMD-SHELL", listed[-1]) if is_shell else ("CMD", *listed)), place
    for name, text in one.flags.items():
        if name in _PROBE:
            line = Line(section="healthcheck", name=_PROBE[name], value=text, place=one.place)
            stage.lines.append(line)


def _user(stage: Stage, one: Instruction) -> None:
    made = value(one.rest.strip(), stage.known, one.escape)
    stage.user = made.text
    stage.lines.append(replace(_line("USER", one), value=made.text))


def _volume(stage: Stage, one: Instruction) -> None:
    listed = one.listed() or [word.raw for word in one.words()]
    for path in listed:
        made = value(path, stage.known, one.escape)
        stage.volumes.append((made.text, one.place))


def _expose(stage: Stage, one: Instruction) -> None:
    stage.exposed += ((word.raw.partition("/")[0], one.place) for word in one.words())


def _run(stage: Stage, one: Instruction) -> None:
    stage.runs.append(one)
    line = _line("RUN", one)
    told = "\n".join(text for text, _ in one.documents)
    stage.lines.append(replace(line, value=f"{line.value}\n{told}") if told else line)


def _copy(stage: Stage, one: Instruction) -> None:
    stage.copies.append((one.flags.get("from", ""), one))
    stage.lines.append(_line("COPY", one))


_TAKEN: Final = {
    "ENTRYPOINT": _entry,
    "CMD": _command,
    "HEALTHCHECK": _probe,
    "USER": _user,
    "VOLUME": _volume,
    "EXPOSE": _expose,
    "RUN": _run,
    "COPY": _copy,
    "ADD": _copy,
}


def typed(one: Instruction) -> str:
    """Return the command of a RUN, CMD or ENTRYPOINT as a shell reads it, lines where they are."""
    listed = one.listed()
    if listed is not None:
        lines = one.script.count("\n")
        return shlex.join(listed) + "\n" * lines
    text = one.script
    while flag := re.match(r"--[a-z][a-z-]*(?:=\S*)?[ \t]*", text):
        text = text[flag.end() :]
    return text
