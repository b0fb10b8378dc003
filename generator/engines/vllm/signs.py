"""How vLLM is recognised: by its image, and by what starts its server.

Readers look for it in the files that start servers, and for none of its variables or clients.
"""

from __future__ import annotations

from typing import Final

from generator.engines.signs import Operated, Signs

_NONE: Final = r"(?!)"
MODULE: Final = "vllm.entrypoints.openai.api_server"
SIGNS: Final = Signs(
    name="vllm",
    command=("vllm", "serve"),
    module=MODULE,
    images=frozenset({"vllm-openai", "vllm-openai-cpu", "vllm-openai-rocm"}),
    kinds=frozenset(
        {
            *("compose", "dockerfile", "document", "helm", "kubernetes", "quadlet"),
            *("script", "steps", "systemd"),
        }
    ),
    # config/llmisvcconfig/config-llm-template.yaml of kserve v0.20.0.
    operated=Operated(
        kind="LLMInferenceService",
        container="main",
        more="VLLM_ADDITIONAL_ARGS",
        options=(("parallelism.tensor", "--tensor-parallel-size"),),
    ),
    prefixes=("VLLM_", "HF_"),
    address="--host",
    mentioned=r"\bvllm-openai\b|\bvllm[\"',\s]+serve\b|\bvllm\.entrypoints\.openai\.api_server\b"
    r"|\bvllm\.(?:container|service)\b|\bLLMInferenceService\b"
    r"|\bscaleTargetRef[\"']?:(?:[^\n]{0,200}\n){0,3}?[^\n]{0,200}\bname"
    r"[\"']?:[ \t]*[\"']?[\w-]{0,200}vllm",
    asks=_NONE,
    client=_NONE,
    api_call=_NONE,
    builds=r"vllm-openai(?:-cpu|-rocm)?",
    verbs=frozenset(),
    valued=frozenset(),
    chart_keys=frozenset(),
    nixos_variables={},
    nixos_overwritten=frozenset(),
    nixos_address=("127.0.0.1", 8000),
)
