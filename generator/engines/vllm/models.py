"""The one model of a server, and the repository that it is loaded from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.decision import argument, note
from generator.errors import Problem
from generator.plan import Argument, Model

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.vllm.decision import Decisions
    from generator.profiles.schema import Model as ModelChoice

_QUANTISED: Final = re.compile(r"(?i)(?:^|[-_.])(fp8|awq|gptq|nvfp4|int[48]|w[48]a\d+)(?:$|[-_.])")
_BITS: Final = {"fp8": 8, "int8": 8, "w8a8": 8, "w8a16": 8}


def models(case: Case) -> Decisions:
    """Yield the model with its repository and its name for clients."""
    chosen = case.profile.models
    if not chosen:
        yield Problem("models", "vLLM serves one model, and the profile has none", "add [[models]]")
    if len(chosen) > 1:
        names = ", ".join(f"`{one.name}`" for one in chosen)
        yield Problem(
            "models",
            f"one server of vLLM serves one model, and these are {len(chosen)}: {names}",
            "write [[instances]] with one model each, or leave the others out",
        )
        return
    for choice in chosen:
        yield from _model(case, choice, "models.0")


def _model(case: Case, choice: ModelChoice, key: str) -> Decisions:
    if choice.hf is None:
        message = f"nothing says which repository of Hugging Face has `{choice.name}`"
        hint = 'write hf = "org/name": a tag of Ollama is a GGUF file, which vLLM does not serve'
        yield Problem(f"{key}.hf", message, hint)
        return
    served = choice.serve_as or choice.name
    why = f"The weights of {choice.name}, in 16 bit or as the repository quantises them."
    yield Argument(name=choice.hf, reason=why, source="profile", key=f"{key}.hf")
    yield argument(
        case, "--served-model-name", served, where=f"{key}.name",
        reason="The name that clients ask for stays.",
    )  # fmt: skip
    if choice.role == "embedding":
        why = "It embeds text; it generates none then."
        yield argument(case, "--runner", "pooling", where=f"{key}.role", reason=why)
    yield Model(
        name=choice.name,
        role=choice.role,
        serve_as=choice.serve_as or "",
        parameters=(),
        modelfile=None,
        key=key,
        bits=choice.hf_bits,
    )
    if choice.parameters.keys() - {"num_ctx"}:
        names = ", ".join(sorted(choice.parameters.keys() - {"num_ctx"}))
        message = f"vLLM has no Modelfile: {names} of `{choice.name}` are left out"
        fix = "have clients send them, or add generation_config.json to the repository"
        yield note("HW670", message, f"{key}.parameters", fix)
    service, box = case.profile.service, case.profile.container
    if case.facts.hub.is_gated(choice.hf) and not (service.environment_files or box.env_files):
        message = f"the hub gives `{choice.hf}` to nobody without a token"
        fix = "put HF_TOKEN into a file, and name it in service.environment_files"
        yield note("HW686", message, f"{key}.hf", fix)
    found = _QUANTISED.search(choice.hf)
    if found and choice.hf_bits == 16:  # noqa: PLR2004 -- of a weight
        bits = _BITS.get(found[1].lower(), 4)
        message = f"`{choice.hf}` is called {found[1]}, and its weights are counted at 16 bits"
        yield note("HW671", message, f"{key}.hf_bits", f"write hf_bits = {bits}")
