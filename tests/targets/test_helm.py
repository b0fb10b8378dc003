"""What only values of the chart have: models that a shell writes down, and GPUs of makers."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import RenderError
from generator.targets import limitations, load_target
from tests.consumers.targets import consumer, written
from tests.plans import plan
from tests.targets.test_k8s import CARD, CASES

HOSTILE = 'say "$HOME" `id` \\ $$ $(id)\n\n  two  \n#\\\n'


def values(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    file = written("helm", plan(data), folder) / "values.yaml"
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_chart_knows_every_key(name: str, tmp_path: Path) -> None:
    decided = plan(CASES[name])
    folder = written("helm", decided, tmp_path)
    assert consumer("helm").complaints(folder, decided) == []


def test_a_key_that_it_does_not_know_is_named(tmp_path: Path) -> None:
    decided = plan(CASES["cards"])
    folder = written("helm", decided, tmp_path)
    file = folder / "values.yaml"
    file.write_text(file.read_text().replace("    number: ", "    count: "))
    assert consumer("helm").complaints(folder, decided) == ["the chart has no `ollama.gpu.count`"]


def test_a_shell_writes_the_modelfile_as_it_is(tmp_path: Path) -> None:
    """By the lines of the chart's templates/deployment.yaml."""
    own = {"name": "a:1b", "serve_as": "mine:1b", "parameters": {"stop": [HOSTILE]}}
    decided = plan({"models": [own]})
    (made,) = values({"models": [own]}, tmp_path)["ollama"]["models"]["create"]
    assert made["name"] == "mine:1b"
    line = f"cat <<EOF\n{made['template']}\nEOF\n"
    told = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
    (model,) = decided.service.models
    assert model.modelfile
    assert told.stdout.rstrip("\n") == model.modelfile.text.rstrip("\n")


def test_a_line_that_ends_it_is_refused() -> None:
    own = {"name": "a:1b", "serve_as": "mine:1b", "parameters": {"stop": ["x\nEOF\ny"]}}
    with pytest.raises(RenderError, match="EOF"):
        load_target("helm").render(plan({"models": [own]}))


def test_a_name_that_is_no_file_is_refused() -> None:
    own = {"name": "a:1b", "serve_as": "me/mine:1b", "parameters": {"top_k": 30}}
    with pytest.raises(RenderError, match="me/mine:1b"):
        load_target("helm").render(plan({"models": [own]}))


@pytest.mark.parametrize(
    ("name", "gpu", "limits"),
    [
        ("cards", {"type": "nvidia", "number": 2, "nvidiaResource": "nvidia.com/gpu"}, {}),
        ("of AMD", {"type": "amd", "number": 1}, {}),
        (
            "claims",
            {
                "type": "nvidia",
                "number": 1,
                "draEnabled": True,
                "draDriverClass": "gpu.nvidia.com",
            },
            {},
        ),
        (
            "a slice",
            {"type": "nvidia", "number": 1, "nvidiaResource": "nvidia.com/mig-1g.10gb"},
            {},
        ),
    ],
)
def test_the_chart_hands_out_gpus(
    name: str, gpu: dict[str, Any], limits: dict[str, int], tmp_path: Path
) -> None:
    found = values(CASES[name], tmp_path)
    assert found["ollama"]["gpu"] == {"enabled": True, **gpu}
    assert found["resources"].get("limits", {}) == limits


def test_makers_that_the_chart_does_not_know_stand_in_the_limits(tmp_path: Path) -> None:
    arc = {"name": "Intel Arc A770", "memory": "16GiB", "vendor": "intel"}
    found = values({"host": {"gpus": [arc]}, "ollama": {"acceleration": "vulkan"}}, tmp_path)
    assert "gpu" not in found["ollama"]
    assert found["resources"]["limits"] == {"gpu.intel.com/i915": 1}


def test_what_the_chart_cannot_say_is_told() -> None:
    data = {
        "host": {"gpus": [CARD]},
        "models": [{"name": "llama3.1:8b", "preload": True}],
        "k8s": {"replicas": 2, "gpu": "dra"},
    }
    told = {finding.where for finding in limitations("helm", plan(data))}
    assert told == {
        *("k8s.replicas", "k8s.longest_answer", "k8s.gpu", "ollama.host"),
    }


def test_other_engines_have_other_charts() -> None:
    from dataclasses import replace

    decided = plan({})
    toy = replace(decided, services=(replace(decided.service, engine="toy", product="Toy"),))
    with pytest.raises(RenderError, match="this profile is for Toy"):
        load_target("helm").render(toy)
