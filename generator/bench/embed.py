"""One request for vectors, timed. There is no stream: what comes first is all of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from generator.bench.measurement import Sample
from generator.errors import HostwrightError, shortened
from generator.live.client import asked

if TYPE_CHECKING:
    from generator.bench.measurement import Workload
    from generator.live.client import Server

_PATHS: Final = {"ollama": "/api/embed", "openai": "/v1/embeddings"}
_LISTS: Final = {"ollama": "embeddings", "openai": "data"}
_MOST: Final = 2**62


def embedded(
    server: Server, model: str, workload: Workload, prompt: str, began: int, due: int
) -> Sample:
    """Return the Sample of one request of so many texts; it fails in its `error` alone.

    The server counts its whole and the loading. What is left is waiting and computing: nobody tells
    them apart, so that it stands as `prefill`.
    """
    texts = [prompt, *(f"{at} {prompt}" for at in range(1, workload.texts))]
    try:
        found = asked(server, _PATHS[workload.api], {"model": model, "input": texts})
        ended = time.monotonic_ns() - began
        vectors = found.get(_LISTS[workload.api])
        if not isinstance(vectors, list) or len(vectors) != len(texts):
            raise ValueError(f"it sent no vector for each of {len(texts)} texts")
        return _sample(found, len(texts), ended, due)
    except HostwrightError as error:
        return Sample(due=due, error=error.message)
    except ValueError as error:
        told = server.without_key(f"{server.url}: {error}")
        return Sample(due=due, error=shortened(told, 200))


def _sample(found: dict[str, Any], vectors: int, ended: int, due: int) -> Sample:
    usage = found.get("usage")
    tokens = _count(usage if isinstance(usage, dict) else {}, "prompt_tokens")
    total, load = _count(found, "total_duration"), _count(found, "load_duration")
    return Sample(
        due=due,
        first=ended,
        ended=ended,
        prompt_tokens=_count(found, "prompt_eval_count") or tokens,
        total=total,
        load=load,
        prefill=max(total - load, 0),
        vectors=vectors,
    )


def _count(found: dict[str, Any], key: str) -> int:
    value = found.get(key, 0)
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(f"`{key}` of the answer is no number that counts")
    return value
