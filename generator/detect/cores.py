"""The names of Arm cores, which /proc/cpuinfo tells by number."""

from __future__ import annotations

from collections import Counter

from generator.catalogue.catalogue import load_catalogue


def core_names(blocks: list[dict[str, str]]) -> str:
    """Return what cores there are: `10 Cortex-X925, 10 Cortex-A725`; one kind: its name alone."""
    names = Counter(_name(block) for block in blocks)
    if "" in names:
        return ""
    if len(names) == 1:
        return next(iter(names))
    # The fast ones have the higher part numbers in their family only, so order by name: X before A.
    ordered = sorted(names.items(), key=lambda item: ("-X" not in item[0], item[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)


def _name(block: dict[str, str]) -> str:
    try:
        implementer = int(block.get("CPU implementer", ""), 16)
        part = int(block.get("CPU part", ""), 16)
    except ValueError:
        return ""
    return load_catalogue().core_name(implementer, part)
