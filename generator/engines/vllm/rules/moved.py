"""What a profile says that another engine takes otherwise; `resolve` finds it."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

LOST: Final = Rule(
    id="HW670",
    severity="info",
    title="what is wanted has no counterpart in vLLM",
    why="The table `[ollama]` says what is wanted of either engine. vLLM has no Modelfiles, loads "
    "and unloads nothing, and chooses its attention itself: some of it means nothing there. It is "
    "left out, and stays for the day on which the profile is Ollama's again.",
    bad='engine = "vllm"\n[ollama]\nkeep_alive = "30m"',
    good='engine = "vllm"',
    source="vllm/engine/arg_utils.py@0.33.0",
    deviates=True,
)
BITS: Final = Rule(
    id="HW671",
    severity="warning",
    title="the name of a repository says how it is quantised, and the profile says otherwise",
    why="vLLM reads from the repository how its weights are quantised. `gen fit` cannot, and "
    "counts them by `hf_bits`, which is 16 where nothing is said: four times too much for AWQ.",
    bad='hf = "org/name-AWQ"',
    good='hf = "org/name-AWQ"\nhf_bits = 4',
    source="vllm/config/model.py@0.33.0",
)
IDLE: Final = Rule(
    id="HW672",
    severity="warning",
    title="vLLM uses fewer cards than there are",
    why="A server computes on as many cards as --tensor-parallel-size says, which is 1 where "
    "nothing is said. The others hold nothing.",
    bad="[vllm]\ntensor_parallel = 1",
    good="[vllm]\ntensor_parallel = 2",
    source="vllm/config/parallel.py@0.33.0",
)
