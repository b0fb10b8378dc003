"""Every value of a Plan with its reason, wherever it stands: one walk, for whoever shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.codec import to_dict
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.plan import Plan

_END: Final = "_reason"
_NAMES: Final = ("name", "directive", "label", "kind", "what")
_VALUES: Final = ("value", "written", "address", "policy", "image", "size", "unit", "branch")
_APART: Final = frozenset({"offered", "silences", "findings"})
"""What is not decided: what might be done, and what is said."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A value of a Plan: where it stands, as a path of names, and why it is so.

    `source` is what it comes from, `key` the profile key; empty where the Plan does not say.
    """

    where: str
    name: str
    value: str
    reason: str
    source: str = ""
    key: str = ""


def reasons(plan: Plan) -> tuple[Reason, ...]:
    """Return every value of a Plan that has a reason, in the order of the Plan."""
    return tuple(_in(to_dict(plan), ()))


def _in(node: Any, path: tuple[str, ...]) -> Iterator[Reason]:  # noqa: ANN401 -- what JSON has
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _in(item, (*path, _named(item) or str(number)))
    elif isinstance(node, dict):
        yield from _own(node, path)
        for key, inner in node.items():
            if key not in _APART:
                yield from _in(inner, (*path, key))


def _own(node: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Reason]:
    """Yield what a record itself gives reasons for: its value, and its fields."""
    if node.get("reason"):
        name = path[-1] if path else ""
        told = next((node[key] for key in _VALUES if key in node), "")
        source, key = (str(node.get(one, "")) for one in ("source", "key"))
        yield Reason(".".join(path), name, _text(told), node["reason"], source, key)
    for field, reason in node.items():
        if field.endswith(_END) and reason:
            name = field.removesuffix(_END)
            told = next((v for k, v in node.items() if k in {name, f"{name}_seconds"}), "")
            yield Reason(".".join((*path, name)), name, _text(told), reason)


def _named(item: Any) -> str:  # noqa: ANN401 -- what JSON has
    told = (item.get(key) for key in _NAMES) if isinstance(item, dict) else ()
    return next((one for one in told if isinstance(one, str) and one), "")


def _text(value: Any) -> str:  # noqa: ANN401 -- what JSON has
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
