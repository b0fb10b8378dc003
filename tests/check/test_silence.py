"""Comments that silence a rule."""

import pytest

from generator.check.silence import silenced
from generator.errors import Finding
from generator.view import LocatedFinding, Place

FILE = "override.conf"


def fault(line: int, rule: str = "HW102") -> LocatedFinding:
    finding = Finding(rule=rule, severity="warning", message="m", where="w", fix="f")
    return LocatedFinding(finding, Place(FILE, line))


def outcome(text: str, *found: LocatedFinding) -> list[tuple[str, int, str]]:
    """Return rule, line and reason of every Finding."""
    return [
        (placed.finding.rule, placed.place.line, placed.finding.ignored)
        for placed in silenced(found, {FILE: text})
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A=1 # hostwright: ignore HW102 because it is measured",
        "# hostwright: ignore HW102 because it is measured\nA=1",
        "; hostwright: ignore HW102 because it is measured\n# more\n\nA=1",
        "#hostwright: ignore HW101, HW102 because it is measured\nA=1",
        "# hostwright: ignore HW101 HW102 because it is measured\nA=1",
        "# hostwright: ignore-file HW102 because it is measured\nB=1\nA=1",
        "# hostwright: ignore HW102 because it is measured\ndocker run \\\n  -e A=1",
    ],
)
def test_it_silences_the_setting_it_is_about(text: str) -> None:
    line = len(text.splitlines())
    assert outcome(text, fault(line)) == [("HW102", line, "it is measured")]


def test_a_comment_within_a_setting_ends_what_the_one_before_is_about() -> None:
    text = "# hostwright: ignore HW102 because of X\nrun \\\n# more\n  A=1 \\\n  B=1\n"
    assert [ignored for _, _, ignored in outcome(text, fault(2), fault(4))] == ["of X", ""]


def test_it_silences_no_other_line_and_no_other_rule() -> None:
    text = "# hostwright: ignore HW102 because of X\nA=1\nB=2\n"
    assert outcome(text, fault(2), fault(3), fault(2, "HW103")) == [
        ("HW102", 2, "of X"),
        ("HW102", 3, ""),
        ("HW103", 2, ""),
    ]


@pytest.mark.parametrize(
    "comment",
    [
        "# hostwright: ignore HW102",
        "# hostwright: ignore HW102 because",
        "# hostwright: ignore HW102 it is measured",
        "# hostwright: ignore because it is measured",
        "# hostwright: disable HW102 because it is measured",
        "# hostwright: ignore all because it is measured",
    ],
)
def test_without_rule_or_reason_it_silences_nothing(comment: str) -> None:
    told = silenced([fault(2)], {FILE: f"{comment}\nA=1\n"})
    assert [(p.finding.rule, p.finding.ignored, p.place.line) for p in told] == [
        ("HW102", "", 2),
        ("HW001", "", 1),
    ]
    assert "because" in told[1].finding.fix


def test_a_rule_that_there_is_not_is_told() -> None:
    (told,) = silenced([], {FILE: "# hostwright: ignore HW999 because of X\nA=1\n"})
    assert told.finding.message == "there is no rule HW999"


def test_one_that_silences_nothing_is_told() -> None:
    (told,) = silenced([], {FILE: "# hostwright: ignore HW102 because of X\nA=1\n"})
    assert (told.finding.rule, told.finding.severity) == ("HW001", "info")
    assert "HW102" in told.finding.message


def test_each_file_has_its_own() -> None:
    texts = {FILE: "A=1\n", "other.conf": "# hostwright: ignore-file HW102 because of X\n"}
    marked = silenced([fault(1)], texts)
    assert marked[0].finding.ignored == ""


def test_the_advice_names_the_rule_of_the_comment() -> None:
    (told,) = silenced([], {FILE: "# hostwright: ignore HW101, HW109\nA=1\n"})
    assert "ignore HW101, HW109 because" in told.finding.fix
