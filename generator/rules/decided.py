"""HW000, HW001, HW305, HW321, HW601, HW602, HW642, HW643: found by reading, deciding, writing."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

UNREADABLE: Final = Rule(
    id="HW000",
    severity="error",
    title="a file that cannot be read",
    why="What is not understood cannot be judged: a syntax error, an unknown key, a value of the "
    "wrong kind. The consumer would refuse the file as well, or read something else in it.",
    bad="[resources]\nmemory_max = 20GB",
    good='[resources]\nmemory_max = "20G"',
    source="the grammar of the format, and `gen schema` for profiles",
    silence="Mend the file. If it has nothing to do with Ollama, leave it out of the paths.",
)
SILENCE: Final = Rule(
    id="HW001",
    title="a comment that ignores a rule, but not as written",
    why="A comment without a rule or a reason silences nothing: whoever reads the file later wants "
    "the reason. One that finds no fault any more hides the next one, and is only a remark.",
    bad="Environment=OLLAMA_NUM_THREADS=8    # hostwright: ignore HW101",
    good="# hostwright: ignore HW101 because our wrapper reads it\n"
    "Environment=OLLAMA_NUM_THREADS=8",
    source="docs/check.md of Hostwright",
    silence="Write the reason, or remove the comment.",
)
UNKNOWN_CAPABILITY: Final = Rule(
    id="HW305",
    title="a GPU of unknown compute capability or target",
    why="Which driver branch, CUDA library and build serve a card of NVIDIA's follows from its "
    "compute capability, whether ROCm or Vulkan one of AMD's from its target. Where neither the "
    "profile nor the catalogue has it, nothing is chosen, or ROCm.",
    bad='gpus = [{ name = "Tesla X", memory = "8GiB" }]',
    good='gpus = [{ name = "Tesla X", memory = "8GiB", compute_capability = "6.1" }]',
    source="CUDA C Programming Guide, compute capabilities; docs/gpu.mdx@v0.32.15; "
    "llama/server/CMakePresets.json@v0.32.15:71",
)
ONE_POOL: Final = Rule(
    id="HW321",
    severity="info",
    title="several servers on the same CPUs",
    why="What bounds a model on the CPU is how fast its weights come from memory. Servers on one "
    "pool of CPUs share that: two answer twice as many requests, each at half the speed, and hold "
    "their models twice. One server with more slots reads the weights once for all of them.",
    bad='[[instances]]\nname = "left"\n\n[[instances]]\nname = "right"',
    good='[[instances]]\nname = "left"\nnuma_node = 0\n\n[[instances]]\nname = "right"\n'
    "numa_node = 1",
    source="docs/beyond.md of Hostwright, Instances",
    silence="Give each a node, or CPUs of its own, or have one server with `num_parallel`.",
)
NOT_EXPRESSED: Final = Rule(
    id="HW601",
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
    title="a module of a fleet that is not there",
    why="The flake imports it, so none of its hosts evaluates. Nix sees only what git tracks.",
    bad='[hosts.spark]\nmodules = ["hosts/spark.nix"]    # no such file',
    good="git add hosts/spark.nix",
    source="docs/fleet.md of Hostwright",
    silence="Write the module, or take it out of the fleet file.",
)
DOUBT: Final = Rule(
    id="HW642",
    title="a report that leaves something open",
    why="The profile of the host is what its report tells. A card whose id is not known, or memory "
    "that the report has not, is left out of it, and the host is decided without.",
    bad='[hosts.new-box]\nreport = "hosts/new-box.json"    # with a card that is not known here',
    good='[hosts.new-box]\nreport = "hosts/new-box.json"\n'
    '[[hosts.new-box.overrides.host.gpus]]\nname = "…"\nmemory = "16GiB"',
    source="docs/fleet.md of Hostwright",
    silence="Write what is missing into the overrides of the host, or give it a profile.",
)
HURRIED: Final = Rule(
    id="HW643",
    title="an activation that ends before the server is given up",
    why="Activation waits until the server answers, and for its GPUs before. When deploy-rs gives "
    "up first, it tells of a timeout and not of the server, while the host is still at it.",
    bad="[defaults]\ndeploy.activation_timeout = 30",
    good="[defaults]\ndeploy.activation_timeout = 240    # what deploy-rs takes by itself",
    source="serokell/deploy-rs, src/bin/activate.rs; docs/fleet.md of Hostwright",
    silence="Give the activation more time, or set health_gate = false.",
)
