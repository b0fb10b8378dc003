from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools import require


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
