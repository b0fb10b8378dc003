"""A Comparison for programs: JUnit, and the line of a plugin."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from generator.verify.compare import compare
from generator.verify.observed import Answers
from generator.verify.reports import as_junit, as_nagios, nagios_line
from tests.verify.seen import process, running, seen, service

ONE = service(models=())
WRONG = seen(ONE, process=process(ONE, OLLAMA_NUM_PARALLEL="1"))


def test_junit() -> None:
    (suite,) = ET.fromstring(as_junit(compare(ONE, WRONG, running()), WRONG))  # noqa: S314
    cases = {case.get("name"): [inner.tag for inner in case] for case in suite}
    assert cases["OLLAMA_NUM_PARALLEL"] == ["failure"]
    assert cases["CPUQuota"] == []
    assert suite.get("failures") == "1"


def test_a_plugin_says_which() -> None:
    line = as_nagios(compare(ONE, WRONG, running()), WRONG, 1)
    number = len(compare(ONE, WRONG, running()).rows)
    assert line == (
        f"HOSTWRIGHT WARNING - 1 of {number} settings at odds with it: OLLAMA_NUM_PARALLEL"
        f" | settings={number} drift=1;0 unknown=0\n"
    )


def test_a_plugin_says_that_all_is_well_or_that_nobody_answers() -> None:
    well = seen(ONE)
    assert as_nagios(compare(ONE, well, running()), well, 0).startswith("HOSTWRIGHT OK - ")
    silent = seen(ONE, answers=None, unanswered="cannot reach it")
    found = compare(ONE, silent, running())
    assert as_nagios(found, silent, 3).startswith("HOSTWRIGHT UNKNOWN - cannot reach it | ")


def test_nothing_that_was_seen_is_not_well() -> None:
    """As of a server elsewhere that somebody has built, and that has no model to compare."""
    nothing = Answers(release="", installed=(), loaded=())
    afar = seen(ONE, held=None, process=None, answers=nothing)
    found = compare(ONE, afar, running())
    assert found.code(afar) == 3
    assert as_nagios(found, afar, 3).startswith("HOSTWRIGHT UNKNOWN - nobody tells of any setting")
    told = replace(afar, answers=replace(nothing, release="0.32.15"))
    well = compare(ONE, told, running())
    assert well.code(told) == 0
    assert f"none at odds with the profile, {len(well.rows) - 1} unknown" in as_nagios(
        well, told, 0
    )


def test_a_text_makes_neither_a_number_nor_a_line() -> None:
    assert nagios_line("a | b\nc\x1b[2J", 3) == "HOSTWRIGHT UNKNOWN - a / b\\x0ac\\x1b[2J"
