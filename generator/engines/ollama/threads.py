"""Compute threads: the lever that the release obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.plan import Setting

if TYPE_CHECKING:
    from generator.engines.ollama.draft import Draft

WHERE: Final = "threads.count"
# What the runtimes of custom builds read. The official Linux builds link none of them.
LIBRARIES: Final = {
    "OMP_NUM_THREADS": "OpenMP",
    "MKL_NUM_THREADS": "Intel MKL",
    "OPENBLAS_NUM_THREADS": "OpenBLAS",
    "VECLIB_MAXIMUM_THREADS": "Apple's vecLib",
}


def decide(draft: Draft) -> None:
    """Emit the thread count by the lever that works, and for the libraries of custom builds."""
    count, reason, source = draft.case.threads
    if not count:
        return
    dead = draft.emit_legacy(WHERE, str(count))
    if draft.reads("LLAMA_ARG_THREADS"):
        draft.set(
            "LLAMA_ARG_THREADS",
            str(count),
            where=WHERE,
            reason=reason,
            group="threads",
            source=source,
            replaces=dead,
        )
    elif source == "derived" and not draft.profile.models and count == draft.host.cores:
        told = "Only a model carries it in this release; the server's own number is the same."
        draft.omit(f"num_thread {count}", told, WHERE, "threads")
    else:
        draft.all_models("num_thread", str(count), WHERE, reason, dead)
    for name, library in LIBRARIES.items():
        draft.emit(
            Setting(
                name=name,
                value=str(count),
                reason=f"For builds that link {library}; official Linux builds do not.",
                source=source,
                group="threads",
                key=WHERE,
            )
        )
