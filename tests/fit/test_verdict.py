"""The machines of the shipped profiles, worked through by hand. Sizes in MiB."""

from dataclasses import replace

import pytest

from generator.engines.ollama.scheduler.ask import ask_of
from generator.fit.ask import Ask
from generator.fit.host import Host, host_of
from generator.fit.verdict import holds, judge, together
from generator.pipeline import decide
from generator.profiles.load import read_document
from generator.readers.plan.view import view_of
from tests.facts import facts_at
from tests.fit.shapes import GIB, gpus, mib, shape
from tests.fit.shapes import ask as ask_at


def machine(profile: str, *overrides: str, version: str | None = None) -> tuple[Ask, Host]:
    document = read_document(profile, overrides)
    view = view_of(decide(document, version=version))
    return ask_of(view, facts_at(str(view.release))), host_of(view)


def test_hermes_at_five_bits_is_on_the_p4000_alone() -> None:
    """Measured on that machine: 5978 MiB on the P4000, the GTX 1060 idle.

    Tensors 5459.93, of which token_embd, 128256 × 4096 × 176/256 bytes = 344.44, stays with the
    host: 5115.49. Cache: 128 KiB × 4096 = 512. Buffer: (3 × 14336 + 3 × 4096 + 4096/2) × 4 bytes
    × 512 = 112, and 20 bytes for each token that say where it is. With 457 of overhead 6196.50 of
    8192.

    The scheduler expects 5459.93 + 7 + 512 = 5978.93, below 80 % of 8192, 6553.6.
    """
    ask, host = machine("dual-pascal", "ollama.sched_spread=false")
    fit = judge(shape("hermes3:8b-llama3.1-q5_K_M"), ask, host)
    assert (fit.word, fit.placement.kind, fit.placement.counts) == ("fits", "one", (33, 0))
    first, second, _ = fit.rooms
    need = first.need
    assert [mib(n) for n in (need.weights, need.kv, need.compute, need.other)] == [
        5115, 512, 112, 457,
    ]  # fmt: skip
    assert mib(need.total) == 6197
    assert second.need.total == 0


@pytest.mark.parametrize("version", ["0.9", "0.24"])
def test_older_releases_agree_on_hermes(version: str) -> None:
    ask, host = machine("dual-pascal", "ollama.sched_spread=false", version=version)
    fit = judge(shape("hermes3:8b-llama3.1-q5_K_M"), ask, host)
    assert fit.placement.counts == (33, 0)


def test_spread_splits_what_one_card_would_hold() -> None:
    """By 8 and 6 GiB: layers below 33 × 8/14 = 18.86, so 19, on the first."""
    ask, host = machine("dual-pascal")
    fit = judge(shape("hermes3:8b-llama3.1-q5_K_M"), ask, host)
    assert (fit.placement.kind, fit.placement.counts) == ("split", (19, 14))
    assert "OLLAMA_SCHED_SPREAD" in fit.placement.reason


def test_hermes_at_eight_bits_needs_both_cards() -> None:
    """8137.64 − 532.31 of token_embd + 512 + 120 + 457 = 8694 is above 8192 and 6144.

    The scheduler expects 8137.64 + 7 + 512 = 8656.64, above 80 % of either card.
    """
    ask, host = machine("dual-pascal", "ollama.sched_spread=false")
    model = shape("hermes3:8b-llama3.1-q8_0")
    for device in host.devices:
        assert not holds(model, ask, replace(host, devices=(device,)))
    fit = judge(model, ask, host)
    assert (fit.word, fit.placement.kind) == ("fits", "split")


def test_three_of_seven_billion_are_over_the_edge_of_twenty_gib() -> None:
    """Ollama 0.9 on a CPU has no flash attention, so the cache is f16 whatever is asked for.

    Each: 4460.45 + 56 KiB × 8192 × 4 = 1792, and 100; its llama.cpp computes against the cache of
    all slots: (28 × 32768 + 32768 + 5 × 3584 + 2 × 512) × 4 × 512 = 1893. Together 8245.45; two
    are 16491, three 24736, and MemoryMax is 20480.
    """
    ask, host = machine("xeon-cpu", version="0.9")
    seven = [shape(name) for name in ("qwen2.5-coder:7b", "deepseek-r1:7b", "qwen2.5:7b")]
    one = judge(seven[0], ask, host)
    assert one.load.cache_type == "f16"
    assert [mib(n) for n in (one.rooms[0].need.kv, one.rooms[0].need.compute)] == [1792, 1893]
    both, all_three = together(seven[:2], ask, host), together(seven, ask, host)
    assert both.word == "fits"
    assert (all_three.word, mib(all_three.rooms[0].need.total)) == ("does not fit", 24736)
    assert mib(all_three.rooms[0].left) == -4256
    assert all_three.rooms[0].limit_name == "MemoryMax"


def test_they_fit_where_the_cache_is_quantised() -> None:
    """From 0.11.5 on q8_0 works on a CPU: 1792 × 34/64 = 952.

    Batch 1024, as 32768 tokens are above 4096: (3 × 18944 + 4 × 3584 + 8192/2) × 4 × 1024 = 294.
    4460.45 + 952 + 294 + 100 = 5806.45; three are 17419, and 768 of prompt cache are room for.
    """
    ask, host = machine("xeon-cpu")
    seven = [shape(name) for name in ("qwen2.5-coder:7b", "deepseek-r1:7b", "qwen2.5:7b")]
    found = together(seven, replace(ask, cache_ram=256 << 20), host)
    assert (found.word, mib(found.rooms[0].need.total)) == ("fits", 17419)
    # The prompt caches that llama-server has by default, 8 GiB each, are not.
    assert together(seven, replace(ask, cache_ram=8 << 30), host).word == "tight"


def test_four_slots_of_262144_on_the_dgx_spark() -> None:
    """The model was trained for 131072, so the server caps it: 128 KiB × 131072 × 4 = 64 GiB.

    Without flash attention, as the profile has it, the scores and the mask count: 33 × 131072 × 4
    × 512 = 8448, an index of 1024 values of 8 bytes for each token 4, and four embeddings of the
    batch, of which one lies empty, 32. Weights: 4685.3 − 128256 × 4096 × 144/256 bytes = 281.81.
    Together with 457 78881 of 121856.
    """
    ask, host = machine("dgx-spark", "ollama.context_length=262144")
    fit = judge(shape("llama3.1:8b"), ask, host)
    assert (fit.load.context, fit.load.slots, fit.load.batch) == (131072, 4, 512)
    need = fit.rooms[0].need
    assert [mib(n) for n in (need.weights, need.kv, need.compute)] == [4403, 65536, 8484]
    assert (fit.word, mib(need.total)) == ("fits", 78881)
    assert fit.largest_context == 131072


def test_a_model_that_was_trained_for_262144_does_not_fit_there() -> None:
    """96 KiB × 262144 × 4 = 96 GiB of cache and 17 GiB of weights leave no 16.5 GiB of buffer."""
    ask, host = machine("dgx-spark", "ollama.context_length=262144")
    fit = judge(shape("qwen3-coder:30b"), ask, host)
    assert fit.word == "does not fit"
    assert sum(mib(room.need.kv) for room in fit.rooms) == 98304
    # Flash attention, which the card can do, makes the difference.
    assert holds(shape("qwen3-coder:30b"), replace(ask, flash_attention=True), host)


def test_left_out_the_context_follows_the_memory_of_the_gpus() -> None:
    ask, _ = machine("dual-pascal")
    assert ask.context == 4096
    document = read_document("dgx-spark", ())
    bare = {k: v for k, v in document.data["ollama"].items() if k != "context_length"}
    document.data["ollama"] = bare
    view = view_of(decide(document))
    assert ask_of(view, facts_at(str(view.release))).context == 262144


def test_the_largest_context_of_several_cards_says_whether_one_holds_it() -> None:
    # At 131072 tokens llama3.1:8b needs 16 GiB of cache: 24 GiB hold it, 16 and 12 together do.
    wish = ask_at(context=4096)
    model = shape("llama3.1:8b")
    wide = judge(model, wish, gpus(24 * GIB, 12 * GIB, memory=64 * GIB))
    split = judge(model, wish, gpus(16 * GIB, 12 * GIB, memory=64 * GIB))
    alone = judge(model, wish, gpus(16 * GIB, memory=64 * GIB))
    assert (wide.largest_context, wide.context_split) == (131072, False)
    assert (split.largest_context, split.context_split) == (131072, True)
    assert alone.largest_context < 131072
    assert not alone.context_split
