"""Containers of the provider for Docker, said in options of `docker run`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers import container
from generator.readers.base import Context, image_name
from generator.readers.syntax.options import Argument, Option
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.templates import UNTOLD
from generator.readers.terraform import DOCKER
from generator.view import NotJudged, Place, Variable, sometimes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from generator.engines.signs import Signs as Engine
    from generator.view import View

_OPTIONS: Final = {
    "restart": "restart", "cpus": "cpus", "cpu_set": "cpuset-cpus", "network_mode": "network",
    "privileged": "privileged", "user": "user", "runtime": "runtime", "gpus": "gpus",
    "read_only": "read-only", "entrypoint": "entrypoint",
}  # fmt: skip
_MEGABYTES: Final = {"memory": "memory", "memory_swap": "memory-swap"}
_PAIR: Final = re.compile(r"(\w+)=(.*)", re.ASCII | re.DOTALL)


def view_of(table: Table, label: str, built: AbstractSet[str], context: Context) -> View | None:
    """Return the container that a resource makes; None: it runs no server of the engine.

    `label` is that of the resource, `built` are the images that the module builds itself.
    """
    image = table.scalar("image")
    if image is None or not _is_ours(image, label, table, context.engine):
        return None
    told = list(_options(table))
    place = replace(table.place_of("image"), key="image")
    held = container.container(image.text, place, told, "docker", _untold(table, "restart"))
    words = () if "entrypoint" in table.entries else _words(table, "command")
    said = tuple((word.text, word.place) for word in words)
    held = replace(
        held,
        arguments=said,
        program=_program(table),
        digest=held.digest or not image.explicit,
        moving=image.text in built,
        healthcheck=_test(table) or held.healthcheck,
    )
    variables, gaps = variables_of(table, "env")
    chosen = [key for key in ("count", "for_each", "provider", "host") if key in table.entries]
    return context.view(
        DOCKER,
        context.release_of(image.text),
        name=table.text("name") or context.engine.name,
        place=table.place,
        variables=variables,
        bounds=container.bounds(told),
        lines=tuple(sometimes(key, table.place) for key in chosen),
        container=held,
        acceleration=container.acceleration(held, told),
        not_judged=gaps,
    )


def _program(table: Table) -> tuple[tuple[str, Place], ...]:
    """Return what is named instead of the image's own program, with all that it is told."""
    keys = ("entrypoint", "command") if _words(table, "entrypoint") else ()
    words = [(word, replace(table.place_of(key), key=key)) for key in keys
             for word in _words(table, key)]  # fmt: skip
    return tuple((w.text, at) for w, at in words) if all(w.explicit for w, _ in words) else ()


def _is_ours(image: Scalar, label: str, table: Table, engine: Engine) -> bool:
    """Whether a container runs the server; of an image that is not told, names around it tell."""
    if engine.is_image(image_name(image.text).repository):
        return True
    names = {label, table.text("name")}
    return not image.explicit and (engine.name in names or is_of(engine.name, image.text))


def is_of(engine: str, image: str) -> bool:
    """Return whether an image that is not told is that of an engine, by the variable's name."""
    return (
        re.search(rf"\$\{{[\w.]*\.{engine}(?:_(?:docker|container|image|name|tag))*\}}", image)
        is not None
    )


def variables_of(table: Table, key: str) -> tuple[tuple[Variable, ...], tuple[NotJudged, ...]]:
    """Return the variables that a list of `NAME=value` sets, and what of it is not literal."""
    found: dict[str, Variable] = {}
    gaps: list[NotJudged] = []
    for node in table.items(key):
        pair = _PAIR.fullmatch(node.text) if isinstance(node, Scalar) else None
        if pair is None or not isinstance(node, Scalar):
            gaps.append(not_literal(key, node.place))
            continue
        name, value = pair.groups()
        found[name] = Variable(
            name=name,
            value=value,
            place=replace(node.place, key=f"{key}.{name}"),
            written=node.replaceable.partition("=")[2],
            unresolved=not node.explicit,
        )
    return tuple(found.values()), tuple(gaps)


def not_literal(part: str, place: Place) -> NotJudged:
    """Return what is to be said of a part that only a run of Terraform can tell."""
    return NotJudged(
        file=place.file,
        line=place.line,
        part=f"`{part}`",
        reason="it is not literal: what it says is known when Terraform runs",
        hint="check what `terraform plan` prints",
        variables=True,
    )


def _untold(table: Table, key: str) -> str:
    """Return what stands for a value that is there, and that only a run of Terraform can tell."""
    node = table.get(key)
    told = isinstance(node, Scalar) and (node.explicit or node.kind == "null")
    return "" if node is None or told else UNTOLD


def _test(table: Table) -> tuple[tuple[str, ...], Place] | None:
    """Return the words of a health check as Docker gets them: the first says of which kind."""
    for check in _tables(table, "healthcheck"):
        node = check.get("test")
        words = node.items if isinstance(node, Items) else ()
        told = [word.text for word in words if isinstance(word, Scalar) and word.explicit]
        if told and len(told) == len(words):
            return tuple(told), replace(check.place_of("test"), key="test")
    return None


def _options(table: Table) -> Iterator[Option]:
    for key, name in _OPTIONS.items():
        node = table.get(key)
        first = node.items[0] if isinstance(node, Items) and node.items else node
        if isinstance(first, Scalar) and first.kind != "null" and first.explicit:
            switch = key in {"privileged", "read_only"}
            if not switch or first.is_true:
                yield _option(name, first.text, table, key)
    for key, name in _MEGABYTES.items():
        if (size := table.text(key)).isdecimal():
            yield _option(name, f"{size}m", table, key)
    yield from _blocks(table)


def _blocks(table: Table) -> Iterator[Option]:
    for port in _tables(table, "ports"):
        host, outer, inner = (port.text(key) for key in ("ip", "external", "internal"))
        parts = [part for part in (host if outer else "", outer, inner) if part]
        place = replace(port.place_of("external"), key="external")
        yield Option("publish", ":".join(parts), Argument(":".join(parts), place, _nothing))
    for key in ("volumes", "mounts"):
        for mount in _tables(table, key):
            if text := _mount(mount):
                yield Option("volume", text, Argument(text, mount.place, _nothing))
    for device in _tables(table, "devices"):
        yield _option("device", device.text("host_path"), device, "host_path")
    for check in _tables(table, "healthcheck"):
        words = [word.text for word in check.items("test") if isinstance(word, Scalar)]
        yield _option("health-cmd", json.dumps(words), check, "test")
    for limit in _tables(table, "ulimit"):
        text = f"{limit.text('name')}={limit.text('soft')}:{limit.text('hard')}"
        yield _option("ulimit", text, limit, "soft")
    for more in _tables(table, "capabilities"):
        yield from (_option("cap-add", word.text, more, "add") for word in _words(more, "add"))
    for label in _tables(table, "labels"):
        yield _option("label", f"{label.text('label')}={label.text('value')}", label, "value")


def _mount(mount: Table) -> str:
    """Return a volume in short form; a tmpfs keeps nothing."""
    target = mount.text("container_path") or mount.text("target")
    if not target or mount.text("type") == "tmpfs":
        return ""
    named = (mount.scalar(key) for key in ("host_path", "volume_name", "source"))
    told = (one.text if one.explicit else one.written for one in named if one is not None)
    source = next(told, "")
    alone = mount.scalar("read_only")
    end = ":ro" if alone is not None and alone.is_true else ""
    return f"{source}:{target}{end}" if source else target


def _words(table: Table, key: str) -> list[Scalar]:
    return [word for word in table.items(key) if isinstance(word, Scalar)]


def _tables(table: Table, key: str) -> list[Table]:
    return [one for one in table.items(key) if isinstance(one, Table)]


def _option(name: str, text: str, table: Table, key: str) -> Option:
    node: Node | None = table.get(key)
    place = table.place_of(key) if node is None or isinstance(node, Items) else node.place
    return Option(name, text, Argument(text, replace(place, key=key), _nothing))


def _nothing(_: str) -> str:
    return ""
