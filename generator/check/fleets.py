"""Fleet files in a check: what is wrong with each host, and what there is to say of its Plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generator.check.profiles import broken, line_of
from generator.errors import HostwrightError, ProfileError
from generator.readers.discover import STDIN
from generator.rules.decided import UNREADABLE
from generator.view import LocatedFinding, Place

if TYPE_CHECKING:
    from generator.errors import Finding


def check_fleet(
    name: str, text: str, stdin: bytes | None = None
) -> tuple[tuple[LocatedFinding, ...], dict[str, str]]:
    """Return what there is to say of the fleet in a file, and the text of that file.

    A host that is wrong hides no other, but the Plans are only judged where all of them are right.
    """
    # A check of other files needs no Plans.
    from generator.fleet.decide import decide_fleet, findings_of

    texts = {name: text}
    try:
        fleet = decide_fleet(Path(name if stdin is None else STDIN), stdin=stdin)
    except ProfileError as error:
        for problem in error.problems:
            source = problem.source or error.source
            if source not in texts and Path(source).is_file():
                texts[source] = Path(source).read_text(encoding="utf-8", errors="replace")
        return tuple(broken(error, problem, texts) for problem in error.problems), texts
    except HostwrightError as error:
        finding = UNREADABLE.finding(error.message, fix=error.hint)
        return (LocatedFinding(finding, Place(name)),), texts
    folder = Path(name).parent
    # Beside the flake that is made of it, the modules that it names have to lie.
    found = findings_of(fleet, folder if (folder / "flake.nix").exists() else None)
    return tuple(_placed(finding, name, text) for finding in found), texts


def _placed(finding: Finding, name: str, text: str) -> LocatedFinding:
    """Place a Finding at the table of the first host that it is about."""
    hosts, _, key = finding.where.partition(": ")
    host = hosts.partition(",")[0]
    line = line_of(text, f"hosts.{host}.overrides.{key}") if key else line_of(text, "hosts")
    return LocatedFinding(finding, Place(name, line, finding.where), setting=key)
