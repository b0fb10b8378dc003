"""The reference page of the options `hostwright.*`, from what Nix says of them.

    python -m tools.options_page < options.json

It takes `lib.optionAttrSetToDocList`'s list as well as the `options.json` of nixpkgs'
`nixosOptionsDoc`, so that a check can hold one to the other.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.consumers import nix

OPTIONS: Final = Path(__file__).parent.parent / "nix" / "options.nix"
EXPRESSION: Final = """
{ options, ownLib, realLib }:
let
  lib = if realLib == "" then (import ownLib).lib else import (realLib + "/lib");
in
lib.optionAttrSetToDocList { inherit ((import options { inherit lib; }).options) hostwright; }
"""
Option = dict[str, Any]

HEAD = """\
# NixOS options

Generated from `modules/` by `make golden`; do not edit. [NixOS](../nixos.md) has an example.

A default that is *the profile's* is what the profile has decided: setting the option changes it,
and a null takes it away.
"""
FIRST = ("hostwright.enable", "hostwright.profile")


def evaluated(lib: Path | None = None) -> list[Option]:
    """Return what Nix says of the options, by the library of nixpkgs or by the tests' own."""
    arguments = {
        "options": str(OPTIONS),
        "ownLib": str(nix.OWN_LIB),
        "realLib": str(lib.resolve()) if lib else "",
    }
    answer: list[Option] = nix.ask(EXPRESSION, arguments)
    return answer


def files() -> dict[str, str]:
    """Return the page by its path in the repository."""
    return {"docs/reference/nixos-options.md": page(evaluated())}


def page(given: list[Option] | dict[str, Option]) -> str:
    """Return the page in Markdown: each option with description, type, default and example."""
    options = [given[name] | {"name": name} for name in given] if isinstance(given, dict) else given
    shown = [option for option in options if _shown(option)]
    return "\n".join([HEAD, *map(_section, sorted(shown, key=_order))])


def _shown(option: Option) -> bool:
    return bool(option.get("visible", True)) and not option.get("internal", False)


def _order(option: Option) -> tuple[int, str]:
    name = str(option["name"])
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def _section(option: Option) -> str:
    facts = [f"- type: {option['type']}"]
    facts += [f"- {key}: {_value(option[key])}" for key in ("default", "example") if key in option]
    return "\n".join([f"## `{option['name']}`", "", option["description"], "", *facts, ""])


def _value(value: Option) -> str:
    """Return a value on one line: Nix as code, Markdown as it is."""
    text = " ".join(str(value["text"]).split())
    return f"*{text}*" if value["_type"] == "literalMD" else f"`{text}`"


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin)))
