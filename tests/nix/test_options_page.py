"""The reference page of the options, made by evaluating the modules."""

from typing import Any

import pytest

from tests.consumers import nix
from tools import generate
from tools.options_page import evaluated, page

PAGE = generate.ROOT / "docs/reference/nixos-options.md"


def test_the_real_library_says_the_same() -> None:
    assert page(evaluated(nix.nixpkgs_lib())) == PAGE.read_text(encoding="utf-8")


def test_every_option_has_a_description_a_type_and_an_example() -> None:
    shown = [option for option in evaluated() if not option["internal"]]
    bare = [o["name"] for o in shown if not (o["description"] and o["type"] and "example" in o)]
    assert len(shown) >= 30
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
