"""What one token needs of a model's weights: all of them, but of the experts only those used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.fit.shape import Shape


def active_weights(shape: Shape) -> int:
    """Return how many weights of the layers a token is multiplied with."""
    used = shape.expert_weights * shape.experts_used // shape.experts if shape.experts else 0
    return shape.multiplied + used


def expert_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what the experts of each layer have, all of them together."""
    return shape.expert_bytes or (0,) * shape.layers


def active_expert_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what is read of the experts of each layer for one token."""
    if not shape.experts:
        return (0,) * shape.layers
    return tuple(size * shape.experts_used // shape.experts for size in expert_bytes(shape))


def dense_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what is read of each layer for every token: all but experts."""
    both = zip(shape.layer_bytes, expert_bytes(shape), strict=True)
    return tuple(size - experts for size, experts in both)


def active_bytes(shape: Shape) -> int:
    """Return what is read for one token, the output included."""
    return sum(dense_bytes(shape)) + sum(active_expert_bytes(shape)) + shape.output_bytes
