"""What `gen tune` varies: how each is tried, which values, and which of two that are equal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Vary = Literal["threads", "gpu_layers", "num_batch", "num_parallel", "context"]

MOST: Final = 24
"""Values that are tried by themselves; of more some are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One of them: an option of each request, or a key for which the server is started anew.

    `key` is that of the profile, `{at}` in it the place of the model. `more`: of two that are no
    different the larger is meant, and with `slack` of those that are slower than the fastest by no
    more than that share: it is worth something by itself. `upward`: more of it may be too much, so
    that it is tried from below. The requests have so many tokens, and come so many at once.
    """

    option: str
    key: str
    about: str
    more: bool = False
    slack: float = 0.0
    upward: bool = False
    prompt_tokens: int = 128
    output_tokens: int = 64
    at_once: int = 1


KNOBS: Final[Mapping[Vary, Knob]] = {
    "threads": Knob(option="num_thread", key="threads.count", about="compute threads"),
    "gpu_layers": Knob(option="num_gpu", key="gpu.layers", about="layers on the GPU", upward=True),
    "num_batch": Knob(
        option="num_batch",
        key="models.{at}.parameters.num_batch",
        about="tokens of a prompt at once",
        prompt_tokens=1024,
        output_tokens=16,
    ),
    "num_parallel": Knob(option="", key="ollama.num_parallel", about="slots of a model", at_once=8),
    "context": Knob(
        option="num_ctx",
        key="ollama.context_length",
        about="tokens of context",
        more=True,
        slack=0.1,
        upward=True,
    ),
}
_BATCHES: Final = (32, 64, 128, 256, 512, 1024, 2048)
_SLOTS: Final = (1, 2, 3, 4, 6, 8)
_CONTEXTS: Final = tuple(1024 << power for power in range(1, 11))


def values(
    vary: Vary, *, cores: int = 0, threads: int = 0, blocks: int = 0, context: int = 0
) -> tuple[int, ...]:
    """Return the values to try, in order; none: nobody tells how many there are.

    `cores` and hardware `threads` are those of the machine, `blocks` and `context` those of the
    model.
    """
    if vary == "num_batch":
        return _BATCHES
    if vary == "num_parallel":
        return _SLOTS
    if vary == "context":
        return tuple(each for each in _CONTEXTS if each <= context)
    if vary == "threads":
        more = {threads} if threads > cores else set[int]()
        return tuple(sorted({*_thinned(1, cores), *more}))
    # All blocks, and one more for what comes behind them.
    return tuple(_thinned(0, blocks + 1)) if blocks else ()


def _thinned(first: int, last: int) -> list[int]:
    """Return the numbers up to the last; of many some that are evenly apart."""
    step = max(-(-(last - first + 1) // MOST), 1)
    return [*range(last, first - 1, -step)][::-1]


def of_model(shown: Mapping[str, Any], key: str) -> int:
    """Return a number of a model, as `block_count`, as the server shows it; 0: it does not."""
    info = shown.get("model_info")
    for name, value in info.items() if isinstance(info, dict) else ():
        if re.fullmatch(rf"[\w-]+\.{key}", name) and type(value) is int and 0 < value < 1 << 31:
            return value
    return 0
