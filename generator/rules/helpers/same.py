"""What several rules want to know of one View, worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.view import View


class Same:
    """A View as what it is, for a cache: to compare what is in it would take longer than to ask."""

    __slots__ = ("view",)

    def __init__(self, view: View) -> None:
        self.view = view

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.view is other.view

    def __hash__(self) -> int:
        return id(self.view)
