"""What holds for every rule: its page, and a case of what it catches and leaves alone."""

import ast
import re
from pathlib import Path

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check
from generator.engines import ENGINES
from generator.rules.registry import every_rule, judge, rules_of
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
    rules = {id(rule): rule.id for engine in ENGINES for rule in rules_of(engine)}
    assert sorted(rules.values()) == sorted(every_rule())
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


UNIT = "[Service]\nExecStart=/usr/local/bin/ollama serve\nUser=ollama\n"
SERVER = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
# A rule that misses a variable, the file that it is said of, and how such a file names another one.
MISSED = {
    "HW213": ("ollama.service", f"{UNIT}CPUQuota=400%\n", "EnvironmentFile=/etc/o.env\n"),
    "HW408": ("ollama.service", f"{UNIT}IPAddressDeny=any\n", "EnvironmentFile=/etc/o.env\n"),
    "HW205": ("compose.yaml", f"{SERVER}@  app: {{image: app}}\n", "    env_file: o.env\n"),
    "HW563": (
        "compose.yaml",
        f"{SERVER}    healthcheck: {{test: [CMD-SHELL, 'ollama ps | grep -q a']}}\n",
        "    env_file: [o.env]\n",
    ),
    "HW307": (
        "ollama.service",
        f"{UNIT}Environment=CUDA_VISIBLE_DEVICES=1\n",
        "EnvironmentFile=/etc/o.env\n",
    ),
}


@pytest.mark.parametrize("rule", MISSED)
def test_a_variable_that_a_file_may_set_is_not_missed(rule: str, tmp_path: Path) -> None:
    name, text, more = MISSED[rule]
    mark = "@" if "@" in text else ""
    file = tmp_path / name
    for given, told in (("", True), (more, False)):
        file.write_text(text.replace(mark, given) if mark else text + given)
        report = check(CheckRequest(paths=(str(file),)))
        assert (rule in {one.finding.rule for one in report.findings}) == told
        assert bool(report.not_judged) != told
    (tmp_path / "o.env").write_text("A=1\n")
    # What is read, and sets it not, leaves it missing.
    if name == "compose.yaml":
        report = check(CheckRequest(paths=(str(file),)))
        assert rule in {one.finding.rule for one in report.findings}
