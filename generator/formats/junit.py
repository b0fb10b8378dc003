"""JUnit XML, which machines that run tests show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree import ElementTree as ET

# XML 1.0 has no way to write these, not even as references.
_NO_XML: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A test case: how it went, what a list says of it, and all there is to say.

    `kind` is that of a failure.
    """

    name: str
    outcome: Literal["passed", "failure", "skipped", "remarked"] = "passed"
    message: str = ""
    text: str = ""
    kind: str = ""


def junit(suites: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """Return the document of some suites, each by its name."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="hostwright")
    for name, cases in suites:
        outcomes = [case.outcome for case in cases]
        counts = {"failures": outcomes.count("failure"), "skipped": outcomes.count("skipped")}
        suite = _element(root, "testsuite", "", name=name, tests=len(cases), **counts)
        for case in cases:
            _case(_element(suite, "testcase", "", name=case.name, classname=name), case)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(element: ET.Element, case: Case) -> None:
    if case.outcome == "failure":
        _element(element, "failure", case.text, message=case.message, type=case.kind)
    elif case.outcome == "skipped":
        _element(element, "skipped", "", message=case.message)
    elif case.outcome == "remarked":
        _element(element, "system-out", case.text)


def _element(parent: ET.Element, tag: str, text: str, **attributes: str | int) -> ET.Element:
    from xml.etree import ElementTree as ET

    written = {name: _NO_XML.sub("\ufffd", str(value)) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, written)
    element.text = _NO_XML.sub("\ufffd", text)
    return element
