"""What libyaml composes is what PyYAML composes, value by value and place by place."""

import random
from pathlib import Path

import pytest

from generator.errors import ProfileError
from generator.readers.base import Source
from generator.readers.syntax import yaml_nodes
from generator.readers.syntax.yaml_tree import Node, parse_all

FILES = sorted((Path(__file__).parent.parent / "corpus").rglob("*.y*ml"))
MARKS = "ab: -\n  [{]},'\"|>#!%@`0~\\:\n\n- é"


def read(text: str) -> list[Node] | None:
    """Return the documents of a text; None: it is refused."""
    try:
        return parse_all(Source("x.yaml", text))
    except ProfileError:
        return None


def mangled(text: str, chance: random.Random) -> str:
    """Return a text with a few characters put in, or taken away."""
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(text) + 1)
        put = chance.choice(("", chance.choice(MARKS)))
        text = text[:at] + put + text[at + (not put) * chance.randint(1, 4) :]
    return text


def test_both_make_the_same_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if yaml_nodes._libyaml() is None:
        pytest.skip("this PyYAML comes without libyaml, or with an old one")
    chance = random.Random(7)  # noqa: S311 -- the same texts each time
    texts = [mangled(file.read_text(), chance) for file in FILES for _ in range(4)]
    quick = [yaml_nodes._quickly(text, single=False) is not None for text in texts]
    found = [read(text) for text in texts]
    monkeypatch.setattr(yaml_nodes, "_libyaml", lambda: None)
    assert found == [read(text) for text in texts]
    assert sum(quick) > len(texts) / 2


def test_what_is_nested_without_end_is_refused() -> None:
    for text in ("[" * 100_000, "- " * 100_000, "{a: " * 50_000):
        assert yaml_nodes._quickly(text, single=True) is None
