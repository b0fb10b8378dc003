"""HW328: a method of quantisation that the weights do not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, model
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_REPOSITORY: Final = re.compile(r"([\w-]+)/[\w.-]+")
_QUANTISED: Final = re.compile(
    r"(?i)awq|gptq|int[48]|w[48]a|fp[48]|[48]-?bit|quant|nvfp|qat|[-_]q\d"
)


@Rule(
    id="HW328",
    severity="error",
    title="a method of quantisation for weights that are not quantised",
    why="`--quantization awq` tells how the weights of the files are quantised, and quantises "
    "nothing: without a configuration of that method among the files vLLM ends with `Cannot find "
    "the config file for awq`.",
    bad="vllm serve meta-llama/Llama-3.3-70B-Instruct --quantization awq",
    good="vllm serve org/Llama-3.3-70B-Instruct-AWQ",
    source="vllm/model_executor/model_loader/weight_utils.py@0.33.0, get_quant_config",
)
def not_quantised(view: View, facts: Facts) -> Hits:
    told, served = last(view, "--quantization") or last(view, "-q"), model(view)
    if told is None or served is None or told.value not in facts.hub.methods:
        return
    name = served[0]
    found = _REPOSITORY.fullmatch(name)
    if found and found[1] in facts.hub.makers and not _QUANTISED.search(name):
        yield Hit(
            message=f"the weights of {name} are not quantised: vLLM finds no configuration of "
            f"`{told.value}`, and ends",
            place=told.place,
            fix=f"serve a build of it that is quantised with {told.value.partition('_')[0].upper()}"
            ", or leave the option out",
        )
