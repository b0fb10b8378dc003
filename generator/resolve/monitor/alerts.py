"""The alerts: what is wrong, for how long, and why at this threshold.

Thresholds are ours where no other source is named; each is a key of `[monitor]` or of `[slo]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.promql import any_of, selector
from generator.monitor import Absent
from generator.resolve.monitor import fronts
from generator.resolve.monitor.seen import JOB, MINUTE, alert, percent, series
from generator.units import tagged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.monitor import Alert, Series
    from generator.resolve.monitor.seen import Seen

STALE: Final = 10
"""So many runs of the textfile job may fail to be seen."""


def down(seen: Seen) -> Iterator[Alert | Absent]:
    """The server does not answer."""
    own = {"job": JOB, "service": seen.services[0].name}
    yield alert(
        f"{seen.product}Down",
        f"{selector('probe_success', job=JOB)} == 0",
        seconds=2 * MINUTE,
        severity="critical",
        summary="{{ $labels.service }} does not answer",
        todo=f"Look at its log; `gen doctor` says what is wrong. Asked is {seen.told.alive}.",
        reason="A restart with a large model takes less; while it fires, the rest is silent.",
        key="monitor.enable",
        bad=[series("probe_success", "1x2 0x10", **own)],
        good=[series("probe_success", "1x5 0x0 1x10", **own)],
        minutes=8,
        fires=[own],
    )


def unwatched(seen: Seen) -> Iterator[Alert | Absent]:
    """Somebody who should tell does not: without this, silence looks like health."""
    jobs = ["node", JOB, *(["dcgm"] if seen.dcgm else [])]
    jobs += [fronts.JOB] if seen.front else []
    jobs += ["redis"] if seen.store else []
    own = {"job": "node", "instance": "127.0.0.1:9100"}
    yield alert(
        "ScrapeDown",
        f"up{{job=~{any_of(*jobs)}}} == 0",
        seconds=5 * MINUTE,
        summary="Prometheus cannot read {{ $labels.job }} at {{ $labels.instance }}",
        todo="Start that exporter, or open its port.",
        reason="What is not scraped raises no other alert.",
        key="monitor.enable",
        bad=[series("up", "1x2 0x10", **own)],
        good=[series("up", "1x12", **own)],
        minutes=9,
        fires=[own],
    )
    late, metric = STALE * max(15, seen.seconds), "hostwright_collected_timestamp_seconds"
    yield alert(
        "TextfileStale",
        f"time() - {metric} > {late} or absent({metric})",
        seconds=MINUTE,
        summary="Nothing new of models, memory and GPUs",
        todo="systemctl status hostwright-monitor.timer hostwright-monitor.service",
        reason=f"The textfile job has missed {STALE} runs.",
        key="monitor.enable",
        bad=[series(metric, "0x20")],
        good=[series(metric, "0+60x20")],
        minutes=12,
    )
    own = {"service": seen.services[0].name, "part": "group"}
    yield alert(
        "TextfilePartMissing",
        "hostwright_collect_success == 0",
        seconds=15 * MINUTE,
        summary="The textfile job cannot tell {{ $labels.part }} of {{ $labels.service }}",
        todo="Run it by hand: it says what it could not ask.",
        reason="Alerts about that part cannot fire while this lasts.",
        key="monitor.enable",
        bad=[series("hostwright_collect_success", "0x30", **own)],
        good=[series("hostwright_collect_success", "0x10 1x20", **own)],
        minutes=20,
        fires=[own],
    )


def throttled(seen: Seen) -> Iterator[Alert | Absent]:
    """CPU time is taken away by the quota."""
    name = f"{seen.product}CpuThrottled"
    if not seen.limited("cpu_quota"):
        yield Absent(
            what=name,
            reason="no CPU quota is set, and without one the kernel counts no period",
            key="resources.cpu_quota",
        )
        return
    most = seen.table.throttled_percent or 25
    periods, cut = "hostwright_cpu_periods_total", "hostwright_cpu_throttled_periods_total"
    own = {"service": seen.services[0].name}
    yield alert(
        name,
        f"rate({cut}[5m]) / rate({periods}[5m]) > {percent(most)}",
        seconds=10 * MINUTE,
        summary="{{ $labels.service }} is throttled in {{ $value | humanizePercentage }} of time",
        todo="Fewer threads (threads.count), or a larger resources.cpu_quota.",
        reason=f"{most:g} % of periods; 25 is what kubernetes-mixin uses (its #108).",
        key="monitor.throttled_percent",
        bad=[series(periods, "0+600x30", **own), series(cut, "0+600x30", **own)],
        good=[series(periods, "0+600x30", **own), series(cut, "0+1x30", **own)],
        minutes=25,
        value="100%",
        fires=[own],
    )


def memory(seen: Seen) -> Iterator[Alert | Absent]:
    """Memory of its own comes near the limit, is taken back, or a process was killed."""
    own = {"service": seen.services[0].name}
    name, most = f"{seen.product}MemoryNearMax", seen.table.memory_percent or 90
    held, limit = "hostwright_memory_anon_bytes", "hostwright_memory_max_bytes"
    if seen.limited("memory_max"):
        yield alert(
            name,
            f"{held} / {limit} > {percent(most)}",
            seconds=5 * MINUTE,
            summary="{{ $labels.service }} fills {{ $value | humanizePercentage }} of its limit",
            todo="Fewer models, slots or context (`gen fit`), or a larger resources.memory_max.",
            reason=f"{most:g} % of anonymous memory: the page cache fills a limit by design.",
            key="monitor.memory_percent",
            bad=[series(held, "100x20", **own), series(limit, "100x20", **own)],
            good=[series(held, f"{most - 1:g}x20", **own), series(limit, "100x20", **own)],
            minutes=10,
            value="100%",
            fires=[own],
        )
    else:
        yield Absent(what=name, reason="no limit of memory is set", key="resources.memory_max")
    yield from _reclaimed(seen)
    killed, host = "hostwright_memory_events_total", "node_vmstat_oom_kill"
    yield alert(
        f"{seen.product}OutOfMemory",
        f"increase({selector(killed, event='oom_kill')}[10m]) > 0 or increase({host}[10m]) > 0",
        seconds=0,
        severity="critical",
        summary="The kernel has killed a process for want of memory",
        todo="journalctl -k says which; `gen fit` says what fits.",
        reason="A group that is made anew counts from 0, so the host's own count is asked as well.",
        key="monitor.enable",
        bad=[series(host, "0x5 1x20")],
        good=[series(host, "3x20")],
        minutes=8,
    )


def _reclaimed(seen: Seen) -> Iterator[Alert | Absent]:
    name, own = f"{seen.product}MemoryReclaimed", {"service": seen.services[0].name}
    event = {**own, "event": "high"}
    if not seen.limited("memory_high"):
        why = "no `memory_high` is set, above which the kernel slows a service down"
        yield Absent(what=name, reason=why, key="resources.memory_high")
        return
    yield alert(
        name,
        f"rate({selector('hostwright_memory_events_total', event='high')}[5m]) > 0",
        seconds=5 * MINUTE,
        summary="{{ $labels.service }} is slowed down at its memory_high",
        todo="Fewer models, slots or context (`gen fit`), or a larger resources.memory_high.",
        reason="Above it every allocation waits for the kernel to take memory back.",
        key="resources.memory_high",
        bad=[series("hostwright_memory_events_total", "0+5x20", **event)],
        good=[series("hostwright_memory_events_total", "5x20", **event)],
        minutes=15,
        fires=[event],
    )


def restarts(seen: Seen) -> Iterator[Alert | Absent]:
    """The server ends again and again."""
    own = {"service": seen.services[0].name}
    yield alert(
        f"{seen.product}Restarting",
        "increase(hostwright_restarts_total[30m]) > 2",
        seconds=0,
        summary="{{ $labels.service }} was started again more than twice in half an hour",
        todo="Its log says why it ended; `gen doctor` knows the common causes.",
        reason="Its manager brings it back, and then it answers: nothing else would tell.",
        key="service.restart",
        bad=[series("hostwright_restarts_total", "0+1x30", **own)],
        good=[series("hostwright_restarts_total", "4x30", **own)],
        minutes=25,
        fires=[own],
    )


def disk(seen: Seen) -> Iterator[Alert | Absent]:
    """The disk of the models fills up."""
    own, least = {"service": seen.services[0].name}, seen.table.disk_percent or 15
    free, size = "hostwright_models_disk_avail_bytes", "hostwright_models_disk_size_bytes"
    largest = "max by (service) (hostwright_model_installed_bytes)"
    yield alert(
        f"{seen.product}DiskLow",
        f"min by (service) ({free} / {size}) < {percent(least)} "
        f"or min by (service) ({free}) < {largest}",
        seconds=30 * MINUTE,
        summary="The disk of the models of {{ $labels.service }} is nearly full",
        todo="Remove models that nobody asks for, or use a larger disk.",
        reason=f"{least:g} % free, and the largest model: a pull needs its size once more.",
        key="monitor.disk_percent",
        bad=[
            series(free, "40x50", **own),
            series(size, "100x50", **own),
            series("hostwright_model_installed_bytes", "50x50", model="a:1b", **own),
        ],
        good=[series(free, f"{least + 1:g}x50", **own), series(size, "100x50", **own)],
        minutes=40,
        fires=[own],
    )


def cards(seen: Seen) -> Iterator[Alert | Absent]:
    """The memory of a GPU is nearly full, or a GPU is gone."""
    full, lost = "GpuMemoryNearFull", "GpuMissing"
    if not seen.vendor:
        why = "nothing computes on a GPU here"
        yield from (Absent(what=name, reason=why) for name in (full, lost, "GpuFault"))
        return
    if seen.vendor not in {"nvidia", "amd"}:
        why = "neither nvidia-smi nor the kernel's amdgpu tells of these GPUs"
        yield from (Absent(what=name, reason=why) for name in (full, lost, "GpuFault"))
        return
    if seen.unified:
        why = "the GPU has no memory of its own; what the driver tells of it means nothing"
        yield Absent(what=full, reason=why, key="host.unified_memory")
    else:
        yield _full(seen, full)
    yield _missing(seen, lost)
    if seen.dcgm:
        yield _fault()
    else:
        yield Absent(what="GpuFault", reason="only DCGM tells XID errors", key="monitor.dcgm_port")


def _full(seen: Seen, name: str) -> Alert:
    most = seen.table.vram_percent or seen.slo.vram_percent or 90
    key = "monitor.vram_percent" if seen.table.vram_percent else "slo.vram_percent"
    if seen.dcgm:
        used, rest = "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE"
        expr, low = f"{used} / ({used} + {rest}) > {percent(most)}", "0x20"
        good = [series(used, "50x20", gpu="0"), series(rest, "50x20", gpu="0")]
    else:
        used, rest = "hostwright_gpu_memory_used_bytes", "hostwright_gpu_memory_total_bytes"
        expr, low = f"{used} / {rest} > {percent(most)}", "100x20"
        good = [series(used, "50x20", gpu="0"), series(rest, "100x20", gpu="0")]
    return alert(
        name,
        expr,
        seconds=10 * MINUTE,
        summary="{{ $value | humanizePercentage }} of the memory of GPU {{ $labels.gpu }} is used",
        todo="Fewer models, slots or context (`gen fit`); the next load may go to the CPU.",
        reason=f"{most:g} %; the seeds of most guides say 90.",
        key=key,
        bad=[series(used, "100x20", gpu="0"), series(rest, low, gpu="0")],
        good=good,
        minutes=15,
        value="100%",
        fires=[{"gpu": "0"}],
    )


def _missing(seen: Seen, name: str) -> Alert:
    metric = "DCGM_FI_DEV_GPU_UTIL" if seen.dcgm else "hostwright_gpu_info"
    count = max(1, sum(gpu.vendor in {"", seen.vendor} for gpu in seen.host.gpus))
    there = [series(metric, "1x10", gpu=str(number)) for number in range(count)]
    return alert(
        name,
        f"count({metric}) < {count} or absent({metric})",
        seconds=2 * MINUTE,
        severity="critical",
        summary=f"Fewer GPUs than the {count} of this host",
        todo="`nvidia-smi` and journalctl -k say what has become of it."
        if seen.vendor == "nvidia"
        else "journalctl -k says what has become of it.",
        reason="One that has left the bus; models go on, slowly, on what is left.",
        key="host.gpus",
        bad=there[1:] or [series("up", "1x10", job="node")],
        good=there,
        minutes=5,
    )


def _fault() -> Alert:
    metric, own = "DCGM_FI_DEV_XID_ERRORS", {"gpu": "0"}
    return alert(
        "GpuFault",
        f"{metric} != 0",
        seconds=0,
        summary="The driver reports a fault of GPU {{ $labels.gpu }}",
        todo="journalctl -k has the XID; NVIDIA's list says what it means.",
        reason="It is the last XID since the driver was loaded, and stays until then.",
        key="monitor.dcgm_port",
        bad=[series(metric, "79x5", **own)],
        good=[series(metric, "0x5", **own)],
        minutes=3,
        fires=[own],
    )


def models(seen: Seen) -> Iterator[Alert | Absent]:
    """A model is not in memory, or not on the GPUs."""
    yield from _not_loaded(seen)
    name = f"{seen.product}GpuLost"
    if not seen.vendor or not seen.told.loaded:
        why = "nothing computes on a GPU here" if seen.told.loaded else "the server does not tell"
        yield Absent(what=name, reason=why)
        return
    share = seen.table.gpu_percent
    computing = [service.name for service in seen.services if service.devices]
    own = {"service": computing[0], "model": "a:1b"}
    size, vram = "hostwright_model_size_bytes", "hostwright_model_vram_bytes"
    # One without GPUs has no model on any, ever.
    whose = "" if len(computing) == len(seen.services) else f"{{service=~{any_of(*computing)}}}"
    there = f"min by (service, model) ({vram}{whose} / {size})"
    yield alert(
        name,
        f"{there} < {percent(share)}" if share else f"{there} == 0",
        seconds=2 * MINUTE,
        severity="critical",
        summary="{{ $labels.model }} of {{ $labels.service }} computes on the CPU",
        todo="After a suspend: service.resume_fix. Else the log says why no GPU was found.",
        reason=f"less than {share:g} % of it is on GPUs" if share else "none of it is on a GPU",
        key="monitor.gpu_percent",
        bad=[series(size, "100x10", **own), series(vram, "0x10", **own)],
        good=[series(size, "100x10", **own), series(vram, "100x10", **own)],
        minutes=5,
        fires=[own],
    )


def _not_loaded(seen: Seen) -> Iterator[Alert | Absent]:
    name = f"{seen.product}ModelNotLoaded"
    if not seen.kept:
        why = "no model is both loaded at start and kept for ever: an idle one is let go on purpose"
        yield Absent(what=name, reason=why, key="models.preload")
        return
    metric = "hostwright_model_size_bytes"
    own = [{"service": service, "model": model} for service, model in seen.kept]
    yield alert(
        name,
        " or ".join(f"absent({selector(metric, **each)})" for each in own),
        seconds=5 * MINUTE,
        summary="{{ $labels.model }} of {{ $labels.service }} is not in memory",
        todo="`gen warmup` loads it; the log says why it went.",
        reason="It has `preload`, and `keep_alive` keeps it for ever.",
        key="models.preload",
        bad=[series("up", "1x15", job="node")],
        good=[series(metric, "100x15", **each) for each in own],
        minutes=10,
        fires=own,
    )


def tokens(seen: Seen) -> Iterator[Alert | Absent]:
    """A model is slower than promised, or than it was measured here."""
    slow, degraded = f"{seen.product}TokensSlow", f"{seen.product}Degraded"
    if not seen.tokens:
        why = "no program of a model tells its tokens: the release has none, or it is not asked to"
        for name in (slow, degraded):
            yield Absent(what=name, reason=why, key="monitor.runner_metrics")
        return
    yield from _slow(seen, slow)
    yield from _degraded(seen, degraded)


def _slow(seen: Seen, name: str) -> Iterator[Alert | Absent]:
    least = seen.slo.tokens_per_second
    if not least:
        why = "the profile promises no tokens per second"
        yield Absent(what=name, reason=why, key="slo.tokens_per_second")
        return
    own = {"service": seen.services[0].name, "model": "a:1b"}
    yield alert(
        name,
        f"hostwright:tokens_per_second < {least:g}",
        seconds=15 * MINUTE,
        summary=f"{{{{ $labels.model }}}} gives each client fewer than {least:g} tokens a second",
        todo="Fewer slots at once (num_parallel), or `gen advise`.",
        reason="What `[slo]` promises each client, while anything is generated.",
        key="slo.tokens_per_second",
        bad=_speed(own, least / 2),
        good=_speed(own, least * 2),
        minutes=40,
        fires=[own],
    )


def _degraded(seen: Seen, name: str) -> Iterator[Alert | Absent]:
    share = seen.table.degraded_percent or 50
    known = {each.model: each.decode for each in seen.measured}
    own = [
        ({"service": service.name, "model": tagged(model.served)}, known[model.name])
        for service in seen.services
        for model in service.models
        if model.name in known
    ]
    if not own:
        why = "no speed of this host is remembered: `gen bench PROFILE --remember` measures it"
        yield Absent(what=name, reason=why, key="monitor.degraded_percent")
        return
    metric = "hostwright:decode_tokens_per_second"
    least = [(labels, rate * share / 100) for labels, rate in own]
    yield alert(
        name,
        " or ".join(f"{selector(metric, **labels)} < {rate:.4g}" for labels, rate in least),
        seconds=15 * MINUTE,
        summary="{{ $labels.model }} of {{ $labels.service }} is far slower than it was measured",
        todo="`gen doctor`: GPU lost, throttling, swap; `gen bench` measures again.",
        reason=f"{share:g} % of the median that was measured on this host, all slots together.",
        key="monitor.degraded_percent",
        bad=[one for labels, rate in least for one in _speed(labels, rate / 2)],
        good=[one for labels, rate in least for one in _speed(labels, rate * 2)],
        minutes=40,
        fires=[labels for labels, _ in least],
    )


def _speed(own: Mapping[str, str], rate: float) -> list[Series]:
    """Return what the program of a model tells at that rate, a token for each step."""
    tokens = f"0+{rate * 60:.6g}x60"
    return [
        series("llamacpp:tokens_predicted_total", tokens, **own),
        series("llamacpp:tokens_predicted_seconds_total", "0+60x60", **own),
        series("llamacpp:n_decode_total", tokens, **own),
    ]


ALERTS: Final[tuple[Callable[[Seen], Iterator[Alert | Absent]], ...]] = (
    down,
    unwatched,
    models,
    cards,
    fronts.alerts,
    tokens,
    throttled,
    memory,
    restarts,
    disk,
)
