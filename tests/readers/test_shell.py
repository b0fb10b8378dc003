"""Shell text: the calls of an engine's program in it."""

import pytest

from generator.engines import load_signs
from generator.readers.syntax.shell import calls


@pytest.mark.parametrize(
    ("script", "models"),
    [
        ("ollama serve & sleep 5; ollama pull a && ollama run b", ["a", "b"]),
        ("for m in a b; do ollama pull $m; done", ["a", "b"]),
        ("# don't: ollama pull a\nollama serve &\n  # ollama pull b\nollama pull c", ["c"]),
        ("ollama pull $UNKNOWN", []),
        ("ollama pull 'a", []),
    ],
)
def test_a_script_says_which_models_it_asks_for(script: str, models: list[str]) -> None:
    found = calls(["/bin/sh", "-c", script], load_signs("ollama"))
    assert [call.model for call in found] == models
