"""What must hold whatever the numbers: more room never places less, a shorter context never needs
more, and what others hold of a card never helps."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.fit.host import Host
from generator.fit.kv import kv_layers
from generator.fit.layout import Footprint
from generator.fit.verdict import judge
from generator.host import Gpu
from tests.fit.shapes import GIB, ask, shape

RELEASES = ("0.5.11", "0.9.6", "0.11.5", "0.12.3", "0.12.11", "0.24.0", "0.30.0", "0.32.15")
MODELS = ("llama3.1:8b", "qwen3:30b", "gemma3:12b", "gpt-oss:20b", "qwen2.5:32b", "gemma2:27b")
names, releases = st.sampled_from(MODELS), st.sampled_from(RELEASES)


@settings(max_examples=60)
@given(names, releases, st.integers(2, 60), st.integers(0, 40), st.integers(1, 16))
def test_what_others_hold_never_gives_more_layers(
    name: str, release: str, size: int, held: int, more: int
) -> None:
    wish, model = ask(release, flash_attention=None), shape(name)
    found = []
    for reserved in (held, held + more):
        card = Gpu(name="A", memory=size * GIB // 2, reserved=reserved * GIB // 4)
        fit = judge(model, wish, Host(devices=(card,)), search=False)
        found.append(fit.placement.on_gpus)
    assert found[0] >= found[1]


@settings(max_examples=60)
@given(names, releases, st.integers(1, 120), st.integers(1, 60), st.integers(1, 4))
def test_a_shorter_context_never_needs_more(
    name: str, release: str, blocks: int, more: int, slots: int
) -> None:
    """Of the cache in every layer, and of all that one device or the CPU alone would hold."""
    model = shape(name)
    found = []
    for context in (blocks * 256, (blocks + more) * 256):
        wish = ask(release, context=context, slots=slots, flash_attention=None)
        # The batch of Ollama grows with the context, and so it does here.
        load = replace(wish.load_of(model, ()), batch=512)
        (card,), host = Footprint(model, load).needs((model.layers + 1,))
        found.append([*kv_layers(model, load), card.total, host.total])
    assert all(short <= long for short, long in zip(*found, strict=True))


@settings(max_examples=60)
@given(names, releases, st.lists(st.integers(2, 40), min_size=2, max_size=3))
def test_what_one_card_holds_several_hold(name: str, release: str, sizes: list[int]) -> None:
    wish, model = ask(release, flash_attention=None), shape(name)
    free = [size * GIB for size in sizes]
    alone, all_ = (
        sum(wish.place(Footprint(model, wish.load_of(model, have)), have).counts)
        for have in ([max(free)], free)
    )
    assert alone <= model.layers or all_ == alone


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", MODELS)
def test_a_forced_number_of_layers_is_placed_where_there_is_room_for_any(
    name: str, release: str
) -> None:
    model, free = shape(name), (40 * GIB, 30 * GIB)
    wish = ask(release, layers=10, flash_attention=None)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert sum(found.counts) == 10
    assert "asked for" in found.reason
