"""What of a module keeps a port from the world: security groups and firewalls of the cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.units import whole
from generator.view import WORLD, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.syntax.hcl import Block
    from generator.readers.terraform.evaluate import Module

_GROUPS: Final = frozenset({"aws_security_group", "azurerm_network_security_group"})
"""What lets nobody in whom it does not name."""
_RULES: Final = {
    "aws_security_group_rule": "ingress",
    "aws_vpc_security_group_ingress_rule": "",
    "azurerm_network_security_rule": "Inbound",
}
_WORLD: Final = frozenset({"0.0.0.0/0", "::/0", "*", "Internet", "Any"})
_SOURCES: Final = (
    *("cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"),
    *("source_address_prefix", "source_address_prefixes"),
)
_MODULES: Final = ("security-group", "security_group", "firewall")


def is_shut(module: Module, port: int) -> bool:
    """Return whether a module has groups of the cloud, and none of them opens a port to everybody.

    Who is let in by a variable without a default, is for whoever sets that.
    """
    blocks = [b for b in module.blocks if b.kind == "resource" and len(b.labels) > 1]
    groups = [b for b in blocks if b.labels[0] in _GROUPS]
    if not groups or any(_elsewhere(b, module) for b in module.blocks if b.kind == "module"):
        return False
    rules = [rule for block in groups for rule in _inside(module.resource(block))]
    rules += (module.resource(b) for b in blocks if b.labels[0] in _RULES and _comes_in(b, module))
    return not any(_opens(rule, port) for rule in rules)


def opened_to_all(module: Module, files: Iterable[str], port: int) -> Iterator[Line]:
    """Yield where rules for that port let everybody in: the type of the rule's owner, whom."""
    for block in module.blocks:
        kind = block.labels[0] if block.labels else ""
        if block.kind == "resource" and block.file in files and kind in _OWNERS:
            table = module.resource(block)
            for rule in _rules_of(kind, table):
                told = next(iter(_world(rule)), None)
                if told is not None and _is_about(rule, port) and table.text("count") != "0":
                    key, text = told
                    yield Line(section=WORLD, name=kind, value=text, place=rule.place_of(key))


_OWNERS: Final[dict[str, tuple[str, ...]]] = {
    "aws_security_group": ("ingress",),
    "aws_default_security_group": ("ingress",),
    "aws_security_group_rule": (),
    "aws_vpc_security_group_ingress_rule": (),
    "azurerm_network_security_group": ("security_rule",),
    "azurerm_network_security_rule": (),
    "google_compute_firewall": ("allow",),
    "digitalocean_firewall": ("inbound_rule",),
    "hcloud_firewall": ("rule",),
    "linode_firewall": ("inbound",),
    "openstack_networking_secgroup_rule_v2": (),
    "scaleway_instance_security_group": ("inbound_rule",),
}
"""What opens ports in a cloud, and the blocks of it that do; none: it does so itself."""
_OUTWARD: Final = frozenset({"egress", "outbound", "out"})
_REFUSE: Final = frozenset({"deny", "drop"})
_FROM: Final = (
    *_SOURCES,
    *("source_ranges", "source_addresses", "source_ips", "remote_ip_prefix", "ip_range"),
    *("ipv4", "ipv6"),
)


def _rules_of(kind: str, table: Table) -> Iterator[Table]:
    """Yield the rules of a resource that let something in; of Google's, whom stands beside them."""
    keys = _OWNERS[kind]
    found = [table] if not keys else [n for k in keys for n in table.items(k)]
    for rule in (one for one in found if isinstance(one, Table)):
        around = {**table.entries, **rule.entries} if kind.startswith("google_") else rule.entries
        whole_rule = replace(rule, entries=around, places={**table.places, **rule.places})
        ways = {rule.text("direction").lower(), whole_rule.text("direction").lower()}
        ways |= {table.text("type").lower()} if not keys else set()
        refuses = {whole_rule.text(k).lower() for k in ("access", "action")} & _REFUSE
        if not ways & _OUTWARD and not refuses and whole_rule.text("protocol").lower() != "udp":
            yield whole_rule


def _world(rule: Table) -> Iterator[tuple[str, str]]:
    for key in _FROM:
        for text in _texts(rule.get(key)):
            if text in _WORLD:
                yield key, text


_PORTS: Final = (
    *("ports", "port", "port_range", "destination_port_range", "destination_port_ranges"),
)


def _is_about(rule: Table, port: int) -> bool:
    """Whether a rule names that port, by itself or in a list of a few."""
    named = [
        text
        for key in _PORTS
        for part in _texts(rule.get(key))
        for text in part.replace(" ", "").split(",")
    ]
    for first, last in (("from_port", "to_port"), ("port_range_min", "port_range_max")):
        low, high = rule.text(first), rule.text(last)
        named += [f"{low}-{high}"] if low and high else []
    return any(_is_narrow(text) and _within(text, port) for text in named)


_NARROW: Final = 100


def _is_narrow(text: str) -> bool:
    """Whether a range is about a few ports, rather than about any."""
    low, _, high = text.replace(":", "-").partition("-")
    first, last = whole(low), whole(high or low)
    return first is not None and last is not None and 0 <= last - first < _NARROW


def _elsewhere(block: Block, module: Module) -> bool:
    """Whether a module of others may make rules of its own."""
    return any(word in module.resource(block).text("source") for word in _MODULES)


def _inside(group: Table) -> Iterator[Table]:
    for key in ("ingress", "security_rule"):
        for node in group.items(key):
            inbound = isinstance(node, Table) and node.text("direction") != "Outbound"
            if isinstance(node, Table) and inbound and node.text("access") != "Deny":
                yield node


def _comes_in(block: Block, module: Module) -> bool:
    table, way = module.resource(block), _RULES[block.labels[0]]
    told = table.text("type") or table.text("direction")
    return (not way or told == way) and table.text("access") != "Deny"


def _opens(rule: Table, port: int) -> bool:
    return _covers(rule, port) and any(
        text in _WORLD for key in _SOURCES for text in _texts(rule.get(key))
    )


def _covers(rule: Table, port: int) -> bool:
    """Whether a rule is about a port, or may be."""
    if rule.text("protocol") in {"-1", "all"} or rule.text("ip_protocol") == "-1":
        return True
    first, last = rule.scalar("from_port"), rule.scalar("to_port")
    if first is None or last is None:
        named = [*_texts(rule.get("destination_port_range"))]
        named += _texts(rule.get("destination_port_ranges"))
        return not named or any(_within(text, port) for text in named)
    return _within(f"{first.text}-{last.text}", port)


def _within(text: str, port: int) -> bool:
    low, _, high = text.partition("-")
    first, last = whole(low), whole(high or low)
    return first is None or last is None or first <= port <= last


def _texts(node: Node | None) -> Iterator[str]:
    nodes = node.items if isinstance(node, Items) else (node,)
    yield from (one.text for one in nodes if isinstance(one, Scalar))
