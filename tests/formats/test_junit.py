"""JUnit XML: how each case went, its counts, and text that XML has no way to write."""

from xml.etree import ElementTree as ET

from generator.formats.junit import Case, junit


def test_each_outcome() -> None:
    cases = [
        Case(name="a"),
        Case(name="b", outcome="failure", message="m", text="long", kind="error"),
        Case(name="c", outcome="skipped", message="why"),
        Case(name="d", outcome="remarked", text="said"),
    ]
    (suite,) = ET.fromstring(junit([("s", cases)]))  # noqa: S314 -- our own
    assert suite.attrib == {"name": "s", "tests": "4", "failures": "1", "skipped": "1"}
    passed, failed, skipped, remarked = suite
    assert {case.get("classname") for case in suite} == {"s"}
    assert len(passed) == 0
    assert (failed[0].tag, failed[0].get("type"), failed[0].text) == ("failure", "error", "long")
    assert skipped[0].get("message") == "why"
    assert (remarked[0].tag, remarked[0].text) == ("system-out", "said")


def test_what_no_xml_has() -> None:
    case = Case(name="\x1b[2J<&", outcome="failure", message="\x00", text="\ud800")
    (suite,) = ET.fromstring(junit([("\x07", [case])]))  # noqa: S314 -- our own
    assert suite.get("name") == "\ufffd"
    assert suite[0].get("name") == "\ufffd[2J<&"
    assert suite[0][0].text == "\ufffd"
