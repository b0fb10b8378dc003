"""A Shape from the header of a GGUF file, and files that are none."""
# ruff: noqa: E402

import builtins
import os
from pathlib import Path
from typing import Any

import pytest

from tests.tools import require_package

require_package("gguf")  # what follows imports it

from benchmarks.skeleton import Outline, write
from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.metadata import shape_of_file
from tests.facts import facts_at

SMALL = Outline(
    architecture="gemma3", layers=6, embedding=256, feed_forward=512, heads=4, kv_heads=2,
    head_length=64, vocabulary=1000, context=8192, tied=True, window=512,
)  # fmt: skip


def test_a_header_is_read_without_the_weights(tmp_path: Path) -> None:
    file = tmp_path / "small.gguf"
    write(SMALL, file)
    found = shape_of_file(str(file), facts_at())
    assert (found.name, found.architecture, found.quantisation) == ("small.gguf", "gemma3", "F16")
    assert (found.embedding, found.heads, found.kv_heads) == (256, 4, (2,) * 6)
    assert found.windows == (512, 512, 512, 512, 512, 0)
    assert found.vocabulary == 1000
    assert found.input_bytes == 256 * 1000 * 2
    # Two matrices of 256 × 256, two of 256 × 128, three of 256 × 512, at f16; 4 vectors of 256
    # and two of 64 at f32.
    assert found.layer_bytes[0] == 2 * (131072 + 65536 + 3 * 131072) + 4 * (4 * 256 + 2 * 64)
    assert file.stat().st_blocks * 512 < 65536


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a GGUF file"),
        (b"#!/bin/sh\n", "not a GGUF file"),
        (b"GGUF", "not a whole GGUF file"),
        (b"GGUF" + b"\xff" * 100, "not a whole GGUF file"),
        (b"GGUF\x03\0\0\0" + b"\0" * 16, "no `general.architecture`"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "bad.gguf"
    file.write_bytes(content)
    with pytest.raises(HostwrightError) as caught:
        shape_of_file(str(file), facts_at())
    assert message in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.gguf", tmp_path / "cut.gguf"
    write(SMALL, whole)
    for size in (20, 200, 2000, 20000):
        cut.write_bytes(whole.read_bytes()[:size])
        with pytest.raises(HostwrightError) as caught:
            shape_of_file(str(cut), facts_at())
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(("name", "code"), [("absent.gguf", 2), (".", 2), ("pipe.gguf", 2)])
def test_what_is_no_file_is_told(tmp_path: Path, name: str, code: int) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(HostwrightError) as caught:
        shape_of_file(str(tmp_path / name), facts_at())
    assert caught.value.exit_code == code


def test_a_missing_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "small.gguf"
    write(SMALL, file)
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name == "gguf":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EnvironmentFailure) as caught:
        shape_of_file(str(file), facts_at())
    assert caught.value.hint == "pip install 'hostwright[fit]'"
