"""A Shape from the header of a GGUF file, and files that are none."""
# ruff: noqa: E402

import os
import struct
import tracemalloc
from pathlib import Path

import pytest

from tests.tools import require_package

require_package("gguf")  # what follows imports it

from benchmarks.skeleton import Outline, write
from generator.errors import HostwrightError
from generator.fit.header import read_header
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


def header(pairs: bytes, count: int, tensors: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, count) + pairs


def tensor(name: str, dimensions: tuple[int, ...], kind: int = 0) -> bytes:
    shape = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + shape + struct.pack("<IQ", kind, 0)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(b"", 1 << 62), "4611686018427387904 keys"),
        (header(b"", 0, 1 << 40), "1099511627776 tensors"),
        (header(text("a") + struct.pack("<IIQ", 9, 4, 1 << 60), 1), "ends before what it counts"),
        (header(text("a") + struct.pack("<IIQ", 9, 8, 1 << 22), 1), "ends before what it counts"),
        (header(text("a") + struct.pack("<IIQ", 9, 8, 1 << 40), 1), "texts in one array"),
        (header(text("a") + struct.pack("<IIQ", 9, 9, 1), 1), "array of arrays"),
        (header(text("a") + struct.pack("<I", 77), 1), "no kind 77"),
        (header(struct.pack("<Q", 1 << 63) + bytes(9), 1), "a key of 9223372036854775808 bytes"),
        (header(text("a") + struct.pack("<IQ", 8, 1 << 50), 1), "ends before what it counts"),
        (header(text("t") + struct.pack("<I", 5000) + b"\0" * 99, 0, 1), "5000 dimensions"),
        (header(b"", 0, version=1), "version 1"),
        (
            header(text("t") + struct.pack("<IQQIQ", 2, 1 << 40, 1 << 40, 0, 0), 0, 1),
            "ends before `t`",
        ),
        (header(2 * (text("a") + struct.pack("<II", 4, 1)), 2), "it has `a` twice"),
        (header(2 * tensor("t", (64,)), 0, 2), "it has `t` twice"),
        (header(tensor("t", (64, 0)), 0, 1), "`t` has a dimension of 0"),
        (header(tensor("t", (64,), kind=250), 0, 1), "`t` has type 250"),
        (header(tensor("t", (100,), kind=12), 0, 1), "rows of 100, and its type takes 256"),
    ],
)
def test_what_a_header_counts_is_held_against_the_file(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "hostile.gguf"
    file.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(HostwrightError) as caught:
        shape_of_file(str(file), facts_at())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert peak < 8 << 20
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_file(name: str) -> None:
    with pytest.raises(HostwrightError, match="not a regular file"):
        shape_of_file(name, facts_at())


def test_a_long_vocabulary_is_walked_and_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "words.gguf"
    count = 300_000
    words = struct.pack("<Q", 5) + b"token"
    pairs = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, count) + words * count
    pairs += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    file.write_bytes(header(pairs, 2))
    found = read_header(file).metadata
    assert found == {"tokenizer.ggml.tokens": None, "general.architecture": "llama"}


@pytest.mark.parametrize(
    ("kind", "offset", "message"),
    [
        (99, 4096, "`b` has type 99, and llama.cpp has none like it"),
        (4, 4096, "`b` has type 4, and"),  # Q4_2, which went
        (0, 4100, "`b` begins at 4100, and its alignment is 32"),
    ],
)
def test_one_bad_tensor_among_good_ones_is_refused(
    kind: int, offset: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "odd.gguf"
    rows = tensor("a", (64,)) + text("b") + struct.pack("<IQIQ", 1, 64, kind, offset)
    file.write_bytes(header(rows, 0, 2) + bytes(8192))
    with pytest.raises(HostwrightError, match=message):
        read_header(file)


def test_an_alignment_is_a_power_of_two(tmp_path: Path) -> None:
    file = tmp_path / "odd.gguf"
    pairs = text("general.alignment") + struct.pack("<II", 4, 24)
    file.write_bytes(header(pairs + tensor("a", (64,)), 1, 1) + bytes(512))
    with pytest.raises(HostwrightError, match="alignment is 24"):
        read_header(file)


def test_big_endian_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "big.gguf"
    key = struct.pack(">Q", 1) + b"k" + struct.pack(">II", 4, 7)
    file.write_bytes(b"GGUF" + struct.pack(">IQQ", 3, 0, 1) + key)
    assert read_header(file).metadata == {"k": 7}


def split(folder: Path, parts: int) -> list[Path]:
    """Write a model in so many parts: all keys in the first, a layer in each."""
    files = []
    for n in range(1, parts + 1):
        keys = {"split.count": parts, "split.no": n - 1}
        if n == 1:
            keys |= {"llama.block_count": parts, "llama.embedding_length": 32}
            keys |= {"llama.attention.head_count": 1, "llama.feed_forward_length": 32}
        pairs = b"".join(text(k) + struct.pack("<II", 4, v) for k, v in keys.items())
        pairs += text("general.architecture") + struct.pack("<I", 8) + text("llama")
        rows = text(f"blk.{n - 1}.attn_q.weight") + struct.pack("<IQQIQ", 2, 32, 32, 0, 0)
        whole = header(pairs + rows, len(keys) + 1, 1)
        files.append(folder / f"m-{n:05}-of-{parts:05}.gguf")
        files[-1].write_bytes(whole + bytes(-len(whole) % 32 + 4096))
    return files


def test_a_model_in_parts_is_read_whole_whichever_is_named(tmp_path: Path) -> None:
    files = split(tmp_path, 3)
    for file in files:
        assert shape_of_file(str(file), facts_at()).layer_bytes == (4096,) * 3
    second = files[1].read_bytes()
    files[1].write_bytes(second.replace(b"blk.1.", b"blk.0."))
    with pytest.raises(HostwrightError, match=r"its parts have `blk.0.attn_q.weight` twice"):
        shape_of_file(str(files[0]), facts_at())
    files[1].unlink()
    with pytest.raises(HostwrightError, match="1 of its 3 parts are missing, first m-00002-of-0"):
        shape_of_file(str(files[0]), facts_at())
    files[0].rename(tmp_path / "other.gguf")
    with pytest.raises(HostwrightError, match="part 1 of 3"):
        shape_of_file(str(tmp_path / "other.gguf"), facts_at())


def test_attention_without_heads_is_refused(tmp_path: Path) -> None:
    pairs = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    numbers = {"block_count": 1, "embedding_length": 64, "attention.head_count": 0}
    for key, value in numbers.items():
        pairs += text(f"llama.{key}") + struct.pack("<II", 4, value)
    file = tmp_path / "none.gguf"
    whole = header(pairs + tensor("blk.0.attn_k.weight", (64, 64)), 4, 1)
    file.write_bytes(whole + bytes(-len(whole) % 32 + 64 * 64 * 4))
    with pytest.raises(HostwrightError, match="head_count` is 0, and its layers have attention"):
        shape_of_file(str(file), facts_at())
