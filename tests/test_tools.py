from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.tools import require, require_package


def test_a_tool_that_is_there_is_found() -> None:
    assert Path(require("sh")).name == "sh"


def test_a_missing_tool_skips_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        require("no-such-tool")


def test_a_missing_tool_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must run this test"):
        require("no-such-tool")


def test_a_package_that_is_there_is_imported() -> None:
    assert require_package("json.decoder").JSONDecoder


def test_a_missing_package_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="package no_such_package is not installed"):
        require_package("no_such_package.model")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must run this test"):
        require_package("no_such_package.model")


def test_what_no_engine_was_asked_is_not_proven() -> None:
    names = ("OLLAMA_BIN", "HOSTWRIGHT_LLAMA_FIT_PARAMS", "HOSTWRIGHT_NIXFMT", "HOSTWRIGHT_UML")
    missing = dict.fromkeys(names, "/none")
    done = subprocess.run(
        ["sh", Path(__file__).parents[1] / "tools/engines.sh"],
        env={"PATH": os.defpath, **missing},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    every = (
        "ollama older-ollama llama.cpp taskmaster litellm vllm embeddings nixfmt nixpkgs systemd "
        "kube-apiserver operators kserve helm"
    )
    assert done.stderr == f"not proven: {every}\n"
    assert done.stdout.count("missing: ") == len(every.split())
