"""HW315, HW317 and HW329: GPUs that come back by another door, and targets without kernels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import cleaned, truthy
from generator.rules.helpers.gpus import indices
from generator.rules.helpers.variables import corrected, server_variables
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Variable, View

_VULKAN: Final = "OLLAMA_VULKAN"
_VISIBLE: Final = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_NONE: Final = frozenset({"-1", "none", "nodevfiles", "void"})
_CAPABLE: Final = frozenset({"all", "graphics"})


@Rule(
    id="HW315",
    title="hidden GPUs that come back through Vulkan",
    why="Since 0.30 the Vulkan backend is on by default, and it reads neither CUDA_VISIBLE_DEVICES "
    "nor ROCR_VISIBLE_DEVICES: a GPU that CUDA or ROCm may not see is found once more, and models "
    "are loaded onto it.",
    bad="Environment=CUDA_VISIBLE_DEVICES=-1",
    good='Environment="CUDA_VISIBLE_DEVICES=-1" "OLLAMA_VULKAN=0"',
    releases="0.30.0 and later",
    source="envconfig/config.go@v0.32.15:234; ollama#16592, ollama#16508",
)
def back_by_vulkan(view: View, facts: Facts) -> Hits:
    if not _looks_for_vulkan(view, facts):
        return
    for name in _VISIBLE:
        variable = view.variable(name)
        if variable is not None and (which := _hidden(view, variable)):
            yield Hit(
                message=f"{name} hides {which} from "
                f"{'CUDA' if name.startswith('CUDA') else 'ROCm'} alone: Ollama {view.release} "
                "finds what is hidden through Vulkan, and loads models onto it",
                place=variable.place,
                fix=f"add `{_VULKAN}=0`",
            )


def _looks_for_vulkan(view: View, facts: Facts) -> bool:
    """Return whether the server has the backend, and nothing keeps it from looking."""
    fact, asked = facts.variable(_VULKAN), view.variable(_VULKAN)
    word = cleaned(asked.value) if asked else ""
    if fact is None or fact.default not in {"true", "1"} or (word and not truthy(word)):
        return False
    if asked is None and not view.lacks(_VULKAN):
        return False
    library = view.variable("OLLAMA_LLM_LIBRARY")
    by_name = library is not None and cleaned(library.value) not in {"", "vulkan"}
    # Who names devices of Vulkan, or none, has decided; packages of nixpkgs have one backend each.
    decided = by_name or view.variable("GGML_VK_VISIBLE_DEVICES") or view.phrases.one_backend
    capable = view.variable("NVIDIA_DRIVER_CAPABILITIES")
    words = set(cleaned(capable.value).split(",")) if capable else set()
    return not decided and (view.container is None or bool(words & _CAPABLE))


def _hidden(view: View, variable: Variable) -> str:
    """Return which GPUs a list hides, as far as that is certain; empty: none."""
    word = cleaned(variable.value).lower()
    # An empty list hides them all, but for a shell of Windows (HW329); which one is set to it by a
    # reference that nobody tells, nobody knows.
    empty = not word and not variable.unresolved and not view.phrases.empty_is_none
    if word in _NONE or empty:
        return "the GPUs"
    numbers, cards = sorted(indices(cleaned(variable.value))), view.host.gpus
    # A number above those that are listed tells nothing, one below them is a GPU.
    missing = bool(numbers) and numbers != list(range(len(numbers)))
    listed = variable.value.count(",") + 1
    fewer = bool(cleaned(variable.value)) and 0 < listed < len(cards)
    return "the other GPUs" if missing or (fewer and not variable.unresolved) else ""


@Rule(
    id="HW329",
    severity="info",
    title="a variable with no value, where Windows takes it away",
    why="`set NAME=` of cmd deletes a variable, and so does `$env:NAME = ''` of PowerShell before "
    "7.5: the server finds none, and uses every GPU. Elsewhere an empty list hides them all.",
    bad="$env:CUDA_VISIBLE_DEVICES = ''",
    good="$env:CUDA_VISIBLE_DEVICES = '-1'",
    source="docs/gpu.mdx@v0.32.15, GPU Selection; learn.microsoft.com: about_Environment_Variables",
)
def taken_away(view: View, _: Facts) -> Hits:
    for variable in view.variables if view.phrases.empty_is_none else ():
        if variable.name in (*_VISIBLE, "GGML_VK_VISIBLE_DEVICES") and not variable.value:
            of_cmd = variable.place.file.lower().endswith((".bat", ".cmd"))
            unless = "" if of_cmd else ", unless PowerShell is of 7.5 or later"
            yield Hit(
                message=f"with no value there is no {variable.name}{unless}: it hides no GPU",
                place=variable.place,
                fix="write `-1` where the GPUs shall be hidden",
            )


_GFX: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)
_OVERRIDE: Final = re.compile(r"HSA_OVERRIDE_GFX_VERSION(?:_\d+)?")
# Families whose targets with kernels are the same in every release.
_STEADY: Final = frozenset({("10", "3"), ("11", "0")})


@Rule(
    id="HW317",
    title="a GFX version without kernels",
    why="The ROCm runtime takes the card for that target, and looks for kernels of it. Ollama "
    "ships them for a few targets alone, mostly the first of a family: without them the card is "
    "dropped, or the load fails with `invalid device function`.",
    bad="HSA_OVERRIDE_GFX_VERSION=10.3.1",
    good="HSA_OVERRIDE_GFX_VERSION=10.3.0",
    source="docs/gpu.mdx@v0.32.15, Overrides on Linux; llama/server/CMakePresets.json@v0.32.15:216",
)
def no_kernels(view: View, facts: Facts) -> Hits:
    targets = facts.rocm_targets
    for variable in server_variables(view):
        version = _GFX.fullmatch(cleaned(variable.value))
        if version is None or not _OVERRIDE.fullmatch(variable.name):
            continue
        major, minor, step = version.groups()
        target = f"gfx{major}{minor}{int(step):x}"
        steady = (major, minor) in _STEADY or facts.behaves("kv-type-load-error")
        if target in targets or not steady:
            continue
        first = f"{major}.{minor}.0" if f"gfx{major}{minor}0" in targets else ""
        message = f"Ollama ships no kernels for {target}, as which the card is taken"
        yield corrected(
            view,
            variable,
            message,
            first,
            "write the version of a target with kernels, like 10.3.0, 11.0.0 or 12.0.1",
            certain=False,
        )
