"""What a Target is, and the words that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from generator.plan import MODELFILES, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.errors import Finding
    from generator.plan import Plan, Step

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class File:
    """One rendered file; `path` is relative, with `/`. A `static` one is the same for any Plan."""

    path: str
    text: str
    executable: bool = False
    static: bool = False


class Target(Protocol):
    """A renderer. Modules satisfy this; there is no class to derive from."""

    def render(self, plan: Plan) -> tuple[File, ...]:
        """Return the files for `plan`; total, or `RenderError` naming the setting. Pure."""

    def install_note(self, plan: Plan) -> tuple[File, ...]:
        """Return what people apply, verify and remove a bundle with: a README, scripts. Pure."""

    def limitations(self, plan: Plan) -> tuple[Finding, ...]:
        """Return what this target cannot express of `plan`, as HW6xx Findings. Pure."""


def placed(step: Step, program: Place, modelfile: Callable[[str], Place]) -> list[str | Place]:
    """Return the arguments of a Step, each placeholder replaced by what this target has there.

    A placeholder is a whole argument. `modelfile` is asked for the place of a Modelfile by name.
    """

    def argument(text: str) -> str | Place:
        folder, _, name = text.rpartition("/")
        if folder == MODELFILES:
            return modelfile(name)
        return program if text == PROGRAM else text

    return [argument(text) for text in step.argv]
