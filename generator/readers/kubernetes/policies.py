"""NetworkPolicies that keep a server from where it pulls models, or its clients from it.

What selects a pod adds up: it may do what one of them allows. Source: kubernetes.io, Network
Policies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.records import dataclass
from generator.units import whole
from generator.view import BARRED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.kubernetes.pods import Pod
    from generator.view import View

_OPEN: Final = re.compile(r"[${]")
_HTTPS: Final = 443
_PLAIN: Final = re.compile(r"(?:[\w-]+/)?[\w.-]+(?::[\w.-]+)?", re.ASCII)
_PROXIES: Final = frozenset({"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HF_ENDPOINT"})
"""Variables by which a pull goes another way."""


def barred(
    tables: Sequence[Table], served: Sequence[tuple[Pod, View]], port: int, address: str
) -> Iterator[Line]:
    """Yield the policies that bar pulls from the internet, or the port of a server with a Service.

    `address` is the variable by which a server listens elsewhere.
    """
    policies = _by_namespace(tables, port)
    for pod, view in served if policies else ():
        own = policies.get(pod.owner.text("metadata", "namespace"), [])
        labels = _texts(pod.pod.table("metadata", "labels"))
        chosen = [one for one in own if one.selects.items() <= labels.items()]
        if not chosen or any(one.open for one in own) or _is_open(pod.pod.table("metadata")):
            continue
        out = [one for one in chosen if "Egress" in one.types]
        if out and not any(one.lets_out for one in out) and _pulls(view):
            yield _line(out[0].table, "egress", "pulls")
        into = [one for one in chosen if "Ingress" in one.types]
        asked = pod.services and view.variable(address) is None
        if asked and into and not any(one.lets_in for one in into):
            yield _line(into[0].table, "ingress", "clients")


@dataclass(frozen=True, slots=True)
class _Policy:
    """What a policy says: the labels that it selects by, and whether it lets through what counts.

    `open`: nobody can tell here whom it selects. One that selects by no label selects all.
    """

    table: Table
    selects: dict[str, str]
    open: bool
    types: frozenset[str]
    lets_out: bool
    lets_in: bool


def _by_namespace(tables: Sequence[Table], port: int) -> dict[str, list[_Policy]]:
    """Return the policies of each namespace; each is read once, however many pods there are."""
    found: dict[str, list[_Policy]] = {}
    for one in (one for one in tables if one.text("kind") == "NetworkPolicy"):
        policy = _Policy(
            one,
            _texts(one.table("spec", "podSelector", "matchLabels")),
            _is_open(one),
            _types(one),
            lets_out=_allows(one, "egress", _HTTPS),
            lets_in=_allows(one, "ingress", port),
        )
        found.setdefault(one.text("metadata", "namespace"), []).append(policy)
    return found


def _texts(table: Table) -> dict[str, str]:
    return {key: node.text for key, node in table.entries.items() if isinstance(node, Scalar)}


def _is_open(table: Table) -> bool:
    """Whether nobody can tell here whom a policy selects, or which labels a pod has."""
    selector = table.table("spec", "podSelector")
    texts = {**_texts(selector.table("matchLabels")), **_texts(table.table("labels"))}
    return "matchExpressions" in selector.entries or any(map(_OPEN.search, texts.values()))


def _types(policy: Table) -> frozenset[str]:
    told = {one.text for one in policy.items("spec", "policyTypes") if isinstance(one, Scalar)}
    usual = {"Ingress", *(["Egress"] if policy.table("spec").get("egress") else [])}
    return frozenset(told or usual)


def _pulls(view: View) -> bool:
    """Whether a server pulls something from the registry that it has by itself."""
    another = any(view.variable(name) for name in _PROXIES) or view.more_variables
    names = [one.name for one in view.models if one.pulled]
    return not another and any(map(_PLAIN.fullmatch, names))


def _allows(policy: Table, side: str, port: int) -> bool:
    """Whether a policy lets through what goes to a port, or may do so for all that is known."""
    rules = policy.table("spec").get(side)
    if rules is not None and not isinstance(rules, Items):
        return True
    return any(
        not isinstance(rule, Table) or _opens(rule, port) for rule in policy.items("spec", side)
    )


def _opens(rule: Table, port: int) -> bool:
    ports = rule.items("ports")
    return not ports or any(not isinstance(one, Table) or _is(one, port) for one in ports)


def _is(told: Table, port: int) -> bool:
    """Whether a port of a policy is one, or may be: a name, or a range that has it."""
    first, end = whole(told.text("port")), told.text("endPort")
    last = whole(end) if end else first
    if told.text("protocol") in {"UDP", "SCTP"}:
        return False
    return first is None or last is None or first <= port <= last


def _line(policy: Table, side: str, what: str) -> Line:
    spec = policy.table("spec")
    at = spec.place_of(side if side in spec.entries else "policyTypes")
    place = Place(at.file, at.line, f"spec.{side}")
    return Line(section=BARRED, name=policy.text("metadata", "name"), value=what, place=place)
