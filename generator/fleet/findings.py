"""What there is to say about a decided fleet, each Finding once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from generator.errors import shortened
from generator.rules.decided import NO_SUCH_MODULE
from generator.targets import limitations

if TYPE_CHECKING:
    from pathlib import Path

    from generator.errors import Finding
    from generator.fleet.decide import Decided


def findings_of(fleet: Decided, output: Path | None = None) -> list[Finding]:
    """Return the Findings of all hosts, and which modules are missing in the directory `output`."""
    hosts: dict[Finding, list[str]] = {}
    for node in fleet.nodes:
        for finding in (*node.plan.findings, *limitations(node.target, node.plan)):
            if not finding.ignored:
                hosts.setdefault(finding, []).append(node.name)
    found = [
        dataclasses.replace(finding, where=f"{shortened(', '.join(names))}: {finding.where}")
        for finding, names in hosts.items()
    ]
    return found if output is None else [*found, *_modules_missing(fleet, output)]


def _modules_missing(fleet: Decided, output: Path) -> list[Finding]:
    paths = {path for node in fleet.nodes for path in node.modules}
    return [
        NO_SUCH_MODULE.finding(
            f"there is no `{path}` in {output}, so its hosts do not evaluate",
            "modules",
            "write it, and have git track it",
        )
        for path in sorted(paths)
        if not (output / path).exists()
    ]
