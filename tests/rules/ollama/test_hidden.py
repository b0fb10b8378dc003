"""HW315 and HW317: GPUs that are hidden, and come back; targets without kernels."""

import pytest

from generator.host import Gpu
from generator.rules.registry import every_rule
from generator.view import Container, Place, View
from tests.plans import environment, plan
from tests.views import found, view

RULE = every_rule()
CUDA, ROCM, VULKAN = "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "OLLAMA_VULKAN"
GFX = "HSA_OVERRIDE_GFX_VERSION"
CARD = Gpu(name="RTX 3090", memory=24 * 2**30, compute_capability="8.6")
TWO = {"gpus": (CARD, CARD)}
BOX = Container(image="ollama/ollama", place=Place("compose.yaml", 3))

CASES: dict[str, tuple[View, View]] = {
    "HW315": (view({CUDA: "-1"}), view({CUDA: "-1", VULKAN: "0"})),
    "HW317": (view({GFX: "10.3.1"}), view({GFX: "10.3.0"})),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(RULE[rule], caught)] == [rule]
    assert found(RULE[rule], left) == ()


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (view({ROCM: "-1"}), "from ROCm alone"),
        (view({"HIP_VISIBLE_DEVICES": "-1"}), "from ROCm alone"),
        (view({CUDA: "none", VULKAN: ""}), "hides the GPUs"),
        (view({CUDA: "-1", VULKAN: "off"}), "hides the GPUs"),  # which counts as true
        (view({CUDA: "1"}), "hides the other GPUs"),
        (view({CUDA: "0"}), ""),
        (view({CUDA: "0"}, host=TWO), "hides the other GPUs"),
        (view({CUDA: "0,1"}, host=TWO), ""),
        (view({CUDA: "GPU-8a4c"}), ""),
        (view({CUDA: "GPU-8a4c"}, host=TWO), "hides the other GPUs"),
        (view({CUDA: ""}, host=TWO), "hides the GPUs"),
        (view({CUDA: "-1"}, release="0.24"), ""),
        (view({CUDA: "-1", "GGML_VK_VISIBLE_DEVICES": "-1"}), ""),
        (view({CUDA: "1", "OLLAMA_LLM_LIBRARY": "cuda_v13"}), ""),
        (view({CUDA: "-1", "OLLAMA_LLM_LIBRARY": "vulkan"}), "hides the GPUs"),
        (view({CUDA: "-1"}, kind="nixos"), ""),
        (view({CUDA: "-1"}, kind="compose", container=BOX), ""),
        (
            view({CUDA: "-1", "NVIDIA_DRIVER_CAPABILITIES": "all"}, kind="compose", container=BOX),
            "hides the GPUs",
        ),
    ],
)
def test_vulkan_reads_none_of_these_lists(seen: View, told: str) -> None:
    assert [told in p.finding.message for p in found(RULE["HW315"], seen)] == [True] * bool(told)


HOST = {"system": "x86_64-linux", "memory": "64GiB", "cpu": {"cores": 8}}
CARDS = [{"name": "RTX 3090", "memory": "24GiB", "compute_capability": "8.6"}] * 2


@pytest.mark.parametrize(
    ("tables", "version", "value"),
    [
        ({"ollama": {"acceleration": "cpu"}}, "0.32", "0"),
        ({"ollama": {"acceleration": "cpu"}}, "0.24", None),
        ({"gpu": {"visible_devices": ["1"]}}, "0.32", "0"),
        ({"gpu": {"visible_devices": ["0", "1"]}}, "0.32", None),
        ({}, "0.32", None),
        ({"ollama": {"acceleration": "cpu", "env": {VULKAN: "1"}}}, "0.32", "1"),
    ],
)
def test_our_own_output_closes_that_door(
    tables: dict[str, object], version: str, value: str | None
) -> None:
    made = plan({"host": {**HOST, "gpus": CARDS}, **tables}, version)
    assert environment(made).get(VULKAN) == value
    assert ("HW315" in {f.rule for f in made.findings}) == (value == "1")


@pytest.mark.parametrize(
    ("value", "release", "fix"),
    [
        ("10.3.6", "0.24", "write `10.3.0`"),
        ("11.0.3", "0.32.15", "write `11.0.0`"),
        ("12.0.2", "0.32.15", "write `12.0.0`"),
        ("9.0.12", "0.32.15", "write the version"),
        ("9.0.10", "0.32.15", ""),
        ("11.0.2", "0.32.15", ""),
        ("9.0.0", "0.9", ""),
        ("gfx1031", "0.32.15", ""),  # HW123
    ],
)
def test_a_target_needs_kernels(value: str, release: str, fix: str) -> None:
    hits = found(RULE["HW317"], view({f"{GFX}_1": value}, release=release))
    assert [fix in placed.finding.fix for placed in hits] == [True] * bool(fix)
    assert all(placed.edits == () for placed in hits)
