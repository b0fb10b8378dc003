"""The public API: its names, and that the main ways through it work."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from generator import api
from generator.resolve import resolve
from tests.commands import ROOT
from tests.detect.machines import root_of
from tests.facts import facts_at
from tests.live.machine import Machine
from tests.live.stub import Installed, Stub, serving
from tests.views import view


def test_the_public_names_are_these() -> None:
    names = {name for name in vars(api) if not name.startswith("__")}
    assert names == {
        *(
            "Assessment",
            "Catalogue",
            "CheckRequest",
            "Detection",
            "Document",
            "Facts",
            "File",
            "Finding",
        ),
        *("ImportRequest", "Imported", "imported"),
        *("Difference", "Installed", "Upgrade", "against_installed", "compared", "upgraded"),
        *("HostwrightError", "Plan", "Problem", "Profile", "ProfileError", "Question", "Report"),
        *("TARGETS", "View", "assess", "check", "decide_fleet", "detect", "explain"),
        *("load_catalogue", "load_engine", "load_profile", "load_target", "open_root"),
        *("plan_of", "read_document", "read_facter", "read_machine", "render_fleet", "resolve"),
        *("Advised", "Comparison", "Diagnosis", "advise", "Warmed", "doctor", "verify", "warm_up"),
        *("Load", "Measurement", "Server", "Workload", "measure"),
        *("Measured", "remembered", "remembered_beside"),
        *("Choice", "KNOBS", "Trial", "Tuned", "Visits", "budget_of", "choices", "restarter"),
        *("trial", "tune"),
    }


def test_none_of_them_is_a_room() -> None:
    assert "generator.resolve" in sys.modules
    assert not [name for name, value in vars(api).items() if isinstance(value, ModuleType)]
    assert api.resolve is resolve


def test_a_profile_is_rendered() -> None:
    plan = api.resolve(api.load_profile("xeon-cpu"), api.load_catalogue(), source="xeon-cpu")
    files = api.load_target("systemd").render(plan)
    assert any(file.path.endswith("20-limits.conf") for file in files)
    assert (
        api.plan_of(api.read_document("xeon-cpu")).service.environment == plan.service.environment
    )


def test_files_are_checked() -> None:
    report = api.check(api.CheckRequest(paths=["xeon-cpu"]))
    assert report.found
    assert not report.not_judged


def test_a_machine_is_detected_and_asked_what_fits() -> None:
    assert api.detect(api.read_machine(root_of("xeon-cpu")), api.load_catalogue()).tuning
    seen = view(host={"memory": 2**35})
    ask = api.load_engine(seen.engine).ask_of(seen, facts_at())
    found = api.assess(seen, (), ask, api.Question(models=("llama3.1:8b",)))
    assert [fit.word for fit in found.fits] == ["fits"]


def test_a_name_is_explained() -> None:
    (page,) = api.explain(["OLLAMA_KEEP_ALIVE"])
    assert page.kind == "variable"


PAGE = (ROOT / "docs/api.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_runs(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    models = [Installed("llama3.2:1b")]
    with serving(Stub(models, machine=Machine(1))) as stub:
        text = example.replace("http://127.0.0.1:11434", stub.url)
        text = text.replace("requests=20", "requests=4")
        exec(compile(text, "docs/api.md", "exec"), {})  # noqa: S102 -- the page itself


def test_the_page_names_what_there_is() -> None:
    words = {word for row in re.findall(r"^\|.*\|(.*)\|$", PAGE, re.MULTILINE)[2:]
             for word in re.findall(r"`(\w+)`", row)}  # fmt: skip
    assert words
    assert not [word for word in words if not hasattr(api, word)]
