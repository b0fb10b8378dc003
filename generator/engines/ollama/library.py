"""OLLAMA_LLM_LIBRARY: keep the name where it works or does no harm, map a family, else leave out.

Since 0.12.4 a name without a directory means CPU only, and only a DEBUG line says so; before, it is
ignored (discover/runner.go@v0.32.15:100; llm/server.go@v0.12.3:243).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import note, omission
from generator.plan import Setting

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.plan import Source

NAME: Final = "OLLAMA_LLM_LIBRARY"
WHERE: Final = "ollama.llm_library"


def decide(case: Case) -> Decisions:
    """Emit the library that the profile means, or say why there is none."""
    asked = case.profile.ollama.llm_library
    if asked is None:
        yield from _for_a_new_driver(case)
        return
    usable = _usable(case)
    cards = case.gpus
    # A card that is not known might be older than the newest library; guessing means CPU only.
    judged = bool(cards) and len(case.facts.generations(cards)) == len(cards)
    family = [n for n in usable if n.startswith(f"{asked}_") and (judged or asked != "cuda")]
    if case.acceleration == "cpu":
        yield from _for_cpu(case, asked, named=asked in _libraries(case))
    elif asked in usable:
        yield from _emit(asked, "Only this compute library is used.")
    elif family:
        yield from _of_family(case, asked, family[-1])
    else:
        yield from _none(case, asked)


def _libraries(case: Case) -> tuple[str, ...]:
    """Return the libraries of the release, oldest first."""
    variable = case.facts.variable(NAME)
    return (variable and variable.allowed(case.host.system)) or ()


def _usable(case: Case) -> list[str]:
    """Return those that hold kernels for every card."""
    cards = case.facts.generations(case.gpus)
    served = [set(card.cuda_libraries(case.host.system)) for card in cards]
    return [
        name
        for name in _libraries(case)
        if not name.startswith("cuda_") or all(name in libraries for libraries in served)
    ]


def _for_a_new_driver(case: Case) -> Decisions:
    """Name the library in the release that would choose one without kernels for the card."""
    if case.acceleration != "cuda" or not _misjudges(case):
        return
    usable = [name for name in _usable(case) if name.startswith("cuda_v")]
    if usable and "cuda_v13" not in usable:
        reason = "With a CUDA 13 driver this release would take cuda_v13, which these cards cannot."
        yield from _emit(usable[-1], reason, source="derived")


def _misjudges(case: Case) -> bool:
    cards = case.gpus
    return bool(case.facts.generations(cards)) and case.facts.behaves(
        "newest-cuda-for-a-new-driver"
    )


def _for_cpu(case: Case, asked: str, *, named: bool) -> Decisions:
    if named:
        yield from _emit(asked, "Only this compute library is used.")
        return
    fact = case.facts.behaviours["llm-library-without-cpu"]
    strict = case.facts.behaves("llm-library-strict")
    effect = "an unknown name means CPU only, which this host wants" if strict else "it is ignored"
    message = (
        f"no library bears the name `{asked}` since {fact.since}; in {case.facts.release} {effect}"
    )
    yield note("HW105", message, WHERE, link=fact.source)
    yield from _emit(asked, f"{message[0].upper()}{message[1:]}.")


def _of_family(case: Case, asked: str, member: str) -> Decisions:
    message = (
        f"`{asked}` alone names no library of {case.facts.release}; `{member}` serves these GPUs"
    )
    hint = "" if _misjudges(case) else "leave `llm_library` out: the server finds it by itself"
    yield note("HW105", message, WHERE, fix=hint)
    reason = f"The library that serves these GPUs; `{asked}` alone names none."
    yield from _emit(member, reason)


def _none(case: Case, asked: str) -> Decisions:
    strict = case.facts.behaves("llm-library-strict")
    effect = "would compute on the CPU" if strict else "would ignore it"
    message = f"`{asked}` names no library for these GPUs, and Ollama {case.facts.release} {effect}"
    yield omission(
        f"{NAME}={asked}", f"It names no library for these GPUs; the server {effect}.", WHERE, "gpu"
    )
    yield note("HW106", f"{message}; left out", WHERE, fix="leave `llm_library` out")


def _emit(name: str, reason: str, *, source: Source = "profile") -> Decisions:
    yield Setting(name=NAME, value=name, reason=reason, source=source, group="gpu", key=WHERE)
