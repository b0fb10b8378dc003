"""The reference page of the options, made by evaluating the modules."""

from pathlib import Path
from typing import Any

import pytest

from tests.consumers import nix
from tests.nix.options_page import page

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "reference" / "nixos-options.md"
EXPRESSION = """
{ options, ownLib, realLib }:
let
  lib = if realLib == "" then (import ownLib).lib else import (realLib + "/lib");
in
lib.optionAttrSetToDocList { inherit ((import options { inherit lib; }).options) hostwright; }
"""


def told(lib: Path | None) -> list[dict[str, Any]]:
    arguments = {
        "options": str(ROOT / "nix" / "options.nix"),
        "ownLib": str(nix.OWN_LIB),
        "realLib": str(lib.resolve()) if lib else "",
    }
    answer: list[dict[str, Any]] = nix.ask(EXPRESSION, arguments)
    return answer


def test_the_page_is_what_the_modules_say(update_golden: bool) -> None:
    text = page(told(None))
    if update_golden:
        PAGE.write_text(text, encoding="utf-8")
    assert text == PAGE.read_text(encoding="utf-8")


def test_the_real_library_says_the_same() -> None:
    assert page(told(nix.nixpkgs_lib())) == PAGE.read_text(encoding="utf-8")


def test_every_option_has_a_description_a_type_and_an_example() -> None:
    shown = [option for option in told(None) if not option["internal"]]
    bare = [o["name"] for o in shown if not (o["description"] and o["type"] and "example" in o)]
    assert len(shown) > 30
    assert bare == []


@pytest.mark.parametrize("shape", [list, dict])
def test_both_shapes_of_nixpkgs_are_read(shape: type) -> None:
    option = {
        "type": "null or string",
        "description": "What it is for.",
        "default": {"_type": "literalMD", "text": "the profile's"},
        "example": {"_type": "literalExpression", "text": '[\n  "a"\n]'},
    }
    given: Any = {"hostwright.x": option} if shape is dict else [option | {"name": "hostwright.x"}]
    assert page(given).endswith(
        "## `hostwright.x`\n\nWhat it is for.\n\n- type: null or string\n"
        '- default: *the profile\'s*\n- example: `[ "a" ]`\n'
    )
