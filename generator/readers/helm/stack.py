"""Values of vllm-project/production-stack: a server for each `modelSpec`, as its chart starts it.

The chart makes the command line: templates/deployment-vllm-multi.yaml of vllm-stack-0.1.12.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.helm import HELM
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.records import replace
from generator.view import Container, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context, Source
    from generator.view import Key, View

    Words = Iterator[tuple[str, Place]]

STACK: Final = re.compile(r"(?m)^servingEngineSpec[ \t]*:")
_OPTIONS: Final = {
    "maxModelLen": "--max-model-len",
    "dtype": "--dtype",
    "tensorParallelSize": "--tensor-parallel-size",
    "maxNumSeqs": "--max-num-seqs",
    "gpuMemoryUtilization": "--gpu-memory-utilization",
    "maxLoras": "--max-loras",
    "runner": "--runner",
    "convert": "--convert",
}
_BOOK: Final = replace(HELM, accepts="vllm-stack")
_AT: Final = ("servingEngineSpec", "modelSpec")
_SECRETS: Final = {"hf_token": "HF_TOKEN", "vllmApiKey": "VLLM_API_KEY"}


def servers(values: Table, source: Source, context: Context) -> Iterator[View]:
    """Yield what the chart makes of each model; of those that Ray spreads nothing is told."""
    engine = values.table("servingEngineSpec")
    for node in engine.items("modelSpec"):
        if isinstance(node, Table) and node.text("enabled") != "false":
            yield _server(node, engine, source, context)


def _server(spec: Table, engine: Table, source: Source, context: Context) -> View:
    image = f"{spec.text('repository')}:{spec.text('tag')}"
    cards = spec.text("requestGPU")
    spread = spec.scalar("raySpec", "enabled")
    alone = spread is None or not spread.is_true
    box = Container(
        image=image,
        place=spec.place_of("repository"),
        tag=spec.text("tag"),
        gpu_access="devices" if cards not in {"", "0"} else "",
        gpu_number=int(cards) if alone and re.fullmatch(r"[1-9]\d?", cards) else 0,
        arguments=tuple(_arguments(spec)),
    )
    return context.view(
        _BOOK,
        context.release_of(image),
        name=spec.text("name") or context.engine.name,
        place=Place(source.path, spec.place.line),
        variables=tuple(_variables(spec, engine)),
        keys=tuple(_keys(spec)),
        container=box,
    )


def _keys(spec: Table) -> Iterator[Key]:
    """Yield the keys of options and variables, of which the schema and Kubernetes know all."""
    several = [("vllmConfig", spec.table("vllmConfig"))]
    several += [("env", one) for one in spec.items("env") if isinstance(one, Table)]
    for name, table in several:
        for key in keys_of(table, ".".join((*_AT, name))):
            yield replace(key, path=(*_AT, name, *key.path))


def _arguments(spec: Table) -> Words:
    """Yield the words behind `vllm serve`, in the order of the chart."""
    model = spec.scalar("modelURL")
    if model is not None:
        yield model.text, model.place
    config = spec.table("vllmConfig")
    for key, option in _OPTIONS.items():
        if (told := config.scalar(key)) is not None:
            yield option, told.place
            yield told.text, told.place
    for more in config.items("extraArgs"):
        if isinstance(more, Scalar):
            yield more.text, more.place


def _variables(spec: Table, engine: Table) -> Iterator[Variable]:
    """Yield what a server gets: of the chart's own secrets, and of `env`."""
    for table in (engine, spec):
        for key, name in _SECRETS.items():
            if isinstance(node := table.get(key), Scalar | Table):
                yield _variable(name, node)
        for entry in table.items("env"):
            if isinstance(entry, Table) and (name := entry.text("name")):
                yield _variable(name, entry.scalar("value") or entry)


def _variable(name: str, node: Scalar | Table) -> Variable:
    """Return one; a table names a secret, whose value stands elsewhere."""
    if isinstance(node, Scalar):
        return Variable(name=name, value=node.text, place=node.place, unresolved=not node.explicit)
    return Variable(name=name, value="", place=node.place, unresolved=True)
