"""Placement before llama-server."""

from dataclasses import replace

import pytest

from generator.engines.ollama.scheduler.before import graph_sizes
from generator.fit.layout import Footprint
from generator.fit.shape import Load
from tests.fit.shapes import GIB, MIB, ask, shape


@pytest.mark.parametrize(
    ("context", "partial", "full"),
    [
        # What logs of that era tell of an 8B llama.
        (2048, 677.5, 258.5),
        (4096, 677.5, 296.0),
        (8192, 677.5, 560.0),
        (16384, 1145.0, 1088.0),
        (32768, 2265.0, 2144.0),
    ],
)
def test_the_estimate_up_to_0_12_10(context: int, partial: float, full: float) -> None:
    found = graph_sizes(shape("llama3.1:8b"), Load(context=context))
    assert [round(size / MIB, 1) for size in found] == [partial, full]


def test_the_output_goes_where_the_number_of_placed_layers_says() -> None:
    """28 layers on two equal GPUs: 14 each, and the output on number 28 % 2, the first.

    Of 29 layers those with even numbers are 15, on the first; the output is on number 29 % 2.
    """
    even = shape("llama3.2:3b")
    wish, free = ask("0.9.6", spread=True), (8 * GIB, 8 * GIB)
    assert wish.place(Footprint(even, wish.load_of(even, free)), free).counts == (15, 14)
    odd = replace(
        even,
        layer_bytes=(*even.layer_bytes, even.layer_bytes[0]),
        kv_heads=(*even.kv_heads, 8),
        windows=(*even.windows, 0),
    )
    assert wish.place(Footprint(odd, wish.load_of(odd, free)), free).counts == (15, 15)
