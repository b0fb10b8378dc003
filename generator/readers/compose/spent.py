"""Variables of a script that Compose fills in before the shell does: `$x` where `$$x` is meant."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import SPENT, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEYS: Final = (("entrypoint",), ("command",), ("healthcheck", "test"))
_REFERENCE: Final = re.compile(r"\$(?:\$|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_SETS: Final = re.compile(
    r"(?:^|[\s;&|(])(?:(?:export|local|readonly)\s{1,9})?([A-Za-z_]\w*)="
    r"|\bfor\s{1,9}([A-Za-z_]\w*)\s{1,9}in\b"
    r"|\bread\s{1,9}(?:-\w{1,9}\s{1,9}){0,3}([A-Za-z_]\w*)",
    re.MULTILINE,
)
_LONGEST: Final = 100_000


def spent(service: Table, around: Mapping[str, str | None]) -> Iterator[Line]:
    """Yield the variables of the scripts of a service that are empty before a shell reads them.

    The script sets them itself, or the container has them; `around` is what Compose knows.
    """
    given = service.table("environment").entries.items()
    own = {name for name, node in given if isinstance(node, Scalar) and _is_told(node)}
    for key in _KEYS:
        for node in service.items(*key):
            if isinstance(node, Scalar) and not node.explicit:
                yield from _in_script(node, own, around)


def _is_told(node: Scalar) -> bool:
    return node.explicit and bool(node.text) and "$" not in node.written


def _in_script(node: Scalar, own: set[str], around: Mapping[str, str | None]) -> Iterator[Line]:
    text = node.written[:_LONGEST]
    known = own | {name for found in _SETS.findall(text) for name in found if name}
    seen: set[str] = set()
    for found in _REFERENCE.finditer(text):
        name = found[1] or found[2]
        if name not in known or name in seen or around.get(name) is not None:
            continue
        seen.add(name)
        line = node.starts + text.count("\n", 0, found.start())
        yield Line(section=SPENT, name=name, value=found[0], place=replace(node.place, line=line))
