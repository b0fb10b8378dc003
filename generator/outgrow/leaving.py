"""What a profile loses where another engine takes the place of Ollama."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from generator.advise.standing import Standing
    from generator.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that does not move along: what, why, and what to do; `models` it is about."""

    what: str
    why: str
    fix: str
    models: tuple[str, ...] = ()


def losses(plan: Plan, standing: Standing, written: Mapping[str, Any]) -> tuple[Loss, ...]:
    """Return what leaving costs a profile; `written` is it as data."""
    return tuple(_losses(plan, standing, written))


def _losses(plan: Plan, standing: Standing, written: Mapping[str, Any]) -> Iterator[Loss]:
    models = tuple(model for service in plan.services for model in service.models)
    told = {one.get("name"): one.get("hf") for one in written.get("models", ())}
    if nameless := tuple(model.name for model in models if not told.get(model.name)):
        yield Loss(
            what="models without a repository of Hugging Face",
            why="a tag of Ollama is a GGUF file; vLLM loads safetensors, and nobody can tell which "
            "repository has the same weights",
            fix='name it: hf = "org/name" of [[models]]',
            models=nameless,
        )
    kinds = {fit.shape.name: fit.shape.quantisation for fit in standing.fits}
    if packed := tuple(f"{name} ({kind})" for name, kind in kinds.items() if _of_gguf(kind)):
        yield Loss(
            what="quantisations of GGUF",
            why="vLLM reads them experimentally and slowly; weights of 16 bit take about three "
            "times the memory of Q4_K_M",
            fix="choose a repository with FP8, AWQ or GPTQ weights, and say its hf_bits",
            models=packed,
        )
    if tuned := tuple(model.name for model in models if model.parameters):
        yield Loss(
            what="parameters of a Modelfile",
            why="there is none: sampling is each request's own, and the context the server's",
            fix="have clients send temperature and the like",
            models=tuned,
        )
    if len(models) > 1:
        yield Loss(
            what="several models on one server, loaded when asked for",
            why="vLLM serves one model for each process and holds its share of a card for good; "
            "nothing is unloaded after keep_alive",
            fix="one server for each, with its own share of a card, and a router",
            models=tuple(model.name for model in models[1:]),
        )
    if embedding := tuple(model.name for model in models if model.role == "embedding"):
        yield Loss(
            what="embeddings beside answers",
            why="a server of vLLM either generates or pools",
            fix="a server of its own for them, or leave them on Ollama",
            models=embedding,
        )
    yield Loss(
        what="/api/*",
        why="pull, create, show, ps and generate are Ollama's; /v1 stays",
        fix="have clients ask /v1, as gen clients writes it",
    )
    yield Loss(
        what="calls of tools",
        why="Ollama reads them from the template of the model; vLLM needs to be told a parser",
        fix="vllm.tool_parser, like llama3_json or hermes",
    )


def _of_gguf(kind: str) -> bool:
    return kind.upper() not in {"F16", "BF16", "F32"}
