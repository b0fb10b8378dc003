"""Dev containers: their image, what they are run with, and the commands of their life."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers import container
from generator.readers.base import Context, Source, each, image_name
from generator.readers.commands.told import Told
from generator.readers.devcontainer import DEVCONTAINER
from generator.readers.dockerfile.built import Built, dockerfile_in, of_dockerfile, over
from generator.readers.embedded import with_gaps
from generator.readers.syntax.applied import while_booting
from generator.readers.syntax.blocks import LONGEST
from generator.readers.syntax.jsonc import without_comments
from generator.readers.syntax.options import Argument, Option, options
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.view import AT_ONCE, BEFORE, Command, Container, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.view import View

_LIFE: Final = (
    *("onCreateCommand", "updateContentCommand", "postCreateCommand"),
    *("postStartCommand", "postAttachCommand"),
)
"""In the order in which they are run. Source: containers.dev/implementors/json_reference."""
_GAP: Final = re.compile(r"\$\{(?:localEnv|containerEnv|localWorkspaceFolder)\b")
_MAY_SERVE: Final = re.compile(
    r"\b(?:serve|start|until|while|for|sleep|wait|docker|compose|systemctl|service)\b|\|\||\.sh\b"
)
_UNTOLD: Final = "untold"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each file. Raises ProfileError for what is no JSON, comments aside."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    top = parse(replace(source, text=without_comments(source.text)))
    if not isinstance(top, Table):
        return ()
    dev = _DevContainer(top, source, context)
    return with_gaps(dev.views(), dev.told.gaps)


class _DevContainer:
    """One pass over a file: what its commands say, and what they are run in."""

    def __init__(self, top: Table, source: Source, context: Context) -> None:
        self.top, self.file, self.context = top, source.path, context
        self.engine = context.engine
        self.told = Told(context, source.path, DEVCONTAINER, "client")
        self.built = self._built()
        self.earlier: list[tuple[int, str]] = []
        self.started = 0
        for key in _LIFE:
            self._lives(top.get(key))
        self.told.commands += self._pulled()

    def _lives(self, node: Node | None) -> None:
        """Take in the commands of a part of its life; several by names are started together."""
        every, before = list(_scripts(node)), self.started
        for line, text in every:
            self.told.script(text, line)
            self.started = self.started or (line if self.told.served else 0)
        if self.started and not before and isinstance(node, Table):
            self.told.forgiven += self._asking(every, AT_ONCE)
        if self.started and not before and not self._may_serve():
            self.told.forgiven += self._asking(self.earlier, BEFORE)
        self.earlier += every

    def _may_serve(self) -> bool:
        """Whether a server may be up before a command starts one."""
        image = image_name(self.top.text("image")).repository
        features = " ".join(self.top.table("features").entries)
        name = self.engine.name
        return name in features or name in image or bool(self.built and self.built.entry)

    def _asking(self, every: Iterable[tuple[int, str]], section: str) -> Iterator[Line]:
        """Yield the commands that ask a server in vain, of those that start none themselves."""
        asks = re.compile(
            rf"(?:^|&&|;)[ \t]*(?:\S*/)?{re.escape(self.engine.name)}[ \t]+(pull|run|create)\b"
        )
        for line, text in every:
            # Without systemd, as in a container, the installer starts nothing.
            told = re.sub(self.engine.installer, "", text[:LONGEST])
            found = None if _MAY_SERVE.search(told) else asks.search(told)
            if found and section == AT_ONCE:
                yield Line(section=section, name="", value=found[1], place=Place(self.file, line))
            elif found:
                value, place = str(self.started), Place(self.file, line)
                yield Line(section=section, name=found[1], value=value, place=place)

    def _built(self) -> Built | None:
        """Return what the Dockerfile says that is built; None: none is, or it is not at hand."""
        name = self.top.text("build", "dockerfile") or self.top.text("dockerFile")
        folder = posixpath.dirname(self.file)
        found = dockerfile_in(folder, name, self.context) if name else None
        try:
            target = self.top.text("build", "target")
            return of_dockerfile(found, self.context, target) if found else None
        except ProfileError:
            return None  # Its own check says so.

    def _pulled(self) -> Iterator[Command]:
        """Yield the models that a feature of the engine pulls."""
        for name, given in self.top.table("features").entries.items():
            if name.rpartition("/")[2].partition(":")[0] == self.engine.name:
                for key in ("pull", "models"):
                    told = given.scalar(key) if isinstance(given, Table) else None
                    for model in told.text.split(",") if told else ():
                        if told and model.strip():
                            yield Command((("pull", told.place), (model.strip(), told.place)))

    def views(self) -> list[View]:
        """Return the server of the image, and what the commands start and ask."""
        image = self.top.scalar("image")
        name = image_name(image.text if image else "")
        ours = self.engine.is_image(name.repository) or bool(self.built and self.built.serves)
        variables = [*self._variables()]
        theirs = {one.name for one in variables if self._is_of_a_program(one)}
        meant = [one for one in variables if one.name not in theirs]
        if self.told.served:
            nearer = {variable.name for variable in self.told.variables}
            self.told.variables += (
                replace(v, reach="server", shared=True) for v in meant if v.name not in nearer
            )
        elif not ours:
            own = self.engine.prefixes
            self.told.variables += (v for v in variables if v.name.startswith(own))
        box = self._box(image, ours=ours)
        found = [while_booting(view) for view in self.told.found()]
        served = [
            replace(v, container=box) if self.told.served and v.container is None else v
            for v in found
        ]
        return [*([self._server(image, box, meant)] if ours else []), *served]

    def _is_of_a_program(self, one: Variable) -> bool:
        """Whether a variable is for programs that somebody works on in the container.

        What is handed on from the host, and the server does not read, is theirs as well.
        """
        fact = self.context.catalogue.at(self.engine.name).variable(one.name)
        served = fact is not None and fact.works and fact.scope != "client"
        theirs = re.fullmatch(self.engine.application, one.name) is not None
        return not served and (theirs or one.unresolved)

    def _variables(self) -> Iterator[Variable]:
        """Yield what the container has, and what the editor adds for what it starts there."""
        for key in ("containerEnv", "remoteEnv"):
            for name, node in self.top.table(key).entries.items():
                if isinstance(node, Scalar) and node.kind != "null":
                    place = Place(self.file, node.place.line, f"{key}.{name}")
                    yield Variable(
                        name=name,
                        value=node.text,
                        place=place,
                        reach="client",
                        unresolved=_GAP.search(node.text) is not None,
                    )

    def _box(self, image: Scalar | None, *, ours: bool) -> Container:
        """Return the container, as its options tell; the tag of another image is none of ours."""
        told = list(self._options())
        place = image.place if image else self.top.place
        box = container.container(image.text if image else "", place, told, "docker", _UNTOLD)
        box = over(self.built, box, told=False)
        return replace(box, digest=box.digest or not ours or self.built is not None)

    def _server(self, image: Scalar | None, box: Container, variables: list[Variable]) -> View:
        told = list(self._options())
        own = [replace(v, reach="server") for v in variables if "containerEnv" in v.place.key]
        given = (*(self.built.variables if self.built else ()), *own)
        return self.context.view(
            DEVCONTAINER,
            self.context.release_of(box.image),
            name=self.top.text("name") or self.engine.name,
            place=image.place if image else self.top.place,
            variables=given,
            lines=self.built.lines if self.built else (),
            bounds=container.bounds(told),
            container=box,
            acceleration=container.acceleration(box, told),
        )

    def _options(self) -> Iterator[Option]:
        """Yield the options of `docker run` that say the same."""
        words = [one for one in self.top.items("runArgs") if isinstance(one, Scalar)]
        yield from options([_word(one.text, one.place) for one in words])[0]
        for node in self.top.items("appPort"):
            if isinstance(node, Scalar):
                # A number is published on the loopback: devcontainers/cli, singleContainer.ts.
                text = f"127.0.0.1:{node.text}:{node.text}" if node.kind == "int" else node.text
                yield Option("publish", text, _word(text, node.place))
        for node in self.top.items("mounts"):
            text = _mount(node)
            if text:
                yield Option("mount", text, _word(text, node.place))
        gpu = self.top.get("hostRequirements", "gpu")
        if isinstance(gpu, Table) or (isinstance(gpu, Scalar) and gpu.text in {"true", "optional"}):
            yield Option("gpus", "all", _word("all", gpu.place))
        init = self.top.scalar("privileged")
        if init is not None and init.is_true:
            yield Option("privileged", "true", _word("true", init.place))


def _mount(node: Node) -> str:
    """Return a mount as `--mount` takes one."""
    if isinstance(node, Scalar):
        return node.text
    entries = node.entries.items() if isinstance(node, Table) else ()
    told = {key: value.text for key, value in entries if isinstance(value, Scalar)}
    return ",".join(f"{key}={value}" for key, value in told.items())


def _word(text: str, place: Place) -> Argument:
    return Argument(text, place, lambda _: "", "$" in text)


def _scripts(node: Node | None) -> Iterator[tuple[int, str]]:
    """Yield the commands of a part of its life: a line, a list of words, or several by names."""
    if isinstance(node, Scalar) and node.kind != "null":
        yield node.starts, node.text
    elif isinstance(node, Items):
        words = [one.text for one in node.items if isinstance(one, Scalar)]
        yield node.place.line, shlex.join(words)
    elif isinstance(node, Table):
        for one in node.entries.values():
            yield from _scripts(one) if not isinstance(one, Table) else ()
