"""HW646 to HW649: queries of figures that nobody gives, or that say something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Expression, Watched
    from generator.catalogue.facts import Facts
    from generator.view import View

_STRINGS: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`")
_OURS: Final = re.compile(
    r"(?<![\w:.{,])ollama_(?!(?:router|proxy|gateway|exporter|balancer|distributed|cluster)_)[a-z0-9_]+"
)
_LABELS: Final = re.compile(
    r"\{[^{}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)"
)
_OF_OTHERS: Final = re.compile(r"prometheus|node[-_]?exporter|alertmanager|cadvisor")
_EXPORTER: Final = re.compile(r"(?i)ollama|exporter|proxy|gateway|router")
_GONE: Final = {
    "llamacpp:requests_deferred": (
        "stays 0 under Ollama, which lets requests wait before they reach the runner",
        "count the queue of a proxy before the server: `haproxy_backend_current_queue`",
    ),
    "llamacpp:kv_cache_usage_ratio": (
        "is no metric of current builds of llama-server",
        "take it out: no other figure says it",
    ),
    "llamacpp:kv_cache_tokens": (
        "is no metric of current builds of llama-server",
        "take it out: no other figure says it",
    ),
    "vllm_num_requests_waiting": ("is called `vllm:num_requests_waiting`", "write the colon"),
    "vllm_num_requests_running": ("is called `vllm:num_requests_running`", "write the colon"),
    "vllm_gpu_cache_usage_perc": ("is called `vllm:kv_cache_usage_perc`", "write that name"),
    "vllm:gpu_cache_usage_perc": ("is called `vllm:kv_cache_usage_perc`", "write that name"),
}
_ABOUT: Final = re.compile(r"(?i)\{[^{}]*ollama[^{}]*\}")
_WITH_CACHE: Final = re.compile(r"\bcontainer_memory_(?:usage_bytes|cache)\b|\bmemory_current\b")
_THROTTLED: Final = re.compile(r"\b\w*throttled\w*")


def _queries(view: View) -> Iterator[Expression]:
    if view.watched is not None:
        yield from view.watched.expressions
    for scaler in view.scaling.scalers if view.scaling else ():
        yield from (one.query for one in scaler.triggers if one.query is not None)


def _named(text: str) -> str:
    """Return a query with its strings and labels blanked, so that names of metrics are left."""
    return _LABELS.sub(" ", _STRINGS.sub('""', text))


@Rule(
    id="HW646",
    title="a query of figures that Ollama does not give",
    why="No release has /metrics, so that nothing is called `ollama_…` unless an exporter or a "
    "proxy gives that: a query of it is empty, an alert on it never fires, and whoever scales by "
    "it never does. A proxy before the server counts requests and the queue; a job beside it can "
    "ask /api/ps.",
    bad="expr: ollama_queue_length > 10",
    good='expr: haproxy_backend_current_queue{proxy="ollama"} > 10',
    source="server/routes.go@v0.32.15; ollama#3144; ollama#18508",
)
def of_nobody(view: View, facts: Facts) -> Hits:
    watched = view.watched
    if watched is not None and _exported(watched, facts.image.port):
        return
    known = watched.records if watched else frozenset[str]()
    for query in _queries(view):
        names = dict.fromkeys(_OURS.findall(_named(query.text)))
        missing = [name for name in names if name not in known]
        if missing:
            told = watched is not None and watched.scraped
            yield Hit(
                message=f"`{missing[0]}` is no metric of Ollama, which gives none"
                + ("" if told else ", unless an exporter gives it"),
                place=query.place,
                fix="count at a proxy before the server, or have an exporter scraped that gives it",
                severity=None if told else "info",
            )


def _exported(watched: Watched, port: int) -> bool:
    """Return whether something is asked that may give such figures, and is not the server."""
    asked = (one for one in watched.asked if one.port != port)
    return any(
        _EXPORTER.search(f"{one.job} {one.host}") and not _OF_OTHERS.match(one.host or one.job)
        for one in asked
    )


@Rule(
    id="HW647",
    title="a metric that is not there, or says nothing here",
    why="Metrics come and go with the builds of a server, and some say nothing where another "
    "program stands before it: Ollama keeps requests until a slot is free, so that llama-server "
    "never has one to defer. An alert on such a name is silent whatever happens.",
    bad="expr: llamacpp:requests_deferred > 4",
    good='expr: haproxy_backend_current_queue{proxy="ollama"} > 4',
    source="llm/llama_server.go@v0.32.15 (semaphore of numParallel); docs.vllm.ai: Production "
    "Metrics; tools/server/README.md (llama.cpp)",
)
def says_nothing(view: View, _: Facts) -> Hits:
    for query in _queries(view):
        text = _named(query.text)
        for name, (what, fix) in _GONE.items():
            if re.search(rf"(?<![\w:]){re.escape(name)}(?![\w:])", text):
                yield Hit(message=f"`{name}` {what}", place=query.place, fix=fix)


@Rule(
    id="HW648",
    title="an alert on throttling that needs a quota",
    why="The kernel counts periods of CPU time only where a quota is set: without one both figures "
    "stay 0, their ratio is no number, and the alert never fires.",
    bad='expr: rate(container_cpu_cfs_throttled_periods_total{name="ollama"}[5m]) '
    '/ rate(container_cpu_cfs_periods_total{name="ollama"}[5m]) > 0.25    # no `cpus:` anywhere',
    good="cpus: 8    # of the container: then it can",
    source="docs.kernel.org: CFS bandwidth control; Documentation/admin-guide/cgroup-v2.rst: "
    "cpu.stat",
)
def needs_a_quota(view: View, _: Facts) -> Hits:
    unbounded = view.watched is not None and view.watched.bounded is False
    for query in _queries(view) if unbounded else ():
        if _ABOUT.search(query.text) and _THROTTLED.search(_named(query.text)):
            yield Hit(
                message="no server here has a quota of CPU time: nothing is counted, and this "
                "never fires",
                place=query.place,
                fix="take it out, or give the service `cpus`, `CPUQuota` or a limit of CPU",
            )


@Rule(
    id="HW649",
    title="memory that counts the file of the model",
    why="Weights are read through the page cache, which the kernel counts to the service and gives "
    "back when somebody needs it. `memory.current`, and `container_memory_usage_bytes` with it, "
    "fills to the limit by design: an alert on it fires with nothing wrong. What cannot be given "
    "back is `anon` of memory.stat, `container_memory_rss` in cAdvisor.",
    bad='expr: container_memory_usage_bytes{name="ollama"} / 2e10 > 0.9',
    good='expr: container_memory_rss{name="ollama"} / 2e10 > 0.9',
    source="Documentation/admin-guide/cgroup-v2.rst: memory.current, memory.stat; "
    "github.com/google/cadvisor: docs/storage/prometheus.md",
)
def counts_the_cache(view: View, _: Facts) -> Hits:
    for query in _queries(view):
        if not (query.alert and _ABOUT.search(query.text)):
            continue
        if found := _WITH_CACHE.search(_named(query.text)):
            yield Hit(
                message=f"`{found[0]}` counts the page cache of the model's file, and fills up to "
                "the limit with nothing wrong",
                place=query.place,
                fix="ask for `container_memory_rss`, or `anon` of memory.stat",
            )
