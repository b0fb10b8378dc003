"""What a fleet costs: `gen fleet`, and an evaluation of its hosts, among 10 to 10 000 of them.

`gen fleet` writes the flake; Nix evaluates its hosts on the tests' stand-ins for the inputs, all
of them up to a thousand, and one alone. The figures are Nix's own counters, which do not depend on
the machine, and the CPU time of deciding, rendering and writing.
"""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.nix_eval import Cost, cost
from generator.files.write import write
from generator.fleet.decide import decide_fleet
from generator.fleet.render import render_fleet
from tests.nix.flakes import put_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: Final = (10, 100, 1000, 10_000)
MOST_TOGETHER: Final = 1000
PROFILES: Final = ("xeon-cpu", "dual-pascal", "container-dev", "dgx-spark")
EXPRESSION: Final = """
{ folder, one }:
let
  outputs = name: inputs: (import (folder + "/${name}/flake.nix")).outputs inputs;
  nixpkgs = outputs "nixpkgs" { self = nixpkgs; };
  fleet = import (folder + "/fleet/hostwright/fleet.nix") {
    inherit nixpkgs;
    deploy-rs = outputs "deploy-rs" { inherit nixpkgs; };
    colmena = outputs "colmena" { inherit nixpkgs; };
    self = fleet;
  };
  hosts = if one == "" then builtins.attrNames fleet.nixosConfigurations else [ one ];
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = builtins.mapAttrs (_: unit: unit.text)
      fleet.nixosConfigurations.${name}.config.systemd.units;
  }) hosts
)
"""


@dataclass(frozen=True)
class Result:
    """One size: what all hosts cost together, and one alone; what was written, and how fast."""

    hosts: int
    all: Cost | None
    one: Cost
    seconds: float
    files: int
    megabytes: float


def main() -> None:
    """Measure each size and print a table, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description="Evaluate fleets of different sizes.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="N", help="hosts")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument(
        "--differ", choices=HOSTS, default="setting", help="what hosts differ from each other in"
    )
    options = parser.parse_args()
    if shutil.which("nix-instantiate") is None:
        raise SystemExit("nix-instantiate is not installed: nothing was measured")
    # As the command does.
    gc.disable()
    results = [_measured(size, options.differ) for size in options.sizes]
    print(json.dumps([asdict(r) for r in results]) if options.json else _report(results))


def _measured(size: int, differ: str) -> Result:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put_inputs(folder, "nixpkgs", "deploy-rs", "colmena")
        (folder / "fleet.toml").write_text(_fleet(size, differ), encoding="utf-8")
        began = time.process_time()
        write(render_fleet(decide_fleet(folder / "fleet.toml")), folder / "fleet")
        seconds = time.process_time() - began
        written = [path.stat().st_size for path in (folder / "fleet").rglob("*") if path.is_file()]
        together = None
        if size <= MOST_TOGETHER:
            together, units = cost(EXPRESSION, {"folder": name, "one": ""})
            assert len(units) == size
        alone, _ = cost(EXPRESSION, {"folder": name, "one": "host0"})
    return Result(size, together, alone, seconds, len(written), sum(written) / 1e6)


def _fleet(size: int, differ: str) -> str:
    """Return a fleet of NixOS hosts, each different from every other."""
    hosts = (
        f'[hosts.host{number}]\nprofile = "{PROFILES[number % len(PROFILES)]}"\n'
        f"{HOSTS[differ](number)}\n"
        for number in range(size)
    )
    return "schema_version = 1\n" + "".join(hosts)


def _machine(number: int) -> str:
    """Return what machines that are bought by the rack differ in: name, size, ids of GPUs."""
    profile, kind = PROFILES[number % len(PROFILES)], number // len(PROFILES)
    threads, memory = (24, 32, 48, 64)[kind % 4], (32, 64, 128, 256, 512)[kind // 4 % 5]
    lines = [f'name = "host{number}"', f'host.memory = "{memory}GiB"']
    lines += [f"host.cpu = {{ cores = {threads // 2}, threads = {threads} }}"]
    if profile == "dual-pascal":
        ids = [f"GPU-{number:08x}-{card}" for card in range(2)]
        lines.append(f"gpu.visible_devices = {json.dumps(ids)}")
    overrides = "\n".join(f"overrides.{line}" for line in lines)
    return f'address = "host{number}.lan"\n{overrides}'


HOSTS: Final[dict[str, Callable[[int], str]]] = {
    "address": lambda number: f'address = "host{number}.lan"',
    "machine": _machine,
    "setting": lambda number: f'overrides.ollama.keep_alive = "{number + 1}s"',
}


def _report(results: list[Result]) -> str:
    head = "hosts  thunks/host  calls/host  MB/host   one host: thunks   calls"
    lines = [f"{head}   gen fleet: CPU s  files     MB"]
    for r in results:
        told = " " * 32
        if r.all:
            each = (r.all.thunks / r.hosts, r.all.calls / r.hosts, r.all.megabytes / r.hosts)
            told = f"{each[0]:11.0f}{each[1]:12.0f}{each[2]:9.2f}"
        wrote = f"{r.seconds:19.2f}{r.files:7}{r.megabytes:7.1f}"
        lines.append(f"{r.hosts:5}  {told}{r.one.thunks:19}{r.one.calls:8}{wrote}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
