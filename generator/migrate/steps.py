"""What changed in profiles and fleet files, as data: a Step for each change that old files meet.

No key was ever renamed or removed, and schema version 1 is the only one: what a Step mends is a
value that was taken once and is refused now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["profile", "fleet", "plan"]
VERSIONS: Final = {"profile": 1, "fleet": 1}
LONGEST_WAIT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change: the key, what becomes of its value (None: nothing), and why.

    A fleet has the keys of profiles below `overrides` of its hosts, groups and defaults.
    """

    path: tuple[str, ...]
    becomes: Callable[[Any], Any]
    why: str


def _bounded(value: Any) -> int | None:  # noqa: ANN401 -- whatever a file has
    long = isinstance(value, int) and not isinstance(value, bool) and value > LONGEST_WAIT
    return LONGEST_WAIT if long else None


STEPS: Final = (
    Step(
        path=("gpu", "wait_seconds"),
        becomes=_bounded,
        why="600 were allowed once; systemd ends a start after 90 seconds in all",
    ),
)
