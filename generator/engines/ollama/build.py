"""A build of Ollama of one's own: its flags, and the variables that it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import plain
from generator.errors import Problem, Silence
from generator.plan import Build, BuildEdit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import BlasFact, Recipe
    from generator.engines.base import Case
    from generator.plan import Setting
    from generator.profiles.schema import BuildChoice

KEY: Final = "ollama.build"
READ: Final = Silence(rule="HW121", reason="this build reads it")
SINCE: Final = "builds-llama-server"
X86: Final = "x86_64-linux"


def decide(case: Case) -> tuple[Build | None, tuple[Problem, ...]]:
    """Return the build that the profile asks for, and what is wrong with it."""
    choice = case.profile.ollama.build
    if choice is None:
        return None, ()
    problems = tuple(_faults(case, choice))
    return (None if problems else _build(case.facts, choice)), problems


def _faults(case: Case, choice: BuildChoice) -> Iterator[Problem]:
    facts, system = case.facts, case.host.system
    if not facts.behaves(SINCE):
        since = facts.behaviours[SINCE].since
        message = f"Ollama {facts.release} is built in another way"
        yield Problem(KEY, message, f"take {since} or a later release, or leave `build` out")
    if not (choice.blas or choice.openmp or choice.march):
        hint = "write `blas`, `openmp` or `march`, or leave `build` out"
        yield Problem(KEY, "this is the official build", hint)
    if choice.blas and system not in facts.blas[choice.blas].systems:
        message = f"there is no {facts.blas[choice.blas].title} for {system}"
        yield Problem(f"{KEY}.blas", message, "write `openblas`")
    if choice.march and system != X86:
        message = f"it chooses among processors of {X86}, and the host is {system}"
        yield Problem(f"{KEY}.march", message, "leave `march` out")
    elif choice.march and choice.march not in facts.marches:
        message = f"`{choice.march}` is no processor of {X86} that is known here"
        if choice.march == "native":
            message = "`native` is the processor of whoever builds, which need not be the host's"
        yield Problem(f"{KEY}.march", message, f"one of {', '.join(facts.marches)}")


def _build(facts: Facts, choice: BuildChoice) -> Build:
    recipe, blas = facts.recipe, facts.blas[choice.blas] if choice.blas else None
    general = [f"GGML_OPENMP={'ON' if choice.openmp else 'OFF'}"]
    # By the plain interface, so that the library's own variables bound its threads: with OpenBLAS's
    # ggml would set them to those of the model.
    general += ["GGML_BLAS=ON", "GGML_BLAS_VENDOR=Generic"] if blas else []
    of_the_cpu = [*_march(facts, choice.march)] if choice.march else []
    words = (choice.blas, "openmp" if choice.openmp else "", choice.march)
    named = "-".join(word for word in words if word)
    return Build(
        blas=blas.nixpkgs if blas else "",
        packages=_packages(recipe, blas, openmp=choice.openmp),
        provides=blas.provides if blas else "",
        flags=(*general, *of_the_cpu),
        edits=tuple(
            BuildEdit(file=recipe.file, old=old, new=" ".join(f"-D{flag}" for flag in flags))
            for old, flags in ((recipe.general, general), (recipe.of_the_cpu, of_the_cpu))
            if flags and [old] != [f"-D{flag}" for flag in flags]
        ),
        reads=blas.reads if blas else (),
        image=f"localhost/hostwright/ollama:{facts.release}-{named}",
        sources=recipe.sources,
        tag=f"v{facts.release}",
        base=recipe.base,
        tools=recipe.tools,
        commands=recipe.commands,
        made=recipe.made,
        place=recipe.place,
        replaced=recipe.replaced,
        since=str(facts.behaviours[SINCE].since),
        reason=f"Built from source: {_told(blas, choice)}.",
    )


def _march(facts: Facts, name: str) -> Iterator[str]:
    """Yield the options for one processor alone, each on or off."""
    every = dict.fromkeys(option for one in facts.marches.values() for option in one.options)
    yield "GGML_CPU_ALL_VARIANTS=OFF"
    for option in every:
        yield f"GGML_{option}={'ON' if option in facts.marches[name].options else 'OFF'}"


def _packages(recipe: Recipe, blas: BlasFact | None, *, openmp: bool) -> tuple[str, ...]:
    library = (blas.apt_openmp if openmp else blas.apt,) if blas else ()
    return (*library, *((recipe.openmp,) if openmp else ()))


def _told(blas: BlasFact | None, choice: BuildChoice) -> str:
    parts = [
        blas.title if blas else "",
        "OpenMP" if choice.openmp else "",
        f"for {choice.march} alone" if choice.march else "",
    ]
    return ", ".join(part for part in parts if part)


def variables(case: Case, build: Build | None) -> Iterator[Setting]:
    """Yield the bounds of the library's threads, as many as the model's."""
    choice = case.profile.ollama.build
    if build is None or choice is None or choice.blas is None or not case.threads.number:
        return
    reason = f"Threads of {case.facts.blas[choice.blas].title}, which this build links."
    for name in build.reads:
        setting = plain(name, str(case.threads.number), reason, "threads.count", "derived")
        yield replace(setting, silences=(READ,))
