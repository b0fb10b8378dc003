"""A Shape from the header of a GGUF file. Its weights are not read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.metadata import Tensor, shape_from

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape

LONG = 1000  # arrays beyond that are the tokenizer's


def shape_of_file(file: str, facts: Facts) -> Shape:
    """Return the Shape of a GGUF file.

    Raises EnvironmentFailure where the `gguf` package is missing or the file cannot be read, and
    HostwrightError for a file that is no GGUF, is cut off, or is not modelled.
    """
    path = Path(file)
    _readable(path)
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise EnvironmentFailure(
            "reading a GGUF header needs the Python package `gguf`, which is not installed",
            hint="pip install 'hostwright[fit]'",
        ) from error
    try:
        reader = GGUFReader(path)
        metadata = {
            key: None if len(field.data) > LONG else field.contents()
            for key, field in reader.fields.items()
        }
        tensors = [
            Tensor(name=t.name, dimensions=tuple(int(d) for d in t.shape), size=int(t.n_bytes))
            for t in reader.tensors
        ]
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as error:
        raise HostwrightError(
            f"{file}: not a whole GGUF file: {str(error) or type(error).__name__}",
            hint="name a .gguf file that is complete",
        ) from error
    return shape_from(path.name, metadata, tensors, facts, quantisation=_main_type(reader))


def _readable(path: Path) -> None:
    # A pipe would keep the reader waiting.
    if path.exists() and not path.is_file():
        raise HostwrightError(f"{path}: is not a regular file", hint="name a .gguf file")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError as error:
        raise HostwrightError(f"there is no file `{path}`", hint="name one that is") from error
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {path}: {error.strerror}") from error
    if magic != b"GGUF":
        raise HostwrightError(f"{path}: not a GGUF file", hint="it does not begin with `GGUF`")


def _main_type(reader: Any) -> str:  # noqa: ANN401 -- gguf is not typed
    """Return the type that most weights have."""
    sizes: Counter[str] = Counter()
    for tensor in reader.tensors:
        sizes[tensor.tensor_type.name] += int(tensor.n_bytes)
    return max(sizes, key=lambda name: sizes[name], default="")
