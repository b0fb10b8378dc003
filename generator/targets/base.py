"""What a Target is: a module with a name, a summary, `render` and `limitations`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.plan import Plan


@dataclass(frozen=True, slots=True)
class File:
    """One rendered file.

    `path` is relative, with `/`; `note` marks prose for people (a README), which goes into a
    bundle but never to stdout.
    """

    path: str
    text: str
    executable: bool = False
    note: bool = False


class Target(Protocol):
    """A renderer. Modules satisfy this; there is no class to derive from."""

    NAME: str
    SUMMARY: str

    def render(self, plan: Plan) -> tuple[File, ...]:
        """Return the files for `plan`; total, or `RenderError` naming the setting. Pure."""

    def limitations(self, plan: Plan) -> tuple[Finding, ...]:
        """Return what this target cannot express of `plan`, as HW6xx Findings. Pure."""
