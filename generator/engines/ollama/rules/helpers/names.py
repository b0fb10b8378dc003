"""What is wrong with the name of a variable, in one release: the one judgement of HW101-HW104."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from difflib import SequenceMatcher, get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable


# Names under these are Ollama's or llama-server's alone, so that an unknown one is a mistake.
_OURS: Final = ("OLLAMA_", "LLAMA_ARG_")
_NEAR: Final = 0.85
# Elsewhere only what can hardly be anything else counts: other programs read variables, too.
_VERY_NEAR: Final = 0.93
_JUDGED_ELSEWHERE: Final = frozenset({"OLLAMA_GPU_OVERHEAD"})  # HW114
# The last part of a name has to be near as well: the prefix alone makes short names look alike.
_NEAR_BEHIND: Final = 0.7
_PAIRS_SHARED: Final = 0.3
OFF: Final = frozenset({"false", "no", "off"})
_ON: Final = re.compile(r"=-?1\b|^POST |LOAD_MODE=")
_ONE_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:=\S+)?")
_NUMBERED: Final = re.compile(r"_\d+")


@dataclass(frozen=True, slots=True)
class NameFault:
    """Why a name is not read: the rule that says so, what is the matter, and what to use.

    `rename` is the variable that takes the same value, `intent` the profile key that means it;
    `near` is the name, read by nothing either, that it looks like.
    """

    rule: str
    what: str
    use: str = ""
    link: str = ""
    rename: str = ""
    intent: str = ""
    near: str = ""

    def fix(self, value: str = "") -> str:
        """Return what to do; `value` stands in for the `N` of a replacement."""
        use = self.use
        if use.startswith("nothing"):
            return f"remove it{use.removeprefix('nothing')}"
        if value.removeprefix("-").isdecimal():
            use = re.sub(r"\bN\b", value, use)
        if not self.rename and (value.lower() in OFF or (value == "0" and _ON.search(self.use))):
            use = ""
        if self.rule == "HW104":
            if use and not _ONE_NAME.fullmatch(use):
                return f"remove it; if you meant `{self.near}`, use {use}"
            return f"did you mean `{use}`?" if use else "remove it"
        return f"use {use}" if use else "remove it"


@functools.lru_cache(maxsize=4096)
def name_fault(name: str, facts: Facts) -> NameFault | None:
    """Return what is wrong with setting `name`; None: nothing, or nobody knows."""
    dead = facts.dead_names.get(name)
    if dead is not None:
        what = "no release reads it"
        return NameFault("HW101", what, dead.replacement, dead.source, dead.renamed, dead.intent)
    variable = facts.variable(name)
    if variable is not None:
        return _lapsed(variable)
    if facts.runner_reads(name):
        return None
    return _of_another_runner(name, facts) or _misspelt(name, facts)


@functools.lru_cache(maxsize=4096)
def bare_fault(name: str, facts: Facts) -> NameFault | None:
    """Return what is wrong with a name that lacks the prefix, in a server's own environment."""
    full = f"{_OURS[0]}{name}"
    if name not in _BARE:
        return None
    dead = facts.dead_names.get(full)
    variable = facts.variable(full)
    if variable is not None and variable.known:
        return NameFault("HW104", "is no variable of Ollama", full, variable.source, full)
    use = dead.replacement if dead else ""
    return NameFault("HW104", "is no variable of Ollama", use, near=full if dead else "")


_BARE: Final = frozenset(
    {
        *("NUM_PARALLEL", "MAX_LOADED_MODELS", "MAX_QUEUE", "KEEP_ALIVE", "FLASH_ATTENTION"),
        *("KV_CACHE_TYPE", "CONTEXT_LENGTH", "SCHED_SPREAD", "GPU_OVERHEAD", "LOAD_TIMEOUT"),
        *("NUM_THREAD", "NUM_THREADS", "NUM_GPU", "NUM_CTX", "NUM_BATCH", "GPU_LAYERS"),
        *("NUM_GPU_LAYERS", "LLM_LIBRARY"),
    }
)
"""What nobody else reads beside a server of the official image."""


def _lapsed(variable: Variable) -> NameFault | None:
    if variable.gone:
        rule, what = "HW102", f"was removed in {variable.removed}"
    elif not variable.known:
        rule, what = "HW103", f"is read since {variable.since}"
    elif variable.lapsed and variable.name not in _JUDGED_ELSEWHERE:
        rule, what = "HW102", f"has no effect since {variable.effective_until}"
    else:
        return None
    return NameFault(rule, what, variable.replacement, variable.source, variable.renamed)


def _of_another_runner(name: str, facts: Facts) -> NameFault | None:
    """Tell of a name without an entry that llama-server reads in other releases."""
    if facts.start_of_era.runner_reads(name):
        return NameFault("HW102", "is not read by its llama-server any more")
    if not facts.newest.runner_reads(name):
        return None
    runs = facts.era == facts.newest.era
    what = "is not read by its llama-server yet" if runs else "is for llama-server"
    return NameFault("HW103", what)


_ANOTHER: Final = re.compile(r"[A-NP-Z][A-Z]*OLLAMA_")
"""How variables of programs begin whose name ends like that of Ollama."""


def _misspelt(name: str, facts: Facts) -> NameFault | None:
    readable = facts.harmless
    if not name.startswith(_OURS):
        if _ANOTHER.match(name):
            return None
        meant = _closest(name, _family(name, readable), _VERY_NEAR)
        # The ROCm runtime reads HSA_OVERRIDE_GFX_VERSION_1 for the second card, and so on.
        if not meant or _NUMBERED.fullmatch(name.removeprefix(meant)):
            return None
        return _typo(name, f"looks like a misspelt `{meant}`", meant)
    what = "is no variable of Ollama"
    meant = _closest(name, (*_family(name, readable), *facts.dead_names), _NEAR)
    dead = name_fault(meant, facts) if meant in facts.dead_names else None
    if dead is not None:
        return replace(dead, rule="HW104", what=what, rename="", near=meant)
    return _typo(name, what, meant)


def _typo(name: str, what: str, meant: str) -> NameFault:
    certain = meant and _closest(name, (meant,), _VERY_NEAR)
    return NameFault("HW104", what, meant, rename=certain or "")


def _family(name: str, readable: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that this one may stand for: those of its prefix, or Ollama's.

    Short names without a prefix, like TMPDIR, are too near to those of other programs.
    """
    prefix = name.partition("_")[0] + "_"
    return _named(prefix, readable) or _named("OLLAMA_", readable)


@functools.lru_cache(maxsize=64)
def _named(prefix: str, readable: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(other for other in readable if other.startswith(prefix))


def _closest(name: str, names: tuple[str, ...], cutoff: float) -> str:
    """Return the name that comes closest, in its part behind a prefix of ours as well."""
    head = next((prefix for prefix in _OURS if name.startswith(prefix)), "")
    behind = name.upper().removeprefix(head)
    pairs = _pairs(behind)
    # Comparing letter by letter is slow, and most names share hardly any pair of letters.
    near = [
        other
        for other, own in _paired(names, head)
        if 2 * len(pairs & own) >= _PAIRS_SHARED * (len(pairs) + len(own))
    ]
    for found in get_close_matches(name.upper(), near, n=3, cutoff=cutoff):
        if SequenceMatcher(None, behind, found.removeprefix(head)).ratio() >= _NEAR_BEHIND:
            return found
    return ""


def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(f" {text} ")))


@functools.lru_cache(maxsize=64)
def _paired(names: tuple[str, ...], head: str) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, _pairs(name.removeprefix(head))) for name in names)
