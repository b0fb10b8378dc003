"""Loops of a shell over words that a script tells: each is a model that is pulled."""

from pathlib import Path

import pytest

from generator.readers.syntax.script import lines
from tests.effort import calls
from tests.texts import told


def commands(text: str) -> list[str]:
    found = (" ".join(word.text for word in line.words) for line in lines(text, "a.sh"))
    return [one for one in found if one.startswith("ollama")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("for m in a b; do ollama pull $m; done", ["ollama pull a", "ollama pull b"]),
        ('M="a b"\nfor m in $M\ndo\n  ollama pull "${m}"\ndone',
         ["ollama pull a", "ollama pull b"]),
        ('L=(a b)\nfor m in "${L[@]}"; do ollama pull $m; done',
         ["ollama pull a", "ollama pull b"]),
        ("for m in a:1b; do for t in x y; do ollama cp $m $t; done; done",
         ["ollama cp a:1b x", "ollama cp a:1b y"]),
        ("for m in a; do while read x; do :; done; ollama pull $m; done\nollama pull $m",
         ["ollama pull a", "ollama pull $m"]),
        ("for m in $(cat list); do ollama pull $m; done", ["ollama pull $(cat list)"]),
        ("for m; do ollama pull $m; done", ["ollama pull $m"]),
        ("while read m; do ollama pull $m; done < list", ["ollama pull $m"]),
    ],
)  # fmt: skip
def test_a_command_is_done_for_each_word(text: str, found: list[str]) -> None:
    assert commands(text) == found


def test_a_finding_points_to_the_word(tmp_path: Path) -> None:
    text = "ollama serve &\nfor m in qwen3:8b \\\n  llama3.3:70bx; do ollama pull $m; done\n"
    assert "HW557" in told(tmp_path, {"run.sh": text})
    words = [w for line in lines(text, "run.sh") for w in line.words if w.text == "llama3.3:70bx"]
    assert words[-1].place.line == 3


def test_loops_in_loops_are_no_bomb() -> None:
    def read(depth: int) -> None:
        many = " ".join(f"w{n}" for n in range(50))
        head = "".join(f"for v{n} in {many}; do\n" for n in range(depth))
        inner = "ollama pull " + " ".join(f"$v{n}" for n in range(depth))
        assert len(commands(head + inner + "\ndone" * depth)) <= 100

    read(2)
    assert calls(lambda: read(8)) < 20_000 + 6 * calls(lambda: read(4))
