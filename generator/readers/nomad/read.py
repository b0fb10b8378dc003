"""Jobs of Nomad: the tasks of its drivers for containers, with network, volumes and resources."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure, Problem
from generator.readers import container
from generator.readers.base import Context, NeedsMore, Source, each, image_name
from generator.readers.commands.told import Told
from generator.readers.nomad import NOMAD
from generator.readers.syntax.grammar import TooMuch
from generator.readers.syntax.hcl import parser
from generator.readers.syntax.options import Argument, Option
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.readers.terraform.evaluate import Module
from generator.view import Bound, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_DRIVERS: Final = frozenset({"docker", "podman"})
_OPTIONS: Final = {
    "runtime": "runtime", "network_mode": "network", "privileged": "privileged",
    "entrypoint": "entrypoint", "shm_size": "shm-size", "readonly_rootfs": "read-only",
}  # fmt: skip
_ASSIGNED: Final = re.compile(r"[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t]*(.*)")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_MEBIBYTE: Final = 1024 * 1024
_DIGITS: Final = 12
_ALWAYS: Final = "always"  # what the `restart` of a job does unless told otherwise


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each task that runs the server.

    Raises NeedsMore for what no parser reads, and EnvironmentFailure where nothing reads HCL.
    """
    if parser() is None:
        hint = "pip install 'hostwright[terraform]'"
        raise EnvironmentFailure("nothing here reads HCL", hint=hint)
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    try:
        module = Module([source], context)
        jobs = [module.body(block, {}) for block in module.blocks if block.kind == "job"]
    except TooMuch:
        message, hint = "is larger or deeper than any job", "check what `nomad job run` takes"
        problem = Problem("", message, hint, source.path)
        raise NeedsMore(source.path, (problem,)) from None
    views: list[View] = []
    for job in jobs:
        for group in (job, *_tables(job, "group")):
            for task in _tables(group, "task"):
                views += _Task(task, group, source, context).views()
    if line := module.faults.get(source.path, 0) if not views else 0:
        hint = "check it with `nomad job validate`"
        problem = Problem(f"line {line}", "is no HCL", hint, source.path)
        raise NeedsMore(source.path, (problem,))
    return views


def _tables(table: Table, key: str) -> list[Table]:
    return [one for one in table.items(key) if isinstance(one, Table)]


def _table(table: Table, key: str) -> Table:
    return next(iter(_tables(table, key)), Table({}, table.place))


class _Task:
    """A task, and the group around it."""

    def __init__(self, task: Table, group: Table, source: Source, context: Context) -> None:
        self.task, self.group, self.file, self.context = task, group, source.path, context
        self.config, self.engine = _table(task, "config"), context.engine
        self.lines = source.text.split("\n")

    def views(self) -> list[View]:
        """Return its Views: of a server in a container, or of what it runs by itself."""
        image = self.config.scalar("image")
        if self.task.text("driver") not in _DRIVERS:
            return self._commands()
        if image is None or not self.engine.is_image(image_name(image.text).repository):
            return []
        told = list(self._options())
        place = replace(self.config.place_of("image"), key="image")
        box = container.container(
            image.text, place, told, self.task.text("driver"), self._restart()
        )
        entry, words = self._said("entrypoint"), (*self._said("command"), *self._said("args"))
        box = replace(
            box,
            digest=box.digest or not image.explicit,
            moving=box.moving or self.config.text("force_pull") == "true",
            arguments=() if entry else words,
            program=(*entry, *words) if entry else (),
        )
        return [
            self.context.view(
                NOMAD,
                self.context.release_of(image.text),
                name=self.engine.name,
                place=self.task.place,
                variables=tuple(self._variables()),
                bounds=(*container.bounds(told), *self._bounds()),
                container=box,
                acceleration=container.acceleration(box, told),
            )
        ]

    def _commands(self) -> list[View]:
        """Return what a driver without containers runs."""
        words = (*self._said("command"), *self._said("args"))
        told = Told(self.context, self.file, NOMAD, "client")
        if words:
            told.script(shlex.join(text for text, _ in words), words[0][1].line)
        if told.served:
            told.variables += self._variables()
        return told.found()

    def _said(self, key: str) -> tuple[tuple[str, Place], ...]:
        """Return the words that a key has, one or several."""
        words = (word for word in self.config.items(key) if isinstance(word, Scalar))
        return tuple((word.text, word.place) for word in words)

    def _restart(self) -> str:
        """Return what brings it back: Nomad does, unless it is told to try nothing."""
        told = [_table(one, "restart").text("attempts") for one in (self.task, self.group)]
        return "no" if next(filter(None, told), "") == "0" else _ALWAYS

    def _variables(self) -> Iterator[Variable]:
        for name, node in _table(self.task, "env").entries.items():
            if isinstance(node, Scalar):
                yield Variable(
                    name=name,
                    value=node.text,
                    place=replace(node.place, key=name),
                    unresolved=not node.explicit or "${" in node.text,
                )
        for template in _tables(self.task, "template"):
            data = template.scalar("data")
            if data is not None and template.text("env") == "true":
                yield from _of_template(data)

    def _options(self) -> Iterator[Option]:
        """Yield the options of `docker run` that say the same."""
        for key, name in _OPTIONS.items():
            node = self.config.get(key)
            first = node.items[0] if isinstance(node, Items) and node.items else node
            if isinstance(first, Scalar) and first.explicit and first.text != "false":
                yield _option(name, first.text, self.config.place_of(key))
        yield from self._ports()
        yield from self._mounted()
        if any("gpu" in self._label(one) for one in self._devices()):
            yield _option("gpus", "all", _table(self.task, "resources").place)

    def _mounted(self) -> Iterator[Option]:
        for key, name in (("volumes", "volume"), ("cap_add", "cap-add")):
            for node in self.config.items(key):
                if isinstance(node, Scalar):
                    yield _option(name, node.text, node.place)
        for mount in (*_tables(self.config, "mount"), *_tables(self.config, "mounts")):
            if mount.text("type") != "tmpfs":
                text = f"{mount.text('source')}:{mount.text('target')}"
                yield _option("volume", text, mount.place)
        for mount in _tables(self.task, "volume_mount"):
            text = f"{mount.text('volume')}:{mount.text('destination')}"
            end = ":ro" if mount.text("read_only") == "true" else ""
            yield _option("volume", f"{text}{end}", mount.place)
        for device in _tables(self.config, "devices"):
            yield _option("device", device.text("host_path"), device.place)

    def _devices(self) -> list[Table]:
        return _tables(_table(self.task, "resources"), "device")

    def _label(self, block: Table) -> str:
        """Return what a block is of, which the tree of a body leaves out."""
        return self.lines[block.place.line - 1] if block.place.line else ""

    def _ports(self) -> Iterator[Option]:
        """Yield the ports of the group that the task asks for, as they are open on a node."""
        wanted = [one.text for one in self.config.items("ports") if isinstance(one, Scalar)]
        for network in (*_tables(self.group, "network"), *self._own_networks()):
            for port in _tables(network, "port"):
                label = _QUOTED.search(self._label(port))
                if label is None or (label[1] not in wanted and network.text("mode") != "bridge"):
                    continue
                outer, inner = port.text("static"), port.text("to")
                inner = inner or outer
                # On an address of the node alone, or of its own loopback.
                host = "127.0.0.1:" if "loop" in port.text("host_network") else ""
                if outer and inner:
                    yield _option("publish", f"{host}{outer}:{inner}", port.place)

    def _own_networks(self) -> list[Table]:
        return _tables(_table(self.task, "resources"), "network")

    def _bounds(self) -> Iterator[Bound]:
        """Yield the memory of the task: what it may have at most, or what is reserved for it."""
        told = _table(self.task, "resources")
        node = told.scalar("memory_max") or told.scalar("memory")
        if node is not None and node.text.isdecimal() and len(node.text) < _DIGITS:
            size = int(node.text) * _MEBIBYTE
            yield Bound(name="memory_max", value=size, place=node.place, written=node.text)


def _of_template(data: Scalar) -> Iterator[Variable]:
    """Yield the variables of a template that becomes the environment of its task."""
    for number, line in enumerate(data.text.split("\n"), data.starts):
        if found := _ASSIGNED.match(line):
            value = found[2].strip().strip("\"'")
            place = Place(data.place.file, number, found[1])
            open_ = "{{" in value or "$" in value
            yield Variable(name=found[1], value=value, place=place, unresolved=open_)


def _option(name: str, text: str, place: Place) -> Option:
    return Option(name, text, Argument(text, place, lambda _: "", "${" in text))
