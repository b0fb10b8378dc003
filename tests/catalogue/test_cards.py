"""Facts of cards: found as drivers, people and the bus name them, and sound as a whole."""

from __future__ import annotations

import re

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.units import GIB

CARDS = load_catalogue().cards
FACTS = load_catalogue().at("ollama")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RTX 4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("4090", "RTX 4090"),
        ("rtx4090", "RTX 4090"),
        ("rtx 3090ti", "RTX 3090 Ti"),
        ("NVIDIA GeForce RTX 4070 Laptop GPU", "RTX 4070 Laptop GPU"),
        ("4070 mobile", "RTX 4070 Laptop GPU"),
        ("NVIDIA GeForce RTX 2060 with Max-Q Design", "RTX 2060 Mobile"),
        ("A100", "A100-SXM4-80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 80GB PCIe"),
        ("Tesla V100-SXM2-32GB", "Tesla V100-SXM2-32GB"),
        ("p40", "Tesla P40"),
        ("3090", "RTX 3090"),
        ("Tesla P100", "Tesla P100-PCIE-16GB"),
        ("1060", "GTX 1060 6GB"),
        ("3060 8gb", "RTX 3060 8GB"),
        ("RTX 3060 12 GB", "RTX 3060"),
        ("NVIDIA GH200 480GB", "GH200 480GB"),
        ("dgx spark", "GB10"),
        ("AMD Radeon RX 7900 XTX", "Radeon RX 7900 XTX"),
        ("7900xtx", "Radeon RX 7900 XTX"),
        ("AMD Radeon 780M Graphics", "Radeon 780M"),
        ("strix halo", "Radeon 8060S"),
        ("Intel(R) Arc(TM) B580 Graphics", "Arc B580"),
        ("b580", "Arc B580"),
        ("M4 Max", "Apple M4 Max"),
    ],
)
def test_a_card_is_found_as_it_is_written(text: str, name: str) -> None:
    found = CARDS.find(text)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("text", ["", "NVIDIA", "geforce", "RTX 9999", "4090 8gb"])
def test_what_is_no_card_is_not_guessed(text: str) -> None:
    assert CARDS.find(text) is None


def test_memory_in_the_text_tells_cards_of_one_name_apart() -> None:
    both = [CARDS.find(text) for text in ("Arc A770", "Arc A770 8GB")]
    assert [card and card.memory for card in both] == [16 * GIB, 8 * GIB]


def test_names_that_may_be_meant_are_told() -> None:
    assert "RTX 4090" in CARDS.near("RTX 4O90")
    assert "RTX 3060 8GB" in CARDS.near("3060 gb8")


@pytest.mark.parametrize(
    ("number", "revision", "name", "memory"),
    [
        ("10de:2684", "a1", "RTX 4090", 24),
        ("10de:2820", "", "RTX 4070 Laptop GPU", 8),
        ("10DE:1BB1", "", "Quadro P4000", 8),
        ("1002:744c", "c8", "Radeon RX 7900 XTX", 24),
        ("1002:744c", "CC", "Radeon RX 7900 XT", 20),
        ("1002:150e", "c4", "Radeon 880M", 0),
        ("1002:150e", "", "Radeon 890M", 0),
        ("8086:e20b", "", "Arc B580", 12),
    ],
)
def test_the_bus_names_a_card(number: str, revision: str, name: str, memory: int) -> None:
    card = CARDS.by_pci(number, revision)
    assert card is not None
    assert (card.name, card.memory) == (name, memory * GIB)


def test_an_id_of_several_cards_promises_no_more_than_each_has() -> None:
    card = CARDS.by_pci("1002:744c")
    assert card is not None
    assert "Radeon RX 7900 XTX / Radeon RX 7900 XT /" in card.name
    assert (card.memory, card.target) == (16 * GIB, "gfx1100")
    assert card.bandwidth == pytest.approx(576, rel=0.01)


def test_an_unknown_revision_is_a_card_like_the_known_ones() -> None:
    card = CARDS.by_pci("1002:7362", "99")
    assert card is not None
    assert (card.name, card.target) == ("like Radeon Pro V520", "gfx1011")


def test_an_unknown_id_is_no_card() -> None:
    assert CARDS.by_pci("10de:ffff") is None


def test_a_card_has_the_memory_that_is_seen_if_it_is_sold_with_it() -> None:
    card = CARDS.by_pci("8086:56a0")
    assert card is not None
    assert card.of_size(8 * GIB).memory == 8 * GIB
    assert card.of_size(GIB // 4).memory == 16 * GIB


def test_there_are_as_many_as_people_use() -> None:
    makers = [card.vendor for card in CARDS.all]
    assert len(makers) > 400
    assert {maker: makers.count(maker) > 15 for maker in makers} == dict.fromkeys(makers, True)
    assert sum(len(card.pci) for card in CARDS.all) > 650


@pytest.mark.parametrize("card", CARDS.all, ids=lambda card: card.name)
def test_a_card_is_sound(card: object) -> None:
    for known in [c for c in CARDS.all if c is card]:
        start = {"nvidia": "10de", "amd": "1002", "intel": "8086", "apple": "-"}[known.vendor]
        assert all(re.fullmatch(rf"{start}:[0-9a-f]{{4}}(:[0-9a-f]{{2}})?", p) for p in known.pci)
        assert known.unified or known.memory >= 2 * GIB
        assert bool(known.compute_capability) == (known.vendor == "nvidia")
        assert bool(known.target) == (known.vendor == "amd")
        if known.vendor == "nvidia":
            assert FACTS.generation(known.compute_capability)
        assert not known.bandwidth or 14 < known.bandwidth <= 8000
        assert known.fp32 < 200
        assert known.tflops >= known.fp32


# Of data sheets: bandwidth in GB/s, dense TFLOPS at half precision.
@pytest.mark.parametrize(
    ("name", "bandwidth", "tflops"),
    [
        ("Tesla P40", 347, 11.8),
        ("Tesla T4", 320, 65),
        ("Tesla V100-PCIE-32GB", 900, 112),
        ("A10", 600, 125),
        ("A100-SXM4-80GB", 2039, 312),
        ("RTX 3090", 936, 142),
        ("RTX 4090", 1008, 330),
        ("L40S", 864, 362),
        ("H100 80GB HBM3", 3350, 989),
        ("RTX 5090", 1792, 419),
        ("GB10", 273, 125),
        ("Radeon RX 7900 XTX", 960, 123),
        ("Radeon RX 9070 XT", 640, 195),
        ("Instinct MI300X", 5300, 1307),
        ("Arc B580", 456, 117),
    ],
)
def test_figures_are_those_of_the_makers(name: str, bandwidth: float, tflops: float) -> None:
    card = CARDS.named(name)
    assert card is not None
    assert card.bandwidth == pytest.approx(bandwidth, rel=0.02)
    assert card.tflops == pytest.approx(tflops, rel=0.05)


def test_a_start_reads_no_cards() -> None:
    catalogue = load_catalogue.__wrapped__()
    assert catalogue.at("ollama").variable("OLLAMA_HOST")
    assert "card" not in catalogue.tables
    assert catalogue.cards.named("RTX 4090")
    assert "card" in catalogue.tables
