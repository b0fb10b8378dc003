"""What each era of Ollama does with a model. Numbers from its logs and sources."""

from dataclasses import replace
from typing import Any

import pytest

from generator.engines.ollama.scheduler.ask import ask_of, batch_of, predicted
from generator.fit.layout import Footprint
from generator.host import Gpu, Host
from tests.facts import facts_at
from tests.fit.shapes import GIB, MIB, ask, kv_bytes, mib, shape
from tests.views import view


def test_the_prediction_from_0_30_on_is_file_and_f16_cache() -> None:
    model = shape("llama3.1:8b")
    # 4685.3 + 7 + 128 KiB × 32768 = 4096
    assert mib(predicted(model, 32768, facts_at())) == 8788


@pytest.mark.parametrize(
    ("tokens", "flash", "cuda", "free", "batch"),
    [
        (4096, True, False, (), 512),
        (4097, True, False, (), 1024),
        (32768, True, False, (), 1024),
        (32769, True, False, (), 2048),
        (32768, True, True, (24 * GIB,), 1024),
        # 10 of 16 GiB are above 60 %, and 2 GiB more are too many for 80 %.
        (65536, True, True, (16 * GIB,), 1024),
        (65536, True, True, (24 * GIB,), 2048),
        (65536, True, True, (11 * GIB,), 512),
        (65536, False, True, (24 * GIB,), 512),
        (65536, False, True, (8 * GIB,), 256),
        (4096, False, True, (8 * GIB,), 512),
    ],
)
def test_the_batch_from_0_30_on(
    tokens: int, flash: bool, cuda: bool, free: tuple[int, ...], batch: int
) -> None:
    found = batch_of(10 * GIB, tokens, free, flash=flash, cuda=cuda)
    assert found == batch


@pytest.mark.parametrize("release", ["0.9.6", "0.24.0", "0.32.15"])
def test_one_card_is_enough_for_a_small_model(release: str) -> None:
    model, wish = shape("llama3.2:3b"), ask(release)
    free = (8 * GIB, 6 * GIB)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert (found.kind, found.counts) == ("one", (29, 0))


@pytest.mark.parametrize("release", ["0.9.6", "0.24.0", "0.32.15"])
def test_no_card_computes_what_none_can_hold(release: str) -> None:
    model, wish = shape("llama3.1:70b"), ask(release)
    free = (GIB, GIB)
    found = wish.place(Footprint(model, wish.load_of(model, free)), free)
    assert (found.kind, found.counts) == ("cpu", (0, 0))


@pytest.mark.parametrize("release", ["0.9.6", "0.24.0", "0.32.15"])
def test_a_part_is_offloaded_within_the_memory(release: str) -> None:
    model, wish = shape("qwen2.5:32b"), ask(release)
    free = (8 * GIB, 6 * GIB)
    load = wish.load_of(model, free)
    found = wish.place(Footprint(model, load), free)
    assert found.kind == "partial"
    devices, host = Footprint(model, load).needs(found.counts, headless=found.headless)
    assert all(need.total <= have for need, have in zip(devices, free, strict=True))
    assert sum(need.layers for need in (*devices, host)) == 65
    # Nothing is lost: all weights are somewhere, the token embedding with the host.
    assert sum(need.weights for need in (*devices, host)) == model.tensor_bytes


def test_what_fits_is_not_what_llama_cpp_does() -> None:
    """7605 of weights and 512 of cache fit into 9 GiB, but not with 1024 left free."""
    model, wish, free = shape("llama3.1:8b:Q8_0"), ask(), (9 * GIB,)
    load = wish.load_of(model, free)
    assert wish.place(Footprint(model, load), free).kind == "partial"
    small = replace(wish, margin=256 * MIB)
    assert small.place(Footprint(model, load), free).kind == "one"


def test_forced_layers_are_taken_at_their_word() -> None:
    model, wish = shape("llama3.1:8b"), ask(layers=10)
    found = wish.place(Footprint(model, wish.load_of(model, (8 * GIB,))), (8 * GIB,))
    assert (found.kind, found.counts) == ("partial", (10,))


@pytest.mark.parametrize(
    ("release", "architecture", "more", "flash"),
    [
        ("0.32.15", "llama", {"flash_attention": None}, True),
        ("0.32.15", "llama", {"flash_attention": False}, False),
        ("0.32.15", "llama", {"flash_attention": None, "flash_capable": False}, False),
        ("0.13.4", "llama", {"flash_attention": None}, True),
        ("0.13.3", "llama", {"flash_attention": None}, False),
        ("0.12.4", "qwen3", {"flash_attention": None}, True),
        ("0.12.3", "qwen3", {"flash_attention": None}, False),
        ("0.9.6", "llama", {"on_cpu": True}, False),
        # Asked for, but no card can: only llama-server does as told.
        ("0.24.0", "llama", {"flash_attention": True, "flash_capable": False}, False),
        ("0.32.15", "llama", {"flash_attention": True, "flash_capable": False}, True),
    ],
)
def test_flash_attention_by_release(
    release: str, architecture: str, more: dict[str, bool], flash: bool
) -> None:
    assert ask(release, **more).uses_flash(architecture) is flash


@pytest.mark.parametrize(
    ("release", "more", "kept"),
    [
        ("0.12.0", {}, "q8_0"),
        ("0.12.0", {"flash_attention": False}, "f16"),
        # From 0.13.4 to 0.24 it must be asked for.
        ("0.24.0", {"flash_attention": None}, "f16"),
        ("0.24.0", {}, "q8_0"),
        ("0.32.15", {"flash_attention": None}, "q8_0"),
    ],
)
def test_the_cache_type_by_release(release: str, more: dict[str, bool | None], kept: str) -> None:
    wish = ask(release, cache_type="q8_0", **more)
    assert wish.load_of(shape("llama3.1:8b"), ()).cache_type == kept


@pytest.mark.parametrize(
    ("capability", "release", "capable"),
    [
        ("6.1", "0.12.6", True),
        ("8.9", "0.12.6", True),
        ("12.1", "0.12.6", True),
        ("6.1", "0.24.0", True),
        ("8.9", "0.24.0", True),
        ("12.1", "0.24.0", True),
        ("7.2", "0.24.0", False),
        ("7.2", "0.12.3", True),
        ("7.2", "0.12.4", False),
        ("6.1", "0.30.0", False),
        ("6.1", "0.31.2", True),
        ("7.0", "0.30.0", True),
    ],
)
def test_which_cards_the_release_trusts_with_flash_attention(
    capability: str, release: str, capable: bool
) -> None:
    card = Gpu(name="GPU", memory=8 * GIB, compute_capability=capability)
    seen = view(release=release, host=Host(gpus=(card,)), acceleration="cuda")
    assert ask_of(seen, facts_at(str(seen.release))).flash_capable is capable


@pytest.mark.parametrize(
    ("name", "release", "how"),
    [
        # Those that need Ollama's engine, qwen3 from 0.12.0 on, are some releases ahead.
        ("qwen3:14b", "0.11.11", "by its estimate"),
        ("qwen3:14b", "0.12.0", "by its own measure"),
        ("qwen3:14b", "0.12.10", "by its own measure"),
        ("gpt-oss:20b", "0.11.10", "by its estimate"),
        ("gpt-oss:20b", "0.12.3", "by its own measure"),
        ("gemma3:12b", "0.11.11", "by its own measure"),
        ("llama3.1:8b", "0.12.10", "by its estimate"),
        ("qwen2.5:14b", "0.12.10", "by its estimate"),
        ("qwen2.5:14b", "0.12.11", "by the graph that it reckons with"),
    ],
)
def test_which_models_are_placed_by_measure(name: str, release: str, how: str) -> None:
    model = shape(name)
    wish, free = ask(release), (24 * GIB,)
    assert how in wish.place(Footprint(model, wish.load_of(model, free)), free).reason


@pytest.mark.parametrize(
    ("release", "card", "acceleration", "mib"),
    [
        # 8 MiB of mask, and 33.6 for the largest matrix, its batch and its answers as f16; a log
        # of 0.12.6 has 89.8 MiB, which are 48 and these.
        ("0.12.6", "AMD Radeon RX 7900 XTX", "rocm", 41.6),
        # Multiplied as they are: the batch in 8 bits.
        ("0.12.6", "AMD Radeon RX 6800 XT", "rocm", 11.5),
        ("0.12.6", "NVIDIA GeForce RTX 3090", "cuda", 18),
        ("0.12.6", "NVIDIA GeForce RTX 3090", "vulkan", 8),
        ("0.12.3", "AMD Radeon RX 7900 XTX", "rocm", 0),
    ],
)
def test_what_operations_of_gpus_take_for_a_while(
    release: str, card: str, acceleration: str, mib: float
) -> None:
    host = Host(gpus=(Gpu(name=card, memory=24 * GIB),))
    seen = view(release=release, host=host, acceleration=acceleration)
    wish = replace(ask_of(seen, facts_at(release)), context=4096, slots=1, flash_attention=True)
    model = shape("qwen3:1.7b")
    load = wish.load_of(model, (24 * GIB,))
    assert load.pool is not None
    assert load.pool.beside_bytes(model, load) / MIB == pytest.approx(mib, abs=0.5)


@pytest.mark.parametrize(
    ("release", "card", "acceleration", "unpacks"),
    [
        ("0.30.3", "NVIDIA GeForce RTX 3090", "", False),
        ("0.30.4", "NVIDIA GeForce RTX 3090", "", True),
        ("0.30.4", "a card that nobody knows", "", True),
        ("0.32.15", "AMD Radeon RX 7900 XTX", "", True),
        ("0.32.15", "AMD Radeon RX 7900 XTX", "vulkan", False),
        ("0.32.15", "Intel Arc B580", "", False),
    ],
)
def test_whose_buffers_have_a_quantised_cache_as_f16(
    release: str, card: str, acceleration: str, *, unpacks: bool
) -> None:
    host = Host(gpus=(Gpu(name=card, memory=12 * GIB),))
    seen = view(release=release, host=host, acceleration=acceleration)
    assert ask_of(seen, facts_at(release)).unpacks is unpacks


@pytest.mark.parametrize(
    ("architecture", "release", "wanted", "more", "kept"),
    [
        # Ollama's engine grants what llama.cpp's wants to be asked for.
        ("qwen3", "0.24.0", "q8_0", {}, "q8_0"),
        ("llama", "0.24.0", "q8_0", {}, "f16"),
        ("llama", "0.24.0", "q8_0", {"flash_attention": True}, "q8_0"),
        ("llama", "0.24.0", "q5_1", {"flash_attention": True}, "f16"),
        ("llama", "0.24.0", "bf16", {"flash_attention": True}, "f16"),
        ("llama", "0.32.15", "bf16", {}, "bf16"),
        ("gpt-oss", "0.12.3", "q8_0", {"flash_attention": True}, "f16"),
        ("gpt-oss", "0.12.4", "q8_0", {"flash_attention": True}, "q8_0"),
        ("gemma2", "0.24.0", "q8_0", {"flash_attention": True}, "f16"),
        ("gemma2", "0.32.15", "q8_0", {"flash_attention": True}, "q8_0"),
    ],
)
def test_which_cache_a_model_gets(
    architecture: str, release: str, wanted: str, more: dict[str, bool], kept: str
) -> None:
    wish = ask(release, cache_type=wanted, **{"flash_attention": None, **more})
    flash = wish.uses_flash(architecture)
    assert wish.cache_of(architecture, flash=flash) == kept


@pytest.mark.parametrize(
    ("architecture", "release", "flash"),
    [
        ("llama4", "0.24.0", False),
        ("qwen3vl", "0.12.7", False),
        ("qwen3vl", "0.12.8", True),
        ("mistral3", "0.13.1", False),
        ("mistral3", "0.13.2", True),
        ("llama", "0.24.0", True),
    ],
)
def test_what_ollamas_engine_turns_on_by_itself(
    architecture: str, release: str, flash: bool
) -> None:
    assert ask(release, flash_attention=None).uses_flash(architecture) is flash


@pytest.mark.parametrize(
    ("name", "release", "memory", "context"),
    [
        ("gpt-oss:20b", "0.11.0", 16, 8192),
        ("gpt-oss:20b", "0.12.4", 24, 8192),
        ("gpt-oss:20b", "0.12.4", 16, 4096),
        ("gpt-oss:20b", "0.15.5", 24, 4096),
        ("llama3.1:8b", "0.12.4", 24, 4096),
        ("qwen3-vl:8b", "0.12.7", 24, 8192),
    ],
)
def test_some_models_get_a_least_context_whatever_is_set(
    name: str, release: str, memory: int, context: int
) -> None:
    host = Host(gpus=(Gpu(name="GPU", memory=memory * GIB),))
    seen = view({"OLLAMA_CONTEXT_LENGTH": "4096"}, release=release, host=host)
    assert ask_of(seen, facts_at(release)).granted(name).context == context


@pytest.mark.parametrize(
    ("release", "capability", "flash"),
    [("0.24.0", "7.0", False), ("0.24.0", "7.5", True), ("0.32.15", "7.0", True)],
)
def test_gemma4_computes_with_flash_attention_on_cards_that_have_it(
    release: str, capability: str, flash: bool
) -> None:
    host = Host(gpus=(Gpu(name="GPU", memory=24 * GIB, compute_capability=capability),))
    seen = view({"OLLAMA_FLASH_ATTENTION": "1"}, release=release, host=host)
    assert ask_of(seen, facts_at(release)).uses_flash("gemma4") is flash


@pytest.mark.parametrize(("free", "layers"), [(3801, 37), (3296, 29)])
def test_what_llama_cpp_has_left_out_is_not_counted_again(free: int, layers: int) -> None:
    """Two public logs of a GTX 1650: 2760 MiB of 3801 and of 3296 free, and 1024 stay free."""
    model = shape("qwen3:4b")
    wish = ask("0.34.0", cache_type="q8_0")
    have = (free * MIB,)
    found = wish.place(Footprint(model, wish.load_of(model, have)), have)
    assert found.counts == (layers,)


def test_layers_that_are_asked_for_go_to_the_gpu_that_is_chosen() -> None:
    """llama3.2:3b is within 80 % of one card: what is asked for goes there, and not to both."""
    free = (8 * GIB, 12 * GIB)
    small, large = shape("llama3.2:3b"), shape("llama3.1:70b")
    wish = ask(layers=20)
    assert wish.place(Footprint(small, wish.load_of(small, free)), free).counts == (0, 20)
    assert wish.place(Footprint(large, wish.load_of(large, free)), free).counts == (8, 12)
    wide = replace(wish, spread=True)
    assert wide.place(Footprint(small, wide.load_of(small, free)), free).counts == (8, 12)


@pytest.mark.parametrize(
    ("name", "release", "context", "slots", "kv", "compute"),
    [
        # llama3.1:8b in a public notebook on a T4: 1024 and 560.00; granite-code on an M1: 2144.00.
        ("llama3.1:8b:Q4_0", "0.3.8", 2048, 4, 1024, 562),
        ("granite-code:8b:Q4_0", "0.3.14", 8192, 4, 4608, 2146),
        # Of its slot alone, from 0.11.5 on.
        ("llama3.1:8b:Q4_0", "0.12.3", 2048, 4, 1024, 266),
    ],
)
def test_a_token_is_computed_against_the_cache_of_all_slots_up_to_0_11_4(
    name: str, release: str, context: int, slots: int, kv: int, compute: int
) -> None:
    wish, model = ask(release, context=context, slots=slots, flash_attention=False), shape(name)
    (card,), _ = Footprint(model, wish.load_of(model, (24 * GIB,))).needs((model.layers + 1,))
    assert (mib(card.kv), mib(card.compute)) == (kv, compute)


@pytest.mark.parametrize(
    ("name", "release", "more", "kv"),
    [
        # A public log of 0.18.2 has a full-size cache for local layers: 832 + 832.
        ("gemma2:2b", "0.18.2", {"context": 8192, "slots": 2}, 1664),
        # qwen3-coder-next at 32768 tokens: 2.6 GiB, 2.2 with q8_0; 24 earlier states of 75 MiB.
        ("qwen3-coder-next", "0.20.3", {"context": 32768}, 2652),
        ("qwen3-coder-next", "0.20.3", {"context": 32768, "cache_type": "q8_0"}, 2292),
        ("qwen3-coder-next", "0.16.1", {"context": 32768}, 3255),
        ("qwen3-coder-next", "0.32.15", {"context": 32768}, 843),
    ],
)
def test_what_is_kept_of_a_slot_by_release(
    name: str, release: str, more: dict[str, Any], kv: int
) -> None:
    wish, model = ask(release, **more), shape(name)
    load = wish.load_of(model, (80 * GIB,))
    assert mib(kv_bytes(model, load)) == kv


def test_an_embedding_for_each_layer_is_a_part_of_the_output_of_ollamas_engine() -> None:
    """A public log of gemma4:e4b on 8 GB has 42 of 43 layers, however short the context."""
    model, free = shape("gemma4:e4b"), (7987 * MIB,)
    for slots, context in ((4, 8192), (1, 2048)):
        wish = ask("0.21.0", slots=slots, context=context)
        footprint = Footprint(model, wish.load_of(model, free))
        found = wish.place(footprint, free)
        assert (found.counts, found.headless) == ((42,), True)
        (card,), host = footprint.of(found)
        assert card.weights + host.weights == model.tensor_bytes + model.projector_bytes


@pytest.mark.parametrize(
    ("name", "release", "layers", "gpu"),
    [
        # Public logs of the llama runner: 12531.27 of qwen2.5-coder:32b, 5731.89 of phi4:14b.
        ("qwen2.5-coder:32b", "0.11.4", 45, 12531),
        ("phi4:14b", "0.5.4", 29, 5733),
    ],
)
def test_the_last_layers_of_a_k_m_are_heavier_than_others(
    name: str, release: str, layers: int, gpu: int
) -> None:
    wish, model, free = ask(release, layers=layers), shape(name), (24 * GIB,)
    footprint = Footprint(model, wish.load_of(model, free))
    (card,), _ = footprint.of(wish.place(footprint, free))
    assert mib(card.weights) == gpu


def test_what_comes_in_is_there_four_times_where_two_cards_have_all_layers() -> None:
    """deepseek-r1:32b by 0.5.12, at 2048 tokens: 363.0 MiB on a card, 26.0 on the host."""
    wish, model = ask("0.5.12", context=2048, flash_attention=False), shape("deepseek-r1:32b")
    cards, host = Footprint(model, wish.load_of(model, (14 * GIB,) * 2)).needs((33, 32))
    assert (max(mib(card.compute) for card in cards), mib(host.compute)) == (369, 26)


def test_the_output_of_a_file_that_ollama_quantised_is_the_files() -> None:
    """The log of ollama#10417: 360 MiB of output, and 37 of 41 layers on 23.3 GiB at 0.6.6."""
    model = shape("mistral-small3.1:24b")
    assert mib(model.output_bytes) == 360
    wish = ask("0.6.6", context=4096)
    placed = wish.place(Footprint(model, wish.load_of(model, (0,))), (int(23.3 * GIB),))
    assert placed.counts == (37,)
