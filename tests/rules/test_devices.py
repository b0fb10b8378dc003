"""HW306 to HW314: which GPUs the server sees, and what a release does with them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.engines.ollama.rules.devices import (
    flash_attention_by_hand,
    integrated_dropped,
    library_without_kernels,
)
from generator.host import Gpu
from generator.rules.devices import (
    number_for_a_card,
    numbers_of_the_host,
    numbers_without_order,
    said_twice,
    two_ways_in,
    wrong_kernel_modules,
)
from generator.rules.registry import every_rule
from generator.view import Container, Edit, Line, Place, Variable, View
from tests.plans import plan, rules, shipped
from tests.texts import messages, service
from tests.views import FILE, found, view

GIB = 2**30
YAML = Place("compose.yaml", 2)
RULES = every_rule()
VISIBLE = "CUDA_VISIBLE_DEVICES"
IGPU = "OLLAMA_IGPU_ENABLE"

P4000 = Gpu(name="Quadro P4000", memory=8 * GIB, compute_capability="6.1", uuid="GPU-aaaa")
GTX1060 = Gpu(name="GTX 1060 6GB", memory=6 * GIB, compute_capability="6.1", uuid="GPU-bbbb")
RTX3090 = Gpu(name="RTX 3090", memory=24 * GIB, compute_capability="8.6")
GB10 = Gpu(name="NVIDIA GB10", memory=119 * GIB, compute_capability="12.1")
PASCAL = {"gpus": (P4000, GTX1060), "driver": "580.65.06"}
SPARK = {"gpus": (GB10,), "system": "aarch64-linux"}


def lines(section: str, name: str, value: str) -> tuple[Line, ...]:
    return (Line(section=section, name=name, value=value, place=Place("host.nix", 7)),)


def boxed(env: dict[str, str] | None = None, cards: int = 0, **box: Any) -> View:
    """Make the View of a container; `cards` are those of its host."""
    host = {"gpus": (P4000, GTX1060, RTX3090)[:cards]}
    container = Container(image="ollama/ollama", place=YAML, **box)
    return view(env, kind="compose", container=container, host=host)


DEVICES = "services.ollama.deploy.resources.reservations.devices"


def reserving(*items: str, section: str = DEVICES) -> View:
    """Make the View of a container with reservations; an item is `driver: cdi, count: all`."""
    pairs = [pair.split(": ") for item in items for pair in item.split(", ")]
    told = tuple(
        Line(section=section, name=name, value=value, place=Place("compose.yaml", number))
        for number, (name, value) in enumerate(pairs, 1)
    )
    box = Container(image="ollama/ollama", place=YAML, gpu_access="reservation")
    return view(kind="compose", container=box, lines=told)


CASES: dict[str, tuple[View, View]] = {
    "HW318": (
        reserving("driver: nvidia.com/gpu, count: all, capabilities: gpu"),
        reserving("driver: nvidia, count: all, capabilities: gpu, capabilities: utility"),
    ),
    "HW306": (
        view({"OLLAMA_LLM_LIBRARY": "cuda_v13"}, host=PASCAL),
        view({"OLLAMA_LLM_LIBRARY": "cuda_v12"}, host=PASCAL),
    ),
    "HW307": (
        view({"CUDA_VISIBLE_DEVICES": "1"}, host=PASCAL),
        view({"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, host=PASCAL),
    ),
    "HW308": (
        view({"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, host=PASCAL),
        view({"CUDA_VISIBLE_DEVICES": "0,1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, host=PASCAL),
    ),
    "HW309": (
        view({"OLLAMA_FLASH_ATTENTION": "0"}, host=SPARK),
        view({"OLLAMA_FLASH_ATTENTION": "1"}, host=PASCAL),
    ),
    "HW310": (
        view({"OLLAMA_IGPU_ENABLE": "0"}, host=SPARK),
        view({"OLLAMA_IGPU_ENABLE": "0"}, host=PASCAL),
    ),
    "HW311": (
        view(host=SPARK, lines=lines("", "hardware.nvidia.open", "false")),
        view(host=PASCAL, lines=lines("", "hardware.nvidia.open", "false")),
    ),
    "HW312": (
        boxed({"CUDA_VISIBLE_DEVICES": "1"}, gpu_access="reservation", gpus=("1",)),
        boxed({"CUDA_VISIBLE_DEVICES": "0"}, gpu_access="reservation", gpus=("1",)),
    ),
    # As an operator wrote it: device_ids ["0", "1"] and the same again.
    "HW313": (
        boxed({"CUDA_VISIBLE_DEVICES": "0,1"}, gpu_access="reservation", gpus=("0", "1")),
        boxed({"CUDA_VISIBLE_DEVICES": "0"}, gpu_access="reservation", gpus=("0", "1")),
    ),
    "HW314": (
        boxed({"NVIDIA_VISIBLE_DEVICES": "0"}, gpu_access="cdi", gpus=("nvidia.com/gpu=all",)),
        boxed({"NVIDIA_VISIBLE_DEVICES": "void"}, gpu_access="cdi", gpus=("nvidia.com/gpu=0",)),
    ),
}


@pytest.mark.parametrize(
    ("seen", "places"),
    [
        (reserving("driver: amd, count: all, capabilities: gpu"), []),
        (reserving("driver: cdi, device_ids: nvidia.com/gpu=0, capabilities: gpu"), []),
        (reserving("capabilities: gpu", "driver: ${DRIVER}, capabilities: gpu"), []),
        (reserving("driver: cdi, capabilities: gpu"), [1]),
        (reserving("driver: cdi, device_ids: nvidia.com/gpu=0, capabilities: gpus"), []),
        (reserving("driver: nvidia, count: 1, capabilities: gpu, capabilities: gpus"), [4]),
        (reserving("capabilities: nvidia, capabilities: compute, capabilities: video"), []),
        (reserving("capabilities: ${WHAT}"), []),
        (reserving("count: 1, capabilities: tpu"), [2]),
        (reserving("driver: nvidia, count: 1"), [1]),
        (reserving("driver: nvidia, capabilities: gpu", "driver: intel, capabilities: gpu"), [3]),
        (reserving("driver: nvidia, count: 1", section="services.ollama.gpus"), []),
    ],
)
def test_what_docker_can_fulfil(seen: View, places: list[int]) -> None:
    assert [p.place.line for p in found(RULES["HW318"], seen)] == places


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULES[rule], caught)
    assert not found(RULES[rule], left)


@pytest.mark.parametrize("rule", CASES)
def test_a_finding_says_what_where_and_what_to_do(rule: str) -> None:
    (placed,) = found(RULES[rule], CASES[rule][0])
    assert placed.finding.message
    assert placed.finding.fix
    assert placed.finding.link
    assert placed.place.line


@pytest.mark.parametrize("rule", CASES)
def test_a_host_that_is_not_told_is_left_alone(rule: str) -> None:
    env = {"OLLAMA_LLM_LIBRARY": "cuda_v13", "CUDA_VISIBLE_DEVICES": "0"}
    assert not found(RULES[rule], view(env | {"OLLAMA_FLASH_ATTENTION": "0"}))
    assert not found(RULES[rule], view({"OLLAMA_IGPU_ENABLE": "0"}))


# HW306 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "effect"),
    [
        ("0.11.11", "every load fails on such a card"),
        ("0.12.3", "every load fails on such a card"),
        ("0.12.4", "the server leaves such a card out"),
        ("0.32.15", "the server leaves such a card out"),
    ],
)
def test_what_a_library_without_kernels_does(release: str, effect: str) -> None:
    seen = view({"OLLAMA_LLM_LIBRARY": "cuda_v13"}, release=release, host=PASCAL)
    (placed,) = found(library_without_kernels, seen)
    assert placed.finding.message == (
        f"`cuda_v13` has no kernels for Pascal: in {release} {effect}"
    )


def test_among_several_cards_the_one_that_is_left_out_is_named() -> None:
    seen = view({"OLLAMA_LLM_LIBRARY": "cuda_v13"}, host={"gpus": (P4000, RTX3090)})
    assert "no kernels for Pascal:" in found(library_without_kernels, seen)[0].finding.message


@pytest.mark.parametrize("value", ["cuda_v13", "rocm_v7_2", "cuda"])
def test_a_library_that_serves_the_card_or_is_none_is_left_alone(value: str) -> None:
    seen = view({"OLLAMA_LLM_LIBRARY": value}, host={"gpus": (RTX3090,)})
    assert not found(library_without_kernels, seen)


@pytest.mark.parametrize(
    ("release", "driver", "env", "told"),
    [
        ("0.11.10", "580.65.06", {}, False),
        ("0.11.11", "580.65.06", {}, True),
        ("0.11.11", "580.65.06", {"OLLAMA_LLM_LIBRARY": "cuda"}, True),
        ("0.11.11", "580.65.06", {"OLLAMA_LLM_LIBRARY": "cuda_v12"}, False),
        ("0.11.11", "575.64", {}, False),
        ("0.11.11", "", {}, False),
        ("0.12.0", "580.65.06", {}, False),
    ],
)
def test_one_release_chose_cuda_13_by_itself(
    release: str, driver: str, env: dict[str, str], told: bool
) -> None:
    host = {"gpus": (P4000,), "driver": driver}
    placed = found(library_without_kernels, view(env, release=release, host=host))
    assert bool(placed) == told
    assert all(p.finding.fix.startswith("use 0.12.0 or newer") for p in placed)


# HW307, HW308 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "cards", "severity"),
    [
        ("1", (P4000, GTX1060), "warning"),
        ("0", (P4000, GTX1060), "warning"),
        ("0,1", (P4000, GTX1060), "info"),  # all of them: only their order
        ("0,1", (), "info"),  # which cards there are is not told
        ("0", (), None),
        ("1", (RTX3090, RTX3090), None),  # a tie
        ("GPU-aaaa", (P4000, GTX1060), None),
        ("-1", (P4000, GTX1060), None),
        ("", (P4000, GTX1060), None),
    ],
)
def test_numbers_without_an_order(value: str, cards: tuple[Gpu, ...], severity: str | None) -> None:
    seen = view({"CUDA_VISIBLE_DEVICES": value}, host={"gpus": cards})
    placed = found(numbers_without_order, seen)
    assert [p.finding.severity for p in placed] == ([severity] if severity else [])


def test_numbers_become_uuids_where_they_are_known() -> None:
    variables = (
        Variable(name=VISIBLE, value="1", place=Place(FILE, 3), written='"1"'),
        Variable(name="CUDA_DEVICE_ORDER", value="PCI_BUS_ID", place=Place(FILE, 4)),
    )
    (placed,) = found(number_for_a_card, view(variables=variables, host=PASCAL))
    assert placed.finding.fix == "write `GPU-bbbb`"
    assert placed.edits == (Edit(Place(FILE, 3), f'{VISIBLE}="1"', f'{VISIBLE}="GPU-bbbb"'),)


def test_without_the_order_of_the_bus_a_number_is_no_card() -> None:
    seen = view({"CUDA_VISIBLE_DEVICES": "1"}, host=PASCAL)
    (placed,) = found(number_for_a_card, seen)
    assert placed.finding.fix == "write the UUIDs that `nvidia-smi -L` prints"
    assert placed.edits == ()


# HW309 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "value", "told"),
    [
        ("0.12.3", "1", ""),  # the gate lets Pascal pass
        ("0.24.0", "1", ""),
        ("0.24.0", "0", ""),  # off is what most models had
        ("0.30.0", "1", "is forced on, though Ollama 0.30.0 leaves it off for Pascal"),
        ("0.31.1", "true", "is forced on, though Ollama 0.31.1 leaves it off for Pascal"),
        ("0.30.0", "0", ""),  # so the release would do
        ("0.31.2", "", ""),  # unset
        ("0.31.2", "1", ""),  # so the release would do
        ("0.31.2", "0", "is off, though Ollama 0.31.2 would turn it on here"),
    ],
)
def test_flash_attention_on_pascal_by_release(release: str, value: str, told: str) -> None:
    seen = view({"OLLAMA_FLASH_ATTENTION": value}, release=release, host=PASCAL)
    placed = found(flash_attention_by_hand, seen)
    assert bool(placed) == bool(told)
    assert all(told in p.finding.message and p.finding.severity == "info" for p in placed)


def test_the_tag_is_named_where_it_is_older_than_all_that_are_known(tmp_path: Path) -> None:
    files = service("environment: {OLLAMA_FLASH_ATTENTION: 1, OLLAMA_LLM_LIBRARY: cpu}")
    text = files["compose.yaml"].replace("0.32.15", "0.1.20")
    (message,) = messages(tmp_path, {"compose.yaml": text}, "HW309")
    assert "in Ollama 0.1.20" in message


@pytest.mark.parametrize(
    ("release", "told"), [("0.9.2", True), ("0.11.4", True), ("0.11.5", False), ("0.24.0", False)]
)
def test_flash_attention_on_a_cpu_by_release(release: str, told: bool) -> None:
    seen = view({"OLLAMA_FLASH_ATTENTION": "1"}, release=release, acceleration="cpu")
    assert bool(found(flash_attention_by_hand, seen)) == told


def test_who_quantises_the_kv_cache_has_decided() -> None:
    env = {"OLLAMA_FLASH_ATTENTION": "1", "OLLAMA_KV_CACHE_TYPE": "q8_0"}
    seen = view(env, release="0.30.0", host=PASCAL)
    assert not found(flash_attention_by_hand, seen)


def test_a_card_that_is_not_known_might_be_the_one_that_cannot() -> None:
    host = {"gpus": (GB10, Gpu(name="a new one", memory=GIB))}
    seen = view({"OLLAMA_FLASH_ATTENTION": "0"}, host=host)
    assert not found(flash_attention_by_hand, seen)


def test_a_profile_is_told_once_that_it_is_off() -> None:
    told = rules(shipped("dgx-spark"))
    assert "HW112" in told
    assert "HW309" not in told


# HW310, HW311 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "release", "told"),
    [
        ("0", "0.30.0", True),
        ("false", "0.32.15", True),
        ("0", "0.24.0", False),  # not read
        ("1", "0.32.15", False),
        ("no", "0.32.15", False),  # counts as true
        ("", "0.32.15", False),
    ],
)
def test_what_drops_an_integrated_gpu(value: str, release: str, told: bool) -> None:
    seen = view({IGPU: value}, release=release, host=SPARK)
    placed = found(integrated_dropped, seen)
    assert bool(placed) == told
    assert all(p.edits == (Edit(Place(FILE, 1), f"{IGPU}={value}", f"{IGPU}=1"),) for p in placed)


def test_beside_another_card_an_integrated_gpu_may_be_dropped() -> None:
    host = {"gpus": (GB10, RTX3090)}
    assert not found(integrated_dropped, view({"OLLAMA_IGPU_ENABLE": "0"}, host=host))


def test_a_card_may_say_itself_that_it_is_integrated() -> None:
    host = {"gpus": (Gpu(name="Radeon 8060S", memory=96 * GIB, unified=True),)}
    assert found(integrated_dropped, view({"OLLAMA_IGPU_ENABLE": "0"}, host=host))


def test_a_profile_that_drops_its_only_gpu_is_told() -> None:
    host = {"gpus": [{"name": "NVIDIA GB10", "memory": "119GiB"}], "unified_memory": True}
    assert "HW310" in rules(plan({"host": host, "ollama": {"env": {"OLLAMA_IGPU_ENABLE": "0"}}}))


@pytest.mark.parametrize(
    ("host", "section", "name", "value", "message"),
    [
        (SPARK, "", "hardware.nvidia.open", "false", "Blackwell runs on the open kernel modules"),
        (SPARK, "hardware.nvidia", "open", "false", "Blackwell runs on the open kernel modules"),
        (PASCAL, "", "hardware.nvidia.open", "true", "Pascal runs on the closed kernel modules"),
        (SPARK, "", "hardware.nvidia.open", "true", ""),
        (SPARK, "", "hardware.nvidia.open", "cfg.open", ""),
        ({"gpus": (RTX3090,)}, "", "hardware.nvidia.open", "false", ""),
    ],
)
def test_kernel_modules_that_drive_the_card(
    host: dict[str, object], section: str, name: str, value: str, message: str
) -> None:
    seen = view(host=host, lines=lines(section, name, value))
    placed = found(wrong_kernel_modules, seen)
    assert bool(placed) == bool(message)
    assert all(message in p.finding.message and len(p.edits) == 1 for p in placed)


# HW312, HW313, HW314 ----------------------------------------------------------------------------


def test_no_gpu_is_left_where_the_first_number_is_beyond() -> None:
    (placed,) = found(numbers_of_the_host, CASES["HW312"][0])
    assert placed.finding.severity == "error"
    assert placed.finding.message == (
        "there is no GPU 1 in this container, which counts 0: no GPU is left"
    )


@pytest.mark.parametrize(("form", "severity"), [("", "warning"), ("-1", "info"), ("none", "info")])
def test_every_gpu_that_is_given_is_hidden(form: str, severity: str) -> None:
    given = boxed({"CUDA_VISIBLE_DEVICES": form}, gpu_access="reservation")
    (placed,) = found(said_twice, replace(given, acceleration="cuda"))
    assert placed.finding.severity == severity
    assert "hides every GPU" in placed.finding.message
    assert not found(said_twice, boxed({"CUDA_VISIBLE_DEVICES": form}))


def test_a_number_beyond_those_that_are_counted() -> None:
    seen = boxed({"CUDA_VISIBLE_DEVICES": "1"}, gpu_access="reservation", gpu_number=1)
    (placed,) = found(numbers_of_the_host, seen)
    assert "there is no GPU 1" in placed.finding.message
    two = boxed({"CUDA_VISIBLE_DEVICES": "1"}, gpu_access="reservation", gpu_number=2)
    assert not found(numbers_of_the_host, two)


def test_a_later_number_beyond_loses_what_follows() -> None:
    seen = boxed({"CUDA_VISIBLE_DEVICES": "0,2"}, gpu_access="reservation", gpus=("0", "2"))
    (placed,) = found(numbers_of_the_host, seen)
    assert placed.finding.severity == "warning"
    assert "there is no GPU 2 in this container, which counts 0 to 1" in placed.finding.message


def test_a_number_that_is_another_card_inside() -> None:
    seen = boxed({"CUDA_VISIBLE_DEVICES": "1"}, gpu_access="reservation", gpus=("1", "2"))
    (placed,) = found(numbers_of_the_host, seen)
    assert placed.finding.severity == "warning"
    assert placed.finding.message.startswith("`1` is GPU 2 of the host here")


def test_the_runtime_says_which_gpus_are_inside() -> None:
    env = {"NVIDIA_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "1"}
    assert found(numbers_of_the_host, boxed(env, gpu_access="runtime"))
    every = env | {"NVIDIA_VISIBLE_DEVICES": "all"}
    assert not found(numbers_of_the_host, boxed(every, gpu_access="runtime"))


def test_with_all_gpus_inside_the_host_counts() -> None:
    env = {"CUDA_VISIBLE_DEVICES": "2"}
    assert found(numbers_of_the_host, boxed(env, cards=2, gpu_access="reservation"))
    assert not found(numbers_of_the_host, boxed(env, cards=3, gpu_access="reservation"))
    assert not found(numbers_of_the_host, boxed(env, gpu_access="reservation"))


@pytest.mark.parametrize(
    ("visible", "gpus", "severity"),
    [
        ("GPU-aaaa,GPU-bbbb", ("GPU-bbbb", "GPU-aaaa"), "info"),
        ("GPU-aaaa", ("GPU-aaaa", "GPU-bbbb"), None),  # narrows it down
        ("GPU-cccc", ("GPU-aaaa", "GPU-bbbb"), "error"),
        ("0", ("2",), None),  # names what is inside as it is called there
        ("0,1", ("1", "0"), None),
        ("0", ("GPU-aaaa",), "info"),
        ("-1", ("0",), None),
        ("0,1", ("all",), None),
    ],
)
def test_gpus_said_twice(visible: str, gpus: tuple[str, ...], severity: str | None) -> None:
    seen = boxed({"CUDA_VISIBLE_DEVICES": visible}, gpu_access="reservation", gpus=gpus)
    placed = found(said_twice, seen)
    assert [p.finding.severity for p in placed] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("value", "gpus", "severity"),
    [
        ("all", (), "info"),
        ("0", ("0",), "info"),
        ("1", ("0",), "warning"),
        ("0", (), "warning"),
    ],
)
def test_the_runtimes_variable_beside_a_reservation(
    value: str, gpus: tuple[str, ...], severity: str
) -> None:
    seen = boxed({"NVIDIA_VISIBLE_DEVICES": value}, gpu_access="reservation", gpus=gpus)
    (placed,) = found(said_twice, seen)
    assert placed.finding.severity == severity


@pytest.mark.parametrize(("number", "severity"), [(1, "info"), (2, "warning"), (10**18, "warning")])
def test_the_runtimes_variable_beside_a_count(number: int, severity: str) -> None:
    seen = boxed({"NVIDIA_VISIBLE_DEVICES": "0"}, gpu_access="reservation", gpu_number=number)
    (placed,) = found(said_twice, seen)
    assert placed.finding.severity == severity


def test_the_runtimes_variable_is_right_for_the_runtime() -> None:
    seen = boxed({"NVIDIA_VISIBLE_DEVICES": "0"}, gpu_access="runtime")
    assert not found(said_twice, seen)
    assert not found(two_ways_in, seen)


def test_cdi_beside_the_runtime() -> None:
    seen = boxed(gpu_access="cdi", gpu_also=("runtime",), gpus=("nvidia.com/gpu=all",))
    (placed,) = found(two_ways_in, seen)
    assert placed.place == YAML
    assert placed.finding.message == (
        "GPUs get in by CDI and by the nvidia runtime: they may be injected twice"
    )
    assert not found(two_ways_in, boxed(gpu_access="cdi", gpu_also=("cdi",)))
