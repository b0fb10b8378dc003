"""What the dashboard shows: a row for each question, a panel for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.formats.promql import selector
from generator.monitor import Curve, Panel, Row
from generator.resolve.monitor import fronts
from generator.resolve.monitor.seen import JOB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.resolve.monitor.seen import Seen


def rows(seen: Seen) -> tuple[Row, ...]:
    """Return the rows that have something to show on this host."""
    every = (
        Row(title="Is it there?", panels=tuple(_alive())),
        Row(title="Who waits?", panels=tuple(fronts.panels(seen))),
        Row(title="Who was answered before?", panels=tuple(_cache(seen))),
        Row(title="How fast is it?", panels=tuple(_speed(seen))),
        Row(title="Does it fit?", panels=tuple(_memory(seen))),
        Row(title="What does it use?", panels=tuple(_usage(seen))),
    )
    return tuple(row for row in every if row.panels)


def _alive() -> Iterator[Panel]:
    yield Panel(
        title="Answers",
        shape="stat",
        unit="none",
        curves=(Curve(expr=selector("probe_success", job=JOB), legend="{{service}}"),),
        text="1: the server answers.",
    )
    yield Panel(
        title="Models in memory",
        shape="stat",
        unit="short",
        curves=(Curve(expr="hostwright_models_loaded", legend="{{service}}"),),
        text="How many models each server has loaded.",
    )
    yield Panel(
        title="Starts",
        shape="timeseries",
        unit="short",
        curves=(Curve(expr="increase(hostwright_restarts_total[30m])", legend="{{service}}"),),
        text="How often the manager has started a server again in half an hour.",
    )
    yield Panel(
        title="Time to answer the probe",
        shape="timeseries",
        unit="s",
        curves=(Curve(expr=selector("probe_duration_seconds", job=JOB), legend="{{service}}"),),
        text="Of a request that computes nothing: a server that is busy is slow to it as well.",
    )


def _cache(seen: Seen) -> Iterator[Panel]:
    if seen.store is None:
        return
    yield Panel(
        title="Hits of the cache",
        shape="timeseries",
        unit="percentunit",
        curves=(Curve(expr="hostwright:cache_hits:ratio", legend="hits"),),
        text="Share of keys that were there; those that LiteLLM has for itself count too.",
    )
    yield Panel(
        title="Memory of the cache",
        shape="timeseries",
        unit="bytes",
        curves=(Curve(expr="redis_memory_used_bytes", legend="in use"),),
        text="When it is full, the answers that nobody asked for longest go.",
        limit=float(seen.store.memory),
    )


def _speed(seen: Seen) -> Iterator[Panel]:
    if not seen.tokens:
        return
    yield Panel(
        title="Tokens per second, for each client",
        shape="timeseries",
        unit="tok/s",
        curves=(Curve(expr="hostwright:tokens_per_second", legend=seen.model),),
        text="While an answer is generated; no line while none is.",
        limit=float(seen.slo.tokens_per_second or 0),
    )
    yield Panel(
        title="Tokens per second, all slots together",
        shape="timeseries",
        unit="tok/s",
        curves=(Curve(expr="hostwright:decode_tokens_per_second", legend=seen.model),),
        text="What the machine generates; the alert compares this with what was measured.",
    )
    yield Panel(
        title="Prompt tokens per second",
        shape="timeseries",
        unit="tok/s",
        curves=(Curve(expr="hostwright:prompt_tokens_per_second", legend=seen.model),),
        text="A long prompt at this rate is the time to the first token.",
    )
    yield Panel(
        title="Requests in the program of a model",
        shape="timeseries",
        unit="short",
        curves=(
            Curve(
                expr="sum by (service, model) (llamacpp:requests_processing)",
                legend=seen.model,
            ),
        ),
        text="At most its slots: what waits, waits in the server, which tells nobody how much.",
    )


def _memory(seen: Seen) -> Iterator[Panel]:
    held = [Curve(expr="hostwright_memory_anon_bytes", legend="{{service}}: its own")]
    if seen.limited("memory_max"):
        held.append(Curve(expr="hostwright_memory_max_bytes", legend="{{service}}: limit"))
    yield Panel(
        title="Memory",
        shape="timeseries",
        unit="bytes",
        curves=tuple(held),
        text="Anonymous memory; the page cache of model files is not in it, and may go any time.",
    )
    yield Panel(
        title="Models",
        shape="timeseries",
        unit="bytes",
        curves=(Curve(expr="hostwright_model_size_bytes", legend=seen.model),),
        text="What each loaded model takes, as the server tells it.",
    )
    if seen.vendor:
        yield Panel(
            title="Share of models on GPUs",
            shape="timeseries",
            unit="percentunit",
            curves=(
                Curve(
                    expr="hostwright_model_vram_bytes / hostwright_model_size_bytes",
                    legend=seen.model,
                ),
            ),
            text="Less than all of it: the rest computes on the CPU, slowly.",
        )
    if seen.vendor in {"nvidia", "amd"} and not seen.unified:
        yield _gpu_memory(seen)


def _gpu_memory(seen: Seen) -> Panel:
    used, rest = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"
    expr = f"{used} / ({used} + {rest})"
    if not seen.dcgm:
        expr = "hostwright_gpu_memory_used_bytes / hostwright_gpu_memory_total_bytes"
    return Panel(
        title="Memory of GPUs in use",
        shape="timeseries",
        unit="percentunit",
        curves=(Curve(expr=expr, legend="GPU {{gpu}}"),),
        text="All programs together.",
        limit=(seen.table.vram_percent or seen.slo.vram_percent or 90) / 100,
    )


def _usage(seen: Seen) -> Iterator[Panel]:
    yield Panel(
        title="CPUs in use",
        shape="timeseries",
        unit="short",
        curves=(Curve(expr="rate(hostwright_cpu_usage_seconds_total[2m])", legend="{{service}}"),),
        text="Seconds of CPU time a second.",
    )
    if seen.limited("cpu_quota"):
        yield Panel(
            title="Throttled",
            shape="timeseries",
            unit="percentunit",
            curves=(Curve(expr="hostwright:cpu_throttled:ratio", legend="{{service}}"),),
            text="Share of the quota's periods in which CPU time was taken away.",
            limit=(seen.table.throttled_percent or 25) / 100,
        )
    if seen.vendor in {"nvidia", "amd"}:
        use = "DCGM_FI_DEV_GPU_UTIL / 100" if seen.dcgm else "hostwright_gpu_utilization_ratio"
        yield Panel(
            title="GPUs at work",
            shape="timeseries",
            unit="percentunit",
            curves=(Curve(expr=use, legend="GPU {{gpu}}"),),
            text="Share of time in which anything ran on the GPU.",
        )
    free = "hostwright_models_disk_avail_bytes / hostwright_models_disk_size_bytes"
    yield Panel(
        title="Disk of the models, free",
        shape="timeseries",
        unit="percentunit",
        curves=(Curve(expr=free, legend="{{service}}"),),
        text="A pull needs the size of its model once more.",
        limit=(seen.table.disk_percent or 15) / 100,
    )
