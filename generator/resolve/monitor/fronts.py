"""What the front tells: who waits, how long, and who is sent away.

HAProxy has a queue and means of the last 1024 requests, Caddy histograms and no queue. Names of
metrics were read off HAProxy 2.6 and Caddy 2.6; buckets of Caddy end at 10 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.promql import any_of, selector
from generator.meaning import parse_go_duration
from generator.monitor import Absent, Alert, Curve, Panel, Recording
from generator.resolve.monitor.seen import MINUTE, alert, series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.front import Front
    from generator.resolve.monitor.seen import Seen

JOB: Final = "front"
LAST_BUCKET: Final = 10.0
"""Seconds: what takes longer is in the same bucket of Caddy, however long it takes."""
NONE: Final = "there is no front that counts requests"
_SLOW: Final = 10 * MINUTE
_FAILING: Final = 0.05
_SENT_AWAY: Final = (
    "503: none was free within front.queue_timeout. Else the log of the server says why."
)
_POST: Final = 'method="POST"'


def alerts(seen: Seen) -> Iterator[Alert | Absent]:
    """Yield what is wrong with requests, as the front tells it."""
    product, front = seen.product, seen.front
    names = [f"{product}{name}" for name in ("Queueing", "Shedding", "FirstByteSlow", "AnswerSlow")]
    if front is None:
        for name in (*names, "FrontMissing"):
            yield Absent(what=name, reason=NONE, key="front.kind")
        return
    if front.kind == "haproxy":
        yield _queueing(seen, front, names[0])
        yield _missing(front)
    else:
        why = "Caddy has no queue that can be seen"
        yield Absent(what=names[0], reason=why, key="front.kind")
        yield Absent(what="FrontMissing", reason=why, key="front.kind")
    yield (_shedding if front.kind == "haproxy" else _failing)(front, names[1])
    yield from _late(seen, front, names[2], first=True)
    yield from _late(seen, front, names[3], first=False)


def following(seen: Seen) -> tuple[str, ...]:
    """Return the alerts that fire because no server answers."""
    found = [each.name for each in alerts(seen) if isinstance(each, Alert)]
    return tuple(name for name in found if name != "FrontMissing")


def _queueing(seen: Seen, front: Front, name: str) -> Alert:
    queue = "haproxy_backend_current_queue"
    least = {
        backend.name: seen.table.queue or sum(server.slots for server in backend.servers)
        for backend in front.backends
    }
    own = [{"proxy": backend} for backend in least]
    return alert(
        name,
        " or ".join(f"{selector(queue, proxy=each)} > {most}" for each, most in least.items()),
        seconds=5 * MINUTE,
        summary="{{ $value }} requests wait before {{ $labels.proxy }}",
        todo="More slots (num_parallel), a second server, or fewer clients: `gen outgrow`.",
        reason="As many wait as are answered at once, and for longer than a burst.",
        key="monitor.queue",
        bad=[series(queue, f"{max(least.values()) + 1}x15", **each) for each in own],
        good=[series(queue, f"{min(least.values())}x15", **each) for each in own],
        minutes=10,
        value=str(max(least.values()) + 1),
        fires=own,
    )


def _missing(front: Front) -> Alert:
    queue, own = "haproxy_backend_current_queue", {"proxy": front.backends[0].name}
    return alert(
        "FrontMissing",
        f"absent({selector(queue, **own)})",
        seconds=5 * MINUTE,
        severity="critical",
        summary="Nobody tells of the queue before {{ $labels.proxy }}",
        todo="See whether it runs: systemctl status hostwright-front, or its container or pod.",
        reason="Without it no queue looks like an empty one, to whoever scales by it as well.",
        key="front.kind",
        bad=[series("up", "1x15", job="node")],
        good=[series(queue, "0x15", **own)],
        minutes=10,
        fires=[own],
    )


def _shedding(front: Front, name: str) -> Alert:
    metric = "haproxy_backend_http_responses_total"
    own = {"proxy": front.backends[0].name}
    of = _of(front, metric, 'code="5xx"')
    return alert(
        name,
        f"sum by (proxy) (rate({of}[5m])) > 0",
        seconds=MINUTE,
        summary="Requests end in a 5xx before {{ $labels.proxy }}",
        todo=_SENT_AWAY,
        reason="A front that sends clients away does so where nobody else sees it.",
        key="front.queue_timeout",
        bad=[series(metric, "0+30x20", code="5xx", **own)],
        good=[series(metric, "0+30x20", code="2xx", **own)],
        minutes=10,
        fires=[own],
    )


def _failing(front: Front, name: str) -> Alert:
    """Return what Caddy tells of 5xx: before 2.8 as errors alone, and not with their status."""
    count, errors = "caddy_http_request_duration_seconds_count", "caddy_http_request_errors_total"
    every, told = "caddy_http_requests_total", {"method": "POST", "code": "200"}
    expr = f'sum(rate({count}{{{_POST},code=~"5.."}}[5m])) > 0'
    share = f"sum(rate({errors}[5m])) / sum(rate({every}[5m])) > {_FAILING:g}"
    basic = front.auth == "basic"
    late = [series(count, "0+30x20", **{**told, "code": "503"})]
    why = "before 2.8 Caddy tells no status of those that fail"
    more = (
        f"{why}, and a wrong password is an error like them."
        if basic
        else f"{why}: from one of twenty on, as a client that leaves is an error, too."
    )
    return alert(
        name,
        expr if basic else f"{expr} or {share}",
        seconds=MINUTE,
        summary="Requests end in a 5xx",
        todo=_SENT_AWAY,
        reason=f"A front that sends clients away does so where nobody else sees it; {more}",
        key="front.queue_timeout",
        bad=late if basic else [series(errors, "0+30x20"), series(every, "0+60x20")],
        good=[series(count, "0+30x20", **told), series(errors, "0+1x20"), series(every, "0+60x20")],
        minutes=10,
    )


def _of(front: Front, metric: str, more: str = "") -> str:
    """Return a metric of the backends that have a queue."""
    names = any_of(*(backend.name for backend in front.backends))
    return f"{metric}{{proxy=~{names}{f',{more}' if more else ''}}}"


def seconds_of(seen: Seen, *, first: bool) -> tuple[float, str]:
    """Return how long the first byte, or all of an answer may take, and the key; 0: any time."""
    if not first:
        return (parse_go_duration(seen.slo.p95) / 1e9 if seen.slo.p95 else 0.0), "slo.p95"
    for text, key in ((seen.table.ttft, "monitor.ttft"), (seen.slo.ttft, "slo.ttft")):
        if text:
            return parse_go_duration(text) / 1e9, key
    return (0.5 if seen.vendor else 10.0), "monitor.ttft"


def _late(seen: Seen, front: Front, name: str, *, first: bool) -> Iterator[Alert | Absent]:
    most, key = seconds_of(seen, first=first)
    if not most:
        yield Absent(what=name, reason="the profile promises no time for an answer", key=key)
    elif front.kind == "haproxy":
        yield _late_on_the_mean(front, name, most, key, first=first)
    elif most > LAST_BUCKET:
        why = f"buckets of Caddy end at {LAST_BUCKET:g} s, and {most:g} s are allowed"
        yield Absent(what=name, reason=why, key=key)
    else:
        yield _late_of_many(name, most, key, first=first)


def _mean(front: Front, *, first: bool) -> str:
    """Return how long requests took on the mean: the queue, the connection, and the server."""
    parts = ("queue", "response") if first else ("total",)
    return " + ".join(_of(front, f"haproxy_backend_{p}_time_average_seconds") for p in parts)


def _late_on_the_mean(front: Front, name: str, most: float, key: str, *, first: bool) -> Alert:
    asked = "haproxy_backend_http_requests_total"
    own = {"proxy": front.backends[0].name}
    parts = ("queue", "response") if first else ("total",)
    metrics = [f"haproxy_backend_{part}_time_average_seconds" for part in parts]
    busy = series(asked, "0+30x30", **own)
    what = "the first byte" if first else "an answer"
    return alert(
        name,
        f"({_mean(front, first=first)}) > {most:g} and rate({_of(front, asked)}[5m]) > 0",
        seconds=_SLOW,
        summary=f"{what.capitalize()} takes more than {most:g} s on the mean",
        todo="Shorter prompts, fewer at once, or a faster model: `gen bench`, `gen advise`.",
        reason="The mean of the last 1024 requests, which HAProxy has, while any come; one that "
        "is not streamed has its first byte when all of it is there.",
        key=key,
        bad=[busy, *(series(metric, f"{most * 2:g}x30", **own) for metric in metrics)],
        good=[busy, *(series(metric, f"{most / 4:g}x30", **own) for metric in metrics)],
        minutes=20,
        fires=[own],
    )


def _late_of_many(name: str, most: float, key: str, *, first: bool) -> Alert:
    metric = f"caddy_http_{'response' if first else 'request'}_duration_seconds"
    bucket, count = f"{metric}_bucket", f"{metric}_count"
    own = {"method": "POST", "code": "200"}
    what = "the first byte" if first else "an answer"
    expr = f"histogram_quantile(0.95, sum by (le) (rate({bucket}{{{_POST}}}[5m]))) > {most:g}"
    if most == LAST_BUCKET:
        # A quantile beyond the last bucket is told to be at its end, and never beyond it.
        within = f'sum(rate({bucket}{{{_POST},le="10"}}[5m]))'
        expr = f"1 - {within} / sum(rate({count}{{{_POST}}}[5m])) > 0.05"
    late = [series(bucket, "0+0x30", le="10", **own), series(bucket, "0+30x30", le="+Inf", **own)]
    soon = [series(bucket, "0+30x30", le=le, **own) for le in ("0.005", "10", "+Inf")]
    counted = series(count, "0+30x30", **own)
    if most < LAST_BUCKET:
        late.insert(0, series(bucket, "0+0x30", le="5", **own))
    return alert(
        name,
        expr,
        seconds=_SLOW,
        summary=f"{what.capitalize()} takes more than {most:g} s for one of twenty requests",
        todo="Shorter prompts, fewer at once, or a faster model: `gen bench`, `gen advise`.",
        reason="p95 of five minutes; one that is not streamed has its first byte when all of it is "
        "there.",
        key=key,
        bad=[*late, counted],
        good=[*soon, counted],
        minutes=20,
    )


def recordings(seen: Seen) -> Iterator[Recording | Absent]:
    """Yield the names that guides have for requests and latencies."""
    requests, latency = (
        f"{seen.engine}_inference_{name}" for name in ("requests_total", "latency_seconds")
    )
    front = seen.front
    if front is None:
        yield Absent(what=requests, reason=NONE, key="front.kind")
        yield Absent(what=latency, reason=NONE, key="front.kind")
    elif front.kind == "haproxy":
        responses = _of(front, "haproxy_backend_http_responses_total")
        counted = f"sum by (proxy, code) ({responses})"
        yield Recording(
            name=requests,
            expr=f'label_replace({counted}, "status", "$1", "code", "(.*)")',
            reason="Counted by HAProxy, by the kind of status; a proxy is a set of models.",
        )
        why = "HAProxy has means, and no histogram; Caddy has one"
        yield Absent(what=latency, reason=why, key="front.kind")
        yield Recording(
            name=f"{latency}:mean",
            expr=_of(front, "haproxy_backend_total_time_average_seconds"),
            reason="The mean of the last 1024 requests.",
        )
    else:
        count = f"caddy_http_request_duration_seconds_count{{{_POST}}}"
        yield Recording(
            name=requests,
            expr=f'label_replace(sum by (code) ({count}), "status", "$1", "code", "(.*)")',
            reason="Counted by Caddy, by status; it does not know the model.",
        )
        bucket = f"caddy_http_request_duration_seconds_bucket{{{_POST}}}"
        yield Recording(
            name=f"{latency}_bucket",
            expr=f"sum by (le) ({bucket})",
            reason="Of whole answers, by Caddy; its last bucket ends at 10 s.",
        )


def panels(seen: Seen) -> Iterator[Panel]:
    """Yield what the front shows."""
    if seen.front is None:
        return
    if seen.front.kind == "haproxy":
        yield from _of_haproxy(seen, seen.front)
    else:
        yield from _of_caddy(seen)


def _of_haproxy(seen: Seen, front: Front) -> Iterator[Panel]:
    def curve(metric: str, legend: str) -> Curve:
        return Curve(expr=_of(front, metric), legend=legend)

    several = " {{proxy}}" if len(front.backends) > 1 else ""
    slots = sum(server.slots for backend in front.backends for server in backend.servers)
    yield Panel(
        title="Requests: answered and waiting",
        shape="timeseries",
        unit="short",
        curves=(
            curve("haproxy_backend_current_queue", f"waiting{several}"),
            curve("haproxy_backend_current_sessions", f"all{several}"),
        ),
        text=f"{slots} are answered at once; the rest waits in the front.",
        limit=float(slots),
    )
    responses = _of(front, "haproxy_backend_http_responses_total", 'code=~"[245]xx"')
    yield Panel(
        title="Answers a second",
        shape="timeseries",
        unit="reqps",
        curves=(Curve(expr=f"sum by (code) (rate({responses}[2m]))", legend="{{code}}"),),
        text="By the kind of status; 5xx are those sent away, or failed.",
    )
    first, _ = seconds_of(seen, first=True)
    yield Panel(
        title="Time to the first byte, on the mean",
        shape="timeseries",
        unit="s",
        curves=(
            curve("haproxy_backend_queue_time_average_seconds", f"in the queue{several}"),
            curve("haproxy_backend_response_time_average_seconds", f"in the server{several}"),
        ),
        text="Of the last 1024 requests; where answers are streamed it is the first token.",
        limit=first,
    )
    whole, _ = seconds_of(seen, first=False)
    yield Panel(
        title="Time of an answer, on the mean",
        shape="timeseries",
        unit="s",
        curves=(curve("haproxy_backend_total_time_average_seconds", f"all of it{several}"),),
        text="Of the last 1024 requests.",
        limit=whole,
    )


def _of_caddy(seen: Seen) -> Iterator[Panel]:
    count = f"caddy_http_request_duration_seconds_count{{{_POST}}}"
    yield Panel(
        title="Requests that are answered",
        shape="timeseries",
        unit="short",
        curves=(Curve(expr="sum(caddy_http_requests_in_flight)", legend="at once"),),
        text="Those that wait in the server are among them.",
    )
    yield Panel(
        title="Answers a second",
        shape="timeseries",
        unit="reqps",
        curves=(Curve(expr=f"sum by (code) (rate({count}[2m]))", legend="{{code}}"),),
        text="By status.",
    )
    for title, kind, first in (
        ("Time to the first byte", "response", True),
        ("Time of an answer", "request", False),
    ):
        bucket = f"sum by (le) (rate(caddy_http_{kind}_duration_seconds_bucket{{{_POST}}}[2m]))"
        yield Panel(
            title=title,
            shape="timeseries",
            unit="s",
            curves=tuple(
                Curve(expr=f"histogram_quantile({q}, {bucket})", legend=f"p{q * 100:g}")
                for q in (0.5, 0.95, 0.99)
            ),
            text="No more than 10 s is told: the last bucket of Caddy ends there.",
            limit=seconds_of(seen, first=first)[0],
        )
