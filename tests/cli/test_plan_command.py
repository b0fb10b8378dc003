"""`gen plan`."""

import json

from tests.commands import run


def test_plan_prints_the_plan() -> None:
    data = json.loads(run("plan", "xeon-cpu", "--ollama-version", "0.9").stdout)
    assert (data["schema_version"], data["name"]) == (2, "xeon-cpu")
    assert [service["release"] for service in data["services"]] == ["0.9.6"]
