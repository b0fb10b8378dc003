"""HW223, HW224, HW226 to HW228, HW572, HW644, HW645, HW681: proxies before slow servers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.around import Hop, Said
    from generator.catalogue.facts import Facts
    from generator.view import Place, View

_SHORT: Final = 120
_LONG: Final = 300
_QUEUE: Final = 30
_SMALL: Final = 4 * 2**20


def _said(hops: Iterable[Hop], name: str) -> Iterator[tuple[Hop, Said, int]]:
    """Yield each setting once, with the number of other places that have the same default."""
    told: dict[Place, tuple[Hop, Said]] = {}
    default: list[tuple[Hop, Said]] = []
    for hop in hops:
        said: Said | None = getattr(hop, name)
        if said is not None and said.told:
            told.setdefault(said.place, (hop, said))
        elif said is not None:
            default.append((hop, said))
    yield from ((hop, said, 0) for hop, said in told.values())
    if default:
        yield (*default[0], len(default) - 1)


def _elsewhere(number: int) -> str:
    return f"; so it is at {number} more places of this file" if number else ""


def _how(said: Said) -> str:
    if said.unread:
        return "is no number, so that the default counts,"
    return "is" if said.told else "is not set, and then"


@Rule(
    id="HW223",
    title="a proxy that gives up before the answer is there",
    why="A server is silent while it loads a model and reads a long prompt, and without streaming "
    "until the last word: minutes on a CPU. A proxy that waits a minute answers 504 in its place, "
    "or cuts the stream, while the server goes on computing for nobody. nginx waits 60 seconds "
    "where no `proxy_read_timeout` is said, the router of OpenShift 30, LiteLLM as long as its "
    "`request_timeout`; ingress-nginx takes a number of seconds alone, and passes over `30m` and "
    "`600s`. The `writeTimeout` of an entry point of Traefik ends an answer in its middle, too.",
    bad="timeout server 60s    # haproxy.cfg",
    good="timeout server 30m",
    source="nginx.org: proxy_read_timeout; docs.haproxy.org/2.8: timeout server; "
    "caddyserver.com/docs: reverse_proxy, response_header_timeout; ingress-nginx, "
    "internal/ingress/annotations/proxy/main.go; docs.openshift.com: Route configuration",
)
def gives_up(view: View, _: Facts) -> Hits:
    for hop, said, others in _said(view.hops, "answer"):
        if not 0 < said.value < _LONG:
            continue
        yield Hit(
            message=f"`{said.name}` {_how(said)} {said.value:g} seconds: {hop.words.program} gives "
            f"up on a server that is silent for that long{_elsewhere(others)}",
            place=said.place,
            fix=f"write {hop.words.wait}",
            severity=None if said.value < _SHORT else "info",
        )


@Rule(
    id="HW224",
    title="a stream that is collected on its way",
    why="The server sends each token as it comes. A proxy that collects answers in buffers hands "
    "them on when one is full: the text comes in clumps, or at the end. nginx does so unless "
    "`proxy_buffering` is off; Caddy does where a `flush_interval` or buffers are set.",
    bad="location / { proxy_pass http://127.0.0.1:11434; }",
    good="location / { proxy_pass http://127.0.0.1:11434; proxy_buffering off; }",
    source="nginx.org: proxy_buffering; caddyserver.com/docs: reverse_proxy, flush_interval",
)
def collects(view: View, _: Facts) -> Hits:
    for hop, said, others in _said(view.hops, "held"):
        what = f"`{said.name}` {'collects' if said.told else 'is not off, and collects'}"
        yield Hit(
            message=f"{what} what the server streams: the text comes in clumps{_elsewhere(others)}",
            place=said.place,
            fix=f"write {hop.words.stream}",
        )


_LARGE: Final = "a picture or a long conversation"


@Rule(
    id="HW226",
    severity="info",
    title="a request that is too large for the proxy",
    why="A picture goes into a request as text, a third larger than its file, and a long "
    "conversation is sent whole each time. A proxy that takes less answers 413 in place of the "
    "server. nginx takes 1 MB unless `client_max_body_size` says more. Before Open WebUI, whose "
    "users upload documents every day, it is a warning.",
    bad="location / { proxy_pass http://127.0.0.1:11434; }",
    good="location / { proxy_pass http://127.0.0.1:11434; client_max_body_size 64m; }",
    source="nginx.org: client_max_body_size; caddyserver.com/docs: request_body",
)
def takes_little(view: View, _: Facts) -> Hits:
    for hop, said, others in _said(view.hops, "body"):
        if said.value < _SMALL:
            how = "is" if said.told else "is not set, and then"
            what = "a document that somebody uploads" if hop.page else _LARGE
            yield Hit(
                message=f"`{said.name}` {how} {about(int(said.value))}: {what} is refused with "
                f"413{_elsewhere(others)}",
                place=said.place,
                fix=f"write {hop.words.body}",
                severity="warning" if hop.page else None,
            )


@Rule(
    id="HW227",
    title="servers without a bound on their requests",
    why="A server computes as many requests at once as it has slots, and lets any number of others "
    "wait where nobody sees them: it counts no queue, and refuses none for a model that is loaded. "
    "With `maxconn` on each server the proxy keeps them, sends each to the one that is free next, "
    "and tells how many wait.",
    bad="server one 10.0.0.1:11434 check",
    good="server one 10.0.0.1:11434 check maxconn 4",
    source="docs.haproxy.org/2.8: maxconn (server); server/sched.go@v0.32.15, GetRunner",
)
def unbounded(view: View, _: Facts) -> Hits:
    for hop in view.hops:
        if hop.unbound and hop.words.bound:
            several = len(hop.servers) > 1
            yield Hit(
                message="no `maxconn` bounds the requests of "
                + ("these servers" if several else "this server")
                + ": what waits, waits inside, and nobody sees it",
                place=hop.unbound[0],
                fix=f"add {hop.words.bound}",
                severity=None if several else "info",
            )


@Rule(
    id="HW228",
    title="a queue that is given up at once",
    why="Behind `maxconn` a request waits for a slot as long as `timeout queue` lets it, and as "
    "long as `timeout connect` where that is not set: seconds, which are right for a connection. "
    "An answer takes longer than that, so that each request that has to wait ends with 503.",
    bad="timeout connect 5s\nserver one 10.0.0.1:11434 maxconn 4",
    good="timeout connect 5s\ntimeout queue 10m\nserver one 10.0.0.1:11434 maxconn 4",
    source="docs.haproxy.org/2.8: timeout queue",
)
def leaves_the_queue(view: View, _: Facts) -> Hits:
    for hop, said, _others in _said(view.hops, "queue"):
        if 0 < said.value < _QUEUE:
            how = "is" if said.told else "is not set, and then counts `timeout connect`:"
            yield Hit(
                message=f"`{said.name}` {how} {said.value:g} seconds: whoever waits longer for a "
                "slot gets 503",
                place=said.place,
                fix=f"write {hop.words.queue}",
            )


@Rule(
    id="HW644",
    title="a body that decides, and is not there",
    why="Where the name of the model in the request decides, the proxy has to have the body first: "
    "without `option http-buffer-request` there is none yet. With it each request waits until its "
    "body is whole or a buffer is full, 16 KiB unless `tune.bufsize` says more: a name behind a "
    "long prompt is not seen.",
    bad="use_backend big if { req.body -m sub qwen3:32b }",
    good="use_backend big if { path_beg /big/ }",
    source="docs.haproxy.org/2.8: option http-buffer-request, req.body",
)
def decides_by_body(view: View, _: Facts) -> Hits:
    for hop in view.hops:
        if hop.routed is not None and hop.collects is None:
            yield Hit(
                message="the body decides, and `option http-buffer-request` is not set: there is "
                "none yet",
                place=hop.routed,
                fix="decide by a path or a header, or set the option and `tune.bufsize`",
            )
        elif hop.collects is not None and hop.routed is None:
            yield Hit(
                message="`option http-buffer-request` has each request wait for its body, and "
                "nothing looks at that",
                place=hop.collects,
                fix="take it out",
                severity="info",
            )


@Rule(
    id="HW645",
    title="servers whose health nobody asks",
    why="Of several servers one may be down, or load for ever. A proxy that asks none of them "
    "sends it requests all the same, each of which fails first.",
    bad="server one 10.0.0.1:11434\nserver two 10.0.0.2:11434",
    good="server one 10.0.0.1:11434 check\nserver two 10.0.0.2:11434 check",
    source="docs.haproxy.org/2.8: check; caddyserver.com/docs: reverse_proxy, active health checks",
)
def unasked(view: View, _: Facts) -> Hits:
    for hop in view.hops:
        if len(hop.servers) > 1 and hop.unasked and hop.words.check:
            yield Hit(
                message=f"nothing asks {len(hop.unasked)} of these {len(hop.servers)} servers "
                "whether they answer",
                place=hop.unasked[0],
                fix=f"add {hop.words.check}",
            )


@Rule(
    id="HW572",
    severity="info",
    title="servers that take turns, busy or not",
    why="One answer takes a second, the next one minutes. Whoever sends requests in turn, or at "
    "random, sends them also to the server that is still busy, where they wait inside and nobody "
    "sees it, while another one is idle. Counted by open requests, the free one gets the next.",
    bad="upstream llm { server 10.0.0.1:11434; server 10.0.0.2:11434; }",
    good="upstream llm { least_conn; server 10.0.0.1:11434; server 10.0.0.2:11434; }",
    source="nginx.org: least_conn; caddyserver.com/docs: reverse_proxy, lb_policy; "
    "docs.litellm.ai/docs/routing: least-busy",
)
def take_turns(view: View, _: Facts) -> Hits:
    told = set()
    for hop in view.hops:
        how, place = hop.turns or ("", hop.place)
        if how and place not in told:
            told.add(place)
            yield Hit(
                message=f"{how}: requests also go to a server that is busy while another one is "
                "free",
                place=place,
                fix=f"write {hop.words.spread}",
            )


@Rule(
    id="HW681",
    title="TLS to a server that speaks none",
    why="Servers of models speak plain HTTP at their ports: Ollama knows nothing else, and vLLM "
    "speaks TLS only where `--ssl-certfile` names a certificate. A proxy that begins TLS there is "
    "answered in plain text, gives up, and answers 502 to everybody; a program that asks at such "
    "an address ends with an error of TLS. Said of an address without a name of the internet, for "
    "behind one a proxy may speak TLS at that port.",
    bad="servers: [{url: https://10.0.0.5:11434}]",
    good="servers: [{url: http://10.0.0.5:11434}]",
    source="server/routes.go@v0.32.15, Serve; docs/faq.mdx@v0.32.15; "
    "vllm/entrypoints/openai/cli_args.py@0.33.0, ssl_certfile",
)
def asked_by_tls(view: View, facts: Facts) -> Hits:
    told = [hop.by_tls for hop in view.hops if hop.by_tls]
    for client in view.clients:
        told += [(v.value, v.place) for v in client.variables if not v.unresolved]
    if view.gateway:
        told += [alias.base for alias in view.gateway.aliases if alias.base]
    own = re.compile(rf"https://(?:[\w-]+|[\d.]+):{facts.image.port}(?:/\S*)?", re.ASCII)
    for address, place in dict.fromkeys(told):
        if own.fullmatch(address):
            plain = address.replace("https://", "http://", 1)
            yield Hit(
                message=f"`{address}` asks by TLS, which the server does not speak: nobody gets "
                "an answer",
                place=place,
                fix=f"write `{plain}`",
            )
