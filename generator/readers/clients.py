"""Programs that ask servers: which of them a container runs, by its image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generator.around import Client
from generator.catalogue.clients import ClientFact
from generator.readers.base import image_name
from generator.view import NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.readers.base import Context
    from generator.view import Container, Phrases, Variable, View


def client_in(image: str, context: Context) -> str:
    """Return the client whose image it is, also of a mirror; empty: none.

    For the first engine alone: a file is read for each, and its clients are to be judged once.
    """
    base = image_name(image).repository.rpartition("/")[2]
    if not base or context.engine.name != context.catalogue.engine:
        return ""
    every = context.catalogue.all("client", ClientFact)
    return next((one.name for one in every if one.port and one.package.endswith(f"/{base}")), "")


def client(
    name: str,
    container: Container,
    variables: Iterable[Variable],
    gaps: Iterable[NotJudged] = (),
) -> Client:
    """Return a client with its variables, of each name the last, which counts."""
    last = {variable.name: variable for variable in variables}
    return Client(
        name=name,
        container=container,
        variables=tuple(last.values()),
        more_variables=any(gap.variables for gap in gaps),
    )


def with_clients(views: Sequence[View], clients: Sequence[Client]) -> tuple[View, ...]:
    """Return Views of servers, of which the first gets the clients beside them."""
    if not clients:
        return tuple(views)
    first, *others = views
    return (replace(first, clients=(*first.clients, *clients)), *others)


def clients_alone(
    clients: Sequence[Client],
    book: Phrases,
    context: Context,
    place: Place,
    **fields: Any,  # noqa: ANN401 -- of a View
) -> View:
    """Return the View of clients in a file that runs no server."""
    rest = NotJudged(
        file=place.file,
        part="what else it says",
        reason="it runs no server, and of a client its login, its port and old names are judged",
        hint="name the file that starts the server as well",
    )
    return context.view(
        book,
        context.release_for(),
        place=place,
        adds=True,
        clients=tuple(clients),
        **{"name": clients[0].name, "not_judged": (rest,), **fields},
    )
