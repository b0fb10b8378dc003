"""One request to a server, timed: what the client's clock says, and what the server counts."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from generator.bench.embed import embedded
from generator.bench.measurement import Sample
from generator.errors import HostwrightError, shortened
from generator.live.client import arriving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.bench.measurement import Workload
    from generator.live.client import Server

CUT: Final = "the answer ended before it was done"
_MOST: Final = 2**62
_PATHS: Final = {"ollama": "/api/generate", "openai": "/v1/chat/completions"}


def timed(
    server: Server, model: str, workload: Workload, prompt: str, began: int, due: int
) -> Sample:
    """Return the Sample of one request, whatever becomes of it; it fails in its `error` alone."""
    if workload.task == "embed":
        return embedded(server, model, workload, prompt, began, due)
    times: list[int] = []
    last: dict[str, Any] = {}
    read = _READERS[workload.api]
    try:
        parts = arriving(
            server,
            _PATHS[workload.api],
            _BODIES[workload.api](model, workload, prompt),
            events=workload.api == "openai",
        )
        for text, told in read(parts):
            if text:
                times.append(time.monotonic_ns() - began)
            last |= told
        ended = time.monotonic_ns() - began
        return _sample(times, ended, due, last)
    except HostwrightError as error:
        return Sample(due=due, error=error.message)
    except ValueError as error:
        why = server.without_key(f"{server.url}: {error}")
        return Sample(due=due, error=shortened(why, 200))


def _sample(times: list[int], ended: int, due: int, last: dict[str, Any]) -> Sample:
    if not last.get("done"):
        raise ValueError(CUT)
    return Sample(
        due=due,
        first=times[0] if times else ended,
        ended=ended,
        gaps=tuple(after - before for before, after in pairwise(times)),
        prompt_tokens=_count(last, "prompt_eval_count"),
        tokens=_count(last, "eval_count") or len(times),
        total=_count(last, "total_duration"),
        load=_count(last, "load_duration"),
        prefill=_count(last, "prompt_eval_duration"),
        decode=_count(last, "eval_duration"),
    )


def _count(last: dict[str, Any], key: str) -> int:
    value = last.get(key, 0)
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(f"`{key}` of the answer is no number that counts")
    return value


def _native_body(model: str, workload: Workload, prompt: str) -> dict[str, Any]:
    options = {"num_predict": workload.output_tokens, "seed": workload.seed}
    options |= {option.name: option.value for option in workload.options}
    return {"model": model, "prompt": prompt, "stream": True, "options": options}


def _openai_body(model: str, workload: Workload, prompt: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": workload.output_tokens,
        "seed": workload.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _native(parts: Iterator[dict[str, Any]]) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Yield whether a part has a token, and the counters of the last."""
    for part in parts:
        _no_error(part)
        yield bool(part.get("response") or part.get("thinking")), part if part.get("done") else {}


def _openai(parts: Iterator[dict[str, Any]]) -> Iterator[tuple[bool, dict[str, Any]]]:
    for part in parts:
        _no_error(part)
        choices, usage = part.get("choices"), part.get("usage")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        delta = choice.get("delta") if isinstance(choice, dict) else None
        texts = ("content", "reasoning", "reasoning_content")
        text = isinstance(delta, dict) and any(delta.get(key) for key in texts)
        told = {}
        if isinstance(usage, dict):
            told["prompt_eval_count"] = usage.get("prompt_tokens", 0)
            told["eval_count"] = usage.get("completion_tokens", 0)
        yield text, told
    # Nothing but the end of the stream says that it was all.
    yield False, {"done": True}


def _no_error(part: dict[str, Any]) -> None:
    if error := part.get("error"):
        told = error.get("message") if isinstance(error, dict) else error
        raise ValueError(f"the server says: {told}")


_BODIES: Final = {"ollama": _native_body, "openai": _openai_body}
_READERS: Final = {"ollama": _native, "openai": _openai}
