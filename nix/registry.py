"""A registry for the NixOS test: it serves one model, of a few kilobytes, under every name.

It speaks what Ollama asks of a registry for a pull: the manifest of a name and a tag, the blobs in
it by HEAD and GET, whole or in parts, and that another host has them, `localhost`, to which it
sends who asks. The model is a llama with weights of zero that llama-server loads.
`python registry.py ADDRESS PORT [CERTIFICATE KEY]`
"""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import ssl
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gguf
import numpy

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 32
WORDS: Final = ("<unk>", "<s>", "</s>")
BYTES: Final = tuple(f"<0x{byte:02X}>" for byte in range(256))
BLOBS_HOST: Final = "localhost"
MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG: Final = "application/vnd.docker.container.image.v1+json"
MODEL: Final = "application/vnd.ollama.image.model"


def write_model(path: Path) -> None:
    """Write a llama of one layer, whose vocabulary is the 256 bytes."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(1)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    words = (*WORDS, *BYTES)
    kinds = (gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(words))
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types([*kinds, *[gguf.TokenType.BYTE] * len(BYTES)])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    square, wide = (WIDTH, WIDTH), (len(words), WIDTH)
    matrices = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes = {
        "token_embd.weight": wide,
        "output.weight": wide,
        "output_norm.weight": (WIDTH,),
        "blk.0.attn_norm.weight": (WIDTH,),
        "blk.0.ffn_norm.weight": (WIDTH,),
        **{f"blk.0.{name}.weight": square for name in matrices},
    }
    for name, shape in shapes.items():
        writer.add_tensor(name, numpy.zeros(shape, dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def digest(blob: bytes) -> str:
    """Return the name of a blob in manifests and addresses."""
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def layer(kind: str, blob: bytes) -> dict[str, str | int]:
    """Return what a manifest says of a blob."""
    return {"mediaType": kind, "digest": digest(blob), "size": len(blob)}


class Registry(http.server.ThreadingHTTPServer):
    """Serves the manifest and the blobs of the one model."""

    scheme = "http"

    def __init__(self, address: tuple[str, int], model: bytes) -> None:
        config = {
            "model_format": "gguf",
            "model_family": "llama",
            "model_families": ["llama"],
            "model_type": "1K",
            "file_type": "F32",
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(model)]},
        }
        configuration = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": layer(CONFIG, configuration),
            "layers": [layer(MODEL, model)],
        }
        self.manifest = json.dumps(manifest).encode()
        self.blobs = {digest(blob): blob for blob in (configuration, model)}
        super().__init__(address, Answer)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    server: Registry

    def do_GET(self) -> None:
        """Send a manifest or a blob, or where the blob is."""
        if "/blobs/" in self.path and not self.headers["Host"].startswith(f"{BLOBS_HOST}:"):
            place = f"{self.server.scheme}://{BLOBS_HOST}:{self.server.server_port}{self.path}"
            self.send_response(http.HTTPStatus.TEMPORARY_REDIRECT)
            self.send_header("Location", place)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.answer(with_body=True)

    def do_HEAD(self) -> None:
        """Tell the length of one."""
        self.answer(with_body=False)

    def answer(self, *, with_body: bool) -> None:
        """Find what the address names, and the part of it that is asked for."""
        if re.fullmatch(r"/v2/.+/manifests/[^/]+", self.path):
            found, kind = self.server.manifest, MANIFEST
        else:
            found = self.server.blobs.get(self.path.rpartition("/blobs/")[2])
            kind = "application/octet-stream"
        if found is None:
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2] or len(found) - 1)) if part else (0, len(found))
        body = found[first : last + 1]
        self.send_response(http.HTTPStatus.PARTIAL_CONTENT if part else http.HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(found)}")
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def registry(address: str, port: int) -> Registry:
    """Return a registry that listens there; port 0 is a free one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiny.gguf")
        write_model(path)
        return Registry((address, port), path.read_bytes())


def main(address: str, port: str, certificate: Sequence[str]) -> None:
    """Serve until the end; with a certificate and its key by TLS."""
    server = registry(address, int(port))
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        server.scheme = "https"
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
