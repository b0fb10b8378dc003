"""The predictions against what llama.cpp allocated; no engine is needed for it."""
# ruff: noqa: E402

import statistics
from pathlib import Path

import pytest

from tests.tools import require_package

require_package("gguf")  # what follows imports it

from benchmarks import accuracy, skeleton
from benchmarks.shapes import HELD_OUT, LOADED, SHAPES, WEIGHTS
from generator.fit.metadata import shape_of_file
from generator.fit.shape import Shape
from tests.facts import facts_at

ENGINE, POINTS = accuracy.read_points()
TOOLS = (accuracy.PARAMS, accuracy.SERVER, accuracy.LOAD)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shape]:
    folder = tmp_path_factory.mktemp("skeletons")
    found = {}
    for number, (name, outline) in enumerate(SHAPES.items()):
        file = folder / f"{number}.gguf"
        skeleton.write(outline, file, WEIGHTS)
        found[name] = shape_of_file(str(file), facts_at())
    return found


def test_what_was_measured_says_with_what() -> None:
    assert ENGINE == "llama.cpp@0c1e570"
    assert len({p.shape for p in POINTS if p.tool == accuracy.PARAMS}) >= 20
    assert {p.shape for p in POINTS if p.tool == accuracy.LOAD} == set(LOADED)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_sum_is_close_for_every_tool(tool: str, shapes: dict[str, Shape]) -> None:
    errors = [abs(accuracy.error(shapes[p.shape], p)) for p in POINTS if p.tool == tool]
    assert len(errors) > 100
    assert statistics.median(errors) <= 0.005
    assert max(errors) <= 0.08


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_sum_is_close_for_every_shape(name: str, shapes: dict[str, Shape]) -> None:
    errors = [abs(accuracy.error(shapes[name], p)) for p in POINTS if p.shape == name]
    assert statistics.median(errors) <= 0.01
    assert max(errors) <= (0.04 if name in HELD_OUT else 0.08)


def test_weights_and_cache_are_exact(shapes: dict[str, Shape]) -> None:
    for point in POINTS:
        if point.tool == accuracy.PARAMS:
            weights, kv, _ = accuracy.predicted(shapes[point.shape], point.run, point.tool)
            # llama-fit-params prints whole MiB, rounded down.
            assert point.weights is not None
            assert point.kv is not None
            assert 0 <= weights - point.weights < 1, point
            assert 0 <= kv - point.kv < 1, point


def test_the_compute_buffer_alone_is_close(shapes: dict[str, Shape]) -> None:
    found = (accuracy.compute_error(shapes[p.shape], p) for p in POINTS)
    errors = sorted(abs(error) for error in found if error is not None)
    assert statistics.median(errors) <= 0.02
    assert errors[len(errors) * 95 // 100] <= 0.1


def test_the_document_is_that_of_the_measurements() -> None:
    document = Path(accuracy.DOCUMENT).read_text(encoding="utf-8")
    assert document == accuracy.report(ENGINE, POINTS), "run python -m benchmarks.accuracy report"
