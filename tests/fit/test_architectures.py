"""Caches, states and buffers of models of every kind, as llama.cpp reserved them for a GPU."""

import statistics

import pytest

from benchmarks.architectures import SMALL, Point, points
from tests.facts import facts_at

POINTS = list(points(facts_at()))
NAMES = {p.architecture for p in POINTS}


def errors(part: str, *, whole: bool) -> list[float]:
    found = (p for p in POINTS if p.whole is whole and p.measured[part] > SMALL)
    return [p.error(part) for p in found]


def test_every_kind_of_model_is_among_them() -> None:
    kinds = {kept.kind for name in NAMES if (kept := facts_at().keeps(name))}
    assert kinds == {"cache", "state", "both", "none"}
    assert len(NAMES) >= 40


@pytest.mark.parametrize("point", [p for p in POINTS if p.whole], ids=lambda p: p.model)
def test_cache_and_weights_are_exact(point: Point) -> None:
    for part in ("kv", "weights"):
        real = point.measured[part] + point.measured[f"host {part}"]
        told = point.predicted[part] + point.predicted[f"host {part}"]
        assert told == pytest.approx(real, rel=2e-3, abs=0.02), part


def test_the_cache_of_a_part_is_where_its_layers_are() -> None:
    for point in POINTS:
        if not point.whole:
            assert point.predicted["kv"] == pytest.approx(point.measured["kv"], rel=1e-3, abs=0.02)


def test_buffers_are_close() -> None:
    every, part = errors("compute", whole=True), errors("compute", whole=False)
    assert min(len(every), len(part)) > 100
    assert statistics.median(map(abs, every)) <= 0.001
    assert statistics.median(map(abs, part)) <= 0.01
    assert sum(abs(e) <= 0.15 for e in every) >= 0.95 * len(every)
    assert sum(abs(e) <= 0.15 for e in part) >= 0.9 * len(part)
    assert min(every) >= -0.18


def test_the_buffer_of_the_host_is_that_of_llama_cpp() -> None:
    plain = [
        p.error("host compute")
        for p in POINTS
        if facts_at().keeps(p.architecture).kind == "cache"  # type: ignore[union-attr]
        and p.measured["host compute"] > SMALL
        and p.architecture not in {"gemma3n", "gemma4"}
    ]
    assert len(plain) > 60
    assert max(map(abs, plain)) <= 0.09
