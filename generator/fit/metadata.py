"""A Shape from GGUF metadata: of a file, whose weights are not read, or of a running server."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import HostwrightError
from generator.fit.header import Tensor, read_header
from generator.fit.shape import (
    DEEP_STACKED,
    Recurrence,
    Shape,
    channels,
    state_floats,
    waiting,
    windows_of,
)
from generator.fit.tensors import Parts, main_type
from generator.fit.tower import Tower, tower_of
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import Architecture, How, Keeps
    from generator.fit.header import Header

__all__ = ["Tensor", "shape_from", "shape_of_file"]

MOST_LAYERS: Final = 10_000
MOST: Final = 1 << 32
MOST_EMBEDDING: Final = 1 << 20
# No model comes near: there are 128 heads of 576 and 512 experts at most.
MOST_OF: Final = {
    **dict.fromkeys(("attention.head_count", "attention.head_count_kv"), 1 << 14),
    **dict.fromkeys(("attention.key_length", "attention.value_length"), 1 << 16),
    **dict.fromkeys(("expert_count", "expert_used_count"), 1 << 16),
    **dict.fromkeys(("feed_forward_length", "expert_feed_forward_length"), 1 << 24),
}
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
MOST_PARTS: Final = 1000
USUAL_HEAD: Final = 64
TOWER_KEYS: Final = {
    "image": "image_size",
    "patch": "patch_size",
    "heads": "attention.head_count",
    "embedding": "embedding_length",
    "feed_forward": "feed_forward_length",
    "pixels": "max_pixels",
}
# Encoders whose embedding is copied for an output that they do not use. Source:
# src/models/gemma-embedding.cpp of llama.cpp@b10488.
OUTPUT_ANYWAY: Final = frozenset({"gemma-embedding"})
PART: Final = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")


def shape_from(
    name: str,
    metadata: Mapping[str, Any],
    tensors: Iterable[Tensor],
    facts: Facts,
    *,
    quantisation: str = "",
) -> Shape:
    """Return the Shape. Raises HostwrightError for what is missing or is no model.

    Of an architecture that is not known, the cache is an upper bound: what is not told counts as
    if every layer kept keys and values of every token. `remarks` then say so.
    """
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not NAME.fullmatch(architecture):
        raise HostwrightError(f"{name}: no `general.architecture`", hint="is it a model's GGUF?")
    parts = Parts(tensors)
    known, kept = facts.architectures.get(architecture), facts.keeps(architecture)
    keys = _Keys(name, architecture, metadata)
    if kept and kept.kind == "part":
        raise _no_model(keys, kept.what, parts)
    layers = keys.positive("block_count", MOST_LAYERS, parts.layers)
    if not parts.layers:
        raise HostwrightError(f"{name}: no layers among its tensors", hint="is it a model's GGUF?")
    embedding = keys.positive("embedding_length", MOST_EMBEDDING, parts.embedding)
    heads = max(keys.numbers("attention.head_count", layers, default=0))
    if keys.get("attention.head_count") is not None and not heads and parts.attends(layers):
        raise HostwrightError(
            f"{name}: `{architecture}.attention.head_count` is 0, and its layers have attention",
            hint="the header is damaged: llama.cpp loads no such model",
        )
    windows = _windows(keys, layers, known)
    kv_heads, key, value = _cached(keys, layers, embedding, heads, parts)
    if kept and kept.kind == "none":
        kv_heads = (0,) * layers
    own = _own_layers(keys, layers)
    if kept and not kept.nextn_cached:
        kv_heads = (*kv_heads[:own], *(0,) * (layers - own))
    encoder = bool(kept and kept.kind == "none")
    tied = not parts.output_table and bool(parts.table)
    tied = tied and (not encoder or architecture in OUTPUT_ANYWAY)
    traits = facts.computes(architecture)
    if parts.qk_norm:
        traits |= {"query-norm"}
    local = keys.number("attention.key_length_swa", 0)
    compressed = keys.number("attention.key_length_mla", 0)
    return Shape(
        name=name,
        architecture=architecture,
        quantisation=quantisation,
        embedding=embedding,
        feed_forward=_feed_forward(keys, layers, parts),
        heads=heads or max(1, embedding // USUAL_HEAD),
        kv_heads=kv_heads,
        key_length=key,
        value_length=value,
        vocabulary=parts.vocabulary or keys.number("vocab_size", 0),
        context=keys.number("context_length", 0),
        windows=windows,
        layer_bytes=parts.layer_bytes(layers, own),
        input_bytes=parts.inputs,
        output_bytes=parts.outputs + (parts.table if tied else 0),
        tied=tied,
        experts=keys.number("expert_count", 0),
        experts_used=keys.number("expert_used_count", 0),
        shared_feed_forward=_shared(keys, layers, parts),
        dense_feed_forward=parts.dense_width if keys.number("expert_count", 0) else 0,
        gated=parts.gated,
        expert_bytes=parts.expert_bytes(layers),
        window_lengths=(local, keys.number("attention.value_length_swa", local)) if local else None,
        mla_lengths=(compressed, keys.number("attention.value_length_mla", compressed))
        if compressed
        else None,
        states=_states(keys, layers, own, embedding, heads, parts),
        channels=channels(_recurrence(keys, embedding, heads)),
        uncached=_uncached(keys, layers, known),
        window_unknown=_unknown_window(keys, known, windows),
        projector_bytes=parts.projector,
        tower=_tower(keys, known) if parts.projector else None,
        encoder=encoder,
        more_input_bytes=parts.inputs - parts.table,
        cache_unknown=(kept is None and known is None) or (not heads and any(kv_heads)),
        matrices=parts.matrices(layers),
        traits=traits,
        beside=_beside(keys, traits, layers, embedding),
        multiplied=parts.multiplied(own),
        expert_weights=parts.expert_weights(own),
        remarks=tuple(_remarks(keys, kept, known, heads)),
        source="GGUF metadata",
    )


def _tower(keys: _Keys, known: Architecture | None) -> Tower | None:
    """Return the tower that the header tells, for what it leaves out the architecture's."""
    usual = tower_of(known) or Tower(image=0, patch=0, heads=0, embedding=0)
    told = {
        field: keys.number(f"vision.{key}", getattr(usual, field))
        for field, key in TOWER_KEYS.items()
    }
    return Tower(**told, gated=usual.gated) if told["patch"] else None


def _no_model(keys: _Keys, what: str, parts: Parts) -> HostwrightError:
    size = parts.total / MIB
    message = f"{keys.name}: it is {what}, of {size:.0f} MiB, and no model by itself"
    return HostwrightError(message, hint="name the file of the model that it belongs to")


def _remarks(
    keys: _Keys, kept: Keeps | None, known: Architecture | None, heads: int
) -> Iterable[str]:
    """Yield what is not known of a model, a sentence each."""
    bound = "the KV cache is an upper bound"
    if kept is None and known is None:
        yield (
            f"{keys.architecture} is no architecture that Hostwright knows: weights are those of "
            f"its tensors, {bound} for a transformer, and the compute buffer is an estimate."
        )
    elif kept and kept.kind == "more":
        yield (
            f"A {keys.architecture} keeps more than its KV cache: {kept.what}. That is not counted."
        )
    if not heads and (kept is None or kept.kind in {"cache", "both"}):
        yield f"The file does not tell its attention heads: {bound}, by the width of its tensors."


def _own_layers(keys: _Keys, layers: int) -> int:
    """Return how many layers there are without those that predict further tokens."""
    return max(0, layers - keys.number("nextn_predict_layers", 0))


def _cached(
    keys: _Keys, layers: int, embedding: int, heads: int, parts: Parts
) -> tuple[tuple[int, ...], int, int]:
    """Return the KV heads of each layer, and the lengths of key and value.

    A layer whose tensors are those of a recurrence has none, unless those of attention are beside
    them (falcon-h1). Where the file tells no heads, the widest tensors count as one head.
    """
    if not heads:
        key, value = parts.widths(embedding)
        told: tuple[int, ...] = (1,) * layers
    else:
        default = embedding // heads
        key = keys.number("attention.key_length", default)
        value = keys.number("attention.value_length", default)
        told = keys.numbers("attention.head_count_kv", layers, default=heads)
    key += keys.number("attention.indexer.key_length", 0)
    return tuple(0 if parts.only_state(i) else count for i, count in enumerate(told)), key, value


def _beside(keys: _Keys, traits: frozenset[How], layers: int, embedding: int) -> int:
    each = keys.number("embedding_length_per_layer_input", 0) * layers
    deep = keys.number("n_deepstack_layers", DEEP_STACKED)
    return waiting(traits, embedding, each, deep)


def _states(
    keys: _Keys, layers: int, own: int, embedding: int, heads: int, parts: Parts
) -> tuple[int, ...]:
    """Return the floats of the recurrent state of each layer; empty: none has one."""
    one = state_floats(_recurrence(keys, embedding, heads))
    if not one:
        return ()
    return tuple(one if i < own and parts.has_state(i) else 0 for i in range(layers))


def _recurrence(keys: _Keys, embedding: int, heads: int) -> Recurrence:
    return Recurrence(
        embedding=embedding,
        heads=heads,
        ssm_conv_kernel=keys.number("ssm.conv_kernel", 0),
        ssm_inner_size=keys.number("ssm.inner_size", 0),
        ssm_state_size=keys.number("ssm.state_size", 0),
        ssm_group_count=keys.number("ssm.group_count", 0),
        shortconv_l_cache=keys.number("shortconv.l_cache", 0),
        kda_head_dim=keys.number("kda.head_dim", 0),
        wkv_head_size=keys.number("wkv.head_size", 0),
        token_shift_count=keys.number("token_shift_count", 2),
    )


class _Keys:
    """The metadata of one architecture, whose name is the prefix of their keys."""

    def __init__(self, name: str, architecture: str, metadata: Mapping[str, Any]) -> None:
        self.name, self.architecture, self.metadata = name, architecture, metadata

    def get(self, key: str) -> Any:  # noqa: ANN401 -- metadata are of any kind
        return self.metadata.get(f"{self.architecture}.{key}")

    def number(self, key: str, default: int | None = None) -> int:
        value = self.get(key)
        if _whole(value, MOST_OF.get(key, MOST)) and not isinstance(value, bool):
            return int(value)
        if value is None and default is not None:
            return default
        raise HostwrightError(
            f"{self.name}: `{self.architecture}.{key}` is {'missing' if value is None else 'odd'}",
            hint="the header is damaged, or of a kind that Hostwright does not know",
        )

    def positive(self, key: str, most: int, default: int) -> int:
        value = self.number(key, default or None)
        if 0 < value <= most:
            return value
        raise HostwrightError(
            f"{self.name}: `{self.architecture}.{key}` is {value}", hint="the header is damaged"
        )

    def numbers(self, key: str, layers: int, default: int | None = None) -> tuple[int, ...]:
        """Return a value for each layer; it is one number, or a list of them."""
        value = self.get(key)
        most = MOST_OF.get(key, MOST)
        if isinstance(value, list) and len(value) >= layers and all(_whole(v, most) for v in value):
            return tuple(value[:layers])
        return (self.number(key, default),) * layers


def _whole(value: object, most: int = MOST) -> bool:
    return isinstance(value, int) and 0 <= value <= most


def _feed_forward(keys: _Keys, layers: int, parts: Parts) -> int:
    """Return the width of the feed-forward part, of one expert where there are experts."""
    if keys.number("expert_count", 0) and keys.get("expert_feed_forward_length"):
        return max(keys.numbers("expert_feed_forward_length", layers))
    return max(keys.numbers("feed_forward_length", layers, default=parts.width))


def _shared(keys: _Keys, layers: int, parts: Parts) -> int:
    """Return the width of the shared experts, all together."""
    if told := keys.number("expert_shared_feed_forward_length", 0):
        return told
    if not keys.number("expert_shared_count", 0) or not keys.number("expert_count", 0):
        return 0
    return parts.shared_width or keys.number("expert_shared_count") * _feed_forward(
        keys, layers, parts
    )


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


def shape_of_file(file: str, facts: Facts) -> Shape:
    """Return the Shape of a GGUF file, or of all parts of one that is split.

    Raises EnvironmentFailure for a file that cannot be read, and HostwrightError for one that is
    no GGUF, is cut off, is no model, or lacks a part.
    """
    path = Path(file)
    headers = [read_header(part) for part in _parts_of(path)]
    tensors = [tensor for header in headers for tensor in header.tensors]
    metadata = headers[0].metadata
    _all_there(path, metadata, headers)
    _each_once(path, tensors)
    return shape_from(path.name, metadata, tensors, facts, quantisation=main_type(tensors))


def _each_once(path: Path, tensors: Iterable[Tensor]) -> None:
    """Refuse parts that have a tensor in common."""
    found = Counter(tensor.name for tensor in tensors)
    if twice := next((name for name, count in found.items() if count > 1), ""):
        raise HostwrightError(f"{path}: its parts have `{twice}` twice", hint="name its own parts")


def _parts_of(path: Path) -> list[Path]:
    """Return the files of a model that is split, in order; of any other, its file alone."""
    match = PART.fullmatch(path.name)
    if not match or not 1 < int(match[3]) <= MOST_PARTS:
        return [path]
    names = [f"{match[1]}-{n:05}-of-{match[3]}.gguf" for n in range(1, int(match[3]) + 1)]
    parts = [path.with_name(name) for name in names]
    if missing := [part.name for part in parts if not part.exists()]:
        named = ", ".join(missing[:3])
        message = f"{path}: {len(missing)} of its {len(parts)} parts are missing, first {named}"
        raise HostwrightError(message, hint="put all parts into one folder")
    return parts


def _all_there(path: Path, metadata: Mapping[str, Any], headers: Sequence[Header]) -> None:
    """Refuse a part that goes by another name than the one it was given."""
    count = metadata.get("split.count")
    if isinstance(count, int) and count > 1 and count != len(headers):
        message = f"{path}: it is part {metadata.get('split.no', 0) + 1} of {count}"
        hint = f"give all parts their names back, `NAME-00001-of-{count:05}.gguf`"
        raise HostwrightError(message, hint=hint)
