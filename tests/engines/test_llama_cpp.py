"""`gen fit` against what llama.cpp reserves now, for some of the shapes of `docs/accuracy.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import accuracy, skeleton
from benchmarks.shapes import SHAPES, WEIGHTS, runs
from generator.fit.metadata import shape_of_file
from tests.engines.programs import program
from tests.facts import facts_at

if TYPE_CHECKING:
    from pathlib import Path

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
