"""Dockerfiles: a View of each image that is the server's, and one of what their commands say.

What an image leaves to whoever runs it, as ports, restarts and GPUs, is no part of it.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers import container
from generator.readers.base import Context, Source, each, image_name
from generator.readers.commands.servers import servers_in
from generator.readers.commands.told import Told
from generator.readers.dockerfile import DOCKERFILE
from generator.readers.dockerfile.image import Stage, last_ones, stages, typed
from generator.readers.dockerfile.program import of_engine, without_libraries
from generator.readers.embedded import embedded, with_gaps
from generator.readers.supervisord.programs import as_script
from generator.view import MADE_BY, STARTED, Asked, Command, Container, Line, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.dockerfile.image import Words
    from generator.readers.syntax.dockerfile import Instruction

_REFERENCE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)")
_WORD: Final = re.compile(r"(?<![\w.-])[\w.-]+")
_SHELL: Final = (".sh", ".bash")
_UNTOLD: Final = "untold"
_LONGEST: Final = 200
_DEEPEST: Final = 8  # directories above a script


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each file. Raises ProfileError for what no builder takes."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    found = stages(source)
    told = Told(context, source.path, DOCKERFILE, "client")
    views: list[View] = []
    ours = of_engine(found, context.engine)
    for stage in last_ones(found):
        if stage.serves(context.engine, ours):
            seen = view_of(stage, source, context)
            begun = [stage.starts(), *(text for _, text in scripts(stage, source, context) if text)]
            lines = (*seen.lines, *without_libraries(stage, found, begun, context))
            views.append(replace(seen, lines=lines))
        elif variables := tuple(_of_client(stage, context)):
            views.append(
                context.view(
                    DOCKERFILE,
                    context.release_for(),
                    name=stage.name or posixpath.basename(source.path),
                    place=stage.place,
                    variables=variables,
                )
            )
    views += _copied(found, context)
    if context.engine.by_arguments:
        return tuple(views)  # Nothing is started while an image is built.
    for one, known in _typed(found):
        told.releases.ambient = frozenset(known)
        told.script(*_with_known(one, known))
    for one in (one for stage in found for _, one in stage.copies if one.name == "ADD"):
        for word in one.words()[:-1]:
            told.releases.fetches(word.raw, one.text.place(word.start))
    told.commands += _handed(found, context)
    views += told.found()
    for _, one in {
        one.script_line: (image, one) for s in found for image, one in s.copies
    }.values():
        for text, line in one.documents:
            name = one.words()[-1].raw if one.words() else ""
            more, gaps = embedded(text, name, source.path, line, context)
            views += more
            told.gaps += gaps
    return with_gaps(views, told.gaps)


def view_of(stage: Stage, source: Source, context: Context) -> View:
    """Return what an image of the server is by itself."""
    box = box_of(stage, context)
    release = context.release_of(stage.image)
    return context.view(
        DOCKERFILE,
        release,
        name=stage.name or context.engine.name,
        place=stage.place,
        variables=tuple(variables_of(stage, source, context)),
        lines=lines_of(stage, source, context),
        container=box,
        acceleration=container.acceleration(box, ()),
    )


def box_of(stage: Stage, context: Context) -> Container:
    """Return the container that an image of the server makes, but for what its runner says."""
    image = stage.written or stage.image
    name = image_name(image)
    base = image_name(stage.image).repository
    own = context.engine.is_image(base) or context.engine.is_build(base, called=False)
    return Container(
        image=image,
        place=stage.place,
        tag=name.tag,
        # Of another base the tag counts something else, and of an argument nobody knows it.
        digest=name.digest or not own or (image == stage.image and "$" in image),
        user=stage.user,
        mounts=tuple(stage.volumes),
        healthcheck=stage.probe,
        restart=_UNTOLD,
        asked=tuple(_asked(stage, context)),
        arguments=_arguments(stage, context.engine),
        program=(*stage.entry, *(stage.words or ())) if stage.entry else (),
    )


def _asked(stage: Stage, context: Context) -> Iterator[Asked]:
    """Yield the port of the server that an image names for those who ask it."""
    ours = str(context.catalogue.at(context.engine.name).image.port)
    for port, place in stage.exposed:
        if port == ours:
            yield Asked(by="whoever uses the port of EXPOSE", port="", place=place)


def _arguments(stage: Stage, engine: Engine) -> Words:
    """Return what the server of an image is told: behind its own program, or one of the file."""
    if stage.entry is None and engine.is_image(image_name(stage.image).repository):
        return stage.words or ()
    if not engine.by_arguments:
        return stage.words or () if stage.entry is None else ()
    started = servers_in((*(stage.entry or ()), *(stage.words or ())), engine)
    return next((command.words[1:] for command in started), ())


def variables_of(
    stage: Stage, source: Source, context: Context, found: Iterable[Variable] | None = None
) -> Iterator[Variable]:
    """Yield what the server gets of ENV, or of `found`, that the container adds.

    What only a script of the image uses is that script's.
    """
    engine = context.engine
    facts = context.catalogue.at(engine.name, context.release_of(stage.image)[0])
    texts = [text for _, text in scripts(stage, source, context)]
    used = {name for text in texts for name in _REFERENCE.findall(text or "")}
    application = re.compile(engine.application)
    others = any(text is None or _PROGRAMS.search(text) for text in texts)
    for variable in stage.variables.values() if found is None else found:
        fact = facts.variable(variable.name)
        known = fact is not None and fact.known
        theirs = variable.name in used or (
            others and application.fullmatch(variable.name) is not None
        )
        yield replace(variable, reach="client") if theirs and not known else variable


_PROGRAMS: Final = re.compile(
    r"(?m)^[^#\n]*\b(?:python3?|node|bun|npm|uvicorn|gunicorn|flask|java|ruby|php)[ \t]+\S"
)
"""Other programs that a script of an image starts, which may read what is theirs."""


def scripts(stage: Stage, source: Source, context: Context) -> Iterator[tuple[Place, str | None]]:
    """Yield the scripts that a container runs, with None for one that is not at hand."""
    begun, names = [stage.starts()], [*dict.fromkeys(stage.asked_scripts())]
    words = (posixpath.basename(w.raw) for _, one in stage.copies for w in one.words())
    copied = {name for name in words if name.endswith(_SHELL)}
    for name in names:  # It grows: what a script of the image calls.
        for place, text in _script(name, stage, source, context):
            called = [n for n in dict.fromkeys(_WORD.findall(text or "")) if n.endswith(_SHELL)]
            near = (n for n in called if n in copied or _is_there(n, stage, source, context))
            names += [n for n in near if n not in names]
            begun.append(text or "")
            yield place, text
    if any("supervisord" in text for text in begun):
        yield from _supervised(begun[0], stage, source, context)


def _supervised(
    starts: str, stage: Stage, source: Source, context: Context
) -> Iterator[tuple[Place, str]]:
    """Yield what supervisord starts of its files that are at hand, as a shell writes that."""
    copies = (one for _, one in stage.copies if "supervis" in one.rest)
    copied = [word.raw for one in copies for word in one.words()]
    told = [*_OF_SUPERVISORD.findall(starts), *filter(_OF_SUPERVISORD.fullmatch, copied)]
    for name in dict.fromkeys(posixpath.basename(path) for path in told):
        found = (one for one in _script(name, stage, source, context) if one[1])
        yield from ((place, as_script(text)) for place, text in found if text)


_OF_SUPERVISORD: Final = re.compile(r"[\w./-]+\.(?:conf|ini)\b")


def _is_there(name: str, stage: Stage, source: Source, context: Context) -> bool:
    """Whether a script is at hand, which comes into the image with its directory."""
    return any(text is not None for _, text in _script(name, stage, source, context))


def _script(
    name: str, stage: Stage, source: Source, context: Context
) -> Iterator[tuple[Place, str | None]]:
    folder = posixpath.dirname(source.path)
    paths = [name]
    for _, one in stage.copies:
        raw = [word.raw for word in one.words()]
        paths += [text for text in raw if posixpath.basename(text) == name]
        # A directory comes with all that is in it.
        paths += [posixpath.join(text, name) for text in raw if not posixpath.splitext(text)[1]]
        if one.documents and any(w.raw.endswith(name) for w in one.words()):
            text, line = one.documents[0]
            yield Place(source.path, line), text
    near = [posixpath.normpath(posixpath.join(folder, up, p))
            for p in _from_nearer(dict.fromkeys([*paths, name])) for up in ("", "..")]  # fmt: skip
    texts = ((Place(path, 1), context.read(path)) for path in near)
    yield next((one for one in texts if one[1] is not None), (Place(near[0], 1), None))


def _from_nearer(paths: Iterable[str]) -> Iterator[str]:
    """Yield paths from the directory of the build, then as seen from one of those on the way."""
    parts = [path.strip("/").split("/")[-_DEEPEST:] for path in paths]
    for left_out in range(_DEEPEST):
        yield from ("/".join(one[left_out:]) for one in parts if len(one) > left_out)


def lines_of(stage: Stage, source: Source, context: Context) -> tuple[Line, ...]:
    """Return what an image says beside its ENV: its instructions, and scripts that it runs."""
    made = made_by(stage, source, context)
    return (*stage.lines, *script_lines(stage, source, context), *made)


def script_lines(stage: Stage, source: Source, context: Context) -> tuple[Line, ...]:
    """Return the scripts that a container runs as lines; one not at hand has no text."""
    return tuple(
        Line(section=STARTED, name=posixpath.basename(place.file), value=text or "", place=place)
        for place, text in scripts(stage, source, context)
    )


def made_by(stage: Stage, source: Source, context: Context) -> Iterator[Line]:
    """Yield the scripts that a build runs, with their text."""
    for one in stage.runs:
        for name in dict.fromkeys(_RUN_SCRIPT.findall(one.rest)):
            for _, text in _script(name, stage, source, context):
                if text:
                    yield Line(section="Dockerfile", name=MADE_BY, value=text, place=one.place)


_RUN_SCRIPT: Final = re.compile(
    r"(?:^|&&|;|(?<![\w.-])(?:ba|da)?sh\s)\s*(?:\S*/)?([\w.-]+\.sh)(?=[\s;&]|$)"
)


def _of_client(stage: Stage, context: Context) -> Iterator[Variable]:
    """Yield what ENV sets of the engine in an image that only asks a server."""
    mine = context.engine.prefixes
    if any(name.startswith(mine) for name in stage.variables):
        yield from (replace(v, reach="client") for v in stage.variables.values())


def _copied(found: Iterable[Stage], context: Context) -> Iterator[View]:
    """Yield a View of each image that a file of the engine is copied out of."""
    seen: set[tuple[str, int]] = set()
    names = {stage.name for stage in found}
    for image, one in (copy for stage in found for copy in stage.copies):
        name = image_name(image)
        here = (image, one.script_line)
        if not image or image in names or here in seen or "$" in image:
            continue
        seen.add(here)
        if context.engine.is_image(name.repository):
            box = Container(
                image=image, place=one.place, tag=name.tag, digest=name.digest, restart=_UNTOLD
            )
            yield context.view(
                DOCKERFILE,
                context.release_of(image),
                name=context.engine.name,
                place=one.place,
                container=box,
            )


def _typed(found: Iterable[Stage]) -> Iterator[tuple[Instruction, Mapping[str, str | None]]]:
    """Yield each RUN, and each command in the shell form or of a shell, with what it knows."""
    seen: set[int] = set()
    for stage in found:
        last = [one for one in (stage.command,) if one is not None]
        for one in (*stage.runs, *stage.entries, *last):
            if one.script_line not in seen:
                seen.add(one.script_line)
                yield one, stage.known


def _with_known(one: Instruction, known: Mapping[str, str | None]) -> tuple[str, int]:
    """Return a command as a shell reads it, behind the variables that are told, and its line."""
    text = typed(one)
    if one.documents:
        body, line = one.documents[0]
        rest = re.sub(r"<<-?\s*['\"]?[\w.]+['\"]?", "", one.rest).strip()
        if not rest or re.fullmatch(r"(?:/\w+)*/?(?:ba|da|z)?sh(?: -\w+)*", rest):
            text = body
            return _filled(text, known), line
        tag = one.text.text.rpartition("<<")[2].lstrip("-").strip("'\" ").split()[0].strip("'\"")
        text = f"{text}\n{body}{tag}\n"
    return _filled(text, known), one.script_line


def _filled(text: str, known: Mapping[str, str | None]) -> str:
    used = sorted({name for name in _REFERENCE.findall(text) if known.get(name)})
    values = ((name, known[name] or "") for name in used)
    set_first = (
        f"{name}={shlex.quote(told)}; "
        for name, told in values
        if len(told) < _LONGEST and "\n" not in told
    )
    return "".join(set_first) + text


def _handed(found: Iterable[Stage], context: Context) -> Iterator[Command]:
    """Yield the commands that the engine's own image hands to its program."""
    for stage in found:
        own = context.engine.is_image(image_name(stage.image).repository)
        if own and stage.entry is None and stage.words and stage.command is not None:
            yield Command(stage.words)
