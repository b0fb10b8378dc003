"""The Catalogue: expectations by hand, from the release notes and sources that the data cites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from generator.catalogue import catalogue as module
from generator.catalogue.catalogue import Catalogue, load_catalogue, parse_catalogue
from generator.errors import CatalogueError
from generator.units import Release
from tests.facts import facts_at

if TYPE_CHECKING:
    from pathlib import Path

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import GpuGeneration, Option, Variable

AMD64, ARM64 = "x86_64-linux", "aarch64-linux"
TEXTS = {file: (module._DATA / file).read_text(encoding="utf-8") for file in module.FILES}


def at(text: str) -> Release:
    return Release.parse(text)


@pytest.fixture(name="known")
def _known() -> Catalogue:
    return load_catalogue()


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
    assert len(newest.names) == 181
    assert len(newest.dead_names) == 126
    assert len(newest.options) == 32


# Releases


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (None, "0.32.15"),
        ("0.32", "0.32.15"),
        ("v0.32", "0.32.15"),
        ("0.9", "0.9.6"),
        ("0.1", "0.1.48"),
        ("0.24", "0.24.0"),
        ("0.9.0", "0.9.0"),
        ("v0.9.2", "0.9.2"),
        ("0.1.33", "0.1.33"),
        ("0.30.0-rc1", "0.30.0-rc1"),
        ("0.32.16", "0.32.16"),
        ("0.33", "0.33.0"),
        ("0.33.0-rc2", "0.33.0-rc2"),
        ("1.0", "1.0.0"),
    ],
)
def test_a_release_is_read(known: Catalogue, text: str | None, release: str) -> None:
    assert known.release(text) == at(release)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.9.99", "`0.9.99` is not a release of Ollama; the newest of 0.9 is `0.9.6`"),
        ("0.9.99-rc1", "`0.9.99-rc1` is not a release of Ollama; the newest of 0.9 is `0.9.6`"),
        ("0.25", "`0.25` is not a release of Ollama; the newest is `0.32.15`"),
        ("0.25.1", "`0.25.1` is not a release of Ollama; the newest is `0.32.15`"),
        (
            "0.1.32",
            "`0.1.32` is not supported; the oldest release that Hostwright knows is `0.1.33`",
        ),
        ("0.0", "`0.0` is not supported; the oldest release that Hostwright knows is `0.1.33`"),
        ("latest", "`latest` is not a release; write it like `0.32` or `0.32.15`"),
    ],
)
def test_what_never_was_a_release_is_refused(known: Catalogue, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        known.release(text)


@pytest.mark.parametrize(
    ("text", "covered", "facts"),
    [
        ("0.9.6", True, "0.9.6"),
        ("0.30.0-rc1", True, "0.30.0"),
        ("0.32.15", True, "0.32.15"),
        ("0.32.16", False, "0.32.15"),
        ("0.33.0-rc2", False, "0.32.15"),
        ("1.0.0", False, "0.32.15"),
    ],
)
def test_younger_releases_get_the_newest_facts(
    known: Catalogue, text: str, covered: bool, facts: str
) -> None:
    found = known.at("ollama", at(text))
    assert found.known is covered
    assert (found.release, found.at) == (at(text), at(facts))


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
    assert newest.behaviour("llm-library-strict").since == at("0.12.4")
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
        ("OLLAMA_LLM_LIBRARY", "0.24.0", AMD64, ("cuda_v12", "cuda_v13", "rocm", "vulkan")),
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
    dangerous = {name for name in newest.names if variable(name, "0.32.15").dangerous}
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
    before = facts_at("0.9.2").dead("OLLAMA_NUM_THREADS")
    threads = facts_at("0.30.0").dead("OLLAMA_NUM_THREADS")
    assert before is not None
    assert threads is not None
    assert threads.intent == "threads.count"
    assert before.replacement == "PARAMETER num_thread N in a Modelfile"
    assert threads.replacement == "LLAMA_ARG_THREADS=N"
    assert newest.dead("OLLAMA_HOST") is None


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


def test_no_name_is_both_dead_and_alive(newest: Facts) -> None:
    assert set(newest.names).isdisjoint(newest.dead_names)


def option(name: str, release: str) -> Option:
    found = facts_at(release).option(name)
    assert found is not None
    return found


def test_model_options(newest: Facts) -> None:
    threads = option("num_thread", "0.32.15")
    assert (threads.type, threads.modelfile, threads.reload) == ("int", True, True)
    assert option("repeat_penalty", "0.32.9").default == "1.1"
    assert option("repeat_penalty", "0.32.10").default == "1.0"
    assert option("use_mlock", "0.6.8").known
    assert not option("use_mlock", "0.7.0").known
    assert newest.option("num_threads") is None
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
    assert (image.home_path, image.port, image.user) == ("/root/.ollama", 11434, "root")
    assert image.environment["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert set(image.missing_tools) == {"curl", "wget"}


# Broken files


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "ollama.toml",
            'kind = "duration"',
            'kind = "time"',
            "data/ollama.toml: variable.OLLAMA_KEEP_ALIVE.kind: Input should be",
        ),
        (
            "ollama.toml",
            'removed = "0.0.20"',
            'removed = "0.0.1"',
            "variable.OLLAMA_PORT: removed 0.0.1 is not after since 0.0.1",
        ),
        (
            "ollama.toml",
            'name = "OLLAMA_ORIGINS"',
            'name = "OLLAMA_PORT"',
            "data/ollama.toml: `OLLAMA_PORT` is listed twice",
        ),
        (
            "ollama.toml",
            'source = "envconfig/config.go@v0.32.15:85-109"',
            'source = ""',
            "variable.OLLAMA_ORIGINS.source: String should have at least 1 character",
        ),
        (
            "ollama.toml",
            'name = "OLLAMA_HOST"',
            'name = "OLLAMA_HOST"\nnmae = "x"',
            "variable.OLLAMA_HOST.nmae: Extra inputs are not permitted",
        ),
        (
            "ollama.toml",
            'since = "0.1.34"\ndefaults = [{ since = "0.1.34"',
            'since = "0.1.34"\ndefaults = [{ since = "0.1.33"',
            "variable.OLLAMA_MAX_QUEUE: defaults are out of order, or older than since",
        ),
        (
            "ollama.toml",
            'until = "0.9.3", system = "x86_64-linux"',
            'until = "0.5.0", system = "x86_64-linux"',
            "until 0.5.0 is not after since 0.5.8",
        ),
        ("ollama.toml", 'since = "0.0.14"', "since = 0.14", "must be text in quotes"),
        (
            "ollama.toml",
            'legacy = ["OLLAMA_NUM_THREADS"]',
            'legacy = ["OLLAMA_X"]',
            "`OLLAMA_X` is not listed",
        ),
        ("releases.toml", "14, 15]", "14]", "newest is 0.32.15, but 0.32.14 is the last"),
        ("releases.toml", "[lines]", "[lines", "data/releases.toml: "),
        ("gpus.toml", '"12.1"]', '"12.0"]', "`12.0` is listed twice"),
        ("gpus.toml", 'memory = "8GiB"', 'memory = "8GB"', "card.Quadro P4000.memory: "),
        ("images.toml", "port = 11434", "", "data/images.toml: image.port: Field required"),
        ("behaviour.toml", 'id = "llm-library-strict"', "", "data/behaviour.toml: behaviour."),
    ],
)
def test_a_broken_file_names_itself_and_the_key(
    file: str, old: str, new: str, message: str
) -> None:
    assert old in TEXTS[file]
    broken = TEXTS | {file: TEXTS[file].replace(old, new, 1)}
    with pytest.raises(CatalogueError, match=re.escape(message)):
        parse_catalogue(broken)


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_DATA", tmp_path)
    with pytest.raises(CatalogueError, match=r"data/behaviour\.toml: .*No such file"):
        load_catalogue.__wrapped__()
