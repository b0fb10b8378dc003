"""OLLAMA_LLM_LIBRARY: keep the name where it works or does no harm, map a family, else leave out.

Since 0.12.4 a name without a directory means CPU only, and only a DEBUG line says so; before, it is
ignored (discover/runner.go@v0.32.15:100; llm/server.go@v0.12.3:243).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.plan import Setting

if TYPE_CHECKING:
    from generator.catalogue.hardware import GpuGeneration
    from generator.engines.ollama.draft import Draft
    from generator.host import Gpu
    from generator.plan import Source

NAME: Final = "OLLAMA_LLM_LIBRARY"
WHERE: Final = "ollama.llm_library"


def decide(draft: Draft) -> None:
    """Emit the library that the profile means, or say why there is none."""
    asked = draft.profile.ollama.llm_library
    if asked is None:
        _for_a_new_driver(draft)
        return
    variable = draft.facts.variable(NAME)
    there = (variable and variable.allowed(draft.profile.host.system)) or ()
    usable = _usable(draft, there)
    cards = draft.gpus
    # A card that is not known might be older than the newest library; guessing means CPU only.
    judged = bool(cards) and len(known_generations(draft, cards)) == len(cards)
    family = [n for n in usable if n.startswith(f"{asked}_") and (judged or asked != "cuda")]
    if draft.acceleration == "cpu":
        _for_cpu(draft, asked, named=asked in there)
    elif asked in usable:
        _emit(draft, asked, "Only this compute library is used.")
    elif family:
        _of_family(draft, asked, family[-1])
    else:
        _none(draft, asked)


def known_generations(draft: Draft, gpus: tuple[Gpu, ...]) -> list[GpuGeneration]:
    """Return what the Catalogue knows of the cards, in their order."""
    found = (draft.facts.generation(g.compute_capability) for g in gpus if g.compute_capability)
    return [generation for generation in found if generation is not None]


def _usable(draft: Draft, there: tuple[str, ...]) -> list[str]:
    """Return the libraries of the release that hold kernels for every card, oldest first."""
    cards = known_generations(draft, draft.gpus)
    system = draft.profile.host.system
    served = [set(card.cuda_libraries(system)) for card in cards]
    return [
        name
        for name in there
        if not name.startswith("cuda_") or all(name in libraries for libraries in served)
    ]


def _for_a_new_driver(draft: Draft) -> None:
    """Name the library in the release that would choose one without kernels for the card."""
    variable = draft.facts.variable(NAME)
    if draft.acceleration != "cuda" or variable is None or not _misjudges(draft):
        return
    there = variable.allowed(draft.profile.host.system) or ()
    usable = [name for name in _usable(draft, there) if name.startswith("cuda_v")]
    if usable and "cuda_v13" not in usable:
        reason = "With a CUDA 13 driver this release would take cuda_v13, which these cards cannot."
        _emit(draft, usable[-1], reason, source="derived")


def _misjudges(draft: Draft) -> bool:
    cards = draft.gpus
    return bool(known_generations(draft, cards)) and draft.facts.behaves(
        "newest-cuda-for-a-new-driver"
    )


def _for_cpu(draft: Draft, asked: str, *, named: bool) -> None:
    if named:
        _emit(draft, asked, "Only this compute library is used.")
        return
    fact = draft.facts.behaviour("llm-library-without-cpu")
    strict = draft.facts.behaves("llm-library-strict")
    effect = "an unknown name means CPU only, which this host wants" if strict else "it is ignored"
    told = (
        f"no library bears the name `{asked}` since {fact.since}; in {draft.facts.release} {effect}"
    )
    draft.note("HW105", told, WHERE, link=fact.source)
    _emit(draft, asked, f"{told[0].upper()}{told[1:]}.")


def _of_family(draft: Draft, asked: str, member: str) -> None:
    told = (
        f"`{asked}` alone names no library of {draft.facts.release}; `{member}` serves these GPUs"
    )
    hint = "" if _misjudges(draft) else "leave `llm_library` out: the server finds it by itself"
    draft.note("HW105", told, WHERE, fix=hint)
    _emit(draft, member, f"The library that serves these GPUs; `{asked}` alone names none.")


def _none(draft: Draft, asked: str) -> None:
    strict = draft.facts.behaves("llm-library-strict")
    effect = "would compute on the CPU" if strict else "would ignore it"
    told = f"`{asked}` names no library for these GPUs, and Ollama {draft.facts.release} {effect}"
    draft.omit(
        f"{NAME}={asked}", f"It names no library for these GPUs; the server {effect}.", WHERE, "gpu"
    )
    draft.note("HW106", f"{told}; left out", WHERE, fix="leave `llm_library` out")


def _emit(draft: Draft, name: str, reason: str, *, source: Source = "profile") -> None:
    setting = Setting(name=NAME, value=name, reason=reason, source=source, group="gpu", key=WHERE)
    draft.emit(setting)
