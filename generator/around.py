"""What stands around a server, as files describe it: a proxy before it, what watches and scales it.

Plain data, as a View is, whose parts these are. What a file does not say is None or empty.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.view import Container, Line, Place, Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A number that a setting says: seconds, bytes or requests. Not `told`: the program's default.

    The place of a default is that of what lacks the setting. `unread`: what is written is none
    that the program can read, so that its default counts.
    """

    name: str
    value: float
    place: Place
    told: bool = True
    unread: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How a program that stands before a server says what rules advise; empty: it has no word."""

    program: str
    wait: str = ""
    stream: str = ""
    host: str = ""
    body: str = ""
    bound: str = ""
    queue: str = ""
    check: str = ""
    probe: str = ""
    authenticate: str = ""
    spread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One way through a proxy to an engine; `place` is where the proxy names the engine.

    `answer` bounds the silence before, and between two parts of, an answer; `queue` the wait for a
    slot. `held` is where answers are collected before they go on, `body` bounds what a request may
    carry. `local`: the engine is asked on the loopback. `host` is the name by which the engine is
    asked, where that is the client's own. `names` are public names under which anybody may come.
    `servers` are the engines, `unbound` those without a bound on requests, `unasked` those whose
    health nobody asks; `probes` are methods and paths that are asked for it, and their places.
    `routed` is where the body of a request decides, `collects` where such a body is waited for.
    `turns` is how requests are spread over several servers, where nobody asks which one is busy.
    `barred` is where authentication is asked for that nobody can pass. `beneath` is the path that
    requests begin with when they come, where it is handed on as it is. `by_tls` is the address at
    which an engine is asked by TLS, at its own port. `open_at` is the address, all of the host, at
    which anybody may come. `page`: it leads to the pages of an application, as Open WebUI, and not
    to an engine.
    """

    words: Words
    place: Place
    answer: Said | None = None
    queue: Said | None = None
    held: Said | None = None
    body: Said | None = None
    local: bool = False
    host: tuple[str, Place] | None = None
    names: tuple[Line, ...] = ()
    servers: tuple[Place, ...] = ()
    unbound: tuple[Place, ...] = ()
    unasked: tuple[Place, ...] = ()
    probes: tuple[tuple[str, str, Place], ...] = ()
    routed: Place | None = None
    collects: Place | None = None
    turns: tuple[str, Place] | None = None
    barred: Place | None = None
    beneath: str = ""
    by_tls: tuple[str, Place] | None = None
    open_at: tuple[str, Place] | None = None
    page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that asks servers, as a file runs it: its name in the Catalogue, its container.

    `more_variables`: further ones are in files that nobody reads here.
    """

    name: str
    container: Container
    variables: tuple[Variable, ...] = ()
    more_variables: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A query of Prometheus: of an alert, a recording rule, or of what scales by it."""

    text: str
    place: Place
    name: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """What Prometheus asks for figures: a host, its port and a path."""

    job: str
    host: str
    port: int | None
    path: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What files of Prometheus say: `asked` is what all those at hand ask, `scraped` whether one of
    them says so, `records` are names that recording rules of theirs give, `bounded` whether a
    server beside them has a quota of CPU time; None: there is no server. `jobs` are the names under
    which they ask; None: there may be others. `unheard` is where alerts reach nobody, `misread` are
    times that are none.
    """

    expressions: tuple[Expression, ...] = ()
    scrapes: tuple[Scrape, ...] = ()
    asked: tuple[Scrape, ...] = ()
    records: frozenset[str] = frozenset()
    scraped: bool = False
    bounded: bool | None = None
    jobs: frozenset[str] | None = None
    unheard: Place | None = None
    misread: tuple[tuple[str, str, Place], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a number of pods follows from: `kind` is `cpu`, `memory`, or the name of a source.

    `misread` are values that have to be text, and are none. `empty` says what an empty answer
    counts as: None where nobody says. `floored`: the query gives a number in any case.
    """

    kind: str
    place: Place
    misread: tuple[tuple[str, str, Place], ...] = ()
    query: Expression | None = None
    empty_is_load: bool | None = None
    floored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaler:
    """What changes the number of pods of a workload, from `least` to `most`.

    `to_none`: nobody keeps it from having no pod at all.
    """

    kind: str
    name: str
    place: Place
    least: int | None = None
    most: int | None = None
    to_none: bool = False
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """What there is of pods of a service: `replicas` where a number is told, and what scales them.

    `shared` are claims of volumes that one node at a time may mount, and that all pods share.
    `grace` is the time in which a pod may end; None: nobody says, and it is half a minute.
    `rolls`: a new pod starts before the only one ends, and where the number of pods is told.
    """

    replicas: int | None = None
    replicas_at: Place | None = None
    scalers: tuple[Scaler, ...] = ()
    shared: tuple[tuple[str, Place], ...] = ()
    grace: int | None = None
    gpus: bool = False
    rolls: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name under which a gateway offers a model: `route` says how the engine is asked for it."""

    name: str
    route: str
    model: str
    place: Place
    base: tuple[str, Place] | None = None
    embeds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Where a gateway keeps answers. `scope` parts the answers of one user from another's.

    `likeness`: it answers questions that are like others. `unable` is the image beside it that
    cannot look for them. `written` is the time as the file has it, `known` whether there is such a
    kind of cache.
    """

    kind: str
    place: Place
    ttl: float | None = None
    namespace: str = ""
    scope: str = ""
    likeness: bool = False
    unable: str = ""
    written: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway that hands requests on by the name of a model.

    `fallbacks` are names that take over from others, `names` all that it offers, `unread` settings
    of a cache that stand where it does not look for any. `there` are models that servers beside it
    pull or make; none: nobody says. `misspelt` are settings with the name that was meant.
    """

    aliases: tuple[Alias, ...] = ()
    cache: Cache | None = None
    fallbacks: tuple[tuple[str, Place], ...] = ()
    unread: tuple[tuple[str, Place], ...] = ()
    misspelt: tuple[tuple[str, str, Place], ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)
    there: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to tell a receiver: its `kind`, like `email`, and the keys that have a value.

    `address` is where it goes, where that is told.
    """

    kind: str
    place: Place
    given: frozenset[str] = field(default_factory=frozenset)
    address: tuple[str, Place] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is told of alerts, by its name; without a way nobody is."""

    name: str
    place: Place
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where alerts go; the `root` takes all. An empty receiver is that of the route above.

    `matches` is where it says which alerts it takes, `goes_on` where others may take them too.
    `times` are keys with their texts, `grouped` labels, `muted` names of times.
    """

    receiver: str
    place: Place
    root: bool = False
    matches: Place | None = None
    goes_on: Place | None = None
    times: tuple[tuple[str, str, Place], ...] = ()
    grouped: tuple[tuple[str, Place], ...] = ()
    muted: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """Who is told of which alerts: `given` are the settings for all, `periods` names of times.

    `boxed`: it runs in a container of its own, whose loopback nobody else has. `begun`: `gen` wrote
    the file, in which people fill in whom to tell.
    """

    place: Place
    receivers: tuple[Receiver, ...] = ()
    routes: tuple[Route, ...] = ()
    given: frozenset[str] = field(default_factory=frozenset)
    periods: frozenset[str] = field(default_factory=frozenset)
    boxed: bool = False
    begun: bool = False
