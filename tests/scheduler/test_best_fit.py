"""Placement by Ollama itself from 0.11.11 on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.engines.ollama.scheduler.best_fit import Cards, by_graph, by_measure, layout
from generator.engines.ollama.scheduler.graph import graph_sizes
from generator.fit.layout import Footprint
from tests.facts import facts_at
from tests.fit.shapes import GIB, MIB, ask, shape

KEPT = 457 * MIB


def test_the_graph_and_a_layer_are_kept_free_for_llama_cpp() -> None:
    """A public log of 0.19.0: a graph of 3.2 GiB is reckoned with, and 49 of 65 layers fit."""
    model, free = shape("qwen2.5-coder:32b"), (24166 * MIB,)
    wish = ask("0.19.0", context=32768, flash_attention=None)
    load = wish.load_of(model, free)
    assert round(max(graph_sizes(model, load, facts_at("0.19.0"))) / GIB, 1) == 3.2
    found = wish.place(Footprint(model, load), free)
    assert (found.counts, found.headless) == ((49,), True)


def test_layers_are_balanced_over_as_few_cards_as_hold_them() -> None:
    cards = Cards(free=(10 * GIB, 12 * GIB, 11 * GIB))
    counts, used = layout([GIB] * 8, cards, [0, 0, 0])
    assert (counts, used) == ((0, 8, 0), [1])
    counts, used = layout([GIB] * 20, cards, [0, 0, 0])
    assert (sum(counts), counts[0], sorted(used)) == (20, 0, [1, 2])
    assert abs(counts[1] - counts[2]) <= 1
    spread = layout([GIB] * 9, Cards(free=cards.free, spread=True), [0, 0, 0])[0]
    assert spread == (3, 3, 3)


def test_a_card_with_a_graph_stays_in_use() -> None:
    cards = Cards(free=(12 * GIB, 11 * GIB))
    assert layout([GIB] * 8, cards, [0, 0])[0] == (8, 0)
    both = layout([GIB] * 8, cards, [0, GIB])[0]
    assert sorted(both) == [4, 4]


def test_the_output_is_left_out_first() -> None:
    card = Cards(free=(KEPT + 3 * GIB,))
    assert layout([GIB, GIB, GIB, 2 * GIB], card, [0])[0] == (3,)


@pytest.mark.parametrize(("wanted", "counts"), [(3, (3,)), (8, (8,)), (50, (8,))])
def test_a_number_that_is_asked_for_gets_any_room(wanted: int, counts: tuple[int, ...]) -> None:
    card = Cards(free=(KEPT + 2 * GIB,), layers=wanted)
    assert layout([GIB] * 8, card, [0])[0] == counts


def test_the_measure_goes_back_up_where_the_graph_of_a_part_is_smaller() -> None:
    """All layers compute in 6 GiB and leave room for 4; a part computes in 1 GiB, so 9 would fit.

    Ollama tries from one less than these on: 8 are the first that hold.
    """
    card = Cards(free=(KEPT + 10 * GIB,))

    def graphs(counts: tuple[int, ...]) -> list[int]:
        return [6 * GIB if counts[0] == 11 else GIB]

    assert by_measure([GIB] * 11, card, graphs) == (8,)


@given(
    st.sampled_from(["llama3.1:8b", "qwen3:30b", "gemma3:12b", "qwen2.5:32b"]),
    st.sampled_from(["0.9.6", "0.11.10", "0.12.3", "0.12.11", "0.24.0", "0.32.15"]),
    st.lists(st.integers(1, 48), min_size=1, max_size=3),
    st.integers(1, 16),
)
def test_more_memory_never_gives_fewer_layers(
    name: str, release: str, sizes: list[int], more: int
) -> None:
    model, wish = shape(name), ask(release, flash_attention=None)
    placed = []
    for free in (sizes, [size + more for size in sizes]):
        have = [size * GIB // 2 for size in free]
        footprint = Footprint(model, wish.load_of(model, have))
        placed.append(sum(wish.place(footprint, have).counts))
    assert placed[0] <= placed[1]


def test_metal_keeps_a_little_more_and_a_smaller_graph() -> None:
    model, wish = shape("qwen2.5:32b"), ask("0.19.0", context=32768)
    load = wish.load_of(model, ())
    free = (20 * GIB,)
    plain, metal = (
        by_graph(model, load, wish.facts, Cards(free=free, metal=metal)) for metal in (False, True)
    )
    assert plain < metal
    assert layout([GIB], Cards(free=(KEPT + GIB,)), [0])[0] == (1,)
    assert layout([GIB], Cards(free=(KEPT + GIB,), metal=True), [0])[0] == (0,)
