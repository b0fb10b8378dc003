"""HW522 to HW526, HW662, HW684: keys that the reader of a file does not take as they are."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.catalogue.accepted import ANY
from generator.rules.helpers.names import VARIABLE, nearest, own_key
from generator.rules.helpers.same import once
from generator.rules.rule import Hit, Hits, Rule
from generator.view import EMPTIED, MISLAID, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.accepted import Known
    from generator.catalogue.facts import Facts
    from generator.view import Key, Place, View

_TWO: Final = 2
_SOUGHT: Final = 50  # names for which one is sought that was meant
_OF_VARIABLES: Final = frozenset({"name", "value", "valueFrom"})
_VOLUME: Final = re.compile(r"[A-Za-z0-9][\w.-]+", re.ASCII)  # one letter: a drive


@Rule(
    id="HW522",
    severity="error",
    title="a key that the reader of the file does not know",
    why="Compose and Podman refuse the whole file for one key that they do not know, so that "
    "nothing starts, and so do Prometheus and Alertmanager. The templates of a Helm chart "
    "ignore it: what it should set stays as it was; an item of `extraEnv` they hand on, and "
    "Kubernetes refuses it. Fly, too, ignores a key at the top, or in "
    "`[env]`, that belongs to another table.",
    bad="services:\n  ollama:\n    env:\n      - OLLAMA_KEEP_ALIVE=2h",
    good="services:\n  ollama:\n    environment:\n      - OLLAMA_KEEP_ALIVE=2h",
    source="compose-spec: schema/compose-spec.json; podman-systemd.unit(5); otwld/ollama-helm: "
    "values.yaml; config/config.go (prometheus, alertmanager): UnmarshalStrict; "
    "fly.io/docs/reference/configuration",
)
def unknown_key(view: View, facts: Facts) -> Hits:
    yield from _undefined(view)
    yield from _mislaid(view)
    strange = [(key, _advice(view, facts, key)) for key in _unknown(view, facts)]
    # Values that no template of the chart knows are those of other templates beside it.
    ignored = [advice for key, advice in strange if not _refused(view, facts, key)]
    for key, advice in strange:
        refused = _refused(view, facts, key)
        if refused or all(ignored):
            yield Hit(
                message=_refusal(view, key, refused=refused),
                place=key.place,
                severity=None if refused else "warning",
                fix=advice or "take it out",
            )


def _refused(view: View, facts: Facts, key: Key) -> bool:
    """Whether a key makes the whole be refused; a chart hands variables on as they stand."""
    return bool(view.phrases.refuses_whole) or _in_variable(view, facts, key)


def _in_variable(view: View, facts: Facts, key: Key) -> bool:
    """Whether a key stands in an item of a list of variables, of which Kubernetes knows three."""
    known = facts.accepted(view.phrases.accepts).below(key.path[:-1]) or ()
    return set(known) >= _OF_VARIABLES


def _mislaid(view: View) -> Hits:
    """Yield the keys that are looked for in another table, and ignored where they stand."""
    for line in view.lines_in(MISLAID):
        right = f"below `[{line.value}]`" if line.value else "above the first `[table]`"
        yield Hit(
            message=f"nobody reads `{line.name}` here: its place is {right}",
            place=line.place,
            severity="warning",
            fix=f"move it {right}",
        )


def _undefined(view: View) -> Hits:
    """Yield what is used by a name that the file gives to nothing: volumes, networks, services."""
    top = view.phrases.defines_volumes
    own = {key.path for key in view.keys if len(key.path) <= _TWO}
    elsewhere = view.adds or ("include",) in own or view.lines_named("extends")
    if not top or not own or elsewhere or view.container is None:
        return
    defined: dict[str, set[str]] = {}
    for path in (path for path in own if len(path) == _TWO):
        defined.setdefault(path[0], set()).add(path[1])
    sought = 0
    for table, kind, name, place in (*_mounted(view, top), *_named(view)):
        there = defined.get(table, set())
        # A file that defines none at all may be a part of one: in a document, or by its name.
        if name in there or (not there and (view.phrases.guide or _is_part(view, place))):
            continue
        sought += 1
        close = nearest(name, there)[0] if sought <= _SOUGHT else ""
        yield Hit(
            message=f"{view.phrases.reader} refuses the file: the {kind} `{name}` is not "
            f"defined in `{table}` at its top",
            place=place,
            fix=f"did you mean `{close}`?" if close else f"add `{table}:` with `{name}:` below",
        )


def _is_part(view: View, place: Place) -> bool:
    """Whether the file may be one that others extend or lay over theirs."""
    return re.fullmatch(view.phrases.projects, PurePosixPath(place.file).name) is None


def _mounted(view: View, top: str) -> Iterator[tuple[str, str, str, Place]]:
    for text, place in view.container.mounts if view.container else ():
        name, colon, _ = text.partition(":")
        if colon and _VOLUME.fullmatch(name):
            yield top, "volume", name, place


def _named(view: View) -> Iterator[tuple[str, str, str, Place]]:
    """Yield the networks and services that a service names, in a list or as keys."""
    section = f"services.{view.name}"
    for table, kind, key in (("networks", "network", "networks"), *_OF_SERVICES):
        lines = (
            line
            for line in view.lines_named(key)
            if line.section == section or line.section.startswith("beside.")
        )
        listed = ((line.value, line.place) for line in lines)
        path = ("services", view.name, key)
        below = (k for k in view.keys if k.path[:-1] == path)
        for name, place in (*listed, *((k.path[-1], k.place) for k in below)):
            if _VOLUME.fullmatch(name) and name != _EVERY_NETWORK:
                yield table, kind, name, place


_OF_SERVICES: Final = (("services", "service", "depends_on"),)
_EVERY_NETWORK: Final = "default"  # Compose makes that one itself.


def _unknown(view: View, facts: Facts) -> Iterator[Key]:
    tables = {key.path for key in view.keys if key.form == "table"}
    for key, known in _looked_up(view, facts):
        # A table in the place of a list of variables is told of as a whole (HW526).
        whole = key.path[:-1] in tables and _in_variable(view, facts, key)
        if known is None and not whole and not own_key(view, key.path[-1]):
            yield key


def _refusal(view: View, key: Key, *, refused: bool) -> str:
    book, above, name = view.phrases, key.path[:-1], key.path[-1]
    parent = f"[{above[0]}]" if book.headers else f"`{'.'.join(above)}`" if above else "the file"
    if book.refuses_whole:
        return f"{book.reader} refuses {book.refuses_whole}: `{name}` is no key of {parent}"
    if refused:
        return f"Kubernetes refuses what the chart makes: `{name}` is no key of {parent}"
    return f"{book.reader} ignores `{key.place.key}`: it reads no such key"


def _advice(view: View, facts: Facts, key: Key) -> str:
    """Return what to write instead, empty where nobody knows."""
    accepted, above, name = facts.accepted(view.phrases.accepts), key.path[:-1], key.path[-1]
    if meant := accepted.meant(key.path):
        return f"write {meant}"
    if VARIABLE.fullmatch(name) and _in_variable(view, facts, key):
        return f"write `name: {name}`, and `value:` with its text below"
    home = accepted.home(name) if name not in _OF_VARIABLES else None
    if view.phrases.headers:
        sections = (one for one, names in facts.directives.items() if name in names)
        home = next(((one,) for one in sections), home)
    close, _ = nearest(name, accepted.below(above) or ())
    if close:
        return f"did you mean `{close}`?"
    if home is not None:
        return f"write it {_below(view, key, home)}"
    mistaken = accepted.mistakes(above)
    wrong, _ = nearest(name, mistaken)
    return f"write {mistaken[wrong]}" if wrong else ""


def _below(view: View, key: Key, home: tuple[str, ...]) -> str:
    if view.phrases.headers:
        return f"in [{home[0]}]"
    top = key.place.key.removesuffix(".".join(key.path)).rstrip(".")
    # Of the names above, `*` stands for the same ones.
    named = dict(enumerate(key.path))
    same = (named.get(at, part) if part == ANY else part for at, part in enumerate(home))
    where = ".".join(filter(None, (top, *same)))
    return f"below `{where}`" if where else "at the top"


@Rule(
    id="HW684",
    title="a key that a stack passes over",
    why="`docker stack deploy` reads a file of Compose for a swarm. Some keys it refuses, and some "
    "it passes over with a line on the terminal: devices are not handed in, the network is not "
    "the host's, nothing is built, and containers have names of their own. What starts a service "
    "again is `deploy.restart_policy`, which does so unless it is told otherwise.",
    bad="shm_size: 4gb\ndeploy: {placement: {constraints: [node.labels.gpu == yes]}}",
    good="volumes: [{type: tmpfs, target: /dev/shm, tmpfs: {size: 4294967296}}]\n"
    "deploy: {placement: {constraints: [node.labels.gpu == yes]}}",
    source="docs.docker.com/reference/cli/docker/stack/deploy; "
    "cli/compose/types/types.go (docker/cli)",
)
def passed_over(view: View, facts: Facts) -> Hits:
    accepted = facts.accepted(view.phrases.accepts)
    for key in view.keys:
        if key.path[-1] in accepted.ignored(key.path[:-1]) and key.value != "false":
            yield Hit(
                message=f"{view.phrases.reader} passes over `{key.path[-1]}`",
                place=key.place,
                severity="info" if key.path[-1] in _HARMLESS else None,
                fix=_INSTEAD.get(key.path[-1], "take it out: it has no effect in a stack"),
            )


_HARMLESS: Final = frozenset({"restart", "container_name", "build", "domainname", "mac_address"})
_INSTEAD: Final = {
    "restart": "write `deploy: {restart_policy: {condition: any}}`, which is what it does anyhow",
    "container_name": "take it out; other services reach this one by the name of its service",
    "build": "build and push the image before, and name it in `image`",
    "devices": "have the nodes hand it in, by `default-runtime` or `node-generic-resources` of "
    "their /etc/docker/daemon.json",
    "network_mode": "write `networks: [outside]`, and at the top `networks: {outside: {external: "
    "true, name: host}}`",
    "shm_size": "mount a `tmpfs` of that size at /dev/shm",
    "privileged": "take it out, and hand in what is needed by the daemons of the nodes",
    "links": "take it out; services of one network reach each other by their names",
}

OLDEST: Final = "5.4"


@Rule(
    id="HW523",
    severity="info",
    title="a key that only a newer Podman knows",
    why="A Podman that does not know a key of a quadlet refuses the whole unit, and there is no "
    "service. Debian 13 has 5.4.2, Ubuntu 24.04 has 4.9.",
    bad="[Container]\nMemory=24G    # where Podman is older than 5.5",
    good="[Service]\nMemoryMax=24G",
    source="pkg/systemd/quadlet/quadlet.go (podman); quadlet -dryrun, 5.4.2",
)
def newer_key(view: View, facts: Facts) -> Hits:
    for key, known in _known(view, facts):
        if known.since:
            yield Hit(
                message=f"`{known.name}` is a key since {view.phrases.reader} {known.since}: an "
                f"older one, like {OLDEST} of Debian 13, refuses the unit",
                place=key.place,
                fix=_older(known.name),
            )


def _known(view: View, facts: Facts) -> Iterator[tuple[Key, Known]]:
    return ((key, known) for key, known in _looked_up(view, facts) if known is not None)


@once
def _looked_up(view: View, facts: Facts) -> tuple[tuple[Key, Known | None], ...]:
    """Return the keys of tables that do not take any, with what is known of each."""
    accepted = facts.accepted(view.phrases.accepts)
    tables = ((key, accepted.below(key.path[:-1])) for key in view.keys)
    return tuple((key, table.get(key.path[-1])) for key, table in tables if table is not None)


def _older(name: str) -> str:
    if name == "Memory":
        return "write `MemoryMax=` in [Service], which all know"
    return "check `podman --version` where it runs, or leave the line out"


@Rule(
    id="HW524",
    severity="error",
    title="quotes that belong to the value",
    why="Podman takes double quotes off `Image=`, but none off `PublishPort=`, `Volume=` and some "
    "others, and single ones off no whole value: they are a part of it, and no port, path or image "
    "has a quote.",
    bad='PublishPort="127.0.0.1:11434:11434"',
    good="PublishPort=127.0.0.1:11434:11434",
    source="pkg/systemd/parser/unitfile.go (podman), Lookup and LookupAll; quadlet -dryrun, 5.4.2",
)
def quoted_value(view: View, facts: Facts) -> Hits:
    for key, known in _known(view, facts):
        quote, bare = key.value[:1], key.value[1:-1]
        if quote and quote in known.verbatim and key.value == f"{quote}{bare}{quote}" and bare:
            yield Hit(
                message=f"the quotes are a part of `{known.name}=`: {view.phrases.reader} gets "
                f"`{key.value}`",
                place=key.place,
                fix=f"write `{known.name}={bare}`",
            )


@Rule(
    id="HW526",
    severity="error",
    title="a value of the wrong form",
    why="Where Compose wants a list it refuses a table or a single value, and the other way round, "
    "with the whole file. The templates of a Helm chart stop, or make a manifest that Kubernetes "
    "refuses. Of two files of Compose the list of the second is put behind that of the first: an "
    "empty one takes nothing away.",
    bad="ollama:\n  models:\n    - qwen3:8b",
    good="ollama:\n  models:\n    pull:\n      - qwen3:8b",
    source="compose-spec: schema/compose-spec.json; otwld/ollama-helm: templates/deployment.yaml; "
    "docs.docker.com/reference/compose-file/merge: Reset value",
)
def wrong_form(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(EMPTIED):
        yield Hit(
            message="an empty list takes nothing away of what another file says: Compose "
            "puts the one behind the other",
            place=line.place,
            fix=f"write `{line.name}: !reset []`",
            severity="warning",
        )
    for key, known in _known(view, facts):
        book = view.phrases
        left_out = book.takes_empty or not book.refuses_whole or len(key.path) == 1
        empty = key.form == "empty" and left_out
        if not known.form or known.form == key.form or empty:
            continue
        meant = facts.accepted(view.phrases.accepts).meant(key.path)
        yield Hit(
            message=f"`{key.place.key}` is {_FORMS[key.form]}, and {view.phrases.reader} wants a "
            f"{known.form}",
            place=key.place,
            fix=f"write {meant or _MEANT[known.form]}",
        )


@Rule(
    id="HW662",
    severity="error",
    title="a word that the reader of the file does not know",
    why="Some keys take one of a few words. Compose, Podman and Kubernetes refuse another one; the "
    "templates of the chart compare it with those they know, and for `nvidea` ask for no GPU.",
    bad="ollama:\n  gpu:\n    enabled: true\n    type: nvidea",
    good="ollama:\n  gpu:\n    enabled: true\n    type: nvidia",
    source="compose-spec: schema/compose-spec.json; kubernetes.io: API; podman-systemd.unit(5); "
    "otwld/ollama-helm: values.yaml",
)
def unknown_word(view: View, facts: Facts) -> Hits:
    accepted = facts.accepted(view.phrases.accepts)
    for key in view.keys:
        words = accepted.words(key.path) if key.value else ()
        if not words or _OPEN.search(key.value) or any(_is_word(key.value, w) for w in words):
            continue
        close, _ = nearest(key.value, words)
        yield Hit(
            message=f"`{key.value}` is no {key.path[-1]} that {view.phrases.reader} knows",
            place=key.place,
            fix=f"did you mean `{close}`?" if close else f"write one of {', '.join(words)}",
            edits=(Edit(key.place, key.value, close),) if close else (),
        )


_OPEN: Final = re.compile(r"[$%]|\{\{")
"""What something else fills in."""


def _is_word(text: str, word: str) -> bool:
    head = word.removesuffix("*")
    return text.startswith(head) if head != word else text == word


_MEANT: Final = {"list": "`- ` before each item", "table": "the keys below it"}
_FORMS: Final = {"value": "a single value", "list": "a list", "table": "a table", "empty": "empty"}
