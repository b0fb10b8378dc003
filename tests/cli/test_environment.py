"""`GEN_…`: options out of the environment, which the command line overrules."""

import json

import click
import pytest

from generator.cli import COMMANDS, gen
from generator.cli.environment import own_variable
from tests.commands import called


def release(*args: str, **env: str) -> str:
    found = json.loads(called("plan", *args, env=env).stdout)
    return str(found["services"][0]["release"])


def test_an_option_of_several_commands() -> None:
    assert release("xeon-cpu", GEN_OLLAMA_VERSION="0.9") == "0.9.6"
    assert release("xeon-cpu", "--ollama-version", "0.24.0", GEN_OLLAMA_VERSION="0.9") == "0.24.0"
    assert release("xeon-cpu", GEN_OLLAMA_VERSION="") == release("xeon-cpu")
    done = called("show", "xeon-cpu", env={"GEN_SET": "threads.count=4 ollama.keep_alive=1h"})
    assert "LLAMA_ARG_THREADS         4 " in done.stdout
    assert "OLLAMA_KEEP_ALIVE         1h " in done.stdout


def test_the_nearer_option_wins_where_two_say_the_same() -> None:
    on_nixos = release("xeon-cpu", "--nixos", "25.11")
    assert on_nixos == release("xeon-cpu", "--nixos", "25.11", GEN_OLLAMA_VERSION="0.9")
    assert release("xeon-cpu", "--ollama-version", "0.9", GEN_NIXOS="25.11") == "0.9.6"


def test_a_profile_for_commands_that_need_one_and_for_no_others() -> None:
    env = {"GEN_PROFILE": "xeon-cpu"}
    assert called("show", env=env).stdout == called("show", "xeon-cpu").stdout
    assert called("show", "dgx-spark", env=env).stdout == called("show", "dgx-spark").stdout
    assert called("check", env=env).returncode == called("check").returncode
    card = ("fit", "--gpu", "RTX 4090", "--ram", "64GiB", "-m", "qwen3:8b")
    assert called(*card, env=env).stdout == called(*card).stdout


def test_options_of_one_command() -> None:
    env = {"GEN_SHOW_JSON": "1", "GEN_RENDER_TARGET": "plan compose"}
    assert json.loads(called("show", "xeon-cpu", env=env).stdout)["settings"]
    assert json.loads(called("show", "nosuch", env=env).stdout)["exit_code"] == 2
    assert "# ==> compose/compose.yaml" in called("xeon-cpu", env=env).stdout
    done = called("show", "xeon-cpu", env={"GEN_SHOW_STRICT": "perhaps"})
    assert done.returncode == 2
    assert done.stderr.startswith("error: --strict: 'perhaps' is not a valid boolean")


def test_a_release_for_all_does_not_stop_a_list() -> None:
    env = {"GEN_OLLAMA_VERSION": "0.9"}
    assert called("explain", "--list", "rule", env=env).returncode == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_variable_of_its_own(name: str) -> None:
    command = gen.get_command(click.Context(gen), name)
    assert command is not None
    options = [option for option in command.params if isinstance(option, click.Option)]
    names = [own_variable(name, option) for option in options]
    assert len({*names}) == len(names)
    for option, own in zip(options, names, strict=True):
        assert isinstance(option.envvar, list)
        assert option.envvar[0] == own
