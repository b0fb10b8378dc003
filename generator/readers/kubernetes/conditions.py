"""Conditions of a Helm template: whether one holds, as far as values tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(r'\(|\)|"[^"]*"|[^\s()"]+')
_FALSE: Final = frozenset({"", "false", "0", "null", "~"})
_DEEPEST: Final = 10

Operand = bool | str | None


def holds(condition: str, value: Callable[[str], Node | None]) -> bool | None:
    """Return whether a condition holds; None: nobody knows.

    `value` returns the node of a name like `.Values.a`, and raises LookupError for what is none.
    """
    tokens = _TOKEN.findall(condition)
    try:
        found, rest = _expression(tokens, value, 0)
    except (LookupError, ValueError):
        return None
    return None if rest else _truth(found)


def _truth(operand: Operand) -> bool | None:
    return operand not in _FALSE if isinstance(operand, str) else operand


def _expression(
    tokens: list[str], value: Callable[[str], Node | None], depth: int
) -> tuple[Operand, list[str]]:
    """Return what the first operand or call of a list of tokens is, and the tokens behind it."""
    if not tokens or depth > _DEEPEST:
        raise ValueError(tokens)
    word, rest = tokens[0], tokens[1:]
    if word in _CALLS:
        operands: list[Operand] = []
        while rest and rest[0] != ")":
            one, rest = _operand(rest, value, depth + 1)
            operands.append(one)
        return _called(word, operands), rest
    return _operand(tokens, value, depth + 1)


def _operand(
    tokens: list[str], value: Callable[[str], Node | None], depth: int
) -> tuple[Operand, list[str]]:
    word, rest = tokens[0], tokens[1:]
    if word == "(":
        found, rest = _expression(rest, value, depth)
        if rest[:1] != [")"]:
            raise ValueError(tokens)
        return found, rest[1:]
    if word[0] == '"':
        return word[1:-1], rest
    if word in {"true", "false"} or word.isdigit():
        return word, rest
    return _of(value(word)), rest


def _of(node: Node | None) -> Operand:
    if node is None:
        return ""
    if isinstance(node, Scalar):
        return "" if node.kind == "null" else node.text
    return bool(node.items if isinstance(node, Items) else node.entries)


_CALLS: Final = frozenset({"not", "and", "or", "eq", "ne"})


def _called(word: str, operands: list[Operand]) -> Operand:
    truths = [_truth(one) for one in operands]
    if word == "not" and len(operands) == 1:
        return None if truths[0] is None else not truths[0]
    if word == "and":
        return False if False in truths else None if None in truths else True
    if word == "or":
        return True if True in truths else None if None in truths else False
    if word in {"eq", "ne"} and all(isinstance(one, str) for one in operands):
        return (operands[0] in operands[1:]) == (word == "eq")
    return None
