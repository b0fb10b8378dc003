"""How llama.cpp fits models of experts: the dense part first, then the experts of some layers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.fit.experts import Fit
from generator.fit.layout import Footprint
from generator.fit.shape import Load
from tests.fit.shapes import GIB, MIB, ask, shape

GPT = "gpt-oss:120b"


def footprint(name: str = GPT) -> Footprint:
    return Footprint(shape(name), Load(context=8192, outputs=1))


def spilled(free: tuple[int, ...], name: str = GPT) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    found = Fit(footprint(name), [max(0, size - GIB) for size in free]).spill(free)
    return found.counts, sum(found.spilled), found.moved


def test_a_layer_of_experts_stays_with_the_host_not_the_layer() -> None:
    """A public log of a card of 24 GiB has all layers on it, and some of them overflowing."""
    counts, layers, moved = spilled((24 * GIB,))
    assert counts == (37,)
    assert 20 <= layers < 36
    model = shape(GPT)
    assert -moved[0] <= sum(model.expert_bytes[:layers])
    wish, free = ask(context=8192), (24 * GIB,)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert (found.kind, found.counts, found.sparse) == ("experts", (37,), layers)
    (card,), host = Footprint(model, wish.load_of(model, free)).of(found)
    # Nothing is lost, and what it takes leaves the margin.
    assert card.weights + host.weights == model.tensor_bytes
    assert card.total - card.other <= 23 * GIB


def test_without_room_for_all_dense_parts_no_experts_come_along() -> None:
    """Of 36 layers and the output some stay with the host, and on the card none has experts.

    The first of them keeps its own: the patterns that move experts begin at the second.
    """
    model = shape(GPT)
    (count,), layers, moved = spilled((11 * GIB // 2,))
    assert 1 < count < 37
    assert layers == count - 2
    assert -moved[0] == sum(model.expert_bytes[37 - count + 1 :])


def test_devices_are_filled_from_the_first_on() -> None:
    """The last one has the output; the layers without experts are on it."""
    counts, layers, moved = spilled((24 * GIB, 24 * GIB))
    assert sum(counts) == 37
    assert layers
    # A part of a layer's experts may go on to the second card.
    assert moved[0] <= 0
    assert sum(moved) < 0


@given(
    st.sampled_from([GPT, "qwen3:30b", "mixtral:8x7b"]),
    st.lists(st.integers(2, 90), min_size=1, max_size=3),
    st.integers(1, 30),
)
def test_more_memory_leaves_no_more_with_the_host(name: str, sizes: list[int], more: int) -> None:
    free = tuple(size * GIB for size in sizes)
    wider = tuple(size + more * GIB for size in free)
    first, second = spilled(free, name), spilled(wider, name)
    assert sum(first[0]) <= sum(second[0])
    if sum(first[0]) > shape(name).layers:
        assert sum(first[2]) - MIB <= sum(second[2])


@pytest.mark.parametrize("name", [GPT, "qwen3:30b"])
def test_the_experts_are_most_of_what_there_is(name: str) -> None:
    model = shape(name)
    assert 0.8 < sum(model.expert_bytes) / sum(model.layer_bytes) < 1
    # What a GPU computes of them comes over in three matrices of each layer.
    for size, m in zip(model.expert_bytes, model.matrices, strict=True):
        assert m.gate + m.up + m.down == pytest.approx(size, rel=0.12)


def test_a_model_without_experts_is_cut_between_layers() -> None:
    model, wish, free = shape("qwen2.5:32b"), ask(), (16 * GIB,)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert (found.kind, found.spilled, found.moved) == ("partial", (), ())
    assert replace(found, kind="one") != found
