"""HW412: a number in a text of Nix, which Nix itself refuses."""

import subprocess
from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides, told
from tests.tools import require


def module(text: str) -> Text:
    return {
        "a.nix": "{ config, ... }:\n{\n  services.ollama = { enable = true; port = 11434; };\n"
        f"  services.x.url = {text};\n}}\n"
    }


# rule: (caught, left alone)
CASES: Cases = {
    "HW412": (
        (
            module('"http://127.0.0.1:${config.services.ollama.port}"'),
            module('"http://127.0.0.1:" + config.services.ollama.port'),
            module('"${ config.services.ollama.openFirewall }"'),
        ),
        (
            module('"http://127.0.0.1:${toString config.services.ollama.port}"'),
            module('"http://${config.services.ollama.host}"'),
            module('"http://127.0.0.1:" + toString config.services.ollama.port'),
            module("config.services.ollama.port"),
            module("''''${config.services.ollama.port}''"),
            module('"x" # ${config.services.ollama.port}'),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


@pytest.mark.parametrize(
    ("option", "function"), [("port", "toString"), ("openFirewall", "lib.boolToString")]
)
def test_a_switch_stays_a_word(option: str, function: str, tmp_path: Path) -> None:
    path = f"config.services.ollama.{option}"
    (message,) = messages(tmp_path, module(f'"${{{path}}}"'), "HW412")
    assert message.endswith(f"; write `{function} {path}`")


@pytest.mark.parametrize(("case", "refused"), [(0, True), (1, False)])
def test_nix_says_the_same(case: int, refused: bool) -> None:
    nix = require("nix-instantiate")
    given = '{ config.services.ollama = { port = 1; host = "a"; openFirewall = true; }; }'
    for (text,) in (files.values() for files in CASES["HW412"][case]):
        asked = [nix, "--eval", "--strict", "-E", f"(({text}) {given}).services.x.url"]
        done = subprocess.run(asked, check=False, capture_output=True, text=True)
        assert ("cannot coerce" in done.stderr) is refused, (text, done.stderr)
