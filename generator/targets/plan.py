"""Target `plan`: the Plan itself, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.codec import to_dict
from generator.formats.data import to_json
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Plan
    from generator.targets.base import LeftOut


LEFT_OUT: Final[tuple[LeftOut, ...]] = ()


def render(plan: Plan) -> tuple[File, ...]:
    """Return `plan.json`; `generator.codec.from_dict` reads it back."""
    return (File("plan.json", to_json(to_dict(plan))),)


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return nothing: nobody installs a Plan."""
    return ()
