"""`ollama.env`: variables without a key of their own, emitted as written and judged."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from generator.plan import Setting
from generator.resolve.spelling import PLAIN_KV, TYPED_ELSEWHERE

if TYPE_CHECKING:
    from generator.facts import Variable
    from generator.resolve.draft import Draft


def decide(draft: Draft) -> None:
    """Emit them; refuse those with a key of their own and those that stop every load."""
    for name, value in draft.profile.ollama.env.items():
        _verbatim(draft, name, value)


def _verbatim(draft: Draft, name: str, value: str) -> None:
    where = f"ollama.env.{name}"
    if name in TYPED_ELSEWHERE:
        told = f"`{name}` has a key of its own"
        draft.problem(where, told, f"write {TYPED_ELSEWHERE[name]}")
    elif fault := _breaks_loads(draft, name, value):
        draft.problem(where, f"{fault}, and no model would load", "mend or remove it")
    else:
        reason = _verbatim_reason(draft, name)
        draft.emit(
            Setting(name=name, value=value, reason=reason, source="profile", group="environment")
        )


def _breaks_loads(draft: Draft, name: str, value: str) -> str:
    """Return why llama-server would exit on this value: it parses each before it starts."""
    variable = draft.catalogue.variable(name)
    read = variable is not None and variable.known_in(draft.known)
    if not read and not draft.catalogue.runner_reads(name, draft.known):
        return ""
    if not value.strip() and name.startswith("LLAMA_ARG_"):
        return "is empty: llama-server exits on it"
    if variable is None or variable.on_invalid != "load-fail":
        return ""
    if variable.dangerous:
        return f"breaks every model ({variable.effect.rstrip('.')})"
    return _malformed(draft, variable, value)


def _malformed(draft: Draft, variable: Variable, value: str) -> str:
    allowed = variable.allowed_in(draft.known, draft.profile.host.system)
    if allowed is not None and value not in allowed:
        return f"`{value}` is not one of {', '.join(allowed)}: llama-server exits on it"
    if variable.kind in {"int", "uint"} and not _is_int32(value):
        return f"`{value}` is not a whole number: llama-server exits on it"
    flash_attention = draft.profile.ollama.flash_attention
    if variable.name in _KV_ARGUMENTS and value not in PLAIN_KV and flash_attention is False:
        return f"`{value}` needs flash attention, which this profile turns off"
    return ""


_KV_ARGUMENTS: Final = ("LLAMA_ARG_CACHE_TYPE_K", "LLAMA_ARG_CACHE_TYPE_V")


def _is_int32(value: str) -> bool:
    try:
        return abs(int(value)) < 2**31
    except ValueError:
        return False


def _verbatim_reason(draft: Draft, name: str) -> str:
    """Return the comment of a variable that is emitted as written, and note what is wrong."""
    variable, dead = draft.catalogue.variable(name), draft.catalogue.dead(name)
    where = f"ollama.env.{name}"
    if dead is not None:
        use = dead.replacement_in(draft.known)
        fix = f"use {use}" if use else "remove it"
        told = f"no release of Ollama reads `{name}`"
        draft.note("HW101", "warning", told, where, fix=fix, link=dead.source)
        return "Read by no release of Ollama; as the profile has it."
    if variable is None:
        return _unlisted_reason(draft, name)
    if variable.known_in(draft.known):
        return variable.effect
    return _unread_reason(draft, variable)


def _unread_reason(draft: Draft, variable: Variable) -> str:
    removed = variable.removed is not None and draft.known >= variable.removed
    rule, what = (
        ("HW102", f"was removed in {variable.removed}")
        if removed
        else ("HW103", f"is read since {variable.since}")
    )
    use = variable.replacement_in(draft.known)
    told = f"`{variable.name}` {what}; Ollama {draft.release} ignores it"
    fix = f"use {use}" if use else "remove it"
    where = f"ollama.env.{variable.name}"
    draft.note(rule, "warning", told, where, fix=fix, link=variable.source)
    return f"Not read by Ollama {draft.release}: {what}; as the profile has it."


def _unlisted_reason(draft: Draft, name: str) -> str:
    """Tell what llama-server reads without an entry of its own, and what looks like a typo."""
    where = f"ollama.env.{name}"
    if draft.catalogue.runner_reads(name, draft.known):
        return "Read by llama-server, for every model; as the profile has it."
    if draft.catalogue.runner_reads(name, draft.catalogue.newest):
        told = f"`{name}` is for llama-server, which Ollama {draft.release} does not run or which"
        draft.note("HW103", "warning", f"{told} does not read it yet", where, fix="remove it")
        return f"Not read by Ollama {draft.release}; as the profile has it."
    if name.startswith(("OLLAMA_", "LLAMA_")):
        close = difflib.get_close_matches(name, draft.catalogue.names, n=1, cutoff=0.85)
        fix = f"did you mean `{close[0]}`?" if close else "remove it"
        draft.note("HW104", "warning", f"`{name}` is no variable of Ollama", where, fix=fix)
    return "As the profile has it; not a variable this catalogue knows."
