"""What plans look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs

if TYPE_CHECKING:
    from generator.readers.base import Source


def _about_itself(_: Source) -> bool:
    return True


SIGNS: Final = Signs(
    maybe=frozenset({".json"}),
    content=r"(?s)\A\s*\{.*\"schema_version\"\s*:",
    ours=_about_itself,
)
