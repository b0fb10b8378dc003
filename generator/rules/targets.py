"""HW601 and HW602: what targets and fleets say."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

NOT_EXPRESSED: Final = Rule(
    id="HW601",
    severity="warning",
    title="a setting that the target cannot express",
    why="Docker has no word for memory_high, NUMA policies, nice levels and a few more, and "
    "drop-ins open no firewall. The setting is left out of that target's files, and only "
    "there.",
    bad='[resources]\nmemory_high = "18G"    # with -t compose',
    good='[resources]\nmemory_max = "20G"',
    source="the Compose Specification, services",
)
NO_SUCH_MODULE: Final = Rule(
    id="HW602",
    severity="warning",
    title="a module of a fleet that is not there",
    why="The flake imports it, so none of its hosts evaluates. Nix sees only what git tracks.",
    bad='[hosts.spark]\nmodules = ["hosts/spark.nix"]    # no such file',
    good="git add hosts/spark.nix",
    source="docs/fleet.md of Hostwright",
    silence="Write the module, or take it out of the fleet file.",
)
