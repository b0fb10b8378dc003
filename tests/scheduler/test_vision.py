"""Vision towers by release: the towers of gemma3 have 896 × 896 pixels, 814 MiB and a graph."""

from dataclasses import replace

import pytest

from generator.engines.ollama.scheduler.vision import graph_of, offloaded, target_of
from generator.fit.layout import Footprint, Placement
from generator.fit.shape import Shape, evenly
from generator.fit.tower import tower_of
from tests.facts import facts_at
from tests.fit.shapes import GIB, MIB, ask, shape

TOWER = 814 * MIB


def seeing(name: str = "gemma3:12b") -> Shape:
    """Return a model of 7770 MiB in all, the tower among them, in a file of its own or not."""
    model = shape(name)
    layers = sum(model.layer_bytes) - (0 if model.projector_bytes else TOWER)
    known = facts_at().architectures[model.architecture]
    return replace(
        model,
        projector_bytes=TOWER,
        layer_bytes=evenly(layers, model.layers),
        tower=tower_of(known),
    )


def placed(release: str, *free: int, **more: object) -> Placement:
    model, wish = seeing(), ask(release, flash_attention=None, **more)
    return wish.place(Footprint(model, wish.load_of(model, free)), free)


def test_the_graph_is_that_of_the_scores() -> None:
    """4 × (896² × 3 + 1152 × 14 + 4096² × 16) bytes: logs tell 1.0 GiB."""
    assert round(graph_of(seeing()) / MIB) == 1033
    assert graph_of(replace(seeing(), projector_bytes=0)) == 0


def test_three_public_logs_of_gemma3_12b() -> None:
    """11366 MiB at 0.11.5 and 8192 tokens hold 48 of 49 layers, 11776 at 0.6.6 and 2048 all."""
    assert placed("0.11.5", 11366 * MIB, context=8192).counts == (48,)
    assert placed("0.6.6", 11776 * MIB, context=2048).counts == (49,)


def test_the_tower_goes_with_the_output_in_ollamas_own_engine() -> None:
    found = placed("0.12.11", 24 * GIB)
    assert (found.counts, found.tower) == ((49,), 0)
    found = placed("0.12.11", 8 * GIB)
    assert found.headless
    assert found.tower is None
    model, wish = seeing(), ask("0.12.11", flash_attention=None)
    (card,), host = Footprint(model, wish.load_of(model, (8 * GIB,))).of(found)
    whole = model.tensor_bytes + TOWER
    assert card.weights + host.weights == whole


@pytest.mark.parametrize(("release", "raised"), [("0.31.1", False), ("0.31.2", True)])
def test_the_fit_target_is_raised_by_the_tower(release: str, raised: bool) -> None:
    """1024 MiB stay free, or 814 and 1024."""
    free = (10 * GIB,)
    model, wish = seeing(), ask(release)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    plain = ask(release, margin=(1838 if raised else 1024) * MIB, margin_told=True)
    again = plain.place(Footprint(model, plain.load_of(model, free)), free)
    assert found.counts == again.counts
    assert target_of(model) == 1838 * MIB
    assert found.tower == 0


@pytest.mark.parametrize(
    ("free", "layers", "there"),
    [
        ((8 * GIB,), None, True),
        ((1837 * MIB,), None, False),
        ((8 * GIB, GIB), None, False),
        ((8 * GIB,), 10, False),
        ((8 * GIB,), 49, True),
    ],
)
def test_where_the_tower_stays_with_the_host(
    free: tuple[int, ...], layers: int | None, there: bool
) -> None:
    assert offloaded(seeing(), free, layers) is there


def test_a_projector_in_a_file_of_its_own_goes_to_the_first_gpu() -> None:
    model = replace(shape("llama3.1:8b"), projector_bytes=600 * MIB)
    wish, free = ask("0.9.6"), (6 * GIB,)
    with_it = wish.place(Footprint(model, wish.load_of(model, free)), free)
    without = replace(model, projector_bytes=0)
    alone = wish.place(Footprint(without, wish.load_of(without, free)), free)
    assert sum(with_it.counts) < sum(alone.counts)
    assert (with_it.tower, alone.tower) == (0, None)
    (card,), _ = Footprint(model, wish.load_of(model, free)).of(with_it)
    (bare,), _ = Footprint(model, wish.load_of(model, free)).of(replace(with_it, tower=None))
    assert card.weights - bare.weights == 600 * MIB


def test_llama_cpp_takes_smaller_pictures_than_ollamas_engine() -> None:
    """A public log of ministral-3 has 64.49 MiB for 1024 patches; the largest has 4096 of them."""
    tower = tower_of(facts_at().architectures["mistral3"])
    assert tower is not None
    assert (tower.patches, tower.limited.patches) == (12100, 4096)
    assert round(tower.limited.buffer_bytes(flash=True) / 4 / 2**20) == 60
