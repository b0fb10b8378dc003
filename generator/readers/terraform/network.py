"""What of a module keeps a port from the world: security groups and firewalls of the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

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
