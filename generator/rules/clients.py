"""HW129, HW410, HW538: programs that ask a server, beside it or elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.ports import ALL_ADDRESSES, covers, inside_of, made_local
from generator.rules.rule import Hit, Hits, Rule
from generator.units import Release
from generator.view import FIREWALL, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Client
    from generator.catalogue.clients import ClientFact
    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


def _known(view: View, facts: Facts) -> Iterator[tuple[Client, ClientFact]]:
    """Yield the clients, each with what is known of it."""
    known = {fact.name: fact for fact in facts.clients} if view.clients else {}
    for client in view.clients:
        if client.name in known:
            yield client, known[client.name]


def _variable(client: Client, name: str) -> Variable | None:
    return next((one for one in client.variables if one.name == name), None)


@Rule(
    id="HW410",
    title="an application that lets everybody use the server",
    why="Without its login whoever reaches Open WebUI is its administrator: they run, pull and "
    "delete models, read what others asked, and may have it run code. Anything but `true` turns "
    'the login off, `"True"` with its quotes as well. Said where its port is open on all addresses '
    "of the host or outside the cluster; a port on 127.0.0.1 is left alone. LiteLLM without "
    "LITELLM_MASTER_KEY lets everybody ask the models behind it, too.",
    bad='environment: [WEBUI_AUTH=False]    # with ports: ["3000:8080"]',
    good="environment: [WEBUI_AUTH=True]",
    source="backend/open_webui/env.py of open-webui: WEBUI_AUTH",
)
def anybody_is_let_in(view: View, facts: Facts) -> Hits:
    for client, fact in _known(view, facts):
        yield from _without_a_key(client, fact)
        login = _variable(client, fact.login)
        trusted = any(_variable(client, name) for name in fact.trusts)
        if login is None or login.unresolved or login.value.lower() == "true" or trusted:
            continue
        how = next(_opened(client, fact), None)
        if how is not None:
            local = made_local(how)
            yield Hit(
                message=f"{fact.product} asks nobody who they are, as `{fact.login}` is "
                f"`{login.value}`, and {_HOW.get(how) or f'`{how}` opens it to every machine'}",
                place=login.place,
                severity="info" if how == _SHUT else None,
                fix=f"set `{fact.login}` to `True`"
                + (f", or publish `{local}` behind a proxy that authenticates" if local else ""),
            )


def _without_a_key(client: Client, fact: ClientFact) -> Hits:
    """Yield a published port of a program that asks for no key, as nothing can have told it one."""
    box = client.container
    told = box.mounts or client.more_variables or _variable(client, fact.key) is not None
    for text, place in () if told or not fact.key else box.ports:
        if inside_of(text)[0] in ALL_ADDRESSES:
            yield Hit(
                message=f"{fact.product} asks nobody for a key, as `{fact.key}` is not set, and "
                f"`{text}` opens it to every machine",
                place=place,
                fix=f"set `{fact.key}`, from a file that is no part of this one"
                + (f", or publish `{local}`" if (local := made_local(text)) else ""),
            )


_HOST: Final = "host"
_SERVICE: Final = "service"
_SHUT: Final = "shut"
_HOW: Final = {
    _HOST: "on the host's network every machine reaches it",
    _SERVICE: "a service opens it beyond the cluster",
    _SHUT: "on all addresses of the host the firewall alone keeps others out",
}


def _opened(client: Client, fact: ClientFact) -> Iterator[str]:
    """Yield what opens the port of a client beyond its host or its cluster."""
    box = client.container
    if box.host_network is not None:
        yield _HOST
        return
    for text, _ in box.ports:
        host, inside = inside_of(text)
        if host in ALL_ADDRESSES and covers(inside, _listens(client, fact) or fact.port):
            yield text
    yield from (_SERVICE for line in box.exposed if line.section == _SERVICE)
    yield from (line.name or _SHUT for line in box.exposed if line.section == FIREWALL)


def _listens(client: Client, fact: ClientFact) -> int | None:
    """Return the port at which a client listens; None: nobody can tell here."""
    told = _variable(client, fact.listens)
    if told is not None:
        return int(told.value) if re.fullmatch(r"\d{1,5}", told.value, re.ASCII) else None
    box = client.container
    named = box.arguments or any(one.name == "entrypoint" for one in box.options)
    return None if named or client.more_variables else fact.port


@Rule(
    id="HW129",
    title="a name that the application does not read",
    why="Programs that ask a server pass over variables that they do not know. "
    "Open WebUI has renamed its variables for web search, and those for speech begin with "
    "`AUDIO_`. It ignores what it does not know: with the old names a search stays off. What was "
    "once saved in its own settings counts before any variable.",
    bad="environment: [ENABLE_RAG_WEB_SEARCH=true]",
    good="environment: [ENABLE_WEB_SEARCH=true]",
    source="backend/open_webui/config.py of open-webui 0.12.4: Web Search, Audio",
)
def unread_by_the_client(view: View, facts: Facts) -> Hits:
    for client, fact in _known(view, facts):
        for name, right in fact.gone if fact.gone and _is_new(client, fact) else ():
            told = _variable(client, name)
            if told is None or _variable(client, right) is not None:
                continue
            line = Edit(told.place, name, right)
            yield Hit(
                message=f"{fact.product} does not read `{name}`",
                place=told.place,
                fix=f"write `{right}`",
                edits=(line,) if told.place.line and view.phrases.mendable else (),
                unsafe=True,
            )


def _is_new(client: Client, fact: ClientFact) -> bool:
    """Return whether a client is of a release that reads none of the old names."""
    told = re.match(r"v?(\d{1,6}\.\d{1,6}(?:\.\d{1,6})?)(?!\d)", client.container.tag, re.ASCII)
    if told is None or not fact.gone_since:
        return True
    return Release.parse(told[1]) >= Release.parse(fact.gone_since)


@Rule(
    id="HW538",
    title="a published port at which the application does not listen",
    why="The second number of a published port is the container's. Open WebUI listens on 8080 "
    "unless PORT says otherwise: at any other port nobody answers.",
    bad='ports: ["8081:8081"]',
    good='ports: ["8081:8080"]',
    source="backend/start.sh of open-webui: PORT",
)
def unheard_port(view: View, facts: Facts) -> Hits:
    for client, fact in (one for one in _known(view, facts) if one[1].listens):
        port = _listens(client, fact)
        told = [(text, place, inside_of(text)[1]) for text, place in client.container.ports]
        if port is None or client.container.host_network or any(covers(i, port) for *_, i in told):
            continue
        for text, place, inside in told[:1]:
            right = re.sub(rf"{inside}(?=/|$)", str(port), text)
            yield Hit(
                message=f"{fact.product} listens on {port} in its container, not on {inside}: "
                "nobody answers at this port",
                place=place,
                fix=f"write `{right}`, or set `{fact.listens}` to `{inside}`",
            )
