"""HW212: limits that look set and are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Rule
from generator.view import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, View


_BINARY: Final = re.compile(r"(\d+)\s*([kmgtpe])(i?)(b?)", re.IGNORECASE)


@Rule(
    id="HW212",
    severity="error",
    title="a limit that systemd cannot read",
    why="systemd says so in its log, once, and runs the service without the limit. Sizes end in K, "
    "M, G or T without `B` and `iB`; a quota ends in `%`.",
    bad="MemoryMax=20GiB\nCPUQuota=20",
    good="MemoryMax=20G\nCPUQuota=2000%",
    source="systemd.resource-control(5); systemd-analyze verify",
)
def unreadable_limit(view: View, _: Facts) -> Iterator[Hit]:
    """The service runs without it."""
    for line in view.unread:
        if line.name == "Environment":
            continue
        right = _meant(line)
        yield Hit(
            message=f"systemd cannot read `{line.name}={line.value}` and sets no limit",
            place=line.place,
            fix=f"write `{line.name}={right}`" if right else _how(line),
            edits=_edits(line, right),
        )


def _meant(line: Line) -> str:
    """Return the value as systemd spells it, where there is no doubt; decimal units leave one."""
    found = _BINARY.fullmatch(line.value)
    decimal = found is not None and bool(found[4]) and not found[3]
    sized = line.name.startswith("Memory") or line.name == "LimitMEMLOCK"
    return f"{found[1]}{found[2].upper()}" if found and sized and not decimal else ""


def _how(line: Line) -> str:
    if line.name == "CPUQuota":
        return "write percent of one CPU: `2000%` is 20 CPUs"
    if line.name.startswith("Memory"):
        return "write it like `20G`, 1024 based"
    return "see `gen explain " + line.name + "`"


def _edits(line: Line, right: str) -> tuple[Edit, ...]:
    return (Edit(line.place, line.value, right),) if right else ()
