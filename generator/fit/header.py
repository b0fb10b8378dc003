"""The header of a GGUF file: its metadata, and what tensors it has; weights are not read.

A file may come from anybody. Whatever it counts is held against its size before it is walked, and
what is kept of it is bounded.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from generator.errors import EnvironmentFailure, HostwrightError
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TypeVar

    Row = TypeVar("Row", bound=tuple[Any, ...])

# Of each type of tensor its number, name, and the elements and bytes of a block.
# Source: enum ggml_type in ggml/include/ggml.h and ggml-common.h of llama.cpp@b10488.
TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4),
    27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18), 42: ("Q2_0", 64, 18),
}  # fmt: skip
# Kinds of metadata by number: the letters of `struct`. Source: docs/gguf.md of ggml@a3dbbc5.
NUMBERS: Final = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
STRING, ARRAY = 8, 9
LONG: Final = 1024  # arrays beyond that are the tokenizer's, and are counted only
LONG_TEXT: Final = 4096  # bytes of a text that is kept; beyond that are templates and licences
LONG_NAME: Final = 512
MOST_KEYS: Final = 1 << 14
MOST_TENSORS: Final = 1 << 17
MOST_TEXTS: Final = 1 << 22  # of one array; vocabularies have up to 262144
CHUNK: Final = 1 << 20
DIMENSIONS: Final = 4
ALIGNMENTS: Final = frozenset(1 << power for power in range(21))  # powers of two, up to a MiB
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor: its name, its rows and columns as GGUF orders them, its bytes and its type."""

    name: str
    dimensions: tuple[int, ...]
    size: int
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the header of a file says; of long arrays and texts the metadata have None."""

    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]


def read_header(path: Path) -> Header:
    """Return the header of a GGUF file.

    Raises HostwrightError for what is no regular file, no GGUF or not a whole one, and
    EnvironmentFailure for what cannot be read.
    """
    try:
        number = os.open(path, _OPEN)
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            os.close(number)
            raise HostwrightError(f"{path}: is not a regular file", hint="name a .gguf file")
        with os.fdopen(number, "rb") as file:
            return _header(_Cursor(file, status.st_size), path)
    except FileNotFoundError as error:
        raise HostwrightError(f"there is no file `{path}`", hint="name one that is") from error
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {path}: {error.strerror}") from error
    except _Damaged as error:
        raise HostwrightError(
            f"{path}: not a whole GGUF file: {error}", hint="name a .gguf file that is complete"
        ) from error


class _Damaged(Exception):
    """What the header says cannot be."""


class _Cursor:
    """Reads forward, a chunk at a time, and no further than the file reaches."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        self.buffer, self.at, self.before = b"", 0, 0
        self.order = "<"

    @property
    def position(self) -> int:
        return self.before + self.at

    def expect(self, count: int, each: int) -> None:
        """Raise _Damaged where the file cannot hold `count` of `each` bytes any more."""
        if self.position > self.size or count * each > self.size - self.position:
            raise _Damaged(f"it ends before what it counts: {count} of at least {each} bytes")

    def skip(self, count: int) -> None:
        self.expect(count, 1)
        self.at += count

    def take(self, count: int) -> bytes:
        self.expect(count, 1)
        if self.at + count > len(self.buffer):
            self.before, self.at = self.position, 0
            self.file.seek(self.before)
            self.buffer = self.file.read(max(count, CHUNK))
            if len(self.buffer) < count:
                raise _Damaged("it ends before what it counts")
        self.at += count
        return self.buffer[self.at - count : self.at]

    def number(self, letter: str) -> Any:  # noqa: ANN401 -- a number or a truth
        layout = self.order + letter
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def text(self, most: int, what: str) -> str:
        size = self.number("Q")
        if size > most:
            raise _Damaged(f"{what} of {size} bytes")
        return self.take(size).decode("utf-8", "replace")


def _header(cursor: _Cursor, path: Path) -> Header:
    if cursor.size < len(b"GGUF") or cursor.take(4) != b"GGUF":
        raise HostwrightError(f"{path}: not a GGUF file", hint="it does not begin with `GGUF`")
    version = cursor.number("I")
    if version in {2 << 24, 3 << 24}:
        cursor.order, version = ">", version >> 24
    if version not in {2, 3}:
        raise _Damaged(f"it has version {version}, and 2 and 3 are known")
    tensors, pairs = cursor.number("Q"), cursor.number("Q")
    _bounded(tensors, MOST_TENSORS, "tensors")
    _bounded(pairs, MOST_KEYS, "keys")
    cursor.expect(pairs, 13)
    metadata = dict(_once((cursor.text(1 << 16, "a key"), _value(cursor)) for _ in range(pairs)))
    cursor.expect(tensors, 24)
    rows = list(_once(_tensor(cursor) for _ in range(tensors)))
    alignment = metadata.get("general.alignment", 32)
    if alignment not in ALIGNMENTS:
        raise _Damaged(f"its alignment is {alignment}")
    start = -(-cursor.position // alignment) * alignment
    found = list(_sized(rows))
    for tensor, offset in found:
        if offset % alignment:
            raise _Damaged(f"`{tensor.name}` begins at {offset}, and its alignment is {alignment}")
        if start + offset + tensor.size > cursor.size:
            raise _Damaged(f"it ends before `{tensor.name}`")
    return Header(metadata=metadata, tensors=tuple(tensor for tensor, _ in found))


def _once(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows, each of which has a name of its own, as llama.cpp asks of keys and tensors.

    Source: gguf_init_from_file_impl, ggml/src/gguf.cpp of llama.cpp@b10488.
    """
    seen: set[object] = set()
    for row in rows:
        if row[0] in seen:
            raise _Damaged(f"it has `{row[0]}` twice")
        seen.add(row[0])
        yield row


def _bounded(count: int, most: int, what: str) -> None:
    if count > most:
        raise _Damaged(f"it counts {count} {what}, and {most} are the most that a model has")


def _value(cursor: _Cursor) -> Any:  # noqa: ANN401 -- metadata are of any kind
    kind = cursor.number("I")
    if kind == STRING:
        return _short_text(cursor)
    if kind == ARRAY:
        return _array(cursor)
    return cursor.number(_letter(kind))


def _letter(kind: int) -> str:
    letter = NUMBERS.get(kind)
    if letter is None:
        raise _Damaged(f"there is no kind {kind} of metadata")
    return letter


def _short_text(cursor: _Cursor) -> str | None:
    size = cursor.number("Q")
    if size <= LONG_TEXT:
        return cursor.take(size).decode("utf-8", "replace")
    cursor.skip(size)
    return None


def _array(cursor: _Cursor) -> list[Any] | None:
    kind, count = cursor.number("I"), cursor.number("Q")
    if kind == ARRAY:
        raise _Damaged("it has an array of arrays, which llama.cpp does not read either")
    if kind == STRING:
        _bounded(count, MOST_TEXTS, "texts in one array")
        cursor.expect(count, 8)
        if count > LONG:
            _skip_texts(cursor, count)
            return None
        return [_short_text(cursor) for _ in range(count)]
    letter = _letter(kind)
    size = struct.calcsize(letter)
    cursor.expect(count, size)
    if count > LONG:
        cursor.skip(count * size)
        return None
    return list(struct.unpack(f"{cursor.order}{count}{letter}", cursor.take(count * size)))


def _skip_texts(cursor: _Cursor, count: int) -> None:
    """Walk over a vocabulary: most of what there is to read of a header."""
    length = struct.Struct(cursor.order + "Q")
    for _ in range(count):
        if cursor.at + length.size > len(cursor.buffer):
            cursor.skip(cursor.number("Q"))
        else:
            cursor.at += length.size + length.unpack_from(cursor.buffer, cursor.at)[0]
    cursor.expect(0, 1)


def _tensor(cursor: _Cursor) -> tuple[str, tuple[int, ...], int, int]:
    """Return name, dimensions and type of a tensor, and where it begins among the weights."""
    name, rank = cursor.text(LONG_NAME, "a tensor's name"), cursor.number("I")
    if rank > DIMENSIONS:
        raise _Damaged(f"`{name}` has {rank} dimensions")
    dimensions = tuple(cursor.number("Q") for _ in range(rank))
    kind, offset = cursor.number("I"), cursor.number("Q")
    if 0 in dimensions:
        raise _Damaged(f"`{name}` has a dimension of 0")
    if kind not in TYPES:
        raise _Damaged(f"`{name}` has type {kind}, and llama.cpp has none like it")
    block = TYPES[kind][1]
    if dimensions and dimensions[0] % block:
        raise _Damaged(f"`{name}` has rows of {dimensions[0]}, and its type takes {block} at once")
    return name, dimensions, kind, offset


def _sized(
    rows: Iterable[tuple[str, tuple[int, ...], int, int]],
) -> Iterator[tuple[Tensor, int]]:
    """Yield each tensor, and where it begins among the weights."""
    for name, dimensions, kind, offset in rows:
        label, elements, size = TYPES[kind]
        total = math.prod(dimensions) // elements * size
        yield Tensor(name=name, dimensions=dimensions, size=total, kind=label), offset
