"""What holds for every rule: its page, and a case of what it catches and leaves alone."""

import ast
import re
from pathlib import Path

import pytest

from generator.rules.registry import every_rule
from generator.rules.rule import Rule

HERE = Path(__file__).parent
RULES = [rule for rule in every_rule().values() if rule.check]
IDS = [rule.id for rule in RULES]


def cases() -> set[str]:
    """Return the ids that the tests beside this one have a case for, as keys of `CASES`."""
    found: set[str] = set()
    for path in HERE.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.AnnAssign(target=ast.Name(id="CASES"), value=ast.Dict(keys=keys)):
                    found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


def test_ids_are_unique_and_of_the_known_topics() -> None:
    assert len(IDS) == len(set(IDS))
    assert all(re.fullmatch(r"HW[1-6]\d\d", name) for name in IDS)


def test_every_rule_has_its_cases() -> None:
    assert set(IDS) == cases()


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_every_rule_has_its_page(rule: Rule) -> None:
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.bad
    assert rule.good
    assert rule.bad != rule.good
    assert rule.source
    assert rule.check.__doc__
