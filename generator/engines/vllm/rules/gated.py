"""HW686: models that the hub does not give to everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, model, open_ended
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_OTHERWISE: Final = frozenset(
    {*("HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "VLLM_USE_MODELSCOPE")}
)
"""Variables with which the model comes from elsewhere, or is there already."""
_MEANT: Final = re.compile(
    r"(?i)(?:hf|hugging_?face(?:_?hub)?)(?:_(?:hub|api|access|auth))*_?(?:token|key|tokn|toekn)"
)


@Rule(
    id="HW686",
    title="a model that the hub gives to nobody unknown",
    why="Some models are given to those alone who have agreed to their terms, and say who they are "
    "by a token: without one the server ends with `401 … Access to model … is restricted`. It "
    "reads HF_TOKEN, and no other name that looks like it.",
    bad="command: [meta-llama/Llama-3.1-8B-Instruct]",
    good="command: [meta-llama/Llama-3.1-8B-Instruct]\nenv_file: hf.env    # HF_TOKEN=…",
    source="docs/getting_started/installation/gpu.cuda.inc.md@0.33.0:292; "
    "huggingface.co/docs/hub/models-gated; huggingface_hub: environment variables, HF_TOKEN",
)
def no_token(view: View, facts: Facts) -> Hits:
    told = model(view)
    if told is None or not facts.hub.is_gated(told[0]):
        return
    names = {*facts.hub.tokens, *_OTHERWISE}
    # A name alone takes the value of whoever runs the command.
    passed = any(one.value in names for one in (view.container.options if view.container else ()))
    if passed or not all(map(view.lacks, names)) or _may_be_elsewhere(view):
        return
    wrong = next((one for one in view.variables if _MEANT.fullmatch(one.name)), None)
    yield Hit(
        message=f"the server does not read `{wrong.name}`, and the hub gives `{told[0]}` to "
        "nobody without a token"
        if wrong
        else f"the hub gives `{told[0]}` to nobody without a token, and the server has none",
        place=wrong.place if wrong else told[1],
        fix="write `HF_TOKEN`" if wrong else "give it HF_TOKEN by a file of variables or a Secret",
    )


def _may_be_elsewhere(view: View) -> bool:
    """Whether a token may be in a file that is mounted, or somebody else hands it in."""
    box = view.container
    if box is None or view.adds or open_ended(view):
        return True
    mounted = any(text.startswith(("/", ".", "~", "$")) for text, _ in box.mounts)
    kept = any("/run/secrets" in text for text, _ in box.mounts)
    others = {"secrets", "configs", "extends", "env_file", "x-env"}
    beside = any(line.name in others or ".secrets" in line.section for line in view.lines)
    return mounted or kept or beside or any(last(view, o) for o in ("--hf-token", "--config"))
