"""Placement up to 0.12.10."""

from dataclasses import replace

import pytest

from generator.engines.ollama.scheduler.graph import graph_sizes
from generator.fit.layout import Footprint
from generator.fit.shape import Load
from tests.facts import facts_at
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
    found = graph_sizes(shape("llama3.1:8b"), Load(context=context), facts_at("0.9.6"))
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


def test_a_graph_for_many_cards_is_that_of_a_part() -> None:
    """0.9.6 on four cards of 22 GiB: a public log has 11 of 81 layers on each at 64000 tokens."""
    model, free = shape("llama3.3:70b:Q8_0"), (22528 * MIB,) * 4
    wish = ask("0.5.11", context=64000)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert found.counts == (11, 11, 11, 11)


def test_layers_that_are_asked_for_follow_the_estimate() -> None:
    """Up to 0.12.10 so many go to GPUs whether they fit or not, if there is room for any."""
    model = shape("llama3.1:70b")
    for have, counts in ((24 * GIB, (60,)), (GIB, (0,))):
        wish = ask("0.9.6", layers=60)
        footprint = Footprint(model, wish.load_of(model, (have,)))
        assert wish.place(footprint, (have,)).counts == counts


@pytest.mark.parametrize(("release", "counts"), [("0.11.4", (20, 19, 42)), ("0.11.5", (41, 40, 0))])
def test_from_0_11_5_on_a_model_goes_to_as_few_cards_as_it_fits(
    release: str, counts: tuple[int, ...]
) -> None:
    model, free = shape("llama3.1:70b"), (26 * GIB, 26 * GIB, 26 * GIB)
    wish = ask(release)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert found.counts.count(0) == counts.count(0)
    assert sum(found.counts) == 81


@pytest.mark.parametrize(("layers", "weights"), [(1, 7106.67), (3, 21320.01)])
def test_a_part_is_the_last_repeating_layers_without_the_output(
    layers: int, weights: float
) -> None:
    """A log of the 0.5 series (ollama#8447): 1 and 3 of 62 layers at 2048 tokens.

    `offloading 1 repeating layers to GPU`; KV 160 of 9760 MiB for each. The last layers of a
    Q4_K_M have more of six bits than the mean layer, by 7 %; the output alone has 725 MiB.
    """
    model, free = shape("deepseek-r1:671b"), (24000 * MIB,)
    wish = ask("0.5.4", context=2048, layers=layers, flash_attention=False)
    footprint = Footprint(model, wish.load_of(model, free))
    found = wish.place(footprint, free)
    (card,), host = footprint.of(found)
    assert found.counts == (layers,)
    assert card.weights / MIB == pytest.approx(weights, rel=0.08)
    assert (card.kv, host.kv) == (layers * 160 * MIB, (61 - layers) * 160 * MIB)


@pytest.mark.parametrize("release", ["0.5.4", "0.9.6", "0.11.4", "0.11.5", "0.24.0"])
def test_the_output_is_on_a_gpu_only_after_all_layers(release: str) -> None:
    model, free = shape("llama3.1:8b"), (24 * GIB,)
    held = []
    for layers in (31, 32, 33):
        wish = ask(release, layers=layers)
        footprint = Footprint(model, wish.load_of(model, free))
        (card,), _ = footprint.of(wish.place(footprint, free))
        held.append((card.weights, card.kv))
    blocks = model.layer_bytes
    assert held[0][0] == sum(blocks[1:])
    assert held[1] == (sum(blocks), held[2][1])
    assert held[2][0] == sum(blocks) + model.output_bytes
