"""Views for tests of rules: what a file would say, without the file."""

from collections.abc import Mapping
from typing import Any

from generator.host import Host
from generator.readers.compose import COMPOSE
from generator.readers.environment import ENVIRONMENT
from generator.readers.helm import HELM
from generator.readers.nixos import CONTAINER, MODULE
from generator.readers.plan import PROFILE
from generator.readers.quadlet import QUADLET
from generator.readers.systemd import RUN, UNIT
from generator.rules.registry import ordered
from generator.rules.rule import Rule
from generator.view import Bound, LocatedFinding, Place, Variable, View
from tests.facts import facts_at

FILE = "override.conf"
BOOKS = {book.kind: book for book in (UNIT, ENVIRONMENT, COMPOSE, HELM, MODULE, QUADLET, PROFILE)}
OF_CONTAINERS = {"systemd": RUN, "nixos": CONTAINER}


def view(
    env: Mapping[str, str] | None = None,
    bounds: Mapping[str, int | str | None] | None = None,
    *,
    release: str = "0.32.15",
    kind: str = "systemd",
    **more: Any,
) -> View:
    """Make a View of a drop-in: variables and limits on lines 1, 2, 3 … in the order given.

    `kind` is the format of the file. `more` are further fields of View, which win; `host` may be
    a mapping of Host's fields.
    """
    if isinstance(more.get("host"), Mapping):
        more["host"] = Host(**more["host"])
    variables = tuple(
        Variable(name=name, value=value, place=Place(FILE, line), written=value)
        for line, (name, value) in enumerate((env or {}).items(), 1)
    )
    limits = tuple(
        Bound(name=name, value=value, place=Place(FILE, len(variables) + line))
        for line, (name, value) in enumerate((bounds or {}).items(), 1)
    )
    fields: dict[str, Any] = {
        "phrases": OF_CONTAINERS.get(kind, BOOKS[kind]) if more.get("container") else BOOKS[kind],
        "engine": "ollama",
        "name": "ollama.service",
        "place": Place(FILE),
        "release": facts_at(release).release,
        "release_told": True,
        "variables": variables,
        "bounds": limits,
    }
    return View(**{**fields, **more})


def found(rule: Rule, seen: View) -> tuple[LocatedFinding, ...]:
    """Return what one rule has to say about a View."""
    return ordered(tuple(rule.judge(seen, facts_at(str(seen.release)))))
