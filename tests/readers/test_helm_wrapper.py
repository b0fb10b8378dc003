"""Values of the chart of Open WebUI: the variables of the program itself."""

from pathlib import Path

import pytest

from tests.texts import Text, messages

HEAD = (
    "ollama: {enabled: false}\nollamaUrls: ['http://ollama:11434']\npipelines: {enabled: false}\n"
)
OPEN = "service: {type: NodePort}\n"


def values(*variables: str, more: str = "", head: str = HEAD) -> Text:
    listed = "".join(f"  - {{{one}}}\n" for one in variables)
    return {"values.yaml": f"{head}{more}extraEnvVars:\n{listed}"}


def test_old_names_are_told_of_the_chart_as_well(tmp_path: Path) -> None:
    files = values("name: ENABLE_RAG_WEB_SEARCH, value: 'true'")
    (message,) = messages(tmp_path, files, "HW129")
    assert message == "Open WebUI does not read `ENABLE_RAG_WEB_SEARCH`; write `ENABLE_WEB_SEARCH`"


@pytest.mark.parametrize(
    ("files", "rule", "caught"),
    [
        (values("name: WEBUI_AUTH, value: 'false'", more=OPEN), "HW410", True),
        (values("name: WEBUI_AUTH, value: 'false'"), "HW410", False),
        (values("name: WEBUI_AUTH, value: 'true'", more=OPEN), "HW410", False),
        (
            values("name: WEBUI_AUTH, valueFrom: {secretKeyRef: {name: a, key: b}}", more=OPEN),
            "HW410",
            False,
        ),
        (values("name: ENABLE_WEB_SEARCH, value: 'true'"), "HW129", False),
        (
            values("name: ENABLE_RAG_WEB_SEARCH, value: 'true'", more="image: {tag: v0.5.0}\n"),
            "HW129",
            False,
        ),
        (
            values("name: ENABLE_RAG_WEB_SEARCH, value: 'true'", head="ollama: {gpu: {}}\n"),
            "HW129",
            False,
        ),
    ],
)
def test_what_the_program_gets_is_judged(
    files: Text, rule: str, caught: bool, tmp_path: Path
) -> None:
    assert bool(messages(tmp_path, files, rule)) is caught
