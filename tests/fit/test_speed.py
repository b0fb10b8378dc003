"""Expected speeds: by hand, in order of size, and against public measurements."""

from dataclasses import replace

import pytest

from benchmarks import speed_accuracy
from generator.fit.active import expert_bytes
from generator.fit.host import Host
from generator.fit.layout import Footprint, placed
from generator.fit.shape import Load, Shape
from generator.fit.speed import (
    Part,
    Rate,
    Speed,
    cpu_engine,
    decode_rate,
    gpu_engine,
    prompt_rate,
    speed_of,
)
from generator.host import Gpu
from tests.facts import facts_at
from tests.fit.shapes import ask, shape

XEON = Host(cpu="Intel Xeon E5-2670 v3", cores=12, acceleration="cpu")
LOAD = Load(context=4096)


def card(name: str, capability: str = "8.6") -> Gpu:
    return Gpu(name=name, memory=24 * 2**30, compute_capability=capability)


def part_of(name: str) -> Part:
    engine = gpu_engine(card(name), Host(acceleration="cuda"), facts_at())
    assert not isinstance(engine, str)
    return Part(engine=engine, start=0, end=33)


def speed(name: str, host: Host, counts: tuple[int, ...] = (), load: Load = LOAD) -> Speed:
    return speed_of(shape(name), load, placed(shape(name), counts), host, facts_at())


def test_decoding_reads_all_weights_and_the_cache_for_each_token() -> None:
    """A 3090 reads 936 GB/s, of which decoding gets 0.74, and takes 40 µs more for each layer.

    llama3.1:8b at Q4_K_M: 4685.3 MiB without the 281.8 of the embedding (128256 × 4096 × 144/256
    bytes), and 128 KiB for each of 512 tokens: 4467.5 MiB take 6763 µs, 33 layers 1320 more.
    """
    engine = gpu_engine(card("RTX 3090"), Host(acceleration="cuda"), facts_at())
    assert not isinstance(engine, str)
    rate = decode_rate(shape("llama3.1:8b"), LOAD, [Part(engine=engine, start=0, end=33)], 512)
    assert rate.likely == pytest.approx(1e6 / (6763 + 1320), rel=0.005)
    low, high = engine.efficiency.decode_range
    # A fifth wider than what was measured, on either side.
    assert rate.low == pytest.approx(rate.likely * low / 1.2, rel=0.01)
    assert rate.high == pytest.approx(rate.likely * high * 1.2, rel=0.01)


def test_a_prompt_takes_two_operations_for_each_weight() -> None:
    """142 TFLOPS × 0.38, and 6.98 billion weights in the layers; the batch reads them once."""
    engine = gpu_engine(card("RTX 3090"), Host(acceleration="cuda"), facts_at())
    assert not isinstance(engine, str)
    rate = prompt_rate(shape("llama3.1:8b"), [Part(engine=engine, start=0, end=33)])
    assert rate is not None
    compute, read = 2 * 6.98e9 / (142e12 * 0.38), 4467e6 * 1.0486 / (936e9 * 0.74) / 512
    assert rate.likely == pytest.approx(1 / (compute + read), rel=0.02)


def test_layers_of_other_kinds_take_longer_or_shorter_on_a_gpu() -> None:
    """40 µs for a layer of a 3090.

    With experts 0.15 of that on top, 0.95 with a part for all tokens beside them, and half of it
    for a short convolution, which keeps two tokens.
    """
    model, part = shape("llama3.1:8b"), part_of("RTX 3090")

    def time(changed: Shape) -> float:
        return 1e6 / decode_rate(changed, LOAD, [part], 1).likely

    experts = replace(model, experts=1, experts_used=1, expert_bytes=(1,) * 32)
    assert time(experts) - time(model) == pytest.approx(32 * 0.15 * 40, abs=60)
    both = replace(experts, dense_feed_forward=1)
    assert time(both) - time(model) == pytest.approx(32 * 0.95 * 40, abs=60)
    leading = replace(both, expert_bytes=(0,) + (1,) * 31)
    assert time(leading) - time(model) == pytest.approx(32 * 0.15 * 40, abs=60)
    convolutions = replace(model, states=(2 * 4096,) * 8 + (0,) * 24)
    assert time(model) - time(convolutions) == pytest.approx(8 * 0.5 * 40, abs=60)


def test_a_recurrent_state_moves_as_often_as_its_operations_do() -> None:
    """14 times 4 MiB in each of 24 layers, of 936 GB/s × 0.74: 2034 µs."""
    model, part = shape("llama3.1:8b"), part_of("RTX 3090")
    recurrent = replace(model, states=(2**20,) * 24 + (0,) * 8)
    rates = [decode_rate(each, LOAD, [part], 1).likely for each in (model, recurrent)]
    assert 1e6 / rates[1] - 1e6 / rates[0] == pytest.approx(2034, abs=60)


def test_experts_leave_some_of_the_rate_of_a_prompt() -> None:
    model, part = shape("llama3.1:8b"), part_of("RTX 3090")
    experts = replace(model, experts=1, experts_used=1, expert_bytes=(0,) * 32)
    plain, mixed = (prompt_rate(each, [part], 10**9) for each in (model, experts))
    assert plain is not None
    assert mixed is not None
    assert mixed.likely == pytest.approx(0.65 * plain.likely, rel=0.01)


def test_a_processor_computes_between_reads() -> None:
    """A token of a Xeon E5-2670 v3 takes what its weights take to read, and to compute.

    2 × 6.98 billion operations at 12 × 2.6 GHz × 32 × 0.49: 28.5 ms.
    """
    known, mute = (cpu_engine(replace(XEON, cores=cores), facts_at()) for cores in (12, 0))
    assert not isinstance(known, str)
    assert not isinstance(mute, str)
    parts = [Part(engine=engine, start=0, end=33) for engine in (known, mute)]
    times = [1e3 / decode_rate(shape("llama3.1:8b"), LOAD, [part], 512).likely for part in parts]
    assert times[0] - times[1] == pytest.approx(28.5, abs=1)


def test_the_xeon_of_the_first_report_is_within_the_bar() -> None:
    """9.3 tokens/s were measured there with qwen2.5-coder:7b and 20 threads."""
    rate = speed("qwen2.5-coder:7b", XEON).decode
    assert rate is not None
    assert rate.low < 9.3 < rate.high


def test_the_dgx_spark_generates_what_was_reported() -> None:
    """30 to 52 tokens/s, of a model of 8 billion weights at four bits."""
    spark = Host(devices=(card("NVIDIA GB10", "12.1"),), acceleration="cuda")
    rate = speed("llama3.1:8b", spark, (33,)).decode
    assert rate is not None
    assert 30 < rate.likely < 52


@pytest.mark.parametrize(
    ("host", "counts", "why"),
    [
        (Host(cpu="Frobnicator 9000"), (), "memory bandwidth of Frobnicator 9000"),
        (Host(), (), "memory bandwidth of a processor that nothing names"),
        (Host(devices=(card("GPU 0"),), acceleration="cuda"), (33,), "GPU 0 is not among"),
        (Host(devices=(card("RTX 3090"),), acceleration="rocm"), (33,), "was not measured"),
    ],
)
def test_there_is_no_answer_where_a_rate_is_not_known(
    host: Host, counts: tuple[int, ...], why: str
) -> None:
    found = speed("llama3.1:8b", host, counts)
    assert (found.decode, found.full, found.prompt) == (None, None, None)
    assert why in found.unknown


def test_what_computes_follows_from_the_card_where_nothing_says_it() -> None:
    said = speed("llama3.1:8b", Host(devices=(card("RTX 3090"),), acceleration="cuda"), (33,))
    assert speed("llama3.1:8b", Host(devices=(card("RTX 3090"),)), (33,)) == said
    radeon = Host(devices=(card("Radeon RX 7900 XTX", ""),))
    rocm, vulkan = radeon, replace(radeon, acceleration="vulkan")
    assert speed("llama3.1:8b", rocm, (33,)).decode != speed("llama3.1:8b", vulkan, (33,)).decode


def test_a_part_on_the_cpu_slows_a_model_down_and_leaves_its_prompts_unknown() -> None:
    host = replace(XEON, devices=(card("RTX 3090"),), acceleration="cuda")
    rates = [speed("llama3.1:8b", host, (count,)).decode for count in (0, 8, 16, 24, 33)]
    likely = [rate.likely for rate in rates if rate is not None]
    assert len(likely) == 5
    assert likely == sorted(likely)
    assert speed("llama3.1:8b", host, (16,)).prompt is None
    assert speed("llama3.1:8b", host, (33,)).prompt is not None


def test_two_unequal_gpus_take_the_time_of_both() -> None:
    fast, slow = card("RTX 4090", "8.9"), card("RTX 3060")
    both = Host(devices=(fast, slow), acceleration="cuda")
    pair = speed("llama3.1:8b", both, (17, 16)).decode
    ends = [speed("llama3.1:8b", both, counts).decode for counts in ((33, 0), (0, 33))]
    assert pair is not None
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[1].likely < pair.likely < ends[0].likely


def test_experts_on_the_host_are_read_from_there() -> None:
    model = shape("qwen3:30b")
    gpu = gpu_engine(card("RTX 2080", "7.5"), Host(acceleration="cuda"), facts_at())
    cpu = cpu_engine(XEON, facts_at())
    assert not isinstance(gpu, str)
    assert not isinstance(cpu, str)
    end = model.layers + 1

    def rate(layers: int) -> Rate:
        size = sum(expert_bytes(model)[:layers])
        parts = [
            Part(engine=gpu, start=0, end=end, moved=-size),
            Part(engine=cpu, start=0, end=0, moved=size, spilled=layers),
        ]
        return decode_rate(model, LOAD, parts, 512)

    all_there = decode_rate(model, LOAD, [Part(engine=cpu, start=0, end=end)], 512)
    assert rate(0).likely > rate(24).likely > rate(48).likely > all_there.likely


def test_a_fuller_cache_is_slower_and_a_quantised_one_less_so() -> None:
    host = Host(devices=(card("RTX 3090"),), acceleration="cuda")
    long = Load(context=65536)
    full = speed("llama3.1:8b", host, (33,), long)
    small = speed("llama3.1:8b", host, (33,), replace(long, cache_type="q8_0"))
    assert full.decode is not None
    assert full.full is not None
    assert small.full is not None
    assert full.full.likely < small.full.likely < full.decode.likely


def test_speeds_hold_on_machines_that_the_constants_were_not_taken_from() -> None:
    """What docs/accuracy.md says: none of the rows is ours."""
    found = [
        point
        for point in speed_accuracy.points(speed_accuracy.read_rows())
        if point.row.half == speed_accuracy.HELD_OUT
    ]
    decode = [point for point in found if point.kind == "decode"]
    assert len(found) >= 250
    assert len({point.row.machine for point in found}) >= 40
    for group in (found, decode):
        median, near, barred = speed_accuracy.figures(group)
        assert median <= 0.2
        assert near >= 0.89
        assert barred >= 0.8


def test_every_outlier_has_a_remark_and_every_row_a_source() -> None:
    rows = speed_accuracy.read_rows()
    far = [p for p in speed_accuracy.points(rows) if abs(p.error) > speed_accuracy.FAR]
    assert [p.row for p in far if not p.row.remark] == []
    assert [row for row in rows if not row.source] == []


def test_experts_that_stay_with_the_host_are_read_by_the_cpu() -> None:
    """gpt-oss:120b on one card of 24 GiB, with and without the experts that have no room there."""
    model, wish, free = shape("gpt-oss:120b"), ask(context=8192), (24 * 2**30,)
    host = Host(
        cpu="Intel Xeon E5-2670 v3", cores=12, acceleration="cuda", devices=(card("RTX 4090"),)
    )
    load = wish.load_of(model, free)
    found = wish.place(Footprint(model, load), free)
    assert found.kind == "experts"
    split = speed_of(model, load, found, host, facts_at()).decode
    whole = speed_of(model, load, placed(model, found.counts), host, facts_at()).decode
    assert split is not None
    assert whole is not None
    assert split.likely < whole.likely / 3


@pytest.mark.parametrize("acceleration", ["", "vulkan"])
def test_a_card_of_apple_computes_with_metal(acceleration: str) -> None:
    """546 GB/s, of which llama.cpp's table of Apple's has 83 tokens/s with 3.6 GiB of weights."""
    found = gpu_engine(card("Apple M4 Max"), Host(acceleration=acceleration), facts_at())
    assert not isinstance(found, str)
    assert found.efficiency.backend == "metal"
