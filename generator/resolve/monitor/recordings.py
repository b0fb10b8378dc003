"""Series that are computed from others: speed, shares, and the names that guides have for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.monitor import Absent, Recording
from generator.resolve.monitor import fronts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.resolve.monitor.seen import Seen

_BY = "sum by (service, model)"


def recordings(seen: Seen) -> tuple[tuple[Recording, ...], tuple[Absent, ...]]:
    """Return what is computed, and which names of guides stay without a series, and why."""
    found = [*_speed(seen), *_shares(seen), *_hits(seen), *_guides(seen)]
    return (
        tuple(each for each in found if isinstance(each, Recording)),
        tuple(each for each in found if isinstance(each, Absent)),
    )


def _speed(seen: Seen) -> Iterator[Recording | Absent]:
    if not seen.tokens:
        return
    made = f"{_BY} (rate(llamacpp:tokens_predicted_total[10m]))"
    spent = f"{_BY} (rate(llamacpp:tokens_predicted_seconds_total[10m]))"
    steps = f"{_BY} (rate(llamacpp:n_decode_total[10m]))"
    yield Recording(
        name="hostwright:tokens_per_second",
        expr=f"{made} / {spent}",
        reason="What one client gets while its answer is generated; nothing while none is.",
    )
    yield Recording(
        name="hostwright:decode_tokens_per_second",
        expr=f"hostwright:tokens_per_second * clamp_min({made} / {steps}, 1)",
        reason="All slots together: tokens of each step are those of as many answers, so that more "
        "of them at once are no slower server.",
    )
    prompt = f"{_BY} (rate(llamacpp:prompt_tokens_total[10m]))"
    yield Recording(
        name="hostwright:prompt_tokens_per_second",
        expr=f"{prompt} / {_BY} (rate(llamacpp:prompt_seconds_total[10m]))",
        reason="How fast prompts are read, of which the time to the first token follows.",
    )


def _shares(seen: Seen) -> Iterator[Recording]:
    if seen.limited("cpu_quota"):
        yield Recording(
            name="hostwright:cpu_throttled:ratio",
            expr="rate(hostwright_cpu_throttled_periods_total[5m]) "
            "/ rate(hostwright_cpu_periods_total[5m])",
            reason="Share of the quota's periods in which CPU time was taken away.",
        )


def _hits(seen: Seen) -> Iterator[Recording | Absent]:
    name = "hostwright:cache_hits:ratio"
    if seen.store is None:
        yield Absent(what=name, reason="there is no cache that counts", key="cache.ttl")
        return
    hits, misses = (f"sum(rate(redis_keyspace_{each}_total[10m]))" for each in ("hits", "misses"))
    yield Recording(
        name=name,
        expr=f"{hits} / ({hits} + {misses})",
        reason="Keys that were asked for and were there; those of LiteLLM's own count too.",
    )


def _guides(seen: Seen) -> Iterator[Recording | Absent]:
    """Yield the four metrics that guides for this server name, from who can tell them."""
    if seen.tokens:
        yield Recording(
            name=f"{seen.engine}_tokens_generated_total",
            expr=f"{_BY} (llamacpp:tokens_predicted_total)",
            reason="Told by the program of each model; it begins at 0 with each load.",
        )
    else:
        yield Absent(
            what=f"{seen.engine}_tokens_generated_total",
            reason="no program of a model tells its tokens",
            key="monitor.runner_metrics",
        )
    yield _memory(seen)
    yield from fronts.recordings(seen)


def _memory(seen: Seen) -> Recording | Absent:
    name = f"{seen.engine}_gpu_memory_bytes"
    if seen.vendor not in {"nvidia", "amd"} or seen.unified:
        why = "the GPU has no memory of its own" if seen.unified else "nobody tells of a GPU here"
        return Absent(what=name, reason=why)
    metric = "DCGM_FI_DEV_FB_USED * 1048576" if seen.dcgm else "hostwright_gpu_memory_used_bytes"
    return Recording(
        name=name,
        expr=f'label_replace({metric}, "gpu_id", "$1", "gpu", "(.*)")',
        reason="Told by " + ("DCGM, in MiB." if seen.dcgm else "the driver."),
    )
