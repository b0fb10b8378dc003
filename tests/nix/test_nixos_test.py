"""The NixOS test: its hosts evaluated on the stand-in, its script read, and its registry asked.

No machine is booted here: `nix build .#checks.x86_64-linux.nixos` does that where KVM is.
"""

import ast
import builtins
import hashlib
import importlib.util
import json
import symtable
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from generator.fit.header import read_header
from tests.nix.test_flake import ROOT, ask, flake
from tests.tools import require_package

__all__ = ["flake"]
SCRIPT = (ROOT / "nix/nixos-test.py").read_text(encoding="utf-8")
SERVER = "ollama.service"


@pytest.fixture(scope="module")
def nodes(flake: Path) -> dict[str, Any]:
    """The machines, each with its specialisations: what fails, warnings, and the units."""
    made: dict[str, Any] = json.loads(ask(flake, "eval", "#checks.x86_64-linux.nixos.nodes"))
    return made


def lines(node: dict[str, Any], unit: str = SERVER) -> list[str]:
    text: str = node["units"][unit]["text"]
    return text.splitlines()


def test_its_hosts_evaluate_without_a_word(nodes: dict[str, Any]) -> None:
    special = [each for node in nodes.values() for each in node["specialisations"].values()]
    for node in (*nodes.values(), *special):
        assert (node["failed"], node["warnings"]) == ([], [])
        assert {"CPUQuota=200%", "MemoryMax=1G"} <= set(lines(node))
        assert {"registry.service", "ollama-model-loader.service"} <= set(node["units"])


def test_each_host_is_what_its_part_of_the_script_is_about(nodes: dict[str, Any]) -> None:
    owned, upgraded, gated = (nodes[name] for name in ("owned", "upgraded", "gated"))
    assert owned["rules"] == ["d /srv/models 0750 llm llm"]
    assert {'Environment="OLLAMA_MODELS=/srv/models"', "User=llm"} <= set(lines(owned))

    threads = 'Environment="LLAMA_ARG_THREADS=2"'
    newer = upgraded["specialisations"]["newer"]
    assert (threads in lines(upgraded), threads in lines(newer)) == (False, True)
    created = "ollama-create.service"
    assert (created in upgraded["units"], created in newer["units"]) == (True, False)
    assert "qwen2.5-coder:7b-tuned" in upgraded["units"][created]["text"]
    for node, model in ((upgraded, "qwen2.5-coder:7b-tuned"), (newer, "qwen2.5-coder:7b")):
        assert f'"{model}"' in node["units"]["ollama-warmup.service"]["text"]

    waits = [
        any(line.startswith("ExecStartPost=") for line in lines(nodes[name])) for name in nodes
    ]
    assert dict(zip(nodes, waits, strict=True)) == {name: name == "gated" for name in nodes}
    assert "TimeoutStartSec=60" in lines(gated["specialisations"]["silent"])


def test_the_script_names_machines_and_systems_that_there_are(nodes: dict[str, Any]) -> None:
    compile(SCRIPT, "nixos-test.py", "exec")
    table = symtable.symtable(SCRIPT, "nixos-test.py", "exec")
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    own |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    own |= {function.get_name() for function in table.get_children()}
    used = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    assert used - own - set(dir(builtins)) == {"Machine", "subtest", *nodes}
    calls = [node for node in ast.walk(ast.parse(SCRIPT)) if isinstance(node, ast.Call)]
    switches = [
        ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "switch"
    ]
    named = {
        f"specialisation/{name}/" for node in nodes.values() for name in node["specialisations"]
    }
    assert set(switches) == {"", *named}


@pytest.fixture(scope="module")
def registry() -> Iterator[tuple[ModuleType, str]]:
    """The module of the registry, and the address of one that runs."""
    require_package("gguf")
    spec = importlib.util.spec_from_file_location("registry", ROOT / "nix/registry.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.registry("127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield module, f"http://127.0.0.1:{server.server_port}/v2/library/qwen2.5-coder"
    server.shutdown()
    server.server_close()


def answer(address: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(address, method=method, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return response.status, response.read(), response


def test_a_model_is_pulled_from_the_registry(
    registry: tuple[ModuleType, str], tmp_path: Path
) -> None:
    _, address = registry
    manifest = json.loads(answer(f"{address}/manifests/7b")[1])
    (layer,) = manifest["layers"]
    for part in (manifest["config"], layer):
        blob = f"{address}/blobs/{part['digest']}"
        _, none, head = answer(blob, "HEAD")
        assert (none, int(head.headers["Content-Length"])) == (b"", part["size"])
        status, whole, found = answer(blob)
        assert (status, f"sha256:{hashlib.sha256(whole).hexdigest()}") == (200, part["digest"])
        assert found.url.startswith("http://localhost:")
        status, some, found = answer(blob, Range="bytes=2-5")
        assert (status, some) == (206, whole[2:6])
        assert found.headers["Content-Range"] == f"bytes 2-5/{part['size']}"
    model = tmp_path / "tiny.gguf"
    model.write_bytes(whole)
    header = read_header(model)
    assert header.metadata["general.architecture"] == "llama"
    assert len(whole) == layer["size"]


def test_it_has_no_other_blobs(registry: tuple[ModuleType, str]) -> None:
    _, address = registry
    with pytest.raises(urllib.error.HTTPError) as refused:
        answer(f"{address}/blobs/sha256:{'0' * 64}")
    with refused.value as error:
        assert error.code == 404
