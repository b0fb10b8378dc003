"""A Shape from a running Ollama server: what `/api/show` reports of a model, and `/api/ps`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from generator.errors import EnvironmentFailure, HostwrightError, shortened
from generator.fit.header import DIMENSIONS, Tensor
from generator.fit.metadata import MOST, shape_from
from generator.live.client import asked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape
    from generator.live.client import Server

MOST_SIZE: Final = 1 << 50
"""Bytes of a model: a pebibyte."""
MOST_LISTED: Final = 10_000
LEVEL: Final = re.compile(r"[A-Za-z0-9_.:+-]{1,40}")
_FILE: Final = "use --gguf with the model's file"


def shape_of_server(server: Server, model: str, facts: Facts) -> Shape:
    """Return the Shape of a model that a server has, or raise as `Ask.shape_at` says."""
    answer = asked(server, "/api/show", {"model": model})
    metadata, tensors = answer.get("model_info"), answer.get("tensors")
    if not isinstance(metadata, dict) or not isinstance(tensors, list):
        raise EnvironmentFailure(
            f"{server.url} reports no shape of `{model}`",
            hint=f"releases before 0.5.13 list no tensors; {_FILE}",
        )
    if any(value is None for key, value in metadata.items() if ".attention." in key):
        answer = asked(server, "/api/show", {"model": model, "verbose": True})
        metadata = answer.get("model_info")
    found = _tensors(server, tensors, facts)
    return _shape(server, model, metadata, found, facts, _level(answer.get("details")))


def loaded(server: Server) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and size on GPUs of the models that a server has loaded."""
    return tuple(
        (name_of(entry.get("name")), bytes_of(entry.get("size")), bytes_of(entry.get("size_vram")))
        for entry in listed(lambda path: asked(server, path), "/api/ps")
    )


def listed(ask: Callable[[str], Mapping[str, Any]], path: str) -> list[Mapping[str, Any]]:
    """Return the models that a server lists at `path`, whatever it tells of each."""
    models = ask(path).get("models") or []
    if not isinstance(models, list) or len(models) > MOST_LISTED:
        raise EnvironmentFailure(f"{path}: no answer of an Ollama server")
    return [entry for entry in models if isinstance(entry, dict)]


def name_of(value: object) -> str:
    """Return a text of a server, cut where it is no name; empty: it is no text."""
    return shortened(value.replace("\0", "\ufffd"), 128) if isinstance(value, str) else ""


def bytes_of(value: object) -> int:
    """Return a number of a server that may be one of bytes or tokens; 0: it is none."""
    return value if _counts(value, MOST_SIZE) else 0


def _shape(
    server: Server, model: str, metadata: object, tensors: list[Tensor], facts: Facts, level: str
) -> Shape:
    """Return the Shape; what is none is the server's fault here, and not that of a file."""
    told = metadata if isinstance(metadata, dict) else {}
    try:
        return shape_from(model, told, tensors, facts, quantisation=level)
    except EnvironmentFailure:
        raise
    except HostwrightError as error:
        raise EnvironmentFailure(f"{server.url}: {error.message}", hint=_FILE) from error


def _level(details: object) -> str:
    """Return the quantisation that a server tells; empty: it tells none, or it is no name."""
    level = details.get("quantization_level") if isinstance(details, dict) else None
    return level if isinstance(level, str) and LEVEL.fullmatch(level) else ""


def _counts(value: object, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _tensors(server: Server, entries: list[Any], facts: Facts) -> list[Tensor]:
    """Return the tensors, each with the bytes that its type and shape make."""
    found = [_tensor(server, entry, facts) for entry in entries]
    if sum(tensor.size for tensor in found) > MOST_SIZE:
        raise EnvironmentFailure(f"{server.url}: tensors larger than any model's", hint=_FILE)
    return found


def _tensor(server: Server, entry: object, facts: Facts) -> Tensor:
    try:
        name, kind, shape = _named(entry)
        row = facts.row_bytes(kind.upper(), shape[0])
    except (KeyError, TypeError, ValueError) as error:
        raise EnvironmentFailure(
            f"{server.url}: a tensor that Hostwright cannot size: {shortened(str(entry))}",
            hint=_FILE,
        ) from error
    return Tensor(name=name, dimensions=shape, size=row * math.prod(shape[1:]))


def _named(entry: Any) -> tuple[str, str, tuple[int, ...]]:  # noqa: ANN401 -- JSON of anybody
    """Return name, type and shape. Raises KeyError, TypeError or ValueError for anything else."""
    tensor: Mapping[str, Any] = entry
    name, kind, shape = tensor["name"], tensor["type"], tensor["shape"]
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(shape, list):
        raise TypeError("of another type")
    if not 0 < len(shape) <= DIMENSIONS or not all(each and _counts(each, MOST) for each in shape):
        raise ValueError("no shape")
    return name, kind, tuple(shape)
