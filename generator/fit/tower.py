"""A vision tower: what a model computes with where it looks at a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.models import Architecture

FLOAT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """The shape of a vision tower: a square picture of `image` pixels in squares of `patch`.

    `pixels` is the most that a picture has where it is not square; `gated`: its feed-forward part
    has three matrices. llama.cpp takes pictures of `limit` pixels at most; 0: as large as any.
    """

    image: int
    patch: int
    heads: int
    embedding: int
    feed_forward: int = 0
    channels: int = 3
    pixels: int = 0
    gated: bool = False
    limit: int = 0

    @property
    def limited(self) -> Tower:
        """The same for the largest picture that llama.cpp takes."""
        pixels = self.pixels or self.image**2
        return replace(self, pixels=self.limit) if 0 < self.limit < pixels else self

    @property
    def patches(self) -> int:
        """The squares of the largest picture."""
        if self.pixels:
            return self.pixels // self.patch**2
        return (self.image // self.patch) ** 2

    @property
    def score_bytes(self) -> int:
        """The scores of every patch with every other: f32, for each head."""
        return FLOAT * self.patches**2 * self.heads

    def buffer_bytes(self, *, flash: bool) -> int:
        """Return about what its widest layer takes; it has no scores with flash attention.

        Not measured but for mistral3, whose buffer is about twice as large in an engine of its own;
        llama.cpp's is as large as this for as many patches: 64.49 MiB for 1024.
        """
        wide = (3 if self.gated else 1) * self.feed_forward + 3 * self.embedding
        layer = FLOAT * self.patches * wide
        return layer if flash else layer + self.score_bytes


def tower_of(known: Architecture | None) -> Tower | None:
    """Return the tower that models of an architecture have; None: none is known."""
    if known is None or not known.tower_patch:
        return None
    return Tower(
        image=known.tower_image,
        patch=known.tower_patch,
        heads=known.tower_heads,
        embedding=known.tower_embedding,
        feed_forward=known.tower_feed_forward,
        pixels=known.tower_pixels,
        gated=known.tower_gated,
        limit=known.tower_limit,
    )
