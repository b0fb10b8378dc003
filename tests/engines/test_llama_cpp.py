"""`gen fit` against what llama.cpp reserves now, for some of the shapes of `docs/accuracy.md`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import accuracy, architectures, skeleton
from benchmarks.shapes import SHAPES, WEIGHTS, runs
from generator.fit.metadata import shape_of_file
from tests.engines.programs import program
from tests.facts import facts_at

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.shapes import Run

SOME = ("qwen2.5:7b", "gemma2:9b", "gpt-oss:20b", "mistral-nemo:12b")
EVERY = 10  # of the runs that were measured for the document
WORST = 0.08


@pytest.mark.parametrize("name", SOME)
def test_the_sum_is_close(name: str, tmp_path: Path) -> None:
    estimator = program("llama-fit-params", "HOSTWRIGHT_LLAMA_FIT_PARAMS")
    file = tmp_path / "skeleton.gguf"
    skeleton.write(SHAPES[name], file, WEIGHTS)
    shape = shape_of_file(str(file), facts_at())
    for run in list(runs(SHAPES[name]))[::EVERY]:
        point = accuracy.reserved(estimator, file, name, run)
        assert abs(accuracy.error(shape, point)) <= WORST, point


MODELS: list[dict[str, Any]] = json.loads(architectures.FILE.read_text(encoding="utf-8"))["models"]
RUNS: tuple[Run, ...] = (
    (8192, 1, "f16", True, 512),
    (4096, 4, "f16", False, 512),
    (32768, 1, "f16", True, 2048),
)
# Buffers of shared experts are too large by so much, those of recurrent layers too small.
HIGHEST, LOWEST = 0.41, -0.21
SUM = 0.03


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_every_architecture_is_close(model: dict[str, Any], tmp_path: Path) -> None:
    estimator = program("llama-fit-params", "HOSTWRIGHT_LLAMA_FIT_PARAMS")
    server = program("llama-server", "HOSTWRIGHT_LLAMA_SERVER")
    file = tmp_path / "skeleton.gguf"
    skeleton.write_model(model, file)
    shape = shape_of_file(str(file), facts_at())
    for run in RUNS:
        point = accuracy.reserved(estimator, file, model["name"], run)
        weights, kv, compute = accuracy.predicted(shape, run, accuracy.PARAMS)
        assert weights == pytest.approx(point.weights, rel=0.002, abs=1.1), point
        assert kv == pytest.approx(point.kv, abs=1.1), point
        assert LOWEST <= compute / (point.compute or 1) - 1 <= HIGHEST, point
        (whole,) = accuracy.projected(server, file, model["name"], run)
        assert abs(accuracy.error(shape, whole)) <= SUM, whole
