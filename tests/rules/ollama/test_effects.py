"""HW106, HW107, HW114, HW121: what a variable does depends on the release."""

from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import Edit, LocatedFinding, Place, View
from tests.plans import plan
from tests.views import FILE, found, view

RULE = every_rule()
LINE = Place(FILE, 1)

# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW106": (view({"OLLAMA_LLM_LIBRARY": "cuda"}), view({"OLLAMA_LLM_LIBRARY": "cuda_v12"})),
    "HW107": (
        view({"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_FLASH_ATTENTION": "0"}),
        view({"OLLAMA_KV_CACHE_TYPE": "q8_0", "OLLAMA_FLASH_ATTENTION": "1"}),
    ),
    "HW114": (
        view({"OLLAMA_GPU_OVERHEAD": "2147483648"}, release="0.30.0"),
        view({"OLLAMA_GPU_OVERHEAD": "2147483648"}, release="0.24.0"),
    ),
    "HW121": (view({"OMP_NUM_THREADS": "20"}), view({"LLAMA_ARG_THREADS": "20"})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULE[rule], caught)
    assert not found(RULE[rule], left)


def only(rule: str, env: dict[str, str], release: str = "0.32.15", **more: Any) -> LocatedFinding:
    placed = found(RULE[rule], view(env, release=release, **more))
    assert len(placed) == 1
    return placed[0]


class TestLibrary:
    @pytest.mark.parametrize(
        ("name", "release", "severity", "effect"),
        [
            ("cuda", "0.12.3", "info", "ignores it"),
            ("cuda", "0.12.4", "error", "computes on the CPU alone"),
            ("cpu_avx2", "0.9.2", "info", "ignores it"),
            ("cpu_avx2", "0.32.15", "info", "computes on the CPU alone"),
            ("rocm", "0.30.0", "error", "computes on the CPU alone"),
            ("mlx_cuda_v13", "0.20.3", "error", "computes on the CPU alone"),
            ("vulkan", "0.12.10", "error", "computes on the CPU alone"),
            ("cuda_v12", "0.9.6", "info", "ignores it"),
        ],
    )
    def test_an_unknown_name_does_what_the_release_does(
        self, name: str, release: str, severity: str, effect: str
    ) -> None:
        finding = only("HW106", {"OLLAMA_LLM_LIBRARY": name}, release).finding
        assert finding.severity == severity
        assert finding.message == f"Ollama {release} has no library `{name}`, and {effect}"

    @pytest.mark.parametrize(
        ("name", "release"),
        [
            ("cpu_avx2", "0.5.7"),
            ("rocm", "0.24.0"),
            ("rocm_v7_2", "0.30.0"),
            ("mlx_cuda_v13", "0.20.4"),
            ("mlx_anything", "0.22.0"),
            ("", "0.32.15"),
        ],
    )
    def test_a_name_of_the_release_is_fine(self, name: str, release: str) -> None:
        seen = view({"OLLAMA_LLM_LIBRARY": name}, release=release)
        assert not found(RULE["HW106"], seen)

    def test_it_is_the_platform_that_counts(self) -> None:
        env = {"OLLAMA_LLM_LIBRARY": "cuda_jetpack6"}
        assert not found(RULE["HW106"], view(env))
        assert found(RULE["HW106"], view(env, host={"system": "x86_64-linux"}))

    def test_taking_it_out_must_not_turn_a_gpu_on(self) -> None:
        assert only("HW106", {"OLLAMA_LLM_LIBRARY": "cuda"}).edits == (
            Edit(LINE, "OLLAMA_LLM_LIBRARY", ""),
        )
        forced = only("HW106", {"OLLAMA_LLM_LIBRARY": "cpu"})
        assert forced.edits == ()
        assert forced.finding.fix.endswith("for the CPU alone write CUDA_VISIBLE_DEVICES=-1")


class TestCache:
    @pytest.mark.parametrize(
        ("env", "release", "severity", "effect"),
        [
            ({"OLLAMA_FLASH_ATTENTION": "0"}, "0.24.0", "warning", "the cache stays f16"),
            ({"OLLAMA_FLASH_ATTENTION": "false"}, "0.30.0", "error", "every load fails"),
            ({}, "0.11.7", "warning", "off by default: the cache stays f16"),
            ({}, "0.11.8", "warning", "turns on for a few models only"),
            ({}, "0.13.4", "warning", "keep f16 until it is turned on by hand"),
            ({}, "0.30.0", "info", "every load fails where the release does not turn it on"),
        ],
    )
    def test_a_quantised_cache_needs_flash_attention(
        self, env: dict[str, str], release: str, severity: str, effect: str
    ) -> None:
        finding = only("HW107", {"OLLAMA_KV_CACHE_TYPE": "q8_0"} | env, release).finding
        assert finding.severity == severity
        assert finding.message.startswith("`q8_0` needs flash attention, ")
        assert effect in finding.message

    @pytest.mark.parametrize(
        ("kind", "release", "severity", "message"),
        [
            ("q6_0", "0.30.0", "error", "of Ollama 0.30.0: every load fails"),
            ("q5_0", "0.24.0", "warning", "of Ollama 0.24.0: the cache stays f16"),
        ],
    )
    def test_an_unknown_type(self, kind: str, release: str, severity: str, message: str) -> None:
        finding = only("HW107", {"OLLAMA_KV_CACHE_TYPE": kind}, release).finding
        assert finding.severity == severity
        assert finding.message == f"`{kind}` is no KV cache type {message}"

    @pytest.mark.parametrize(
        "env",
        [
            {"OLLAMA_KV_CACHE_TYPE": "f16", "OLLAMA_FLASH_ATTENTION": "0"},
            {"OLLAMA_KV_CACHE_TYPE": "Q8_0", "OLLAMA_FLASH_ATTENTION": "yes"},
            {"OLLAMA_KV_CACHE_TYPE": ""},
            # The K cache alone does without.
            {"LLAMA_ARG_CACHE_TYPE_K": "q8_0", "OLLAMA_FLASH_ATTENTION": "0"},
        ],
    )
    def test_the_others_are_fine(self, env: dict[str, str]) -> None:
        assert not found(RULE["HW107"], view(env))

    def test_the_v_cache_of_llama_server_needs_it_too(self) -> None:
        env = {"LLAMA_ARG_CACHE_TYPE_V": "q8_0", "OLLAMA_FLASH_ATTENTION": "0"}
        assert only("HW107", env).finding.severity == "error"


CONTEXT = {"OLLAMA_CONTEXT_LENGTH": "8192"}


class TestOverhead:
    @pytest.mark.parametrize("size", ["1073741824", "2147483648"])
    def test_where_the_context_follows_from_the_memory_it_still_lowers_that(
        self, size: str
    ) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": size})
        assert placed.finding.message == (
            "OLLAMA_GPU_OVERHEAD keeps nothing free since 0.30.0, but lowers the GPU memory by "
            "which the context is chosen"
        )
        assert placed.finding.fix.endswith(
            "write OLLAMA_CONTEXT_LENGTH first, or the context may grow"
        )
        assert placed.edits == ()

    def test_the_margin_of_llama_server_takes_its_place(self) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": "2147483648"} | CONTEXT)
        assert placed.finding.message == "OLLAMA_GPU_OVERHEAD keeps nothing free since 0.30.0"
        assert placed.finding.fix == "write LLAMA_ARG_FIT_TARGET=2048"
        assert placed.edits == (
            Edit(LINE, "OLLAMA_GPU_OVERHEAD=2147483648", "LLAMA_ARG_FIT_TARGET=2048"),
        )

    def test_to_keep_nothing_free_asks_for_nothing(self) -> None:
        assert not found(RULE["HW114"], view({"OLLAMA_GPU_OVERHEAD": "0"}))

    def test_a_suffix_is_one_fault_not_two(self) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": "2G"})
        assert placed.edits == (Edit(LINE, "OLLAMA_GPU_OVERHEAD=2G", "LLAMA_ARG_FIT_TARGET=2048"),)
        assert not found(RULE["HW111"], view({"OLLAMA_GPU_OVERHEAD": "2G"}))

    def test_in_other_files_name_and_value_change_apart(self) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": "2147483648"} | CONTEXT, kind="compose")
        assert placed.edits == (
            Edit(LINE, "OLLAMA_GPU_OVERHEAD", "LLAMA_ARG_FIT_TARGET"),
            Edit(LINE, "2147483648", "2048"),
        )

    def test_less_than_the_default_needs_nothing(self) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": "536870912"} | CONTEXT)
        assert placed.finding.fix == "remove it: 1024 MiB stay free"
        assert placed.edits == (Edit(LINE, "OLLAMA_GPU_OVERHEAD", ""),)

    def test_beside_its_successor_it_goes(self) -> None:
        env = {"OLLAMA_GPU_OVERHEAD": "4294967296", "LLAMA_ARG_FIT_TARGET": "4096"}
        assert only("HW114", env | CONTEXT).edits == (Edit(LINE, "OLLAMA_GPU_OVERHEAD", ""),)

    def test_a_size_that_nobody_reads_is_left_to_people(self) -> None:
        placed = only("HW114", {"OLLAMA_GPU_OVERHEAD": "some"})
        assert placed.finding.fix == "write LLAMA_ARG_FIT_TARGET=<MiB per device>"
        assert placed.edits == ()


THREADS = {"OMP_NUM_THREADS": "20", "MKL_NUM_THREADS": "20", "OPENBLAS_NUM_THREADS": "20"}


class TestThreadLibraries:
    def test_all_of_them_are_one_remark(self) -> None:
        placed = only("HW121", THREADS)
        assert placed.finding.severity == "info"
        assert placed.finding.message == (
            "official Linux builds read no OMP_NUM_THREADS, MKL_NUM_THREADS, OPENBLAS_NUM_THREADS"
        )
        assert placed.finding.fix == "use LLAMA_ARG_THREADS=N"
        assert placed.place == LINE

    def test_the_lever_is_of_the_release(self) -> None:
        assert only("HW121", THREADS, "0.24.0").finding.fix == (
            "use PARAMETER num_thread N in a Modelfile"
        )

    def test_what_a_profile_emits_itself_is_declared(self) -> None:
        declared = plan({"threads": {"count": 4}})
        assert "HW121" not in {f.rule for f in declared.findings}
        by_hand = plan({"ollama": {"env": {"OMP_PROC_BIND": "true"}}})
        assert [(f.rule, f.where) for f in by_hand.findings] == [
            ("HW121", "ollama.env.OMP_PROC_BIND")
        ]


# Excerpts of what operators publish; release and file are those of the time.
SEEN: dict[str, tuple[dict[str, str], str, dict[str, str]]] = {
    "two Pascal cards": (
        {
            "CUDA_VISIBLE_DEVICES": "0,1",
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "OLLAMA_LLM_LIBRARY": "cuda",
            "OLLAMA_NO_CUDA": "0",
            "OLLAMA_NUM_GPU_LAYERS": "999",
            "OLLAMA_SCHED_SPREAD": "true",
            "OLLAMA_FLASH_ATTENTION": "1",
            "OLLAMA_KEEP_ALIVE": "1h",
        },
        "0.12.3",
        {
            "HW101 OLLAMA_NO_CUDA": "warning",
            "HW101 OLLAMA_NUM_GPU_LAYERS": "warning",
            "HW106 OLLAMA_LLM_LIBRARY": "info",
        },
    ),
    "a DGX Spark": (
        {
            "OLLAMA_NUM_PARALLEL": "4",
            "OLLAMA_NUM_THREADS": "16",
            "OLLAMA_MAX_LOADED_MODELS": "3",
            "OLLAMA_KEEP_ALIVE": "30m",
            "OLLAMA_FLASH_ATTENTION": "0",
        },
        "0.13.5",
        {"HW101 OLLAMA_NUM_THREADS": "warning"},
    ),
    "a Xeon": (
        {
            "OMP_NUM_THREADS": "20",
            "MKL_NUM_THREADS": "20",
            "OPENBLAS_NUM_THREADS": "20",
            "VECLIB_MAXIMUM_THREADS": "20",
            "OLLAMA_CONTEXT_LENGTH": "8192",
            "OLLAMA_NUM_PARALLEL": "4",
            "OLLAMA_MAX_LOADED_MODELS": "3",
            "OLLAMA_KV_CACHE_TYPE": "q8_0",
            "OLLAMA_LLM_LIBRARY": "cpu_avx2",
            "OLLAMA_FLASH_ATTENTION": "1",
        },
        "0.9.2",
        {"HW106 OLLAMA_LLM_LIBRARY": "info", "HW121 OMP_NUM_THREADS": "info"},
    ),
    "a container for development": (
        {
            "OLLAMA_NUM_PARALLEL": "1",
            "OLLAMA_KEEP_ALIVE": "24h",
            "OLLAMA_MAX_LOADED_MODELS": "2",
            "OLLAMA_WARMUP_ENABLED": "true",
        },
        "0.32.15",
        {"HW101 OLLAMA_WARMUP_ENABLED": "warning"},
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_operators_publish(name: str) -> None:
    env, release, expected = SEEN[name]
    seen = view(env, release=release)
    names = list(env)
    told = {
        f"{placed.finding.rule} {names[placed.place.line - 1]}": placed.finding.severity
        for rule in every_rule().values()
        if rule.id.startswith("HW1")
        for placed in found(rule, seen)
    }
    assert told == expected
