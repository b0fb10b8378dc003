"""Views for tests of rules: what a file would say, without the file."""

from collections.abc import Mapping
from typing import Any

from generator.host import Host
from generator.rules import judge
from generator.rules.rule import Rule
from generator.view import Bound, Place, Placed, Variable, View
from tests.facts import facts_at

FILE = "override.conf"


def view(
    env: Mapping[str, str] | None = None,
    bounds: Mapping[str, int | str | None] | None = None,
    *,
    release: str = "0.32.15",
    **more: Any,
) -> View:
    """Make a View of a drop-in: variables and limits on lines 1, 2, 3 … in the order given.

    `more` are further fields of View, which win; `host` may be a mapping of Host's fields.
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
        "origin": "systemd",
        "name": "ollama.service",
        "place": Place(FILE),
        "release": facts_at(release).release,
        "release_told": True,
        "variables": variables,
        "bounds": limits,
    }
    return View(**{**fields, **more})


def found(rule: Rule, seen: View) -> tuple[Placed, ...]:
    """Return what one rule has to say about a View."""
    return judge(seen, facts_at(str(seen.release)), (rule,))
