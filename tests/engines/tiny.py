"""A model that computes: two layers of random weights, and a token for each byte."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import gguf
import numpy

from benchmarks.skeleton import Outline, tensors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTLINE = Outline(
    architecture="llama", layers=2, embedding=64, feed_forward=128, heads=2, kv_heads=1,
    head_length=32, vocabulary=259, context=8192,
)  # fmt: skip
WIDE = dataclasses.replace(OUTLINE, embedding=128, feed_forward=256, heads=4, kv_heads=2)
"""One of which prompts take long enough to tell how they were read."""
BEGIN, END = 257, 258


def write(path: Path, outline: Outline = OUTLINE, *, pooling: bool = False) -> None:
    """Write the model; the same each time. With `pooling` it makes vectors and no text."""
    writer = gguf.GGUFWriter(path, outline.architecture)
    writer.add_name("tiny")
    writer.add_block_count(outline.layers)
    writer.add_context_length(outline.context)
    writer.add_embedding_length(outline.embedding)
    writer.add_feed_forward_length(outline.feed_forward)
    writer.add_head_count(outline.heads)
    writer.add_head_count_kv(outline.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(outline.head_length)
    writer.add_vocab_size(outline.vocabulary)
    if pooling:
        writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    words = [*_bytes(), "ab", "<s>", "</s>"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    control, plain = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if word.startswith("<") and len(word) > 1 else plain
                            for word in words])  # fmt: skip
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    random = numpy.random.default_rng(7)
    for name, shape in tensors(outline):
        values = random.standard_normal(tuple(reversed(shape))) * 0.05
        if name == "output.weight":
            # It writes letters and never ends: half a letter would cut Ollama's stream off.
            values[[place for place in range(outline.vocabulary) if not 32 <= place < 127]] = 0
        norm = name.endswith("norm.weight")
        writer.add_tensor(name, (numpy.ones(shape) if norm else values).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _bytes() -> Iterator[str]:
    """Yield a letter for each byte, as tokenizers of bytes write them: what one sees as it is."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shift = 256
    for byte in range(256):
        yield chr(byte if byte in seen else shift)
        shift += byte not in seen
