"""How to ask the program that reads what a target writes: a module for each, of its name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from generator.targets import load_target

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.effective import Effective


class Consumer(Protocol):
    """What a module here has."""

    def complaints(self, folder: Path, plan: Plan) -> list[str]:
        """Return every line that the program has against the files in `folder`."""

    def read(self, folder: Path, plan: Plan) -> Effective:
        """Return the server as the program understands it; ConsumerError for any complaint."""

    def compare(self, plan: Plan, found: Effective) -> None:
        """Assert that what was found is the Plan."""


def consumer(target: str) -> Consumer:
    """Return the module for `target`."""
    return cast("Consumer", import_module(f"{__name__}.{target}"))


def written(target: str, plan: Plan, folder: Path) -> Path:
    """Write what `target` makes of the Plan below `folder`, and return that."""
    for file in load_target(target).render(plan):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return folder
