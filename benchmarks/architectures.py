"""What models of every kind keep and compute with, against what llama.cpp reserves on a GPU.

`tests/fit/architectures.json` has headers and tensors of models in the dimensions of real ones, and
for each what llama.cpp reserved: on a device that takes operations, alignment and padding as CUDA
does, and computes nothing. Bytes of a layer that several share stand there once.
"""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.fit.header import TYPES, Tensor
from generator.fit.layout import Footprint
from generator.fit.metadata import shape_from
from generator.fit.shape import Load
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape

FILE: Final = Path(__file__).parent.parent / "tests/fit/architectures.json"
SIZES: Final = {name: (elements, size) for name, elements, size in TYPES.values()}
PARTS: Final = ("weights", "kv", "compute", "host weights", "host kv", "host compute")
SMALL: Final = 32  # MiB below which a buffer is not worth a percentage


@dataclass(frozen=True, slots=True)
class Point:
    """A load, the layers that the GPU has of a model, and MiB measured and predicted by part."""

    model: str
    architecture: str
    layers: int
    load: Load
    measured: dict[str, float]
    predicted: dict[str, float]

    @property
    def whole(self) -> bool:
        """Whether the GPU has all layers."""
        return self.layers > 1000

    def error(self, part: str) -> float:
        """Return by how much a part is off, as a share of what was measured."""
        return self.predicted[part] / self.measured[part] - 1


def tensors_of(model: dict[str, Any]) -> Iterator[Tensor]:
    """Yield the tensors of a model of the file."""
    yield from (_tensor("", *row) for row in model["top"])
    for layer, kind in enumerate(model["layers"]):
        yield from (_tensor(f"blk.{layer}.", *row) for row in model["kinds"][kind])


def _tensor(prefix: str, name: str, kind: str, *dimensions: int) -> Tensor:
    elements, size = SIZES[kind]
    return Tensor(
        name=prefix + name,
        dimensions=dimensions,
        size=math.prod(dimensions) // elements * size,
        kind=kind,
    )


def shape_in(model: dict[str, Any], facts: Facts) -> Shape:
    """Return the Shape of a model of the file, as its header and tensors tell it."""
    name = model["architecture"]
    keys = {f"{name}.{key}": value for key, value in model["keys"].items()}
    metadata = {"general.architecture": name, **keys, **model["more"]}
    return shape_from(model["name"], metadata, tensors_of(model), facts)


def points(facts: Facts) -> Iterator[Point]:
    """Yield every measurement with its prediction."""
    for model in json.loads(FILE.read_text(encoding="utf-8"))["models"]:
        shape = shape_in(model, facts)
        for layers, context, slots, batch, flash, cache, outputs, *sizes in model["points"]:
            load = Load(
                context=context, slots=slots, batch=batch, flash_attention=flash, cache_type=cache,
                outputs=outputs, unpacks=True,
            )  # fmt: skip
            (gpu,), host = Footprint(shape, load).needs((min(layers, shape.layers + 1),))
            told = (gpu.weights, gpu.kv, gpu.compute, host.weights, host.kv, host.compute)
            yield Point(
                model["name"],
                model["architecture"],
                layers,
                load,
                dict(zip(PARTS, sizes, strict=True)),
                dict(zip(PARTS, (size / MIB for size in told), strict=True)),
            )


def report(facts: Facts) -> str:
    """Return the section of docs/accuracy.md."""
    found = list(points(facts))
    models: dict[tuple[str, str], list[Point]] = {}
    for point in found:
        models.setdefault((point.model, point.architecture), []).append(point)
    lines = [
        "| model | architecture | KV and state | all layers on a GPU | some layers | host |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {architecture} | {_cache(some)} | {_worst(some, 'compute', whole=True)} | "
        f"{_worst(some, 'compute', whole=False)} | {_worst(some, 'host compute')} |"
        for (name, architecture), some in models.items()
    ]
    every = [p.error("compute") for p in found if p.whole and p.measured["compute"] > SMALL]
    part = [p.error("compute") for p in found if not p.whole and p.measured["compute"] > SMALL]
    summary = (
        f"Median error of the buffer: {_percent(statistics.median(map(abs, every)))} with all "
        f"layers on the GPU, {_percent(statistics.median(map(abs, part)))} with some; within 15 %: "
        f"{sum(abs(e) <= NEAR for e in every)} of {len(every)}, "
        f"{sum(abs(e) <= NEAR for e in part)} of {len(part)}."
    )
    return "\n".join([*lines, "", summary])


NEAR: Final = 0.15


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _cache(some: Sequence[Point]) -> str:
    pairs = [
        (p.predicted["kv"] + p.predicted["host kv"], p.measured["kv"] + p.measured["host kv"])
        for p in some
    ]
    off = max((abs(told - real) / real if real else told) for told, real in pairs)
    return "exact" if off < 1e-3 else _percent(off)


def _worst(some: Sequence[Point], part: str, *, whole: bool | None = None) -> str:
    errors = [p.error(part) for p in some if whole in {None, p.whole} and p.measured[part] > SMALL]
    if not errors:
        return f"below {SMALL} MiB"
    worst = max(errors, key=abs)
    return f"{worst * 100:+.1f} %"
