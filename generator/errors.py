"""The one hierarchy of expected failures, and the Findings that rules return.

```
HostwrightError            exit 2   anything below; printed as `error: …` and `hint: …`
├── ProfileError           exit 2   a profile or a flag is wrong; carries every Problem at once
├── CatalogueError         exit 3   a shipped data file is broken
├── RenderError            exit 2   a target was asked for something that it cannot express
├── WriteRefused           exit 2   writing would lose something of the user's
└── EnvironmentFailure     exit 3   the machine failed us: no tool, no permission, no space
```
Only `generator.cli` prints these; an exception outside this tree is a bug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""The worst first."""


def shortened(text: str, room: int = 60) -> str:
    """Return `text` for a message: cut with `…` where it has more than `room` characters."""
    return text if len(text) <= room else f"{text[: room - 1]}…"


class HostwrightError(Exception):
    """An expected failure: `message` says what happened, `hint` what to do about it."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of an input.

    `where` is the key path (`ollama.keep_alive`); `source` the file or flag that it stands in,
    empty for the one that the error is about.
    """

    where: str
    message: str
    hint: str = ""
    source: str = ""


class ProfileError(HostwrightError):
    """A profile is wrong in form or meaning; `problems` holds all of it, in file order."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__(f"{source} has {count}")
        self.source = source
        self.problems = problems


class CatalogueError(HostwrightError):
    """A shipped data file does not hold what the program needs."""

    exit_code = 3


class RenderError(HostwrightError):
    """A target cannot express a setting of the Plan; the message names the setting.

    `where` is the key of the profile that it came from, if that is known.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint)
        self.where = where


class NotForEngine(RenderError):
    """A target has nothing for the engine of the Plan, whatever else it says."""


class WriteRefused(HostwrightError):
    """Writing would overwrite or leave the place the user named."""


class EnvironmentFailure(HostwrightError):
    """The machine failed: a tool is missing, a directory is read-only, a disk is full."""

    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a Rule, `resolve` or a Target has to say about one setting.

    `rule` is a stable id (`HW201`), `where` the profile key or setting that it is about,
    `fix` what to write instead (empty: nothing to do), `link` the source of the claim, `ignored`
    the reason for which the profile or the file itself silences it.
    """

    rule: str
    severity: Severity
    message: str
    where: str
    fix: str = ""
    link: str = ""
    ignored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A rule whose findings are not shown, and why."""

    rule: str
    reason: str


def quietened(finding: Finding, silences: Iterable[Silence]) -> Finding:
    """Return the Finding, with the reason in `ignored` if its rule is silenced."""
    reasons = {silence.rule: silence.reason for silence in silences}
    return replace(finding, ignored=reasons.get(finding.rule, finding.ignored))


def split_message(error: ValueError) -> tuple[str, str]:
    """Return message and hint of a parser's error, which is written `what; what to do`.

    The last `; ` parts them, because the value that the message quotes may hold others.
    """
    message, separator, hint = str(error).rpartition("; ")
    return (message, hint) if separator else (hint, "")
