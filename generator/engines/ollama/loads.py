"""How a model was loaded: as the Plan wants it, as its program was told, and as that says it is.

The words are `weights` (the name of its file), `slots`, `context` (tokens of one slot), `threads`,
`cache type`, `flash attention`, `prompt cache` and `layers`; `kind` is `embedding` where it was
started for such a model, `trained` the context that it was made for, `by` is `option` where the
command line has the threads. Seen so of 0.33.0-rc2 with llama-server b10488, and of 0.24.0, whose
runner is told no more than the file, and the rest by a request that it logs: LoadRequest of
llm/server.go@v0.24.0.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from generator.meaning import GO_FALSE
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.catalogue.facts import Facts

RUNNER: Final = "llama-server"
_BEGIN: Final = re.compile(r'msg="starting (?:llama-server|runner)"')
_REQUEST: Final = re.compile(r'msg=load request="\{Operation:commit ([^"]*)')
_ASKED: Final = {
    "slots": r"\bParallel:(\d{1,6})\b",
    "size": r"\bKvSize:(\d{1,9})\b",
    "batch": r"\bBatchSize:(\d{1,9})\b",
    "threads": r"\bNumThreads:(\d{1,6})\b",
    "cache type": r"\bKvCacheType:(\w{0,20})",
    "flash attention": r"\bFlashAttention:(\w{1,20})",
}
_SAID: Final = {
    "weights": r"--model (?:\S*/)?(\S+)",
    "threads": r"system_info: n_threads = (\d{1,6})",
    "slots": r"n_slots = (\d{1,6})",
    "context": r"n_ctx_slot = (\d{1,9})",
    "trained": r"n_ctx_train += (\d{1,9})",
    "flash attention": r"flash_attn += (\w{1,20})",
    "cache type": r"\bK \((\w{1,20})\)",
    "prompt cache": r"prompt cache is (disabled|enabled, size limit: [\w ]{1,20})",
    "layers": r"offloaded (\d{1,6}/\d{1,6}) layers",
}
_OPTIONS: Final = {
    "weights": ("--model", "-m"),
    "slots": ("-np", "--parallel"),
    "size": ("-c", "--ctx-size"),
    "threads": ("-t", "--threads"),
    "cache type": ("--cache-type-k", "-ctk", "--kv-cache-type"),
    "flash attention": ("--flash-attn", "-fa"),
    "layers": ("-ngl", "--n-gpu-layers", "--gpu-layers"),
}
_BY_VARIABLE: Final = {
    "threads": "LLAMA_ARG_THREADS",
    "prompt cache": "LLAMA_ARG_CACHE_RAM",
    "layers": "LLAMA_ARG_N_GPU_LAYERS",
}
_ON: Final = {
    "enabled": "on",
    "true": "on",
    "1": "on",
    "disabled": "off",
    "false": "off",
    "0": "off",
}


def said(log: str) -> tuple[dict[str, str], ...]:
    """Return what programs say of the models that they have loaded, each once, the last last."""
    loads = {}
    for part in _BEGIN.split(log)[1:]:
        found = {word: text.strip('"') for word, text in _found(_SAID, part).items()}
        if "weights" in found:  # else it is one that only looks for devices
            loads[found["weights"]] = _plain(_requested(part) | found)
    return tuple(loads.values())


def _found(patterns: Mapping[str, str], text: str) -> dict[str, str]:
    pairs = ((word, re.search(pattern, text)) for word, pattern in patterns.items())
    return {word: match[1] for word, match in pairs if match}


def _requested(part: str) -> dict[str, str]:
    """Return what a runner was asked for when it had to load; none where it is a llama-server."""
    requests = _REQUEST.findall(part)
    found = _found(_ASKED, requests[-1]) if requests else {}
    size, batch = whole(found.pop("size", "")), whole(found.pop("batch", ""))
    slots = whole(found.get("slots", ""))
    if size and slots:
        found["context"] = str(size // slots)
    if size and batch and slots == 1 and batch >= size:
        found["kind"] = "embedding"  # of others a batch is smaller, unless the context is, too
    if found.get("cache type") == "":
        found["cache type"] = "f16"
    return found


def reads(command: Sequence[str]) -> bool:
    """Return whether the program of a model is one that reads variables of its own.

    `ollama runner` of releases up to 0.24, and of models in the format of MLX, reads none.
    """
    return bool(command) and command[0].rpartition("/")[2] == RUNNER


def told(command: Sequence[str], variables: Mapping[str, str] | None) -> dict[str, str]:
    """Return what a program was told: an option of its command comes before a variable."""
    found = {
        word: command[at + 1]
        for word, options in _OPTIONS.items()
        for at, option in enumerate(command[:-1])
        if option in options
    }
    if "weights" not in found:
        return {}
    own = (variables or {}) if reads(command) else {}
    given = {word: own.get(name, "") for word, name in _BY_VARIABLE.items()}
    by = {"by": "option"} if "threads" in found else {}
    kind = {"kind": "embedding"} if "--embedding" in command else {}
    size, slots = whole(found.pop("size", "")), whole(found.get("slots", "")) or 1
    each = {"context": str(size // slots)} if size else {}
    found["weights"] = found["weights"].rpartition("/")[2]
    return _plain({word: text for word, text in given.items() if text} | found | each | by | kind)


def port(command: Sequence[str]) -> int | None:
    """Return the port of a program that has been told a model."""
    words = pairwise(command)
    found = next((whole(word) for option, word in words if option == "--port"), None)
    return found if told(command, None) and found and found < 1 << 16 else None


def _plain(found: dict[str, str]) -> dict[str, str]:
    """Return the same in the words of `wanted`."""
    if "flash attention" in found:
        said = found["flash attention"].lower()
        found["flash attention"] = _ON.get(said, said)
    if "prompt cache" in found:
        found["prompt cache"] = _cache(found["prompt cache"].rpartition(": ")[2])
    return found


def _cache(text: str) -> str:
    number = whole(text.removesuffix(" MiB"))
    if text in {"no limit", "-1"}:
        return "no limit"
    return "none" if number == 0 or text == "disabled" else f"{number} MiB"


def wanted(
    given: Mapping[str, str], parameters: Mapping[str, str], name: str, facts: Facts
) -> dict[str, str]:
    """Return how a model should be loaded, by the variables and what it was made with."""
    one = facts.one_slot(name) is not None
    pairs = {
        "slots": "1" if one else given.get("OLLAMA_NUM_PARALLEL", ""),
        "context": parameters.get("num_ctx") or given.get("OLLAMA_CONTEXT_LENGTH", ""),
        "threads": parameters.get("num_thread") or given.get("LLAMA_ARG_THREADS", ""),
        "cache type": given.get("OLLAMA_KV_CACHE_TYPE", "").lower(),
        "flash attention": _switch(given.get("OLLAMA_FLASH_ATTENTION", "")),
        "prompt cache": given.get("LLAMA_ARG_CACHE_RAM", ""),
        "layers": parameters.get("num_gpu") or given.get("LLAMA_ARG_N_GPU_LAYERS", ""),
    }
    return _plain({word: text for word, text in pairs.items() if text})


def _switch(text: str) -> str:
    return text and ("off" if text in GO_FALSE else "on")


def faults(
    want: Mapping[str, str], has: Mapping[str, str], says: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield each word of `want` that anybody tells of, what is so, and what is wrong with it."""
    for word, value in want.items():
        got = says.get(word) or has.get(word, "")
        if got:
            yield word, got, "" if _same(word, value, got) else _fault(word, got, has, says)


def _same(word: str, value: str, got: str) -> bool:
    if word != "layers":
        return got == value
    number, asked = whole(got.partition("/")[0]), whole(value)
    # The output layer counts as one; more than there are is all.
    most = whole(got.partition("/")[2]) or asked
    if asked is None or number is None or most is None:
        return value in {"auto", "-1", got}
    return number >= min(asked, most)


def _fault(word: str, got: str, has: Mapping[str, str], says: Mapping[str, str]) -> str:
    """Return what is wrong; empty: it has to be so."""
    if word == "slots":
        alone = "embedding" in {has.get("kind"), says.get("kind")}
        return "" if alone else f"its program was started with {got}"
    if word == "context":
        most = says.get("trained") == got
        return "" if most else f"it was loaded with {got}, which a client has asked for"
    if word == "threads" and has.get("by") == "option":
        return "`num_thread` of a request, or of what it was made of, comes before the variable"
    return f"its program says {got}" if word in says else f"its program was started with {got}"
