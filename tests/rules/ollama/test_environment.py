"""HW101-HW104, HW118: names that are not read, by release, and what to write instead."""

import time
from pathlib import Path
from typing import Any

import pytest

from generator.rules.registry import every_rule
from generator.view import Container, Edit, LocatedFinding, Place, Variable, View
from tests.plans import plan
from tests.texts import checked, service
from tests.views import FILE, found, view

UNREAD = "is not read by its llama-server"
RULE = every_rule()


def shell(name: str, value: str) -> View:
    exported = Variable(name=name, value=value, place=Place(FILE, 1), reach="shell", written=value)
    return view(kind="environment", variables=(exported,))


# rule: (caught, left alone)
CASES: dict[str, tuple[View, View]] = {
    "HW101": (view({"OLLAMA_NUM_THREADS": "16"}), view({"LLAMA_ARG_THREADS": "16"})),
    "HW102": (
        view({"OLLAMA_INTEL_GPU": "1"}, release="0.12.11"),
        view({"OLLAMA_INTEL_GPU": "1"}, release="0.12.10"),
    ),
    "HW103": (
        view({"LLAMA_ARG_THREADS": "16"}, release="0.24.0"),
        view({"LLAMA_ARG_THREADS": "16"}, release="0.30.0"),
    ),
    "HW104": (view({"OLAMA_HOST": "::"}), view({"OLLAMA_HOST": "::"})),
    "HW118": (shell("OLLAMA_KEEP_ALIVE", "30m"), view({"OLLAMA_KEEP_ALIVE": "30m"})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULE[rule], caught)
    assert not found(RULE[rule], left)


def only(
    rule: str, name: str, value: str = "1", release: str = "0.32.15", **more: Any
) -> LocatedFinding:
    placed = found(RULE[rule], view({name: value}, release=release, **more))
    assert len(placed) == 1
    return placed[0]


@pytest.mark.parametrize(
    ("name", "value", "release", "fix"),
    [
        ("OLLAMA_NUM_THREADS", "16", "0.32.15", "use LLAMA_ARG_THREADS=16"),
        ("OLLAMA_NUM_THREADS", "16", "0.24.0", "use PARAMETER num_thread 16 in a Modelfile"),
        ("OLLAMA_NUM_GPU_LAYERS", "999", "0.32.15", "use LLAMA_ARG_N_GPU_LAYERS=999"),
        ("OLLAMA_NGL", "-1", "0.9.2", "use PARAMETER num_gpu -1 in a Modelfile"),
        (
            "OLLAMA_NUM_GPU",
            "1",
            "0.32.15",
            "use LLAMA_ARG_N_GPU_LAYERS for layers, CUDA_VISIBLE_DEVICES for GPUs",
        ),
        (
            "OLLAMA_USE_MMAP",
            "1",
            "0.32.15",
            "use LLAMA_ARG_LOAD_MODE=mmap or none; on the CPU alone it is always none",
        ),
        ("OLLAMA_NO_MMAP", "1", "0.32.5", "use LLAMA_ARG_NO_MMAP=1"),
        ("OLLAMA_NO_MMAP", "1", "0.32.15", "use LLAMA_ARG_LOAD_MODE=none"),
        ("OLLAMA_NO_MMAP", "0", "0.32.15", "remove it"),
        ("OLLAMA_MULTI_GPU", "0", "0.32.15", "remove it"),
        ("OLLAMA_NUM_GPU_LAYERS", "0", "0.32.15", "use LLAMA_ARG_N_GPU_LAYERS=0"),
        ("OLLAMA_FLASH_ATTN", "off", "0.32.15", "use OLLAMA_FLASH_ATTENTION"),
        (
            "OLLAMA_LOG_LEVEL",
            "warn",
            "0.32.15",
            "remove it; OLLAMA_DEBUG=1 is for debug messages, 2 for traces, too",
        ),
        ("OLLAMA_DISABLE_METRICS", "1", "0.32.15", "remove it: no release has /metrics"),
        ("OLLAMA_NUM_CTX", "8192", "0.5.12", "use PARAMETER num_ctx 8192 in a Modelfile"),
        ("OLLAMA_NUM_CTX", "8192", "0.5.13", "use OLLAMA_CONTEXT_LENGTH"),
        (
            "OLLAMA_NO_CUDA",
            "1",
            "0.24.0",
            "use CUDA_VISIBLE_DEVICES=-1 or ROCR_VISIBLE_DEVICES=-1",
        ),
        ("OLLAMA_WARMUP_ENABLED", "false", "0.32.15", "remove it"),
        (
            "OLLAMA_USE_GPU",
            "true",
            "0.32.15",
            (
                "remove it: a GPU is used when driver and library allow it, "
                "unless CUDA_VISIBLE_DEVICES=-1 hides it"
            ),
        ),
    ],
)
def test_the_advice_fits_release_and_value(name: str, value: str, release: str, fix: str) -> None:
    placed = only("HW101", name, value, release)
    assert placed.finding.message == f"no release of Ollama reads `{name}`"
    assert placed.finding.fix == fix


class TestEdits:
    @pytest.mark.parametrize("value", ["0", "false"])
    def test_who_wanted_it_off_is_told_and_loses_no_line(self, value: str) -> None:
        assert only("HW101", "OLLAMA_USE_GPU", value).edits == ()

    def test_a_variable_that_takes_the_same_value_takes_the_name(self) -> None:
        placed = only("HW101", "OLLAMA_NUM_THREADS", "16")
        assert placed.edits == (Edit(Place(FILE, 1), "OLLAMA_NUM_THREADS", "LLAMA_ARG_THREADS"),)

    def test_a_line_that_nothing_stands_for_goes(self) -> None:
        placed = only("HW101", "OLLAMA_GPU", "1")
        assert placed.edits == (Edit(Place(FILE, 1), "OLLAMA_GPU", ""),)

    def test_what_has_to_be_said_in_another_way_stays(self) -> None:
        assert only("HW101", "OLLAMA_NUM_THREADS", "16", "0.24.0").edits == ()
        # A number of GPUs is no list of them.
        assert only("HW101", "OLLAMA_NUM_GPUS", "2").edits == ()
        assert only("HW102", "OLLAMA_INTEL_GPU", "1").edits == ()

    def test_a_line_goes_where_the_right_name_stands_beside_it(self) -> None:
        seen = view({"OLLAMA_NUM_CTX": "2048", "OLLAMA_CONTEXT_LENGTH": "8192"})
        assert found(RULE["HW101"], seen)[0].edits == (Edit(Place(FILE, 1), "OLLAMA_NUM_CTX", ""),)

    def test_a_line_with_another_variable_stays(self) -> None:
        place = Place(FILE, 1)
        both = tuple(
            Variable(name=name, value="0", place=place, written="0")
            for name in ("OLLAMA_NO_CUDA", "CUDA_VISIBLE_DEVICES")
        )
        assert found(RULE["HW101"], view(variables=both))[0].edits == ()

    def test_what_might_work_in_another_release_is_left_to_people(self) -> None:
        assert only("HW103", "LLAMA_ARG_NUMA", "distribute", "0.24.0").edits == ()

    def test_an_obvious_typo_is_mended_a_guess_is_not(self) -> None:
        near = only("HW104", "OLLAMA_NUM_PARALEL", "4")
        assert near.edits == (Edit(Place(FILE, 1), "OLLAMA_NUM_PARALEL", "OLLAMA_NUM_PARALLEL"),)
        far = only("HW104", "OLLAMA_CONTEXT_LEN", "4")
        assert far.finding.fix == "did you mean `OLLAMA_CONTEXT_LENGTH`?"
        assert far.edits == ()


@pytest.mark.parametrize(
    ("name", "release", "rule", "message"),
    [
        (
            "OLLAMA_MAX_VRAM",
            "0.1.44",
            "",
            "",
        ),
        (
            "OLLAMA_MAX_VRAM",
            "0.6.8",
            "HW102",
            "`OLLAMA_MAX_VRAM` has no effect since 0.1.45; Ollama 0.6.8 ignores it",
        ),
        (
            "OLLAMA_TMPDIR",
            "0.5.2",
            "HW102",
            "`OLLAMA_TMPDIR` was removed in 0.5.2; Ollama 0.5.2 ignores it",
        ),
        (
            "OLLAMA_VULKAN",
            "0.12.10",
            "HW103",
            "`OLLAMA_VULKAN` is read since 0.12.11; Ollama 0.12.10 ignores it",
        ),
        (
            "LLAMA_ARG_N_PREDICT",
            "0.24.0",
            "HW103",
            "`LLAMA_ARG_N_PREDICT` is for llama-server; Ollama 0.24.0 ignores it",
        ),
        (
            "LLAMA_ARG_TOOLS_RUNTIME",
            "0.32.13",
            "HW103",
            f"`LLAMA_ARG_TOOLS_RUNTIME` {UNREAD} yet; Ollama 0.32.13 ignores it",
        ),
        (
            "LLAMA_ARG_WEBUI_CONFIG",
            "0.31.2",
            "HW102",
            f"`LLAMA_ARG_WEBUI_CONFIG` {UNREAD} any more; Ollama 0.31.2 ignores it",
        ),
        ("LLAMA_ARG_NO_KV_OFFLOAD", "0.30.0", "", ""),
        # A flag that can only be turned on has no negative form.
        ("LLAMA_ARG_NO_MLOCK", "0.30.0", "HW104", "`LLAMA_ARG_NO_MLOCK` is no variable of Ollama"),
    ],
)
def test_names_live_and_die_with_releases(name: str, release: str, rule: str, message: str) -> None:
    seen = view({name: "1"}, release=release)
    told = {
        placed.finding.rule: placed.finding.message
        for rule_id in ("HW101", "HW102", "HW103", "HW104")
        for placed in found(RULE[rule_id], seen)
    }
    assert told == ({rule: message} if rule else {})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OLAMA_HOST", "OLLAMA_HOST"),
        ("ollama_host", "OLLAMA_HOST"),
        ("OLLAMA_FLASH_ATENTION", "OLLAMA_FLASH_ATTENTION"),
        ("LLAMA_ARG_THREAD", "LLAMA_ARG_THREADS"),
        ("CUDA_VISIBLE_DEVICE", "CUDA_VISIBLE_DEVICES"),
        ("HSA_OVERRIDE_GFX_VERSON", "HSA_OVERRIDE_GFX_VERSION"),
        ("OMP_NUM_THREAD", "OMP_NUM_THREADS"),
        # A typo of a name that nothing reads either.
        ("OLLAMA_NUM_THREDS", "LLAMA_ARG_THREADS=1"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(name: str, meant: str) -> None:
    assert only("HW104", name).finding.fix == f"did you mean `{meant}`?"


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "TZ", "LANG", "HOSTNAME", "TEMPDIR", "GIN_MODE", "LD_PRELOAD"),
        *("WEBUI_AUTH", "LLAMA_CLOUD_API_KEY", "HF_HOME", "XDG_CACHE_HOME", "PORT"),
        *("CUDA_CACHE_PATH", "CUDA_HOME", "HSA_ENABLE_SDMA", "OMP_STACKSIZE", "MKL_DYNAMIC"),
        # The ROCm runtime reads one of these for each card.
        *("HSA_OVERRIDE_GFX_VERSION_1", "GGML_CUDA_FORCE_MMQ", "NVIDIA_REQUIRE_CUDA"),
    ],
)
def test_names_of_other_programs_are_none_of_ours(name: str) -> None:
    seen = view({name: "1"})
    assert not any(found(RULE[rule], seen) for rule in ("HW101", "HW102", "HW103", "HW104"))


def test_a_client_may_read_what_the_server_does_not() -> None:
    url = Variable(
        name="OLLAMA_BASE_URL", value="http://ollama:11434", place=Place(FILE, 1), reach="client"
    )
    assert not found(RULE["HW101"], view(variables=(url,)))


class TestProfiles:
    def test_a_profile_is_answered_with_its_own_key(self) -> None:
        decided = plan({"ollama": {"env": {"OLLAMA_NUM_THREADS": "8"}}})
        finding = next(f for f in decided.findings if f.rule == "HW101")
        assert finding.where == "ollama.env.OLLAMA_NUM_THREADS"
        assert finding.fix == "write `threads.count` instead"

    def test_each_fault_is_told_once(self) -> None:
        decided = plan({"ollama": {"env": {"OLLAMA_PORT": "1", "OLLAMA_NUM_PARALEL": "4"}}})
        told = [(f.rule, f.where) for f in decided.findings]
        assert told == [
            ("HW102", "ollama.env.OLLAMA_PORT"),
            ("HW104", "ollama.env.OLLAMA_NUM_PARALEL"),
        ]


def test_a_name_that_a_fork_reads_is_only_mentioned_for_its_image() -> None:
    for image, severity in (("localhost/ollama-arc:1", "info"), ("ollama/ollama", "warning")):
        boxed = Container(image=image, place=Place(FILE))
        placed = only("HW101", "OLLAMA_NUM_GPU", "999", container=boxed)
        assert placed.finding.severity == severity
        assert severity == "warning" or not placed.edits


class TestReach:
    def test_an_export_is_told_how_to_reach_the_service(self) -> None:
        finding = found(RULE["HW118"], shell("OLLAMA_NUM_PARALLEL", "4"))[0].finding
        assert finding.severity == "warning"
        assert finding.fix == (
            "write `Environment=OLLAMA_NUM_PARALLEL=4` under `[Service]`: `systemctl edit ollama`"
            " (macOS: `launchctl setenv`)"
        )

    def test_a_client_of_that_shell_reads_the_host_too(self) -> None:
        assert found(RULE["HW118"], shell("OLLAMA_HOST", "0.0.0.0:11434"))
        assert not found(RULE["HW118"], shell("OLLAMA_HOST", "gpu-box:11434"))
        assert not found(RULE["HW118"], shell("OLLAMA_EDITOR", "vim"))
        assert not found(RULE["HW118"], shell("CUDA_VISIBLE_DEVICES", "0"))

    def test_what_the_client_reads_does_nothing_on_the_server(self) -> None:
        placed = only("HW118", "OLLAMA_NOHISTORY")
        assert placed.finding.message == (
            "the server does not read `OLLAMA_NOHISTORY`: `ollama run` keeps no history"
        )
        assert placed.edits == (Edit(Place(FILE, 1), "OLLAMA_NOHISTORY", ""),)

    def test_a_client_in_the_container_has_its_environment(self) -> None:
        boxed = Container(image="ollama/ollama", place=Place(FILE))
        assert not found(RULE["HW118"], view({"OLLAMA_NOHISTORY": "1"}, container=boxed))
        key = only("HW118", "OLLAMA_API_KEY", "secret", container=boxed)
        assert key.finding.severity == "warning"
        assert "never authenticates" in key.finding.message
        assert "secret" not in str(key.finding)

    def test_a_service_is_no_container(self) -> None:
        assert "container runtime" in only("HW118", "NVIDIA_VISIBLE_DEVICES", "all").finding.message
        boxed = Container(image="ollama/ollama", place=Place(FILE))
        seen = view({"NVIDIA_VISIBLE_DEVICES": "all"}, kind="compose", container=boxed)
        assert not found(RULE["HW118"], seen)


@pytest.mark.parametrize("name", ["OLLAMA_X", "OLLAMA_FOO", "OLLAMA_F", "LLAMA_ARG_Z"])
def test_a_prefix_alone_makes_no_name_alike(name: str) -> None:
    assert only("HW104", name).finding.fix == "remove it"


def test_many_unknown_names_take_no_long_time() -> None:
    """Each took 4 ms once; it is a tenth of one."""
    names = {f"OLLAMA_SETTING_{number}": "1" for number in range(3000)}
    start = time.process_time()
    assert len(found(RULE["HW104"], view(names))) == 3000
    assert time.process_time() - start < 4


def test_a_sentence_is_not_quoted_as_a_name() -> None:
    fix = only("HW104", "OLLAMA_NUM_CPU").finding.fix
    assert fix.startswith("remove it; if you meant `OLLAMA_NUM_GPU`, use LLAMA_ARG_N_GPU_LAYERS")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("environment: {PUID: 1000, PGID: 1000}",), ["warning", "warning"]),
        (("environment: {WEBUI_AUTH: 'false'}",), ["info"]),
        (("environment: {ENABLE_IMAGE_GENERATION: 'True', SEARXNG_QUERY_URL: x}",), ["info"] * 2),
        (("environment: {TZ: Europe/Berlin}",), ["info"]),
        (("environment: {TZ: Europe/Berlin}", "volumes: [/etc/localtime:/etc/localtime:ro]"), []),
        (("environment: {PUID: 1000}", "entrypoint: /start.sh"), []),
        (("environment: {HOME: /data}",), []),
    ],
)
def test_what_only_another_image_reads(
    lines: tuple[str, ...], told: list[str], tmp_path: Path
) -> None:
    findings = checked(tmp_path, service(*lines)).findings
    assert [p.finding.severity for p in findings if p.finding.rule == "HW118"] == told


def test_a_file_for_several_services_may_have_variables_of_others(tmp_path: Path) -> None:
    files = {**service("env_file: all.env"), "all.env": "PUID=1000\nOLLAMA_DEBUG=0\n"}
    assert "HW118" not in {p.finding.rule for p in checked(tmp_path, files).findings}


@pytest.mark.parametrize(
    ("others", "severity"),
    [((), "warning"), (("APP_URL",), "info"), (("OLLAMA_HOST", "OLLAMA_DEBUG"), "warning")],
)
def test_a_key_among_the_variables_of_another_program(
    others: tuple[str, ...], severity: str
) -> None:
    seen = view({"OLLAMA_API_KEY": "k", **dict.fromkeys(others, "1")}, kind="environment")
    assert [p.finding.severity for p in found(RULE["HW118"], seen)] == [severity]
