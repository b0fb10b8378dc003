"""A model that computes: two layers of random weights, and a token for each byte."""

from __future__ import annotations

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
BEGIN, END = 257, 258


def write(path: Path, *, pooling: bool = False) -> None:
    """Write the model; the same each time. With `pooling` it makes vectors and no text."""
    writer = gguf.GGUFWriter(path, OUTLINE.architecture)
    writer.add_name("tiny")
    writer.add_block_count(OUTLINE.layers)
    writer.add_context_length(OUTLINE.context)
    writer.add_embedding_length(OUTLINE.embedding)
    writer.add_feed_forward_length(OUTLINE.feed_forward)
    writer.add_head_count(OUTLINE.heads)
    writer.add_head_count_kv(OUTLINE.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(OUTLINE.head_length)
    writer.add_vocab_size(OUTLINE.vocabulary)
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
    for name, shape in tensors(OUTLINE):
        values = random.standard_normal(tuple(reversed(shape))) * 0.05
        if name == "output.weight":
            # It writes letters and never ends: half a letter would cut Ollama's stream off.
            values[[place for place in range(OUTLINE.vocabulary) if not 32 <= place < 127]] = 0
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
