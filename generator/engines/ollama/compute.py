"""What computes: which GPUs, by what library and how many layers, and threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import (
    commented,
    legacy,
    lever,
    note,
    omission,
    plain,
    reads,
    setting,
)
from generator.engines.ollama.variables import text
from generator.errors import Problem
from generator.plan import CACHES
from generator.units import MIB

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.plan import Devices, Source

LIBRARY: Final = "OLLAMA_LLM_LIBRARY"
LIBRARY_KEY: Final = "ollama.llm_library"
VISIBLE: Final = {
    "nvidia": "CUDA_VISIBLE_DEVICES",
    "amd": "ROCR_VISIBLE_DEVICES",
    "dri": "GGML_VK_VISIBLE_DEVICES",
}

CACHE: Final = "CUDA_CACHE_PATH"
CACHE_PATH: Final = f"{CACHES}ollama"
THREADS: Final = "threads.count"
# What the runtimes of custom builds read. The official builds for Linux link none of them.
RUNTIMES: Final = {
    "OMP_NUM_THREADS": "OpenMP",
    "MKL_NUM_THREADS": "Intel MKL",
    "OPENBLAS_NUM_THREADS": "OpenBLAS",
}
VECLIB: Final = "VECLIB_MAXIMUM_THREADS"

SERVES: Final = {
    "cuda": {"nvidia"},
    "rocm": {"amd"},
    "vulkan": {"nvidia", "amd", "intel"},
}
"""Whose cards a library computes on."""


def gpus(case: Case) -> Decisions:
    """Emit the GPU variables."""
    devices = case.devices
    if devices is None:
        yield from _no_gpu(case)
    else:
        yield from legacy(case, "ollama.acceleration", "0")
        yield from _visible_devices(case, devices)
    yield from _unserved(case)
    yield from _cache(case)
    yield from _library(case)
    yield from _vulkan(case)
    yield from _integrated(case)
    yield from _spread(case)
    yield from _layers(case)
    yield from _overhead(case)


def _cache(case: Case) -> Decisions:
    if case.compiles and CACHE not in case.profile.ollama.env:
        reason = "The driver compiles the kernels for this GPU, and keeps them here for next time."
        where = "ollama.acceleration"
        yield from setting(case, CACHE, CACHE_PATH, where=where, reason=reason, source="derived")


def _no_gpu(case: Case) -> Decisions:
    """Hide GPUs that are there from a server that shall compute on the CPU."""
    where, reason = "ollama.acceleration", "Computes on the CPU although the host has a GPU."
    if case.profile.host.gpus:
        yield from legacy(case, where, "1")
        reason = commented(reason, case.facts.legacy_names(where))
        name = "CUDA_VISIBLE_DEVICES"
        yield from setting(case, name, "-1", where=where, reason=reason, source="derived")
        yield from _no_vulkan(case, where)
    for key in ("visible_devices", "device_order", "layers"):
        if getattr(case.profile.gpu, key):
            hint = "set ollama.acceleration, or remove it"
            yield Problem(f"gpu.{key}", "means nothing without acceleration", hint)


def _unserved(case: Case) -> Decisions:
    """Refuse cards that nothing in the release computes on, or not what the profile asks for."""
    cards, asked = case.host.gpus, case.profile.ollama.acceleration
    # On macOS Metal computes, which nothing here is written for; `gen fit` still tells what fits.
    if asked == "cpu" or not cards or {"", "apple"} & {gpu.vendor for gpu in cards}:
        return
    able = {case.facts.library(gpu.vendor, gpu.target) for gpu in cards} - {""}
    names = ", ".join(dict.fromkeys(gpu.name for gpu in cards))
    if not able:
        message = f"nothing in Ollama {case.facts.release} computes on {names}"
        hint = 'set ollama.acceleration = "cpu", or leave the card out of host.gpus'
        yield Problem("host.gpus", message, hint)
    elif asked and SERVES[asked].isdisjoint(gpu.vendor for gpu in cards):
        hint = f"write `{min(able)}`, or leave it out"
        yield Problem("ollama.acceleration", f"`{asked}` does not compute on {names}", hint)


def _visible_devices(case: Case, devices: Devices) -> Decisions:
    choice = case.profile.gpu
    if choice.visible_devices:
        yield from setting(
            case,
            VISIBLE[devices.vendor],
            ",".join(choice.visible_devices),
            where="gpu.visible_devices",
            reason="Only these GPUs, in this order.",
            scope="host" if devices.vendor == "nvidia" else "any",
        )
        if devices.vendor != "dri" and len(choice.visible_devices) < len(case.host.gpus):
            yield from _no_vulkan(case, "gpu.visible_devices")
    if devices.vendor != "nvidia":
        return
    by_index = any(index.isdecimal() for index in choice.visible_devices)
    order = choice.device_order or ("PCI_BUS_ID" if by_index else None)
    if order:
        how = "as nvidia-smi does" if order == "PCI_BUS_ID" else "by speed"
        yield from setting(
            case,
            "CUDA_DEVICE_ORDER",
            order,
            where="gpu.device_order",
            reason=f"Indices count {how}; read by the CUDA driver, not by Ollama.",
            source="profile" if choice.device_order else "derived",
        )


def _no_vulkan(case: Case, where: str) -> Decisions:
    """Keep hidden GPUs hidden: since 0.30 what CUDA or ROCm may not see Vulkan finds once more."""
    name = "OLLAMA_VULKAN"
    variable = case.facts.variable(name)
    on = variable is not None and variable.known and variable.default in {"true", "1"}
    if on and name not in case.profile.ollama.env:
        reason = "Otherwise the Vulkan backend finds the GPUs that are hidden."
        yield from setting(case, name, "0", where=where, reason=reason, source="derived")


def _library(case: Case) -> Decisions:
    """Emit the library that the profile means, or say why there is none.

    A name that works or does no harm is kept, a family mapped to one of it, others are left out.
    Since 0.12.4 a name without a directory means CPU only, and only a DEBUG line says so; before,
    it is ignored (discover/runner.go@v0.32.15:100; llm/server.go@v0.12.3:243).
    """
    asked = case.profile.ollama.llm_library
    if asked is None:
        yield from _for_a_new_driver(case)
        return
    usable, cards = _usable(case), case.gpus
    # A card that is not known might be older than the newest library; guessing means CPU only.
    judged = bool(cards) and len(case.facts.generations(cards)) == len(cards)
    family = [n for n in usable if n.startswith(f"{asked}_") and (judged or asked != "cuda")]
    if asked in (_libraries(case) if case.acceleration == "cpu" else usable):
        yield from _emit(asked, "Only this compute library is used.")
    elif case.acceleration == "cpu":
        yield from _for_cpu(case, asked)
    elif family:
        yield from _of_family(case, asked, family[-1])
    else:
        yield from _none(case, asked)


def _libraries(case: Case) -> tuple[str, ...]:
    """Return the libraries of the release, oldest first."""
    variable = case.facts.variable(LIBRARY)
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
    known = bool(case.facts.generations(case.gpus))
    return known and case.facts.behaves("newest-cuda-for-a-new-driver")


def _for_cpu(case: Case, asked: str) -> Decisions:
    fact = case.facts.behaviours["llm-library-without-cpu"]
    strict = case.facts.behaves("llm-library-strict")
    effect = "an unknown name means CPU only, which this host wants" if strict else "it is ignored"
    message = (
        f"no library bears the name `{asked}` since {fact.since}; in {case.facts.release} {effect}"
    )
    yield note("HW105", message, LIBRARY_KEY, link=fact.source)
    yield from _emit(asked, f"{message[0].upper()}{message[1:]}.")


def _of_family(case: Case, asked: str, member: str) -> Decisions:
    message = (
        f"`{asked}` alone names no library of {case.facts.release}; `{member}` serves these GPUs"
    )
    hint = "" if _misjudges(case) else "leave `llm_library` out: the server finds it by itself"
    yield note("HW105", message, LIBRARY_KEY, fix=hint)
    reason = f"The library that serves these GPUs; `{asked}` alone names none."
    yield from _emit(member, reason)


def _none(case: Case, asked: str) -> Decisions:
    strict = case.facts.behaves("llm-library-strict")
    effect = "would compute on the CPU" if strict else "would ignore it"
    message = f"`{asked}` names no library for these GPUs, and Ollama {case.facts.release} {effect}"
    reason = f"It names no library for these GPUs; the server {effect}."
    yield omission(f"{LIBRARY}={asked}", reason, LIBRARY_KEY)
    yield note("HW106", f"{message}; left out", LIBRARY_KEY, fix="leave `llm_library` out")


def _emit(name: str, reason: str, *, source: Source = "profile") -> Decisions:
    yield plain(LIBRARY, name, reason, LIBRARY_KEY, source)


def _vulkan(case: Case) -> Decisions:
    variable = case.facts.variable("OLLAMA_VULKAN")
    if case.acceleration != "vulkan" or variable is None or variable.default in {"true", "1"}:
        return
    where, reason = "ollama.acceleration", "The Vulkan backend is off by default in this release."
    yield from setting(case, variable.name, "1", where=where, reason=reason, source="derived")


def _integrated(case: Case) -> Decisions:
    """Admit an integrated GPU that the release would drop, where no other computes."""
    gpus = case.gpus if case.acceleration in {"rocm", "vulkan"} else ()
    if not all(gpu.unified for gpu in gpus):
        return
    if all(case.facts.admits_integrated(case.acceleration, gpu.target) for gpu in gpus):
        return
    reason = "The server drops integrated GPUs unless it is told to take them."
    where, name = "ollama.acceleration", "OLLAMA_IGPU_ENABLE"
    yield from setting(case, name, "1", where=where, reason=reason, source="derived")


def _spread(case: Case) -> Decisions:
    spread = case.profile.ollama.sched_spread
    if spread is None:
        return
    reason = "Models are packed on as few GPUs as hold them."
    if spread:
        reason = "Every model on all GPUs, even one that a single GPU could hold."
    name, where = "OLLAMA_SCHED_SPREAD", "ollama.sched_spread"
    yield from setting(case, name, text(spread), where=where, reason=reason)


def _layers(case: Case) -> Decisions:
    layers = case.profile.gpu.layers
    if layers is None or case.acceleration == "cpu":
        return
    yield from legacy(case, "gpu.layers", "999" if layers == "fit" else str(layers))
    if layers == "fit":
        yield from _layers_that_fit(case)
        return
    name = "LLAMA_ARG_N_GPU_LAYERS"
    reason = "Layers on the GPU; a fixed number turns the automatic fit off."
    yield from lever(case, name, "num_gpu", str(layers), where="gpu.layers", reason=reason)


def _layers_that_fit(case: Case) -> Decisions:
    dead = case.facts.legacy_names("gpu.layers")
    by_itself = "as many layers as fit is what the server does by itself"
    if not case.legacy_env:
        reason = f"Read by no release; {by_itself}, and a forced number turns that off."
        yield omission(" or ".join(f"{name}=999" for name in dead), reason, "gpu.layers")
    yield note("HW105", f"nothing is set: {by_itself}", "gpu.layers")


def _overhead(case: Case) -> Decisions:
    """Leave memory free on each GPU: bytes before 0.30, whole MiB for the fit since."""
    overhead = case.profile.ollama.gpu_overhead
    if overhead is None:
        return
    name, amount, unit = "OLLAMA_GPU_OVERHEAD", overhead, "in bytes."
    if not reads(case, name):
        unit = f"in MiB; {name} has no effect since 0.30."
        name, amount = "LLAMA_ARG_FIT_TARGET", -(-overhead // MIB)
    reason = f"Memory left free on every GPU, {unit}"
    yield from setting(case, name, str(amount), where="ollama.gpu_overhead", reason=reason)


def threads(case: Case) -> Decisions:
    """Emit the thread count by the lever that works, and for the libraries of custom builds."""
    (count, reason, source), variable = case.threads, "LLAMA_ARG_THREADS"
    if not count:
        return
    yield from legacy(case, THREADS, str(count))
    if case.legacy_env:
        apple = "Read by builds that link Apple's vecLib, and none for Linux does."
        yield plain(VECLIB, str(count), apple, THREADS, "legacy")
    # Only a model carries it in such a release, and the server's own number is the same.
    needless = source == "derived" and not case.profile.models and count == case.host.cores
    if not needless or reads(case, variable):
        yield from lever(
            case, variable, "num_thread", str(count), where=THREADS, reason=reason, source=source
        )
    choice = case.profile.ollama.build
    linked = choice is not None and choice.blas is not None
    for name, library in RUNTIMES.items() if source == "profile" and not linked else ():
        reason = f"For builds that link {library}; official Linux builds do not."
        yield plain(name, str(count), reason, THREADS, source)
