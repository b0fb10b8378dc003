"""What system-manager puts below /etc, from a module evaluated against a stand-in of it.

The stand-in is `tests/nix/system_manager.nix`; systemd itself reads what would lie there.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.consumers import nix, systemd
from tests.consumers.effective import ConsumerError

if TYPE_CHECKING:
    from tests.consumers.effective import Effective

CONTRACT: Final = Path(__file__).parents[1] / "nix" / "system_manager.nix"
MODULE: Final = Path(__file__).parents[2] / "modules" / "system-manager.nix"
UNITS: Final = "systemd/system/"

EXPRESSION: Final = """
{ file, ownLib, realLib, contract }:
let
  own = import ownLib;
  lib = if realLib == "" then own.lib else import (realLib + "/lib");
  inherit (own) pkgs utils;
  inherit
    (lib.evalModules {
      modules = [
        (import contract { inherit lib; })
        (import file)
      ];
      specialArgs = { inherit lib pkgs utils; };
    })
    config
    ;
  enabled = lib.filterAttrs (_: item: item.enable);
in
{
  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  inherit (config) warnings;
  etc = lib.mapAttrs' (_: file: {
    name = file.target;
    value = file.text;
  }) (enabled config.environment.etc);
  units = builtins.mapAttrs (_: unit: unit.text) config.systemd.units;
  wanted_by = builtins.mapAttrs (_: unit: unit.wantedBy) config.systemd.units;
  tmpfiles = config.systemd.tmpfiles.rules;
  preflight = map (a: a.script) (
    builtins.attrValues (enabled config.system-manager.preActivationAssertions)
  );
}
"""


def host(folder: Path, body: str) -> Path:
    """Write a host that imports the module and says `body`."""
    file = folder / "host.nix"
    head = f"{{ lib, pkgs, ... }}:\n{{\n  imports = [ {MODULE} ];\n  hostwright.enable = true;\n"
    file.write_text(f"{head}{body}\n}}\n", encoding="utf-8")
    return file


def evaluate(file: Path, *, lib: Path | None = None) -> dict[str, Any]:
    """Return what `file` results in: the keys of EXPRESSION.

    Raises ConsumerError with Nix's message, or with the messages of failed assertions.
    """
    arguments = {
        "file": str(file.resolve()),
        "ownLib": str(nix.OWN_LIB),
        "realLib": str(lib.resolve()) if lib else "",
        "contract": str(CONTRACT),
    }
    pairs = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
    text = nix._nix(*nix.EVALUATE, "-E", EXPRESSION, *pairs)
    answer: dict[str, Any] = json.loads(text, strict=False)
    if answer["failed"]:
        raise ConsumerError("Failed assertions:\n" + "\n".join(answer["failed"]))
    return answer


def read(file: Path, *, lib: Path | None = None, unit: str = nix.SERVICE) -> Effective:
    """Return the service as systemd understands what lies below /etc; `extra` as in `systemd`.

    `extra["answer"]` is that of `evaluate`.
    """
    answer = evaluate(file, lib=lib)
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        write_units(answer, Path(name))
        understood = systemd.read(Path(name), unit)
    return dataclasses.replace(understood, extra={**understood.extra, "answer": answer})


def write_units(answer: dict[str, Any], folder: Path) -> None:
    """Write the units and drop-ins of `answer` as they would lie in /etc/systemd/system."""
    drop_ins = {
        name.removeprefix(UNITS): text
        for name, text in answer["etc"].items()
        if name.startswith(UNITS)
    }
    for name, text in {**answer["units"], **drop_ins}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
