"""What the server's log says that is known to be wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.records import LogFault
    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms

_LONGEST: Final = 2000
"""Characters of a line that are looked at."""


def lines(s: Symptoms) -> Iterator[Result]:
    """Yield each known fault of the log with the line that says so, and how often."""
    says = Says("log")
    if not s.log:
        why = "nobody here may read the server's log, or none is kept"
        yield says.unknown(why, f"sudo journalctl -u {s.service.unit} -n 50")
        return
    found: dict[str, list[str]] = {}
    patterns = [(f, re.compile(f.pattern, re.IGNORECASE)) for f in s.facts.log_faults]
    for line in s.log.splitlines():
        told = line[:_LONGEST]
        if fault := next((f for f, pattern in patterns if pattern.search(told)), None):
            found.setdefault(fault.id, []).append(told)
    for fault in s.facts.log_faults:
        if there := found.get(fault.id):
            times = f" ({len(there)} times)" if len(there) > 1 else ""
            judge = says.fault if fault.worse else says.warning
            yield judge(f"{fault.says}{times}", _remedy(fault, s), there[-1])
    if not found:
        yield says.ok("no known fault is in it since the last start")


def _remedy(fault: LogFault, s: Symptoms) -> str:
    words = {"unit": s.service.unit, "port": s.port, "models": s.folder or "/"}
    told = fault.remedy.format(restart=s.restart, settings=s.see_settings, **words)
    return f"{told}; {s.set_variable(fault.variable)}" if fault.variable else told
