"""What holds for every rule: its page, and a case of what it catches and leaves alone."""

import ast
import re
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.rules.registry import every_rule, judge
from generator.rules.rule import Rule
from generator.view import ModelUse, Place
from tests.facts import facts_at
from tests.views import view

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


@pytest.mark.parametrize("name", [t["name"] for t in load_catalogue().tables["variable"]])
def test_no_number_is_too_long_to_be_judged(name: str) -> None:
    """Python refuses to read one of more than 4300 digits, and `isdigit` takes a superscript."""
    models = (ModelUse(name="llama3.1:8b", place=Place("x"), warmed=True),)
    for value in ("1" * 4301, "-" + "1" * 4301, "::1:" + "1" * 4301, "\u00b2"):
        seen = view({name: value}, {"cpu_quota": 400}, models=models, host={"memory": 2**34})
        judge(seen, facts_at("0.32.15"))
