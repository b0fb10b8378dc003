"""A Shape from GGUF metadata: of a file, whose weights are not read, or of a running server."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import EnvironmentFailure, HostwrightError
from generator.fit.shape import Shape, windows_of
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import Architecture

OTHER_CACHES: Final = {
    "attention.kv_lora_rank": "a compressed KV cache (MLA)",
    "ssm.state_size": "a recurrent state",
    "wkv.head_size": "a recurrent state",
    "shortconv.l_cache": "a recurrent state",
}
NO_CACHE: Final = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "t5encoder"})
LONG: Final = 1000  # arrays beyond that are the tokenizer's
MOST_LAYERS: Final = 10_000
MOST: Final = 1 << 32
BLOCK: Final = re.compile(r"blk\.(\d+)\.")
# What llama.cpp moves as one. Source: LAYER_FRACTION_MOE, common/fit.cpp of llama.cpp@08033df.
EXPERTS: Final = re.compile(r"blk\.(\d+)\.ffn_(?:up|down|gate_up|gate)_(?:ch)?exps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor: its name, its rows and columns as GGUF orders them, its bytes."""

    name: str
    dimensions: tuple[int, ...]
    size: int


def shape_from(
    name: str,
    metadata: Mapping[str, Any],
    tensors: Iterable[Tensor],
    facts: Facts,
    *,
    quantisation: str = "",
) -> Shape:
    """Return the Shape. Raises HostwrightError for what is missing or not modelled."""
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise HostwrightError(f"{name}: no `general.architecture`", hint="is it a model's GGUF?")
    keys = _Keys(name, architecture, metadata)
    keys.refuse_other_caches()
    found = {tensor.name: tensor for tensor in tensors}
    layers = keys.positive("block_count", MOST_LAYERS)
    sizes, inputs, outputs = _sizes(found.values(), layers)
    embedding = keys.positive("embedding_length")
    heads = max(keys.numbers("attention.head_count", layers))
    if not heads:
        keys.refuse("it has no attention heads, which is not modelled")
    default = embedding // heads
    tied, table = "output.weight" not in found, found.get("token_embd.weight")
    local = keys.number("attention.key_length_swa", 0)
    known = facts.architectures.get(architecture)
    windows = _windows(keys, layers, known)
    return Shape(
        name=name,
        architecture=architecture,
        quantisation=quantisation,
        embedding=embedding,
        feed_forward=_feed_forward(keys, layers),
        heads=heads,
        kv_heads=keys.numbers("attention.head_count_kv", layers, default=heads),
        key_length=keys.number("attention.key_length", default),
        value_length=keys.number("attention.value_length", default),
        vocabulary=max(table.dimensions) if table else keys.number("vocab_size"),
        context=keys.number("context_length", 0),
        windows=windows,
        layer_bytes=sizes,
        input_bytes=inputs,
        output_bytes=outputs + (inputs if tied else 0),
        tied=tied,
        experts=keys.number("expert_count", 0),
        experts_used=keys.number("expert_used_count", 0),
        shared_feed_forward=keys.number("expert_shared_feed_forward_length", 0),
        expert_bytes=_experts(found.values(), layers),
        window_lengths=(local, keys.number("attention.value_length_swa", local)) if local else None,
        uncached=_uncached(keys, layers, known),
        window_unknown=_unknown_window(keys, known, windows),
        source="GGUF metadata",
    )


class _Keys:
    """The metadata of one architecture, whose name is the prefix of their keys."""

    def __init__(self, name: str, architecture: str, metadata: Mapping[str, Any]) -> None:
        self.name, self.architecture, self.metadata = name, architecture, metadata

    def get(self, key: str) -> Any:  # noqa: ANN401 -- metadata are of any kind
        return self.metadata.get(f"{self.architecture}.{key}")

    def refuse_other_caches(self) -> None:
        for key, what in OTHER_CACHES.items():
            if self.get(key):
                self.refuse(f"it keeps {what}, which is not modelled")
        if self.architecture in NO_CACHE:
            self.refuse("it embeds text without a KV cache, which is not modelled")

    def refuse(self, why: str) -> None:
        hint = "llama-fit-params of llama.cpp reports what it needs"
        raise HostwrightError(f"{self.name}: {self.architecture}: {why}", hint=hint)

    def number(self, key: str, default: int | None = None) -> int:
        value = self.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
            return value
        if value is None and default is not None:
            return default
        raise HostwrightError(
            f"{self.name}: `{self.architecture}.{key}` is {'missing' if value is None else 'odd'}",
            hint="the header is damaged, or of a kind that Hostwright does not know",
        )

    def positive(self, key: str, most: int = MOST) -> int:
        value = self.number(key)
        if 0 < value <= most:
            return value
        raise HostwrightError(
            f"{self.name}: `{self.architecture}.{key}` is {value}", hint="the header is damaged"
        )

    def numbers(self, key: str, layers: int, default: int | None = None) -> tuple[int, ...]:
        """Return a value for each layer; it is one number, or a list of them."""
        value = self.get(key)
        if isinstance(value, list) and len(value) >= layers and all(map(_whole, value)):
            return tuple(value[:layers])
        return (self.number(key, default),) * layers


def _whole(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= MOST


def _feed_forward(keys: _Keys, layers: int) -> int:
    if keys.number("expert_count", 0) and keys.get("expert_feed_forward_length"):
        return max(keys.numbers("expert_feed_forward_length", layers))
    return max(keys.numbers("feed_forward_length", layers, default=0))


def _windows(keys: _Keys, layers: int, known: Architecture | None) -> tuple[int, ...]:
    """Return the window of each layer, as llama.cpp makes them of the metadata.

    A pattern in the file counts before that of the architecture, but where there is to be none.
    Source: load_swa_pattern, src/llama-model.cpp:3434 of llama.cpp@0c1e570.
    """
    window = keys.number("attention.sliding_window", known.window_default if known else 0)
    if known and (known.window_every == 0 or known.window_layers not in {0, layers}):
        window = 0
    if window and known and known.window:
        window = known.window
    pattern = keys.get("attention.sliding_window_pattern")
    if isinstance(pattern, list) and len(pattern) >= layers:
        return tuple(window if local else 0 for local in pattern[:layers])
    every = (known.window_every if known else 0) or 0
    if _whole(pattern) and not isinstance(pattern, bool):
        every = pattern
    return windows_of(layers, window, every, first=bool(known and known.window_first))


def _unknown_window(keys: _Keys, known: Architecture | None, windows: Sequence[int]) -> int:
    """Return a window that no layer has for want of a pattern; 0: there is none."""
    if any(windows) or (known and known.window_every is not None):
        return 0
    return keys.number("attention.sliding_window", 0)


def _uncached(keys: _Keys, layers: int, known: Architecture | None) -> int:
    """Return how many layers at the end use the cache of others."""
    if known and known.cached_layers:
        return max(0, layers - known.cached_layers)
    return min(layers, keys.number("attention.shared_kv_layers", 0))


def _sizes(tensors: Iterable[Tensor], layers: int) -> tuple[tuple[int, ...], int, int]:
    """Return the bytes of each layer, of the token embedding, and of all else."""
    blocks, inputs, outputs = [0] * layers, 0, 0
    for tensor in tensors:
        match = BLOCK.match(tensor.name)
        if match and int(match[1]) < layers:
            blocks[int(match[1])] += tensor.size
        elif tensor.name == "token_embd.weight":
            inputs += tensor.size
        else:
            outputs += tensor.size
    if not sum(blocks):
        raise HostwrightError("no layers among its tensors", hint="is it a model's GGUF?")
    return tuple(blocks), inputs, outputs


def _experts(tensors: Iterable[Tensor], layers: int) -> tuple[int, ...]:
    """Return the bytes of the experts in each layer; empty: there are none."""
    sizes = [0] * layers
    for tensor in tensors:
        match = EXPERTS.match(tensor.name)
        if match and int(match[1]) < layers:
            sizes[int(match[1])] += tensor.size
    return tuple(sizes) if any(sizes) else ()


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
        reader = _whole_reader(GGUFReader)(path)
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


def _whole_reader(base: Any) -> Any:  # noqa: ANN401 -- gguf is not typed
    """Return the reader that stops where the file ends, whatever a damaged header counts."""

    class Reader(base):  # type: ignore[misc]
        def _get(self, offset: int, dtype: Any, count: int = 1, *more: Any, **named: Any) -> Any:  # noqa: ANN401
            found = super()._get(offset, dtype, count, *more, **named)
            if len(found) < count:
                raise ValueError("it ends before what it counts")
            return found

    return Reader


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
