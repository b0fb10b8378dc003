"""The Facts: expectations by hand, from the release notes and sources that the data cites."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.catalogue.facts import Facts
from generator.catalogue.models import context_said
from generator.units import Release
from tests.facts import facts_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.catalogue.hardware import GpuGeneration
    from generator.catalogue.models import ModelFact
    from generator.catalogue.records import Option, Variable

# Names that people ask for: those most pulled, and what came up in 2025 and 2026.
COMMON = Path(__file__).with_name("common.txt").read_text(encoding="utf-8").split()
AMD64, ARM64 = "x86_64-linux", "aarch64-linux"


def at(text: str) -> Release:
    return Release.parse(text)


@pytest.fixture(name="newest")
def _newest() -> Facts:
    return facts_at()


def variable(name: str, release: str) -> Variable:
    found = facts_at(release).variable(name)
    assert found is not None
    return found


def generation(capability: str, release: str = "0.32.15") -> GpuGeneration:
    found = facts_at(release).generation(capability)
    assert found is not None
    return found


def test_everything_that_was_researched_is_there(newest: Facts) -> None:
    assert len(newest.variables) == 184
    assert len(newest.dead_names) == 128
    assert len(newest.options) == 32


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("0.5.7", "runner binaries"),
        ("0.5.8", "in-process ggml"),
        ("0.24.0", "in-process ggml"),
        ("0.30.0", "llama-server"),
    ],
)
def test_releases_compute_in_three_ways(text: str, era: str) -> None:
    assert facts_at(text).era.name == era


def test_behaviours_start_with_a_release(newest: Facts) -> None:
    assert newest.behaviours["llm-library-strict"].since == at("0.12.4")
    assert not facts_at("0.11.4").behaves("flash-attention-on-cpu")
    assert facts_at("0.11.5").behaves("flash-attention-on-cpu")


# Variables


@pytest.mark.parametrize(
    ("name", "release", "default"),
    [
        ("OLLAMA_CONTEXT_LENGTH", "0.5.12", None),
        ("OLLAMA_CONTEXT_LENGTH", "0.5.13", "2048"),
        ("OLLAMA_CONTEXT_LENGTH", "0.9.0", "4096"),
        ("OLLAMA_CONTEXT_LENGTH", "0.15.5", "0"),
        ("OLLAMA_NUM_PARALLEL", "0.1.33", "1"),
        ("OLLAMA_NUM_PARALLEL", "0.9.6", "0"),
        ("OLLAMA_NUM_PARALLEL", "0.10.0", "1"),
        ("OLLAMA_VULKAN", "0.24.0", "false"),
        ("OLLAMA_VULKAN", "0.30.0", "true"),
        ("OLLAMA_FLASH_ATTENTION", "0.11.7", "false"),
        ("OLLAMA_FLASH_ATTENTION", "0.32.15", "auto"),
        ("OLLAMA_MULTIUSER_CACHE", "0.30.0", None),
        ("OLLAMA_LLM_LIBRARY", "0.32.15", None),
        ("LLAMA_ARG_CACHE_RAM", "0.32.15", "8192"),
    ],
)
def test_defaults_change_with_releases(name: str, release: str, default: str | None) -> None:
    assert variable(name, release).default == default


def test_a_default_says_what_it_means() -> None:
    entry = variable("OLLAMA_NUM_PARALLEL", "0.6.7").default_entry
    assert entry is not None
    assert entry.note == "tries 2, then 1"


@pytest.mark.parametrize(
    ("name", "release", "system", "values"),
    [
        ("OLLAMA_LLM_LIBRARY", "0.9.2", AMD64, ("cuda_v11", "cuda_v12", "rocm")),
        ("OLLAMA_LLM_LIBRARY", "0.9.6", AMD64, ("rocm",)),
        ("OLLAMA_LLM_LIBRARY", "0.9.6", ARM64, ("cuda_sbsa", "cuda_jetpack5", "cuda_jetpack6")),
        ("OLLAMA_LLM_LIBRARY", "0.12.4", AMD64, ("cuda_v12", "cuda_v13", "rocm")),
        ("OLLAMA_LLM_LIBRARY", "0.20.3", AMD64, ("cuda_v12", "cuda_v13", "rocm", "vulkan")),
        ("OLLAMA_KV_CACHE_TYPE", "0.24.0", AMD64, ("f16", "q8_0", "q4_0")),
        ("OLLAMA_DEBUG", "0.6.8", AMD64, ("0", "1")),
        ("OLLAMA_DEBUG", "0.7.0", ARM64, ("0", "1", "2")),
        ("OLLAMA_HOST", "0.32.15", AMD64, None),
    ],
)
def test_values_that_count_depend_on_release_and_system(
    name: str, release: str, system: str, values: tuple[str, ...] | None
) -> None:
    assert variable(name, release).allowed(system) == values


def test_the_newest_release_has_new_library_names() -> None:
    values = variable("OLLAMA_LLM_LIBRARY", "0.32.15").allowed(AMD64)
    assert values is not None
    assert {"cuda_v12", "cuda_v13", "rocm_v7_2"} <= set(values)
    assert "rocm" not in values


def test_gpu_overhead_works_until_llama_server_places_models() -> None:
    assert not variable("OLLAMA_GPU_OVERHEAD", "0.3.9").known
    before, overhead = (variable("OLLAMA_GPU_OVERHEAD", r) for r in ("0.24.0", "0.30.0"))
    assert before.works
    assert not before.replacement
    assert overhead.known
    assert not overhead.works
    assert overhead.replacement == "LLAMA_ARG_FIT_TARGET=<MiB per device>"


def test_llama_server_reads_its_variables_from_0_30_on() -> None:
    assert not variable("LLAMA_ARG_THREADS", "0.24.0").known
    assert variable("LLAMA_ARG_THREADS", "0.30.0").works
    assert not variable("LLAMA_ARG_CTX_SIZE", "0.32.15").works
    assert not variable("LLAMA_ARG_WEBUI", "0.31.2").known


@pytest.mark.parametrize(
    "name",
    ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"],
)
@pytest.mark.parametrize("release", ["0.1.33", "0.9.2", "0.24.0", "0.32.15"])
def test_thread_libraries_never_decide(name: str, release: str) -> None:
    assert variable(name, release).known
    assert not variable(name, release).works


def test_what_stands_in_for_a_thread_library() -> None:
    before, openmp = (variable("OMP_NUM_THREADS", r) for r in ("0.24.0", "0.32.15"))
    assert before.replacement == "PARAMETER num_thread N in a Modelfile"
    assert openmp.replacement == "LLAMA_ARG_THREADS=N"


def test_dangerous_variables_are_those_of_the_internal_server(newest: Facts) -> None:
    dangerous = {name for name in newest.variables if variable(name, "0.32.15").dangerous}
    assert len(dangerous) == 16
    assert {"LLAMA_API_KEY", "LLAMA_ARG_API_PREFIX", "LLAMA_ARG_ROPE_SCALE"} <= dangerous
    assert not any(name.startswith("OLLAMA_") for name in dangerous)


@pytest.mark.parametrize(
    ("name", "release", "read"),
    [
        ("LLAMA_ARG_PERF", "0.32.15", True),
        ("LLAMA_ARG_NO_PERF", "0.32.15", True),
        ("LLAMA_ARG_NO_KV_OFFLOAD", "0.32.15", True),
        ("LLAMA_ARG_NO_KV_OFFLOAD", "0.24.0", False),
        # A flag that can only be turned on.
        ("LLAMA_ARG_NO_MLOCK", "0.32.15", False),
        ("LLAMA_ARG_AGENT", "0.30.0", False),
        ("LLAMA_ARG_AGENT", "0.31.2", True),
        ("LLAMA_ARG_HF_REPO_V", "0.32.15", False),
        ("LLAMA_ARG_FOO", "0.32.15", False),
    ],
)
def test_llama_server_reads_more_names(name: str, release: str, read: bool) -> None:
    assert facts_at(release).variable(name) is None
    assert facts_at(release).runner_reads(name) is read


# Dead names and options


def test_dead_names_name_the_lever_that_works(newest: Facts) -> None:
    before = facts_at("0.9.2").dead_names.get("OLLAMA_NUM_THREADS")
    threads = facts_at("0.30.0").dead_names.get("OLLAMA_NUM_THREADS")
    assert before is not None
    assert threads is not None
    assert threads.intent == "threads.count"
    assert before.replacement == "PARAMETER num_thread N in a Modelfile"
    assert threads.replacement == "LLAMA_ARG_THREADS=N"
    assert "OLLAMA_HOST" not in newest.dead_names


@pytest.mark.parametrize(
    ("intent", "names"),
    [
        ("threads.count", ("OLLAMA_NUM_THREADS",)),
        ("gpu.layers", ("OLLAMA_NUM_GPU", "OLLAMA_NUM_GPU_LAYERS")),
        ("ollama.acceleration", ("OLLAMA_NO_CUDA",)),
        ("warmup.enable", ("OLLAMA_WARMUP_ENABLED",)),
        ("ollama.context_length", ()),
        ("no.such_key", ()),
    ],
)
def test_legacy_names_are_those_of_the_seeds(
    newest: Facts, intent: str, names: tuple[str, ...]
) -> None:
    assert newest.legacy_names(intent) == names


def option(name: str, release: str) -> Option:
    found = facts_at(release).options.get(name)
    assert found is not None
    return found


def test_model_options(newest: Facts) -> None:
    threads = option("num_thread", "0.32.15")
    assert (threads.type, threads.modelfile, threads.reload) == ("int", True, True)
    assert option("repeat_penalty", "0.32.9").default == "1.1"
    assert option("repeat_penalty", "0.32.10").default == "1.0"
    assert option("use_mlock", "0.6.8").known
    assert not option("use_mlock", "0.7.0").known
    assert "num_threads" not in newest.options
    assert newest.closest_option("num_threads") == "did you mean `num_thread`?"
    assert newest.closest_option("xyz") == ""


# GPUs and the image


@pytest.mark.parametrize(
    ("capability", "release", "system", "libraries"),
    [
        ("6.1", "0.1.33", AMD64, ("cuda_v11",)),
        ("6.1", "0.9.2", AMD64, ("cuda_v11", "cuda_v12")),
        ("6.1", "0.9.6", AMD64, ("cuda_v12",)),
        ("6.1", "0.12.3", AMD64, ("cuda_v12",)),
        ("6.1", "0.32.15", AMD64, ("cuda_v12",)),
        ("8.6", "0.32.15", AMD64, ("cuda_v12", "cuda_v13")),
        ("8.9", "0.9.2", AMD64, ("cuda_v11", "cuda_v12")),
        ("9.0", "0.3.6", AMD64, ()),
        ("10.0", "0.31.2", AMD64, ("cuda_v13",)),
        ("12.0", "0.5.12", AMD64, ()),
        ("12.1", "0.9.6", ARM64, ("cuda_sbsa",)),
        ("12.1", "0.32.15", ARM64, ("cuda_v12", "cuda_v13")),
        ("8.7", "0.32.15", ARM64, ("cuda_jetpack5", "cuda_jetpack6")),
        ("7.2", "0.32.15", ARM64, ("cuda_jetpack5",)),
    ],
)
def test_libraries_serve_the_gpus_they_are_built_for(
    capability: str, release: str, system: str, libraries: tuple[str, ...]
) -> None:
    assert generation(capability, release).cuda_libraries(system) == libraries


@pytest.mark.parametrize(
    ("capability", "name", "modules", "driver", "architectures"),
    [
        ("5.2", "Maxwell", "closed", "legacy_580", ("52",)),
        ("6.1", "Pascal", "closed", "legacy_580", ("61",)),
        ("7.0", "Volta", "closed", "legacy_580", ("70",)),
        ("7.5", "Turing", "either", "", ()),
        ("8.9", "Ada", "either", "", ()),
        ("12.1", "Blackwell", "open", "", ()),
    ],
)
def test_what_a_nixos_host_needs(
    capability: str, name: str, modules: str, driver: str, architectures: tuple[str, ...]
) -> None:
    gpu = generation(capability)
    assert (gpu.name, gpu.kernel_modules, gpu.nixpkgs_driver) == (name, modules, driver)
    assert gpu.last_driver == (580 if driver else None)
    assert gpu.cuda_architectures == architectures


@pytest.mark.parametrize(
    ("capability", "release", "floor", "flash_attention"),
    [
        ("6.1", "0.5.7", 0, False),
        ("6.1", "0.24.0", 531, False),
        ("6.1", "0.30.0", 570, False),
        ("6.1", "0.31.2", 570, True),
        ("5.2", "0.32.15", 570, False),
        ("7.0", "0.30.0", 550, True),
        ("7.2", "0.32.15", 0, False),
        ("8.6", "0.24.0", 531, False),
        ("8.6", "0.32.15", 550, True),
        ("12.0", "0.9.6", 570, False),
    ],
)
def test_drivers_and_flash_attention_by_release(
    capability: str, release: str, floor: int, flash_attention: bool
) -> None:
    gpu = generation(capability, release)
    assert gpu.driver_floor == floor
    assert gpu.flash_attention is flash_attention


@pytest.mark.parametrize(
    ("name", "capability", "gibibytes"),
    [
        ("Quadro P4000", "6.1", 8),
        ("quadro p4000", "6.1", 8),
        ("NVIDIA GeForce GTX 1060 6GB", "6.1", 6),
        ("GTX 1060 6GB", "6.1", 6),
        ("NVIDIA GeForce RTX 4090", "8.9", 24),
        ("NVIDIA GB10", "12.1", 119.6),
    ],
)
def test_cards_are_found_by_the_names_that_drivers_print(
    newest: Facts, name: str, capability: str, gibibytes: float
) -> None:
    card = newest.card(name)
    assert card is not None
    assert card.compute_capability == capability
    assert card.memory == int(gibibytes * 2**30)
    assert card.unified is (card.name == "GB10")


def test_unknown_hardware_is_none(newest: Facts) -> None:
    assert newest.card("Voodoo 2") is None
    assert newest.generation("3.5") is None


def test_the_image(newest: Facts) -> None:
    image = newest.image
    assert image.tag.format(release=at("0.32.15")) == "0.32.15"
    assert image.rocm_tag.format(release=at("0.32.15")) == "0.32.15-rocm"
    assert image.healthcheck == ("CMD", "ollama", "list")
    assert (image.home_path, image.port) == ("/root/.ollama", 11434)
    assert image.environment["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert set(image.missing_tools) == {"curl", "wget", "nc"}


@pytest.mark.parametrize("method", [m for m in vars(Facts).values() if inspect.isfunction(m)])
def test_facts_answer_for_their_release_alone(method: Callable[..., object]) -> None:
    asked = [name for name in inspect.signature(method).parameters if name != "self"]
    assert "release" not in asked or method.__name__ == "__init__"


def test_records_answer_for_the_release_of_their_facts() -> None:
    old, new = facts_at("0.24"), facts_at("0.30")
    floors = [f.generation("8.6").driver_floor for f in (old, new)]  # type: ignore[union-attr]
    assert floors == [531, 550]
    assert old.newest.release == new.newest.release
    assert new.start_of_era.release == new.era.since


# Models


MIB = 2**20


@pytest.mark.parametrize(
    ("tag", "name", "quantisation", "mib"),
    [
        ("llama3.1:8b", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3.1", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3:8b", "llama3:8b", "Q4_0", 4437),
        ("library/llama3.1:latest", "llama3.1:8b", "Q4_K_M", 4685),
        ("registry.ollama.ai/library/Llama3.1:8B", "llama3.1:8b", "Q4_K_M", 4685),
        ("llama3.1:8b-instruct-q8_0", "llama3.1:8b", "Q8_0", 8137),
        ("llama3.1:8b-instruct-fp16", "llama3.1:8b", "F16", 15317),
        # As `ollama list` printed them on one host.
        ("hermes3:8b-llama3.1-q5_K_M", "hermes3:8b", "Q5_K_M", 5459),
        ("hermes3:3b-llama3.2-q6_K", "hermes3:3b", "Q6_K", 2513),
        ("hermes3:3b-llama3.2-q3_K_S", "hermes3:3b", "Q3_K_S", 1463),
        ("deepseek-r1:8b-0528-qwen3-q8_0", "deepseek-r1:8b", "Q8_0", 8435),
        ("dolphin3:8b", "dolphin3:8b", "Q4_K_M", 4685),
        ("phi4-mini-reasoning:3.8b", "phi4-mini-reasoning:3.8b", "Q4_K_M", 3004),
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b", "Q4_K_M", 4460),
    ],
)
def test_a_tag_is_a_model_and_a_size(tag: str, name: str, quantisation: str, mib: int) -> None:
    model = facts_at().model(tag)
    assert model is not None
    assert model.names[0] == name
    assert model.quantisation == quantisation
    assert model.weight_bytes // MIB == mib


def shown(text: str) -> tuple[float, float]:
    """Return the bytes that the library shows as `4.9GB`, and half of its last digit."""
    number, unit = text[:-2], {"MB": 1e6, "GB": 1e9, "TB": 1e12}[text[-2:]]
    return float(number) * unit, 0.5 * unit * 10 ** -len(number.partition(".")[2])


def files() -> Iterator[tuple[ModelFact, str, float, float]]:
    """Yield models at each quantisation that can be pulled, what is shown, and half a digit."""
    for model in facts_at().models:
        for kind, tag in facts_at().tags(model).items():
            yield replace(model, quantisation=kind), tag.name, *shown(tag.size)


# A vocabulary takes so many bytes for each of its tokens.
WORDS = 55


def test_sizes_are_those_that_the_library_shows() -> None:
    """Of each quantisation of each model; what was quantised by other rules is some percent off."""
    off = {
        name: (model.file_bytes + WORDS * model.vocabulary) / size - 1
        for model, name, size, _ in files()
        if model.weight_bytes
    }
    assert len(off) > 3000
    near = [error for error in off.values() if abs(error) <= 0.05]
    assert len(near) > 0.96 * len(off)


def test_default_sizes_are_those_that_the_library_shows() -> None:
    """Within 1 %, and what rounding hides, but of the models whose files are of other rules."""
    wide = set()
    for model in facts_at().models:
        tag = facts_at().tags(model).get(model.quantisation)
        if tag is None or not model.layers:
            continue
        size, half = shown(tag.size)
        if abs(model.file_bytes + WORDS * model.vocabulary - size) > half + 0.01 * size:
            wide.add(model.names[0])
    # Each within 3 %: the library has files from before today's mixtures, and small ones.
    assert len(wide) <= 11, wide


def test_sizes_that_follow_from_tensors_are_those_of_llama_quantize() -> None:
    """`quantised.json` is what llama-quantize --dry-run said of skeletons, in MiB.

    Twelve models have all that it makes: hybrids, experts, odd rows, no gate, falcon.
    """
    told = json.loads(Path(__file__).with_name("quantised.json").read_text())
    assert sum(map(len, told.values())) > 700
    for name, sizes in told.items():
        model = facts_at().model(name)
        assert model
        for kind, mib in sizes.items():
            assert model.derived[kind] / 2**20 == pytest.approx(mib, rel=2e-4), (name, kind)


def test_weights_are_counted_as_the_makers_count_them() -> None:
    """Of the models whose source tells how many there are."""
    told = re.compile(r"([\d,]{9,}) parameters")
    known = [m for m in facts_at().models if told.search(m.source)]
    assert len(known) > 60
    for model in known:
        found = told.search(model.source)
        assert found
        assert model.parameters == int(found[1].replace(",", "")), model.names[0]


@pytest.mark.parametrize("name", COMMON)
def test_names_that_people_ask_for_are_known(name: str) -> None:
    """Each has a shape, or runs in a cloud, which is told with what to take instead."""
    model, why = facts_at().model(name), facts_at().missing_model(name)
    assert (model and model.layers) or (why and "cloud alone" in why)


@pytest.mark.parametrize(
    "tag", ["llama3.1:404b", "somebody/llama3.1:8b", "llama3.1:8b-tuned", "llama3.1:8b-q", "", ":"]
)
def test_what_is_not_known_is_none(tag: str) -> None:
    assert facts_at().model(tag) is None


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("llama3.3:8b", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("llama3.3:8b-instruct-q4_K_M", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("library/llama3.3:8B", "llama3.3 comes as 70b only; use `llama3.1:8b`"),
        ("llama3.3:8bx", None),
        ("llama3.3:70b", None),
        ("llama3.1:8b", None),
        ("somebody/llama3.3:8b", None),
    ],
)
def test_names_that_do_not_exist(tag: str, why: str | None) -> None:
    assert facts_at().missing_model(tag) == why


@pytest.mark.parametrize("tag", ["llama3.2:8b", "llama3:8b-q4_0"])
def test_what_is_offered_instead_exists(tag: str) -> None:
    hint = facts_at().missing_model(tag)
    assert hint is not None
    assert facts_at().model(hint.rpartition("use `")[2].rstrip("`")) is not None


def test_a_generation_is_made_once_for_a_release(newest: Facts) -> None:
    assert newest.generation("6.1") is newest.generation("6.1")
    assert newest.generation("1.0") is None


@pytest.mark.parametrize(
    ("name", "context"),
    [
        # The library shows `3b-instruct-128k-q4_0` as the file of these three.
        ("granite-code:3b-instruct-128k", 131072),
        ("granite-code:3b", 131072),
        ("granite-code", 131072),
        ("granite-code:3b-instruct-128k-q8_0", 131072),
        ("granite-code:3b-base", 2048),
        ("granite-code:20b", 8192),
        ("phi3:mini", 131072),
        ("phi3:mini-4k", 4096),
        ("yarn-llama2", 65536),
        ("yarn-llama2:7b-128k-q4_K_M", 131072),
        ("vicuna:7b", 4096),
        ("yi:6b-200k", 200000),
        ("internlm2:1m", 1048576),
        ("internlm2:7b", 32768),
        # What the table says counts where both agree; millions of weights are no tokens.
        ("llama3-gradient:8b-instruct-1048k", 1048576),
        ("gemma3:270m", 32768),
    ],
)
def test_a_tag_that_says_a_context_has_that_one(name: str, context: int) -> None:
    model = facts_at().model(name)
    assert model is not None
    assert model.context == context


def test_no_tag_has_a_context_far_from_what_it_says() -> None:
    facts, said = facts_at(), 0
    for name in [name for model in facts.models for name in model.names]:
        model, tokens = facts.model(name), context_said(name)
        if model is not None and tokens:
            said += 1
            assert model.context == pytest.approx(tokens, rel=0.05), name
    assert said > 20
