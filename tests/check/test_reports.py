"""Reports in the forms that programs read."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pydantic import ValidationError

from generator.check.gather import CheckRequest, check
from generator.check.report import Report
from generator.check.reports import FORMATS, as_github, as_json, as_junit, as_sarif
from generator.errors import Finding, Severity
from generator.view import Edit, LocatedFinding, NotJudged, Place
from tests.tools import require_package

FILE = "etc/a b.conf"


def placed(
    rule: str, severity: Severity, line: int, *, fix: str = "do it", ignored: str = ""
) -> LocatedFinding:
    finding = Finding(
        rule=rule,
        severity=severity,
        message="100% <bad>\nvalue\x01",
        where="OLLAMA_X",
        fix=fix,
        ignored=ignored,
    )
    place = Place(FILE, line)
    return LocatedFinding(finding, place, (Edit(place, "off", "0"),) if line == 1 else ())


REPORT = Report(
    (
        placed("HW203", "warning", 1),
        placed("HW501", "info", 0, fix=""),
        placed("HW203", "warning", 2, ignored="measured"),
    ),
    {FILE: "A=off\nB=1\n", "clean.conf": ""},
)


def test_json() -> None:
    document = json.loads(as_json(REPORT))
    assert document["files"] == ["clean.conf", FILE]
    assert document["counts"] == {"error": 0, "warning": 1, "info": 1, "ignored": 1}
    first, _, ignored = document["findings"]
    assert (first["file"], first["line"], first["rule"], first["fixable"]) == (
        FILE,
        1,
        "HW203",
        True,
    )
    assert (ignored["ignored"], ignored["fixable"]) == ("measured", False)


def test_sarif() -> None:
    document = json.loads(as_sarif(REPORT))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    weight, warmup = run["tool"]["driver"]["rules"]
    assert weight["id"] == "HW203"
    assert weight["shortDescription"]["text"] == "a CPU weight that is the default"
    assert warmup["id"] == "HW501"
    assert warmup["defaultConfiguration"] == {"level": "warning"}
    first, info, ignored = run["results"]
    assert first["level"] == "warning"
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "etc/a%20b.conf"},
                "region": {"startLine": 1, "startColumn": 3, "endColumn": 6},
            }
        }
    ]
    assert (info["level"], info["ruleIndex"]) == ("note", 1)
    assert "region" not in info["locations"][0]["physicalLocation"]
    assert "suppressions" not in first
    assert ignored["suppressions"] == [{"kind": "inSource", "justification": "measured"}]


@pytest.mark.parametrize("report", [REPORT, Report((), {})])
def test_sarif_is_what_its_schema_says(report: Report) -> None:
    sarif = require_package("pydantic_sarif.model")
    schema = sarif.StaticAnalysisResultsFormatSarifVersion210JsonSchema
    document = json.loads(as_sarif(report))
    schema.model_validate(document)
    with pytest.raises(ValidationError):
        schema.model_validate({**document, "runs": [{"results": []}]})


def marked(
    text: str, told: LocatedFinding, secret: frozenset[Place] = frozenset()
) -> list[list[int]]:
    """Return the columns that each form gives to a Finding of a text; an empty list: none."""
    report = Report((told,), {FILE: text}, secret=secret)
    (found,) = json.loads(as_json(report))["findings"]
    (run,) = json.loads(as_sarif(report))["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"].get("region", {})
    command = re.findall(r",col=(\d+),endColumn=(\d+),title=", as_github(report))
    return [
        [found[key] for key in ("column", "end_column") if found[key]],
        [region[key] for key in ("startColumn", "endColumn") if key in region],
        [int(number) for pair in command for number in pair],
    ]


def about(message: str, line: int, *edits: Edit) -> LocatedFinding:
    finding = Finding(rule="HW109", severity="warning", message=message, where="")
    return LocatedFinding(finding, Place(FILE, line), edits)


@pytest.mark.parametrize(
    ("text", "line", "message", "columns"),
    [
        ("A=1d\n", 1, "`1d` is none", [3, 5]),
        ("a:\n\t\tkeep:\t1d # x\r\n", 2, "`1d` is none", [9, 11]),
        ('é="größe" A=1d\n', 1, "`1d` is none", [13, 15]),
        ("🦙 = 👩‍💻 A=1d\n", 1, "`1d` is none", [11, 13]),
        ("\ufeffA=1d\n", 1, "`1d` is none", [3, 5]),
        ("\u2003A=größe\n", 1, "`größe` is none", [4, 9]),
        ("  no word of it  \n", 1, "`1d` is none", [3, 16]),
        (f"A={'x' * 5000} 1d\n", 1, "`1d` is none", [1, 4097]),
    ],
)
def test_columns_are_those_of_the_mark(
    text: str, line: int, message: str, columns: list[int]
) -> None:
    assert marked(text, about(message, line)) == [columns] * 3


def test_the_columns_of_a_value_over_several_lines_stay_in_the_first() -> None:
    text = "x:\n  A=1 \\\n    2 \\\n    3\n"
    old = "A=1 \\\n    2 \\\n    3"
    edit = Edit(Place(FILE, 2), old, "")
    assert marked(text, about(f"`{old}` is none", 2, edit)) == [[3, 8]] * 3


@pytest.mark.parametrize("line", [0, 2, 9])
def test_there_are_no_columns_where_nothing_is_marked(line: int) -> None:
    assert marked("A=1d\n\n", about("`1d` is none", line)) == [[]] * 3


def test_there_are_no_columns_in_a_line_with_a_secret() -> None:
    told = about("`1d` is none", 1)
    assert marked("A=1d\n", told, secret=frozenset({told.place})) == [[]] * 3


def test_columns_of_a_real_file_give_the_value(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    text = (
        "services:\n  ollama:  # 🦙 größer\n    image: ollama/ollama:0.32.15\n    environment:\n"
        '      - "OLLAMA_KEEP_ALIVE=1d"\n      - { a: "é" }\n      - OLLAMA_NUM_THREADS=8\n'
    )
    file.write_text(text.replace("      - { a", "      # { a"), encoding="utf-8")
    report = check(CheckRequest(paths=(str(file),), select=("HW101", "HW109")))
    found = json.loads(as_json(report))["findings"]
    lines = file.read_text(encoding="utf-8").split("\n")
    assert {
        each["rule"]: lines[each["line"] - 1][each["column"] - 1 : each["end_column"] - 1]
        for each in found
    } == {"HW109": "1d", "HW101": "OLLAMA_NUM_THREADS"}


def test_junit() -> None:
    root = ET.fromstring(as_junit(REPORT))  # noqa: S314 -- our own
    clean, dirty = root
    assert (clean.get("name"), clean.get("failures")) == ("clean.conf", "0")
    assert [dirty.get(key) for key in ("name", "tests", "failures", "skipped")] == [
        FILE,
        "3",
        "1",
        "1",
    ]
    failure = dirty[0].find("failure")
    assert failure is not None
    assert failure.text == "100% <bad>\nvalue\ufffd\ndo it"
    assert dirty[1].find("system-out") is not None
    skipped = dirty[2].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "measured"


def test_github() -> None:
    where = f"file={FILE},line=1,col=3,endColumn=6,title=HW203"
    assert as_github(REPORT).splitlines() == [
        f"::warning {where}::OLLAMA_X: 100%25 <bad>%0Avalue\x01 (do it)",
        "::notice file=etc/a b.conf,title=HW501::OLLAMA_X: 100%25 <bad>%0Avalue\x01",
    ]


def test_what_is_about_no_setting_does_not_begin_with_a_colon() -> None:
    broken = Finding(rule="HW000", severity="error", message="is no text", where="", fix="")
    found = Report((LocatedFinding(broken, Place("a.yaml")),), {"a.yaml": ""})
    assert as_github(found).splitlines() == ["::error file=a.yaml,title=HW000::is no text"]
    (listed,) = json.loads(FORMATS["gitlab"](found))
    assert listed["description"] == "is no text"


def test_gitlab_is_told_what_nobody_judged() -> None:
    gap = NotJudged(file="a.nix", reason="only Nix can read it", part="x", line=3)
    (found,) = json.loads(FORMATS["gitlab"](Report((), {"a.nix": ""}, (gap,))))
    assert found["severity"] == "info"
    assert found["check_name"] == "not-judged"
    assert found["description"] == "x not judged: only Nix can read it"
    assert found["location"] == {"path": "a.nix", "lines": {"begin": 3}}


def test_every_format_takes_an_empty_report() -> None:
    for render in FORMATS.values():
        assert render(Report((), {})) is not None


def test_severities_are_reached() -> None:
    assert REPORT.reaches("warning")
    assert REPORT.reaches("info")
    assert not REPORT.reaches("error")
    assert not REPORT.reaches("never")
