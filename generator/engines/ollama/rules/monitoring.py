"""HW573 to HW575, HW627, HW628, HW646 to HW649: queries that say nothing, or something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Alerting, Expression, Watched
    from generator.catalogue.facts import Facts
    from generator.view import View

_OWN: Final = re.compile(r"https?://(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::(?!9093\b)|/|$)")
"""The loopback, at another port than its own."""
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
    "DCGM_FI_DEV_FB_TOTAL": (
        "is among no figures that dcgm-exporter gives unless it is told to",
        "write `DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE`",
    ),
    "vllm_num_requests_waiting": ("is called `vllm:num_requests_waiting`", "write the colon"),
    "vllm_num_requests_running": ("is called `vllm:num_requests_running`", "write the colon"),
    "vllm_gpu_cache_usage_perc": ("is called `vllm:kv_cache_usage_perc`", "write that name"),
    "vllm:gpu_cache_usage_perc": ("is called `vllm:kv_cache_usage_perc`", "write that name"),
}
_ABOUT: Final = re.compile(r"(?i)\{[^{}]*ollama[^{}]*\}")
_OF_ALL: Final = re.compile(r"\{\s*(?:name|container|pod|id)\s*=~\s*[\"']\.[+*][\"']\s*,?\s*\}")
_UP: Final = re.compile(r"\bup\s*\{[^{}]*?\bjob\s*=\s*[\"']([^\"'{}$]+)[\"']")
_ABSENT: Final = re.compile(
    r"\babsent(?:_over_time)?\(\s*[\w:]+\s*\{[^{}]*?=~\s*[\"']([^\"'{}|]*\|[^\"'{}]*)[\"']"
)
_WITH_CACHE: Final = re.compile(r"\bcontainer_memory_(?:usage_bytes|cache)\b|\bmemory_current\b")
_OF_PROXIES: Final = (
    r"haproxy_(?:frontend|backend|server)_(?:current_\w+|max_\w+|limit_sessions|\w+_average_seconds"
    r"|active_servers|backup_servers|status|up|weight)|caddy_http_requests_in_flight"
)
_OF_ENGINES: Final = (
    r"vllm:(?:num_requests_(?:waiting|running|swapped)|(?:kv|gpu|cpu)_cache_usage_perc)"
    r"|llamacpp:(?:requests_processing|requests_deferred|kv_cache_usage_ratio|kv_cache_tokens"
    r"|prompt_tokens_seconds|predicted_tokens_seconds|n_busy_slots_per_decode)"
    r"|litellm_in_flight_requests"
)
_OF_HOSTS: Final = (
    r"DCGM_FI_DEV_(?:FB_(?:USED|FREE|TOTAL|RESERVED)|\w+_(?:UTIL|TEMP|CLOCK)|POWER_USAGE)"
    r"|container_memory_(?:rss|usage_bytes|working_set_bytes|cache)|node_load(?:1|5|15)"
    r"|node_memory_\w+_bytes|node_filesystem_(?:avail|free|size)_bytes|probe_success|up"
)
_GAUGES: Final = f"{_OF_PROXIES}|{_OF_ENGINES}|{_OF_HOSTS}"
_RISING: Final = re.compile(
    rf"\b(rate|irate|increase)\s*\(\s*({_GAUGES})(?![\w:])\s*(?:\{{[^{{}}]*\}}\s*)?\["
)
_NO_CLASS: Final = re.compile(
    r"\bhaproxy_\w+_http_responses_total\s*\{[^{}]*?\bcode\s*=~?\s*[\"']([1-5]\d\d)[\"']"
)
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
        if found := _NO_CLASS.search(query.text):
            yield Hit(
                message=f"HAProxy counts answers by their class: none has the code `{found[1]}`",
                place=query.place,
                fix=f'write `code="{found[1][0]}xx"`',
            )
        for name, (what, fix) in _GONE.items():
            if re.search(rf"(?<![\w:]){re.escape(name)}(?![\w:])", text):
                yield Hit(message=f"`{name}` {what}", place=query.place, fix=fix)


@Rule(
    id="HW627",
    title="the rise of a figure that goes up and down",
    why="`rate`, `irate` and `increase` are of counters: each fall counts as a counter that began "
    "again at 0. Of a queue, of requests in flight or of memory in use they tell how restless the "
    "figure is: a queue that stays full has a rate of 0, and the alert on it is silent.",
    bad='expr: rate(haproxy_backend_current_queue{proxy="ollama"}[5m]) > 4',
    good='expr: avg_over_time(haproxy_backend_current_queue{proxy="ollama"}[5m]) > 4',
    source="prometheus.io/docs/prometheus/latest/querying/functions: rate; "
    "addons/promex of HAProxy 3.0; docs.vllm.ai: Production Metrics",
)
def rise_of_a_gauge(view: View, _: Facts) -> Hits:
    for query in _queries(view):
        if found := _RISING.search(_STRINGS.sub('""', query.text)):
            instead = "delta" if found[1] == "increase" else "deriv"
            yield Hit(
                message=f"`{found[2]}` goes up and down: `{found[1]}` takes each fall for a "
                "counter that began again",
                place=query.place,
                fix=f"compare it as it is, or its `avg_over_time`; `{instead}` is its change",
            )


@Rule(
    id="HW628",
    severity="error",
    title="a time that Prometheus does not read",
    why="Times of rules are numbers with the units `ms`, `s`, `m`, `h`, `d`, `w` and `y`, the "
    "large ones first, and no blank. Prometheus refuses a whole file of rules for one that is "
    "written otherwise, and does not begin with it.",
    bad="for: 5 minutes",
    good="for: 5m",
    source="prometheus/common: model/time.go, ParseDuration; promtool check rules",
)
def no_time(view: View, _: Facts) -> Hits:
    for name, text, place in view.watched.misread if view.watched else ():
        yield Hit(
            message=f"`{name}: {text}` is no time: Prometheus refuses the file",
            place=place,
            fix="write a number with its unit, like `5m`",
        )


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
        if not (query.alert and (_ABOUT.search(query.text) or _OF_ALL.search(query.text))):
            continue
        if found := _WITH_CACHE.search(_named(query.text)):
            yield Hit(
                message=f"`{found[0]}` counts the page cache of the model's file, and fills up to "
                "the limit with nothing wrong",
                place=query.place,
                fix="ask for `container_memory_rss`, or `anon` of memory.stat",
            )


@Rule(
    id="HW573",
    title="an alert on a job that nobody asks",
    why="`up` has a series for each target of a job, and for no other. Where no job of the "
    "configuration has the name of the alert, there is none: `== 0` compares nothing, and the "
    "alert on a server that is down never fires. Said where a configuration is checked together "
    "with the rules, and names all of its jobs itself.",
    bad='- job_name: ollama-exporter    # prometheus.yml\n\nexpr: up{job="ollama"} == 0',
    good='- job_name: ollama    # prometheus.yml\n\nexpr: up{job="ollama"} == 0',
    source="prometheus.io/docs/concepts/jobs_instances",
)
def of_no_job(view: View, _: Facts) -> Hits:
    jobs = view.watched.jobs if view.watched else None
    for query in _queries(view) if jobs is not None else ():
        named = dict.fromkeys(_UP.findall(query.text))
        missing = [name for name in named if name not in (jobs or ())]
        if missing and query.alert and "absent(" not in query.text:
            yield Hit(
                message=f"no job here is called `{missing[0]}`: there is no such `up`, and this "
                "never fires",
                place=query.place,
                fix="write the `job_name` that asks for it, or add such a job",
            )


@Rule(
    id="HW574",
    title="alerts that reach nobody",
    why="Prometheus finds out that an alert fires, and an Alertmanager tells somebody. Where "
    "`alerting` names none, alerts stand on a page of Prometheus that nobody looks at; where no "
    "receiver has a way to tell somebody, or asks at the loopback of its own container, they end "
    "in Alertmanager.",
    bad="rule_files: [alerts.yml]    # and no `alerting`",
    good="rule_files: [alerts.yml]\nalerting:\n  alertmanagers:\n"
    "    - static_configs: [{targets: ['alertmanager:9093']}]",
    source="prometheus.io/docs/prometheus/latest/configuration/configuration: alertmanager_config; "
    "prometheus.io/docs/alerting/latest/configuration: receiver",
)
def unheard(view: View, _: Facts) -> Hits:
    if view.alerting is not None:
        yield from _untold(view.alerting)
    if view.watched is not None and view.watched.unheard is not None:
        yield Hit(
            message="these rules have alerts, and no Alertmanager gets them",
            place=view.watched.unheard,
            fix="name one in `alerting.alertmanagers`, or have Grafana send them",
        )


def _untold(alerting: Alerting) -> Hits:
    """Yield receivers that tell nobody: all those in use, or one that asks where nobody listens."""
    used = {route.receiver for route in alerting.routes if route.receiver}
    there = [one for one in alerting.receivers if one.name in used]
    root = next((route for route in alerting.routes if route.root), None)
    tells = alerting.begun or any(one.ways for one in there)
    if root is not None and there and not tells:
        yield Hit(
            message="no receiver that a route names has a way to tell somebody: alerts end here",
            place=root.place,
            fix="give one `email_configs`, `webhook_configs` or another way",
        )
    for one in there if alerting.boxed else ():
        for way in one.ways:
            if way.address is not None and _OWN.match(way.address[0]):
                yield Hit(
                    message=f"`{way.address[0]}` is in the container of Alertmanager, where nobody "
                    f"listens: `{one.name}` hears nothing",
                    place=way.address[1],
                    fix="write the name of the service that takes it, or `host.docker.internal`",
                )


@Rule(
    id="HW575",
    title="an alert that fires only when all are gone",
    why="`absent` is of the whole selection: with names that a pattern joins it is empty as soon "
    "as one of them is there. The alert on the server stays silent while anything else still runs.",
    bad='expr: absent(container_last_seen{name=~"ollama|redis"})',
    good='expr: absent(container_last_seen{name="ollama"})',
    source="prometheus.io/docs/prometheus/latest/querying/functions: absent",
)
def absent_of_several(view: View, _: Facts) -> Hits:
    for query in _queries(view):
        found = _ABSENT.search(query.text)
        if found and query.alert:
            yield Hit(
                message=f"this is empty while one of `{found[1]}` is there: it fires only when all "
                "are gone",
                place=query.place,
                fix="write one `absent` for each name, joined by `or`",
            )
