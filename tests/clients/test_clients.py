"""`gen clients`: what the roles of models and a Plan mean to programs that ask the server."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.clients.clients import clients_of
from generator.clients.files import client_files
from generator.errors import HostwrightError
from generator.plan import Plan
from tests.cli.test_output_schemas import validated
from tests.commands import called, run
from tests.consumers import compose
from tests.plans import ALONE, plan, shipped
from tests.tools import require

CATALOGUE = load_catalogue()
EMBEDDING = {"name": "nomic-embed-text", "role": "embedding"}


def texts(plan: Plan, url: str = "") -> dict[str, str]:
    told = clients_of(plan, CATALOGUE, url=url)
    return {name: file.text for name, file in client_files(plan, told, CATALOGUE).items()}


def models(*models: dict[str, Any], **more: Any) -> Plan:
    return plan({"models": list(models), **more})


def test_the_roles_of_the_report() -> None:
    """Of seed 003: three models, and a context of 8192 tokens, half of it for an answer."""
    config = json.loads(texts(shipped("xeon-cpu"))["taskmaster"])
    assert {role: (m["modelId"], m["maxTokens"]) for role, m in config["models"].items()} == {
        "main": ("qwen2.5-coder:7b", 4096),
        "research": ("deepseek-r1:7b", 4096),
        "fallback": ("llama3.1:8b", 4096),
    }
    assert config["global"]["ollamaBaseURL"] == "http://127.0.0.1:11434/api"


def test_a_role_without_a_model_is_that_of_the_main_one() -> None:
    only = models({"name": "qwen3:8b"})
    config = json.loads(texts(only)["taskmaster"])
    assert {m["modelId"] for m in config["models"].values()} == {"qwen3:8b"}
    remarks = clients_of(only, CATALOGUE).remarks
    assert remarks == ("no model has the role research or fallback: the main one stands in",)


def test_a_model_with_parameters_is_asked_by_its_own_name_and_context() -> None:
    tuned = models({"name": "qwen3:8b", "parameters": {"num_ctx": 16384, "num_gpu": 20}})
    told = clients_of(tuned, CATALOGUE)
    assert (told.uses[0].model, told.uses[0].context) == ("qwen3:8b-tuned", 16384)
    loaded = {each.option: each.loaded for each in told.reloads}
    assert loaded["num_ctx"] == "16384"
    assert loaded["num_gpu"] == "20"
    assert not loaded["num_thread"]
    assert "temperature" not in loaded


def test_no_context_above_the_one_of_the_training() -> None:
    told = clients_of(
        models({"name": "llama3:8b"}, ollama={"context_length": 65536}), CATALOGUE
    )  # 8192, by its GGUF
    assert told.uses[0].context == 8192


@pytest.mark.parametrize("profile", ALONE)
def test_compose_takes_open_webui(profile: str, tmp_path: Path) -> None:
    file = tmp_path / "open-webui.yaml"
    file.write_text(texts(shipped(profile))["open-webui"])
    assert compose.verify(file) == []


def test_nix_evaluates_the_option(tmp_path: Path) -> None:
    file = tmp_path / "open-webui.nix"
    file.write_text(texts(shipped("xeon-cpu"))["open-webui-nixos"])
    argv = [require("nix-instantiate"), "--store", "dummy://", "--eval", "--strict", "--json"]
    told = subprocess.run([*argv, str(file)], capture_output=True, check=True, timeout=30)
    options = json.loads(told.stdout)["services"]["open-webui"]
    assert (options["enable"], options["host"], options["port"]) == (True, "127.0.0.1", 8080)
    assert options["environment"] == {
        # The default of the option, which any other value replaces.
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "True",
        "SCARF_NO_ANALYTICS": "True",
        "DEFAULT_MODELS": "qwen2.5-coder:7b",
        "ENABLE_OPENAI_API": "False",
        "OLLAMA_BASE_URL": "http://127.0.0.1:11434",
        "TASK_MODEL": "llama3.1:8b",
    }


def test_what_reads_documents() -> None:
    both = models({"name": "qwen3:8b"}, EMBEDDING)
    for name in ("open-webui", "open-webui-nixos"):
        assert "nomic-embed-text" in texts(both)[name]
    assert "RAG_EMBEDDING_MODEL" not in texts(models({"name": "qwen3:8b"}))["open-webui"]


def test_a_shell_reads_the_variables(tmp_path: Path) -> None:
    """As systemd and Docker do: no quotes, nothing to expand."""
    file = tmp_path / "clients.env"
    file.write_text(texts(shipped("xeon-cpu"), "http://[fd00::1]:80")["env"])
    script = f". {shlex.quote(str(file))}; echo $OLLAMA_HOST $OPENAI_BASE_URL $OPENAI_API_KEY"
    told = subprocess.run(
        ["sh", "-fc", script], capture_output=True, text=True, check=True, timeout=300
    )
    assert told.stdout == "[fd00::1]:80 http://[fd00::1]:80/v1 ollama\n"


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://a b", "http://:1", "http://a;id", "http://$(id)", "http://h\x1b[2J"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(HostwrightError):
        texts(shipped("xeon-cpu"), url)


def test_no_model_to_ask() -> None:
    result = called("clients", "-", stdin='schema_version = 1\nname = "x"\n')
    assert result.returncode == 2
    assert "error: x names no model that a client could chat with" in result.stderr


def test_what_clients_will_wait_for() -> None:
    few = models(
        {"name": "qwen3:8b"},
        {"name": "llama3.1:8b", "role": "research"},
        {"name": "qwen3:4b", "role": "fallback"},
        ollama={"max_loaded_models": 1},
    )
    first, second = clients_of(few, CATALOGUE, url="http://grey-area:11434").remarks
    assert first.startswith("3 models have roles and 1 stays loaded")
    assert second.startswith("the server listens on 127.0.0.1 alone")


def test_written_again_without_force_unless_somebody_edited(tmp_path: Path) -> None:
    out = tmp_path / "clients"
    assert run("clients", "xeon-cpu", "-o", str(out)).exit_code == 0
    again = called("clients", "xeon-cpu", "--set", "ollama.context_length=4096", "-o", str(out))
    assert again.returncode == 0, again.stderr
    assert '"maxTokens": 2048' in (out / ".taskmaster/config.json").read_text()
    (out / ".taskmaster/config.json").write_text("{}")
    refused = called("clients", "xeon-cpu", "-o", str(out))
    assert refused.returncode == 2
    assert "would replace `.taskmaster/config.json`" in refused.stderr
    assert (out / ".taskmaster/config.json").read_text() == "{}"


def test_one_file_to_stdout() -> None:
    whole = run("clients", "xeon-cpu", "--file", "taskmaster", "-o", "-").stdout
    assert json.loads(whole)["global"]["projectName"] == "xeon-cpu"
    other = called("clients", "xeon-cpu", "--file", "cursor")
    assert (other.returncode, "--file: no file `cursor`" in other.stderr) == (2, True)


def test_as_json(tmp_path: Path) -> None:
    assert validated("clients", run("clients", "xeon-cpu", "--json").stdout)["uses"]
    assert validated("clients", run("clients", "xeon-cpu", "-o", "-", "--json").stdout)["files"]
    out = str(tmp_path / "out")
    assert validated("clients", run("clients", "xeon-cpu", "-o", out, "--json").stdout)["changes"]


def test_our_own_check_has_nothing_to_say(tmp_path: Path) -> None:
    run("clients", "xeon-cpu", "-o", str(tmp_path / "out"))
    result = called("check", str(tmp_path / "out/clients.env"))
    assert result.returncode == 0, result.stdout
    assert "HW" not in result.stdout
