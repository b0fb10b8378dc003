"""What to take where nothing is named, and that more never means less."""

from functools import cache

import pytest

from generator.catalogue.models import split
from generator.cli.fit_text import choices_text
from generator.cli.fit_words import best_of
from generator.errors import Problem
from generator.fit.active import active_bytes
from generator.fit.choose import Candidate, choices, pick
from generator.fit.host import Host
from generator.fit.shape import shape_of
from generator.fit.verdict import _largest, judge, together
from tests.effort import calls
from tests.facts import facts_at
from tests.fit.shapes import GIB, MIB, ask, cpu, gpus, shape


@cache
def found(host: Host, release: str = "0.32.15") -> tuple[Candidate, ...]:
    """Return what a host could serve; several tests ask about the same host."""
    on_cpu = not host.devices
    return choices(ask(release, on_cpu=on_cpu), host)


def recommended(host: Host, release: str = "0.32.15") -> str:
    first = next(choice for choice in found(host, release) if choice.recommended)
    return f"{first.name} {first.fit.shape.quantisation}"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        # 6.8 GiB of 8; the newest of its size, and qwen3:8b is of 2025.
        (gpus(8 * GIB), "qwen3.5:9b Q4_K_M"),
        (gpus(24 * GIB), "gemma4:31b Q4_K_M"),
        (gpus(96 * GIB), "qwen3.5:122b Q4_K_M"),
        # A desktop takes 4 GiB and more: of 7 GiB 3 are left, of which 4b is 2.9 at four bits.
        (cpu(7 * GIB), "qwen3.5:4b Q4_K_M"),
        # All of mixtures is kept and little of it read: 12.8 GiB, and 17.3 of 24.
        (cpu(16 * GIB), "gpt-oss:20b MXFP4"),
        (cpu(24 * GIB), "gemma4:26b Q4_K_M"),
    ],
)
def test_the_newest_of_the_large_ones_that_fit_is_recommended(host: Host, name: str) -> None:
    assert recommended(host) == name


def test_a_cpu_gets_no_model_that_reads_more_than_6_gib_a_token() -> None:
    first = next(choice for choice in found(cpu(256 * GIB)) if choice.recommended)
    # 3 billion of 30 are read for a token; the 70 billion of llama3.3 would be 40 GiB.
    assert active_bytes(first.fit.shape) <= 6 * GIB
    assert first.fit.shape.experts > 0


def test_a_release_gets_no_model_that_it_cannot_load() -> None:
    old = {choice.fit.shape.architecture for choice in found(gpus(96 * GIB), "0.9.6")}
    assert "gpt-oss" not in old
    assert "qwen3" in old
    assert "qwen3" not in {c.fit.shape.architecture for c in found(gpus(96 * GIB), "0.6.5")}


@pytest.mark.parametrize("release", ["0.3.14", "0.5.12"])
def test_a_model_may_be_younger_than_its_architecture(release: str) -> None:
    assert "phi4-mini:3.8b" not in {choice.name for choice in found(gpus(8 * GIB), release)}
    assert "phi4-mini:3.8b" in {choice.name for choice in found(gpus(8 * GIB), "0.5.13")}


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [
        ("phi4:14b", "0.5.4", "0.5.5"),
        ("mistral-nemo:12b", "0.2.7", "0.2.8"),
        ("gemma2:9b", "0.1.46", "0.1.47"),
    ],
)
def test_a_model_is_offered_from_the_release_on_that_loads_it(
    name: str, before: str, since: str
) -> None:
    assert name not in {choice.name for choice in found(gpus(24 * GIB), before)}
    assert name in {choice.name for choice in found(gpus(24 * GIB), since)}


@pytest.mark.parametrize("release", ["0.5.13", "0.32.15"])
def test_an_old_mixture_gives_way_to_what_took_its_place(release: str) -> None:
    """47 billion weights of 2023 are more than those of what answers better."""
    every = found(gpus(40 * GIB), release)
    assert any(choice.best and choice.roomy for choice in every if choice.name == "mixtral:8x7b")
    assert recommended(gpus(40 * GIB), release).split()[0].endswith((":31b", ":32b", ":35b"))


@pytest.mark.parametrize("memory", [11, 12, 14, 16])
def test_a_model_that_was_trained_for_less_than_is_asked_gives_way(memory: int) -> None:
    wish = ask(on_cpu=True, context=16384)
    found_ = choices(wish, cpu(memory * GIB))
    (best,) = [choice for choice in found_ if choice.recommended]
    assert best.fit.shape.context >= 16384


def test_gemma_2_gives_way_to_its_successor() -> None:
    for memory in range(5, 40, 7):
        names = [c.name for c in found(cpu(memory * GIB)) if c.recommended]
        assert not any(name.startswith("gemma2") for name in names)


def test_the_best_quantisation_on_a_cpu_is_one_that_it_keeps_up_with() -> None:
    """7.4 GiB at Q8_0 are read for each token, and 5.7 at Q6_K."""
    best = {c.name: c.fit.shape.quantisation for c in found(cpu(64 * GIB)) if c.best}
    assert best["llama3.1:8b"] == "Q6_K"
    assert best["llama3.2:3b"] == "Q8_0"
    # None of them is quick: it is kept at the least loss, and not recommended.
    assert best["qwen2.5:32b"] == "Q8_0"


def test_a_prompt_cache_that_may_grow_is_told_with_the_recommendation() -> None:
    wish = ask(on_cpu=True, cache_ram=8 * GIB)
    first = next(c for c in choices(wish, cpu(24 * GIB)) if c.recommended)
    assert first.name == "gemma4:26b"
    assert "bound its prompt cache" in first.why


def test_nothing_is_recommended_where_nothing_has_room_to_spare() -> None:
    # Of smollm2:135m at its best all but a tenth of that is used.
    tight = choices(ask(on_cpu=True, context=2048), cpu(270 * MIB))
    assert any(choice.best for choice in tight)
    assert not any(choice.roomy for choice in tight if choice.best)
    assert not any(choice.recommended for choice in tight)
    assert choices_text(tight).startswith("Nothing has room to spare. Still fits")


def test_the_host_of_a_gpu_need_not_be_told() -> None:
    first = next(choice for choice in found(gpus(24 * GIB)) if choice.recommended)
    assert first.roomy
    text = choices_text(found(gpus(8 * GIB)), 500)
    roomy, narrow = text.split("Also fits, but with less than a tenth left")
    assert "partly on the CPU" not in roomy
    assert "tight" not in roomy
    assert "partly on the CPU" in narrow


def test_one_quantisation_of_a_model_is_the_best() -> None:
    every = found(gpus(12 * GIB))
    names = {choice.name for choice in every}
    for name in names:
        assert sum(choice.best for choice in every if choice.name == name) <= 1
    best = {c.name: c.fit.shape.quantisation for c in every if c.best}
    # 7.6 GiB of Q8_0 leave more than a tenth of 12 GiB.
    assert best["llama3.1:8b"] == "Q8_0"
    # Nobody should serve a model at two bits when a smaller one fits at four.
    assert not {"Q2_K", "Q3_K_M", "Q4_0"} & {c.fit.shape.quantisation for c in every if c.best}


def test_nothing_fits_into_nothing() -> None:
    assert found(cpu(GIB // 16)) == ()


@pytest.mark.parametrize("name", ["llama3.1:8b", "gemma2:9b", "qwen3:30b-a3b", "phi4:14b"])
@pytest.mark.parametrize("where", [cpu, gpus])
def test_more_memory_never_holds_less(name: str, where: type) -> None:
    contexts, slots = [], []
    for size in (6, 8, 12, 16, 24, 48, 96):
        host = where(size * GIB)
        fit = judge(shape(name), ask(on_cpu=where is cpu), host)
        contexts.append(fit.largest_context)
        slots.append(fit.most_slots)
    assert contexts == sorted(contexts)
    assert slots == sorted(slots)
    assert contexts[-1] == shape(name).context


def test_what_is_told_as_largest_fits_and_more_does_not() -> None:
    model, host = shape("llama3.1:8b"), gpus(8 * GIB)
    fit = judge(model, ask(), host)
    assert judge(model, ask(context=fit.largest_context), host).word != "does not fit"
    assert judge(model, ask(context=fit.largest_context + 256), host).word == "does not fit"


def test_the_search_passes_over_a_hole() -> None:
    """A smaller batch may let more fit again, as from 200 to 300 here."""
    assert _largest(lambda number: number <= 100 or 200 <= number <= 300, 512) == 300
    assert _largest(lambda number: number <= 3, 512) == 3
    assert _largest(lambda number: number < 512, 512) == 511
    assert _largest(lambda number: number == 0, 512) == 0


def test_a_quantised_cache_without_flash_attention_cannot_be_loaded() -> None:
    wish = ask(flash_attention=False, cache_type="q8_0")
    fit = judge(shape("llama3.2:3b"), wish, gpus(24 * GIB))
    assert fit.word == "does not fit"
    assert fit.why == "a q8_0 cache needs flash attention, which is off"


def test_models_beside_each_other_unload_what_leaves_no_room() -> None:
    pair = [shape("llama3.1:8b"), shape("qwen3:14b")]
    assert together(pair, ask(loaded=2), gpus(24 * GIB)).evicting == ()
    tight = together(pair, ask(loaded=2), gpus(12 * GIB))
    assert (tight.loaded, tight.evicting) == (("llama3.1:8b",), ("qwen3:14b",))
    # The server may keep one only.
    assert together(pair, ask(loaded=1), gpus(24 * GIB)).loaded == ("llama3.1:8b",)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("llama3.1:8b", ("llama3.1:8b", "")),
        ("llama3.1:8b:Q5_K_M", ("llama3.1:8b", "Q5_K_M")),
        ("llama3.1:8b:q8_0", ("llama3.1:8b", "Q8_0")),
        ("llama3.1:8b-instruct-q8_0", ("llama3.1:8b-instruct-q8_0", "")),
        ("llama3.1:8b:fp16", ("llama3.1:8b", "F16")),
        ("qwq:latest", ("qwq:latest", "")),
    ],
)
def test_a_name_may_end_in_a_quantisation(name: str, parts: tuple[str, str]) -> None:
    assert split(name) == parts


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("llama3.3:8b", "llama3.3 comes as 70b only", "use `llama3.1:8b`"),
        ("llama3.1:9b", "is not among the models", "did you mean `llama3.1:8b`? "),
        ("zzz", "is not among the models", "for any other model use --gguf"),
        ("gpt-oss:20b:Q4_K_M:", "is not among the models", "did you mean `gpt-oss:20b`? "),
        ("muse-glimmer:30b", "nothing else of it is known", "for what its context takes pull it"),
        ("kimi-k2.5", "ran in Ollama's cloud alone", "use `gpt-oss:120b`"),
        ("", "is not among the models", "for any other"),
    ],
)
def test_a_name_that_is_not_known(name: str, message: str, hint: str) -> None:
    problem = pick(name, facts_at())
    assert isinstance(problem, Problem)
    assert message in problem.message
    assert problem.hint.startswith(hint)


def test_every_fact_makes_a_shape() -> None:
    facts = facts_at()
    for model in (model for model in facts.models if model.layers):
        made = shape_of(model, facts)
        assert made.tensor_bytes == model.weight_bytes
        assert made.projector_bytes == model.projector
        assert min(made.layer_bytes) > 0
        assert made.source


def test_there_are_models_that_people_run() -> None:
    names = {model.names[0].split(":")[0] for model in facts_at().models}
    assert len(facts_at().models) > 400
    assert {"llama3.1", "qwen3", "gemma3", "gpt-oss", "deepseek-r1", "mistral", "phi4"} <= names


def test_what_finds_texts_leaves_most_of_the_memory_to_what_talks() -> None:
    both = [one for one in choices(ask(), gpus(12 * GIB), "rag") if one.recommended]
    talks, finds = both
    assert finds.fit.shape.encoder
    assert talks.parameters > 7e9
    # It is pulled as F16, and small.
    assert "serve" in finds.advice
    assert "not to serve" not in finds.advice
    assert "eighth" in finds.why
    assert talks.fit.rooms[0].need.total + finds.fit.rooms[0].need.total < 12 * GIB


@pytest.mark.parametrize("purpose", ["code", "vision", "reasoning", "embedding"])
def test_a_purpose_chooses_among_models_made_for_it(purpose: str) -> None:
    every = choices(ask(), gpus(24 * GIB), purpose)
    (first,) = (one for one in every if one.recommended)
    facts = ask().facts
    assert all(purpose in facts.model(one.name).use for one in every)  # type: ignore[union-attr]
    assert first.roomy


def test_of_models_of_a_shape_the_newest_stands_for_the_others_and_all_are_listed() -> None:
    listed = found(gpus(48 * GIB))
    every = {one.name: one.twin for one in listed if one.best}
    assert every["qwen3.6:27b"] == every["qwen3.6:35b"] == every["llama3.1:8b"] == ""
    assert every["qwen3.5:27b"] == "qwen3.6:27b"
    assert every["cogito:8b"] == every["hermes3:8b"] == "llama3.1:8b"
    assert {"granite4.1:3b", "medgemma:4b"} <= every.keys()
    assert "qwen3:30b" in every
    assert "qwen3:30b-a3b" not in every
    roomy, _ = best_of(listed)
    assert [bool(one.twin) for one in roomy] == sorted(bool(one.twin) for one in roomy)


@pytest.mark.parametrize("name", ["llama3.1:8b", "gpt-oss:20b"])
def test_every_quantisation_of_the_table_may_be_named(name: str) -> None:
    model = facts_at().model(name)
    assert model is not None
    assert {"TQ1_0", "TQ2_0", "MXFP4_MOE", "Q4_K_M", "IQ2_M", "F16"} <= model.sizes.keys()
    for kind in model.sizes:
        picked = pick(f"{name}:{kind}", facts_at())
        assert not isinstance(picked, Problem)
        assert picked.quantisation == kind


def test_ten_are_shown_and_the_rest_counted() -> None:
    every = found(gpus(24 * GIB))
    text = choices_text(every)
    roomy = sum(one.best and one.roomy for one in every)
    assert f"and {roomy - 10} more: --all" in text
    assert text.index("* ") < text.index("  and ")


def test_models_of_a_shape_are_judged_once() -> None:
    # 2000 models and quantisations, a good half of them of another's shape: 2.2 million calls.
    wish = ask()
    assert calls(lambda: choices(wish, gpus(120 * GIB))) < 4_000_000
