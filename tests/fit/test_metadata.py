"""Shapes from metadata, as llama.cpp reads them, and metadata that are not modelled."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.cli.fit_command import model_data
from generator.cli.fit_text import model_text
from generator.errors import HostwrightError
from generator.fit.compute import compute_bytes
from generator.fit.kv import kv_layers
from generator.fit.metadata import Tensor, shape_from
from generator.fit.shape import Load, Shape
from generator.fit.verdict import judge
from tests.facts import facts_at
from tests.fit.shapes import GIB, ask, cpu, gpus, kv_bytes


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"deepseek2.block_count": "many"}, "`deepseek2.block_count` is odd"),
        ({"deepseek2.block_count": 1 << 31}, "`deepseek2.block_count` is 2147483648"),
        ({"general.architecture": "clip"}, "vision tower or projector"),
        ({"general.architecture": "eagle3"}, "a draft model"),
        ({"deepseek2.embedding_length": None}, "`deepseek2.embedding_length` is missing"),
    ],
)
def test_what_is_no_model_is_refused(more: dict[str, object], message: str) -> None:
    metadata = {
        "general.architecture": "deepseek2",
        "deepseek2.block_count": 1,
        "deepseek2.embedding_length": 64,
        "deepseek2.attention.head_count": 1,
        **more,
    }
    with pytest.raises(HostwrightError) as caught:
        shape_from("x", metadata, [Tensor(name="blk.0.a", dimensions=(8,), size=8)], facts_at())
    assert message in caught.value.message


def matrix(name: str, *dimensions: int) -> Tensor:
    return Tensor(name=f"{name}.weight", dimensions=dimensions, size=2 * dimensions[0])


def told(architecture: str, layers: int, keys: dict[str, object], *names: Tensor) -> Shape:
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.block_count": layers,
        f"{architecture}.embedding_length": 64,
        **{f"{architecture}.{key}": value for key, value in keys.items()},
    }
    table = Tensor(name="token_embd.weight", dimensions=(64, 100), size=6400)
    return shape_from("x", metadata, [table, *names], facts_at())


def test_a_compressed_cache_is_that_of_its_header() -> None:
    keys: dict[str, object] = {
        "attention.head_count": 20, "attention.head_count_kv": 1, "attention.kv_lora_rank": 512,
        "attention.key_length": 576, "attention.value_length": 512,
        "attention.key_length_mla": 256, "attention.value_length_mla": 256,
    }  # fmt: skip
    found = told("deepseek2", 2, keys, matrix("blk.0.attn_kv_a_mqa", 64, 576))
    assert kv_bytes(found, Load(context=256)) == 2 * 576 * 256 * 2
    assert found.mla_lengths == (256, 256)
    old = {k: v for k, v in keys.items() if not k.endswith("_mla")} | {
        "attention.head_count_kv": 20, "attention.key_length": 192, "attention.value_length": 128,
    }  # fmt: skip
    plain = told("deepseek2", 2, old, matrix("blk.0.attn_kv_b", 64, 576))
    assert kv_bytes(plain, Load(context=256)) == 2 * 20 * (192 + 128) * 256 * 2


def test_what_a_layer_keeps_is_told_by_its_tensors() -> None:
    ssm: dict[str, object] = {
        "attention.head_count": 4, "attention.head_count_kv": 2, "ssm.conv_kernel": 4,
        "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.group_count": 2,
    }  # fmt: skip
    linear = [matrix("blk.0.ssm_out", 8, 8), matrix("blk.0.attn_qkv", 64, 8)]
    whole = [matrix("blk.1.attn_k", 64, 32), matrix("blk.1.attn_q", 64, 64)]
    found = told("qwen3next", 2, ssm, *linear, *whole)
    state = 3 * (128 + 2 * 2 * 16) + 16 * 128
    assert (found.kv_heads, found.states) == ((0, 2), (state, 0))
    # falcon-h1 has both in each layer.
    side = told("falcon-h1", 1, ssm, matrix("blk.0.ssm_out", 8, 8), matrix("blk.0.attn_k", 64, 32))
    assert (side.kv_heads, side.states) == ((2,), (state,))
    # A nemotron_h has layers that keep nothing; its header has a list of heads.
    heads = ssm | {"attention.head_count_kv": [0, 2, 0], "feed_forward_length": [0, 0, 256]}
    rows = [matrix("blk.0.ssm_out", 8, 8), whole[0], matrix("blk.2.ffn_up", 64, 256)]
    mixed = told("nemotron_h", 3, heads, *rows)
    assert (mixed.kv_heads, mixed.states, mixed.gated) == ((0, 2, 0), (state, 0, 0), False)
    # The last layer of a qwen35 predicts further tokens, and keeps nothing in the main context.
    ahead = told("qwen35", 2, ssm | {"nextn_predict_layers": 1}, *linear, *whole)
    assert ahead.kv_heads == (0, 0)


def test_a_recurrence_needs_no_heads() -> None:
    rwkv: dict[str, object] = {"wkv.head_size": 8, "attention.head_count": 0}
    found = told("rwkv7", 2, rwkv, *(matrix(f"blk.{i}.time_mix_key", 64, 64) for i in (0, 1)))
    assert kv_bytes(found, Load(context=65536, slots=3)) == 2 * 3 * 4 * (2 * 64 + 64 * 8)
    assert not found.cache_bound
    assert not found.remarks


def test_an_encoder_of_text_keeps_nothing() -> None:
    heads: dict[str, object] = {"attention.head_count": 4}
    up = matrix("blk.0.ffn_up", 64, 256)
    found = told("nomic-bert", 1, heads, up, matrix("token_types", 64, 2))
    assert kv_bytes(found, Load(context=8192)) == 0
    assert (found.encoder, found.gated, found.output_bytes) == (True, False, 0)
    assert found.input_bytes - found.more_input_bytes == 6400


@pytest.mark.parametrize(
    ("names", "gated"),
    [
        ([matrix("blk.0.ffn_up", 64, 256), matrix("blk.0.ffn_down", 256, 64)], False),
        ([matrix("blk.0.ffn_up", 64, 512), matrix("blk.0.ffn_down", 256, 64)], True),
        ([matrix("blk.0.ffn_gate", 64, 256), matrix("blk.0.ffn_up", 64, 256)], True),
        ([matrix("blk.0.ffn_up_exps", 64, 8, 4), matrix("blk.0.ffn_gate_inp", 64, 4)], False),
    ],
)
def test_a_gate_is_known_by_its_tensors(names: list[Tensor], *, gated: bool) -> None:
    assert told("starcoder2", 1, {"attention.head_count": 4}, *names).gated is gated


def test_weights_that_a_token_is_multiplied_with_are_counted() -> None:
    rows = [
        *(matrix("blk.0.attn_k", 64, 48), matrix("blk.0.attn_norm", 64)),
        *(matrix("blk.0.ffn_gate_inp", 64, 4), matrix("blk.0.ffn_up_exps", 64, 8, 4)),
    ]
    found = told("qwen2moe", 1, {"attention.head_count": 4}, *rows)
    assert found.multiplied == 64 * 48 + 64 * 4
    assert found.expert_weights == 64 * 8 * 4


def test_an_unknown_architecture_is_bounded_and_said_to_be_one() -> None:
    rows = [matrix("blk.0.attn_k", 64, 48), matrix("blk.0.attn_v", 64, 32), matrix("v.a", 8, 8)]
    found = told("futureformer", 1, {}, *rows)
    assert kv_bytes(found, Load(context=256)) == (48 + 32) * 256 * 2
    assert found.projector_bytes == 16
    fit = judge(found, ask(on_cpu=True), cpu(8 * GIB))
    shown = " ".join(model_text(fit, ask(on_cpu=True), cpu(8 * GIB)).split())
    assert "futureformer is no architecture that Hostwright knows" in shown
    assert model_data(fit)["kv_is_upper_bound"] is True
    more = told("deepseek4", 1, {"attention.head_count": 4}, *rows)
    assert "keeps more than its KV cache" in more.remarks[0]


def test_heads_may_differ_from_layer_to_layer() -> None:
    metadata = {
        "general.architecture": "other",
        "other.block_count": 2,
        "other.embedding_length": 64,
        "other.attention.head_count": [4, 8],
        "other.attention.head_count_kv": [1, 2],
        "other.attention.sliding_window": 128,
        "other.attention.sliding_window_pattern": [True, False],
    }
    tensors = [
        Tensor(name="token_embd.weight", dimensions=(64, 100), size=6400),
        Tensor(name="blk.0.a", dimensions=(8,), size=8),
        Tensor(name="blk.1.a", dimensions=(8,), size=16),
        Tensor(name="output.weight", dimensions=(64, 100), size=100),
    ]
    found = shape_from("x", metadata, tensors, facts_at())
    assert (found.kv_heads, found.windows, found.layer_bytes) == ((1, 2), (128, 0), (8, 16))
    assert (found.heads, found.key_length, found.tied, found.tensor_bytes) == (8, 8, False, 6524)


def windowed(architecture: str, layers: int, **more: object) -> Shape:
    keys = {name.replace("__", "."): value for name, value in more.items()}
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.block_count": layers,
        f"{architecture}.embedding_length": 64,
        f"{architecture}.context_length": 131072,
        f"{architecture}.attention.head_count": 4,
        f"{architecture}.attention.head_count_kv": 2,
        **{f"{architecture}.{key}": value for key, value in keys.items()},
    }
    tensors = [Tensor(name="token_embd.weight", dimensions=(64, 100), size=6400)]
    tensors += [Tensor(name=f"blk.{i}.a", dimensions=(8,), size=8) for i in range(layers)]
    return shape_from("x", metadata, tensors, facts_at())


@pytest.mark.parametrize(
    ("architecture", "layers", "told", "windows"),
    [
        ("cohere2", 5, 4096, (4096, 4096, 4096, 0, 4096)),
        ("olmo2", 4, 512, (512, 512, 512, 0)),
        ("olmo2", 4, None, (0, 0, 0, 0)),
        ("gemma2", 2, None, (4096, 0)),
        ("gemma3n", 6, 512, (512, 512, 512, 512, 0, 512)),
        ("gpt-oss", 3, 128, (128, 0, 128)),
        # Chunks of 8192 whatever is told, but not at all if 0 is.
        ("llama4", 4, None, (8192, 8192, 8192, 0)),
        ("llama4", 4, 100, (8192, 8192, 8192, 0)),
        ("llama4", 4, 0, (0, 0, 0, 0)),
        ("smallthinker", 5, 1, (0, 4096, 4096, 4096, 0)),
        ("exaone4", 30, 4096, (0,) * 30),
        ("exaone4", 64, None, (4096, 4096, 4096, 0) * 16),
        ("phi3", 3, 262144, (0, 0, 0)),
        ("llama", 3, 4096, (0, 0, 0)),
    ],
)
def test_windows_are_those_of_llama_cpp(
    architecture: str, layers: int, told: int | None, windows: tuple[int, ...]
) -> None:
    found = windowed(architecture, layers, attention__sliding_window=told)
    assert found.windows == windows
    assert found.window_unknown == 0


def test_command_r7b_keeps_a_quarter_of_its_cache_whole() -> None:
    """Four slots of 32768: llama.cpp@0c1e570 allocated 5824 MiB.

    32 layers, 8 heads of 128 at f16, 4 KiB a token: 8 layers of 131072 tokens are 4096 MiB, the
    other 24 keep 4096 tokens and a batch of 512 for each slot: 1728 MiB.
    """
    found = windowed(
        "cohere2", 32, attention__sliding_window=4096, attention__head_count_kv=8,
        attention__key_length=128, attention__value_length=128,
    )  # fmt: skip
    assert kv_bytes(found, Load(context=32768, slots=4)) == 5824 << 20


def test_layers_with_a_window_may_have_other_lengths_or_no_cache_of_their_own() -> None:
    found = windowed(
        "gemma4", 4, attention__sliding_window=256, attention__key_length=512,
        attention__value_length=512, attention__key_length_swa=256,
        attention__value_length_swa=256, attention__shared_kv_layers=2,
        attention__sliding_window_pattern=[True, False, True, False],
    )  # fmt: skip
    # Two heads of f16: 2 × 512 × 768 tokens, 2 × 1024 × 4096; the last two use these.
    sizes = [2 * 512 * 768 * 2, 2 * 1024 * 4096 * 2, 0, 0]
    assert kv_layers(found, Load(context=4096)) == tuple(sizes)
    # Of gemma3n only 20 layers have one.
    assert windowed("gemma3n", 30, attention__sliding_window=512).uncached == 10


@pytest.mark.parametrize(
    ("shared", "used", "batch", "size"),
    [
        # What llama-fit-params of llama.cpp@0c1e570 told of 24 layers of 2048, 60 experts of 1408
        # and 1024 tokens of vocabulary, at 4096 and 8192 tokens of context.
        (20480, 4, 512, 156), (20480, 2, 512, 148), (20480, 8, 512, 172), (30720, 6, 512, 224),
        (20480, 4, 2048, 641), (20480, 8, 2048, 705), (11264, 4, 512, 102),
    ],
)  # fmt: skip
def test_a_shared_expert_counts_for_the_compute_buffer(
    shared: int, used: int, batch: int, size: int
) -> None:
    found = windowed(
        "qwen2moe", 1, embedding_length=2048, attention__head_count=16, expert_count=60,
        attention__head_count_kv=16, expert_used_count=used, expert_feed_forward_length=1408,
        expert_shared_feed_forward_length=shared,
    )  # fmt: skip
    load = Load(context=4096 if batch == 512 else 8192, batch=batch, outputs=1)
    assert compute_bytes(found, load) >> 20 == pytest.approx(size, abs=1)


@pytest.mark.parametrize(("used", "size"), [(2, 1283), (4, 1315), (8, 1380)])
def test_a_shared_expert_widens_the_logits_of_a_batch(used: int, size: int) -> None:
    # The same tool, of the same model with 151936 tokens of vocabulary.
    found = windowed(
        "qwen2moe", 1, embedding_length=2048, attention__head_count=16, expert_count=60,
        attention__head_count_kv=16, expert_used_count=used, expert_feed_forward_length=1408,
        expert_shared_feed_forward_length=5632,
    )  # fmt: skip
    wide = replace(found, vocabulary=151936)
    assert compute_bytes(wide, Load(context=8192, batch=2048)) >> 20 == pytest.approx(size, abs=1)


def test_a_window_without_a_known_pattern_is_told() -> None:
    found = windowed("brandnew", 2, attention__sliding_window=1024)
    assert (found.windows, found.window_unknown) == ((0, 0), 1024)
    fit = judge(found, ask(on_cpu=True), cpu(8 * GIB))
    text = " ".join(model_text(fit, ask(on_cpu=True), cpu(8 * GIB)).split())
    assert "Some layers may keep 1024 tokens only: which ones is not known of brandnew" in text
    assert "an upper bound" in text
    assert model_data(fit)["kv_is_upper_bound"] is True


KEYS = (
    "block_count", "embedding_length", "feed_forward_length", "context_length", "expert_count",
    "expert_used_count", "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.sliding_window", "attention.sliding_window_pattern",
)  # fmt: skip
ODD = st.one_of(
    st.integers(-2, 64), st.integers(), st.none(), st.text(max_size=3), st.booleans(),
    st.floats(), st.lists(st.integers(0, 9), max_size=9),
)  # fmt: skip


@settings(deadline=None)  # up to 10000 layers
@given(
    values=st.dictionaries(st.sampled_from(KEYS), ODD),
    architecture=st.sampled_from(["llama", "qwen2", "gemma3", "gpt-oss", "phi3"]),
    release=st.sampled_from(["0.9.6", "0.24.0", "0.32.15"]),
    sizes=st.lists(st.integers(0, 1 << 36), min_size=1, max_size=4),
)
def test_odd_metadata_are_judged_or_refused(
    values: dict[str, object], architecture: str, release: str, sizes: list[int]
) -> None:
    metadata = {
        "general.architecture": architecture,
        **{f"{architecture}.{k}": 4 for k in KEYS[:4]},
        f"{architecture}.attention.head_count": 2,
        **{f"{architecture}.{key}": value for key, value in values.items()},
    }
    tensors = [Tensor(name="token_embd.weight", dimensions=(4, 9), size=36)]
    tensors += [Tensor(name=f"blk.{i}.a", dimensions=(1,), size=s) for i, s in enumerate(sizes)]
    try:
        found = shape_from("x", metadata, tensors, facts_at())
    except HostwrightError:
        return
    for host in (cpu(8 * GIB), gpus(8 * GIB, 6 * GIB)):
        fit = judge(found, ask(release, on_cpu=not host.devices), host)
        taken = sum(room.need.weights for room in fit.rooms)
        assert found.tensor_bytes <= taken <= found.tensor_bytes + found.input_bytes


@pytest.mark.parametrize("name", ["attn_q", "attn_qkv", "attn_q_b", "attn_k"])
def test_attention_has_heads(name: str) -> None:
    with pytest.raises(HostwrightError, match="head_count` is 0"):
        told("llama", 1, {"attention.head_count": 0}, matrix(f"blk.0.{name}", 64, 64))
