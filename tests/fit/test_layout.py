"""What devices and host hold together is all that a model takes, however it is placed."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.fit import layout
from generator.fit.choose import choices
from generator.fit.kv import kv_layers
from generator.fit.layout import Footprint, by_share
from generator.fit.shape import Load, Shape
from generator.fit.verdict import judge
from tests.fit.shapes import GIB, ask, gpus, kv_bytes, mib, shape


@given(
    st.sampled_from(["llama3.1:8b", "gemma3:1b", "gpt-oss:20b"]),
    st.sampled_from(["f32", "f16", "q8_0", "q5_1", "q4_0"]),
    st.integers(1, 40_000),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_nothing_is_lost_between_devices_and_host(
    name: str, cache: str, context: int, first: int, second: int
) -> None:
    model, load = shape(name), Load(context=context, slots=3, cache_type=cache)
    devices, host = Footprint(model, load).needs((first, second))
    every = [*devices, host]
    assert sum(need.layers for need in every) == model.layers + 1
    middle, end = model.layers + 1 - second, model.layers + 1
    spans = [(middle - first, middle)] * bool(first) + [(middle, end)] * bool(second)
    used = [need for need in devices if need.layers]
    for span, need in zip(spans, used, strict=True):
        # Alone, and with all layers before as the host's, a device needs no less; the first of
        # several that share all layers keeps copies besides.
        assert Footprint(model, load).on_device(*span) - need.weights - need.kv > 0
    if len(used) == 1:
        assert Footprint(model, load).on_device(*spans[0]) == used[0].total - used[0].other
    assert sum(need.kv for need in every) == kv_bytes(model, load)
    copies = model.output_bytes - model.own_output_bytes if first + second else 0
    assert sum(need.weights for need in every) == model.tensor_bytes + copies


def test_a_model_is_worked_out_once_however_many_placements_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worked: Counter[tuple[str, Load]] = Counter()

    def counted(model: Shape, load: Load) -> tuple[int, ...]:
        worked[f"{model.name} {model.quantisation}", load] += 1
        return kv_layers(model, load)

    monkeypatch.setattr(layout, "kv_layers", counted)
    host = gpus(8 * GIB, 6 * GIB, 6 * GIB)
    found = choices(ask(spread=True), host)
    assert len(found) > 50
    assert set(worked.values()) == {1}
    worked.clear()
    judge(shape("llama3.1:8b"), ask(), host)
    # Some sixty-four steps each for context and slots, a dozen more, and what all of them share.
    assert sum(worked.values()) < 200


@pytest.mark.parametrize(
    ("layers", "shares", "counts"),
    [
        (33, (8, 6), (19, 14)),
        (33, (1, 1), (17, 16)),
        (33, (1,), (33,)),
        (33, (0, 6), (0, 33)),
        (10, (0, 0), (10, 0)),
        (3, (1, 1, 1), (1, 1, 1)),
    ],
)
def test_layers_are_dealt_by_free_memory(
    layers: int, shares: tuple[int, ...], counts: tuple[int, ...]
) -> None:
    assert by_share(layers, shares) == counts


def test_a_tied_output_is_copied_to_the_gpu() -> None:
    model = shape("llama3.2:3b")
    # 128256 × 3072 × 210/256 bytes = 308 MiB, on both.
    load = Load(context=4096)
    (device,), host = Footprint(model, load).needs((29,))
    assert mib(host.weights) == 308
    assert device.weights + host.weights == model.tensor_bytes + model.input_bytes


@pytest.mark.parametrize(
    ("name", "flash", "size"),
    # What llama-server of b10488 reserves: no logits of a model that embeds text, and no keys and
    # queries where no layer attends.
    [
        ("bge-m3", True, 14),
        ("embeddinggemma:300m", False, 13),
        ("qwen3-vl:8b", True, 160),
    ],
)
def test_a_cpu_computes_what_a_model_has(name: str, flash: bool, size: int) -> None:
    load = Load(context=8192, slots=1, flash_attention=flash, outputs=1)
    _, host = Footprint(shape(name), load).needs((0,))
    assert mib(host.compute) == pytest.approx(size, rel=0.2)


def test_a_cpu_has_the_embeddings_twice_where_the_output_is_made_first() -> None:
    plain, twice = shape("gemma3:4b"), shape("gemma4:e4b")
    for model, copies in ((plain, 0), (twice, 1)):
        _, host = Footprint(model, Load(context=4096, slots=1)).needs((0,))
        table = model.input_bytes - model.more_input_bytes
        more = host.weights - model.tensor_bytes - model.projector_bytes
        assert more == pytest.approx(copies * table, abs=2**20)
