"""Rules that no View can be judged by: `resolve`, targets and readers tell them where they decide.

They have a page like every Rule, and no check.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from generator.rules import RULES

if TYPE_CHECKING:
    from generator.errors import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The page of a rule without a check; `silence` says how, where it differs from the others."""

    id: str
    severity: Severity
    title: str
    why: str
    bad: str
    good: str
    source: str
    releases: str = "all"
    silence: str = ""


ELSEWHERE: Final = (
    Elsewhere(
        id="HW000",
        severity="error",
        title="a file that cannot be read",
        why="What is not understood cannot be judged: a syntax error, a key that there is none of, "
        "a value of the wrong kind. The consumer would refuse the file as well, or read something "
        "else in it.",
        bad="[resources]\nmemory_max = 20GB",
        good='[resources]\nmemory_max = "20G"',
        source="the grammar of the format, and `gen schema` for profiles",
        silence="Mend the file. One that is none of Ollama's: leave it out of the paths.",
    ),
    Elsewhere(
        id="HW001",
        severity="warning",
        title="a comment that ignores a rule, but not as written",
        why="A comment that names no rule or gives no reason silences nothing, and one that finds "
        "no fault any more hides the next one. Whoever reads the file later wants the reason. A "
        "comment with nothing left to ignore is only a remark.",
        bad="Environment=OLLAMA_NUM_THREADS=8    # hostwright: ignore HW101",
        good="# hostwright: ignore HW101 because our wrapper reads it\n"
        "Environment=OLLAMA_NUM_THREADS=8",
        source="docs/check.md of Hostwright",
        silence="Write the reason, or remove the comment.",
    ),
    Elsewhere(
        id="HW105",
        severity="info",
        title="a setting without effect on this host",
        why="The release reads it, but not on this hardware, or the server does the same by "
        "itself. It does no harm, and it does not do what its name says either.",
        bad='[ollama]\nversion = "0.9"\nacceleration = "cpu"\nflash_attention = true',
        good='[ollama]\nversion = "0.32"\nacceleration = "cpu"\nflash_attention = true',
        source="llm/server.go@v0.11.5; discover/runner.go@v0.32.15:67,100",
    ),
    Elsewhere(
        id="HW110",
        severity="warning",
        title="a release newer than the catalogue",
        why="What the release reads is not known yet. It is judged by the newest release that is "
        "known, which may be wrong about names that came or went since.",
        bad='[ollama]\nversion = "0.99"',
        good='[ollama]\nversion = "0.32"    # or a younger Hostwright',
        source="tags of ollama/ollama",
        releases="those younger than the newest in the catalogue",
    ),
    Elsewhere(
        id="HW112",
        severity="info",
        title="flash attention is off",
        why="Without it the compute buffers grow with the context, and a quantised KV cache is not "
        "possible. Left alone, the release turns it on where device and model support it.",
        bad="[ollama]\nflash_attention = false",
        good="[ollama]    # flash_attention left out",
        source="llm/llama_server.go@v0.32.15:596-621",
    ),
    Elsewhere(
        id="HW305",
        severity="warning",
        title="a GPU of unknown compute capability",
        why="Which driver branch, CUDA library and build serve a card follows from its compute "
        "capability. Where neither the profile nor the catalogue has it, nothing is chosen.",
        bad='gpus = [{ name = "Tesla X", memory = "8GiB" }]',
        good='gpus = [{ name = "Tesla X", memory = "8GiB", compute_capability = "6.1" }]',
        source="CUDA C Programming Guide, compute capabilities; "
        "llama/server/CMakePresets.json@v0.32.15:71",
    ),
    Elsewhere(
        id="HW503",
        severity="warning",
        title="a setting that only a model can carry, and no model",
        why="Before 0.30 no variable sets the compute threads or the layers on the GPU, and before "
        "0.5.13 none the context. A Modelfile carries them, so the profile has to name a model.",
        bad='[ollama]\nversion = "0.9"\n\n[threads]\ncount = 8',
        good='[ollama]\nversion = "0.9"\n\n[threads]\ncount = 8\n\n'
        '[[models]]\nname = "qwen2.5-coder:7b"',
        source="api/types.go by tag; envconfig/config.go@v0.5.13",
        releases="before 0.30 for threads and layers, before 0.5.13 for the context",
    ),
    Elsewhere(
        id="HW505",
        severity="warning",
        title="models below a home that a sandboxed service cannot see",
        why="With ProtectHome= the directories /home, /root and /run/user are empty to the "
        "service, so it starts without its models or not at all. NixOS runs Ollama that way, and "
        "so does the complete unit.",
        bad='[ollama]\nmodels_dir = "/home/ann/models"',
        good='[ollama]\nmodels_dir = "/srv/ollama/models"',
        source="nixpkgs#357604; systemd.exec(5)",
    ),
    Elsewhere(
        id="HW506",
        severity="info",
        title="no official image for this host",
        why="The ROCm image is built for x86_64 alone. Compose would fail to pull it here.",
        bad='[host]\nsystem = "aarch64-linux"\n\n[ollama]\nacceleration = "rocm"',
        good='[container]\nimage = "registry.lan/ollama-rocm"',
        source="scripts/build_docker.sh@v0.32.15:24-33",
    ),
    Elsewhere(
        id="HW601",
        severity="warning",
        title="a setting that the target cannot express",
        why="Docker has no word for memory_high, NUMA policies, nice levels and a few more, and "
        "drop-ins open no firewall. The setting is left out of that target's files, and only "
        "there.",
        bad='[resources]\nmemory_high = "18G"    # with -t compose',
        good='[resources]\nmemory_max = "20G"',
        source="the Compose Specification, services",
    ),
    Elsewhere(
        id="HW602",
        severity="warning",
        title="a module of a fleet that is not there",
        why="The flake imports it, so that none of its hosts evaluates without it. Nix sees only "
        "files that git tracks.",
        bad='[hosts.spark]\nmodules = ["hosts/spark.nix"]    # no such file',
        good="git add hosts/spark.nix",
        source="docs/fleet.md of Hostwright",
        silence="Write the module, or take it out of the fleet file.",
    ),
)


@functools.cache
def every_id() -> frozenset[str]:
    """Return the ids of all rules, with a check or without."""
    return frozenset([rule.id for rule in RULES] + [rule.id for rule in ELSEWHERE])
