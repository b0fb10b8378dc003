"""HW108, HW109, HW111, HW119, HW123, HW127, HW539: values that are read otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.values import NO, YES, digits_of, names_an_address
from generator.fit.kv import PLAIN
from generator.meaning import GO_FALSE, GO_TRUE, cleaned, is_go_duration, parse_go_duration
from generator.rules.helpers.variables import (
    corrected,
    known_values,
    removed,
    rewritten,
    server_variables,
)
from generator.rules.rule import Hit, Hits, Rule
from generator.units import whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.view import Variable, View


NO_DURATION: Final = "not a Go duration; Ollama silently uses 5m"
DURATIONS: Final = "write `90s`, `5m` or `24h`; `-1` is for ever"
_PARSED: Final = GO_TRUE | GO_FALSE


@Rule(
    id="HW108",
    title="a Boolean that counts as true",
    why="Ollama takes whatever Go's strconv.ParseBool refuses as true: `off`, `no` and `disabled` "
    "switch on. Some switches of the compute library count as soon as they are set, to `0` too.",
    bad="OLLAMA_FLASH_ATTENTION=off",
    good="OLLAMA_FLASH_ATTENTION=0",
    releases="0.3.2 and later",
    source="envconfig/config.go@v0.32.15:177-197",
)
def boolean_misread(view: View, facts: Facts) -> Hits:
    by_level = facts.behaves("debug-by-level")
    parsed = facts.behaves("boolean-by-parsebool")
    for variable, fact in known_values(view, facts):
        word = cleaned(variable.value)
        if variable.name == "OLLAMA_DEBUG":
            yield from _debug(view, variable, by_level=by_level)
        elif fact.on_invalid == "presence" and not variable.name.startswith("LLAMA_"):
            yield from _present(view, variable)
        elif parsed and fact.on_invalid == "true" and word not in {"", *_PARSED}:
            yield _counts_as_true(view, variable, word)


def _counts_as_true(view: View, variable: Variable, word: str) -> Hit:
    meant = "0" if word.lower() in NO else "1" if word.lower() in YES else ""
    cache = view.variable("OLLAMA_KV_CACHE_TYPE")
    plain = cache is None or cleaned(cache.value).lower() in {"", *PLAIN}
    return corrected(
        view,
        variable,
        f"`{word}` counts as true for {variable.name}: it is none of Go's Booleans",
        meant,
        "write `1` or `0`, or leave it out",
        severity="info" if meant == "1" else None,
        # A quantised KV cache needs it.
        certain=variable.name != "OLLAMA_FLASH_ATTENTION" or plain,
    )


def _debug(view: View, variable: Variable, *, by_level: bool) -> Hits:
    """Since 0.7.0 OLLAMA_DEBUG is a level, and other text is none; before, it was true."""
    word = cleaned(variable.value)
    if by_level and re.fullmatch(r"-0*[1-9][0-9]*", word):
        yield Hit(
            message=f"`{word}` leaves only warnings in the log, not even the line `server config` "
            "with what the server has read",
            place=variable.place,
            severity="info",
            fix="leave it out; 1 is debug, 2 is trace",
        )
    if word in {"", *_PARSED} or re.fullmatch(r"[+-]?[0-9]+", word):
        return
    off = word.lower() in NO
    if off != by_level:
        effect = "leaves the log at INFO" if by_level else "counts as true"
        message = f"`{word}` {effect}: OLLAMA_DEBUG takes a Boolean of Go or a number"
        yield corrected(view, variable, message, "0" if off else "1")


def _present(view: View, variable: Variable) -> Hits:
    word = cleaned(variable.value).lower()
    if word in NO or not word:
        yield Hit(
            message=f"{variable.name} counts as soon as it is set, `{variable.value}` too",
            place=variable.place,
            fix="remove it",
            edits=removed(view, variable),
        )


@Rule(
    id="HW109",
    title="a duration that Go does not know",
    why="Durations are Go's: hours, minutes and seconds, or a plain number of seconds; negative is "
    "for ever. There are no days. What does not parse is silently the default of five minutes.",
    bad="OLLAMA_KEEP_ALIVE=1d",
    good="OLLAMA_KEEP_ALIVE=24h",
    source="envconfig/config.go@v0.32.15:129-164",
)
def duration_misread(view: View, facts: Facts) -> Hits:
    for variable, fact in known_values(view, facts):
        word = cleaned(variable.value)
        if fact.kind == "duration" and word and not is_go_duration(word):
            message = f"`{word}` is {NO_DURATION}"
            yield corrected(view, variable, message, go_duration(word), DURATIONS)


_KEPT: Final = re.compile(r"[1-9]\d?", re.ASCII)


@Rule(
    id="HW539",
    severity="info",
    title="a model that is kept for seconds",
    why="A number without a unit is one of seconds. A model that is unloaded after so few is "
    "loaded again for the next question, which takes longer than the answer.",
    bad="OLLAMA_KEEP_ALIVE=30",
    good="OLLAMA_KEEP_ALIVE=30m",
    source="envconfig/config.go@v0.32.15:129-144",
)
def kept_for_seconds(view: View, facts: Facts) -> Hits:
    for variable, _ in known_values(view, facts):
        word = cleaned(variable.value)
        if variable.name == "OLLAMA_KEEP_ALIVE" and _KEPT.fullmatch(word):
            yield Hit(
                message=f"`{word}` is {word} seconds",
                place=variable.place,
                fix=f"write `{word}m` for minutes, or `{word}s` where it is meant",
            )


_SHORT: Final = 60 * 10**9


@Rule(
    id="HW127",
    severity="info",
    title="a load that is given up early",
    why="OLLAMA_LOAD_TIMEOUT ends a load that makes no progress for so long, and the request "
    "fails. The first read of a large file, a disk that has to wake up and the start of a GPU "
    "stand still for longer than seconds: the default is five minutes.",
    bad="OLLAMA_LOAD_TIMEOUT=10s",
    good="OLLAMA_LOAD_TIMEOUT=15m",
    source="envconfig/config.go@v0.32.15:146-164",
)
def given_up_early(view: View, facts: Facts) -> Hits:
    for variable, _ in known_values(view, facts):
        word = cleaned(variable.value)
        if variable.name != "OLLAMA_LOAD_TIMEOUT" or not is_go_duration(word):
            continue
        if 0 < parse_go_duration(word) < _SHORT:
            yield Hit(
                message=f"a load that stands still for `{word}` is given up: a slow disk or a GPU "
                "that starts takes longer",
                place=variable.place,
                fix="leave it at 5m, the default, or write more",
            )


_FOR_EVER: Final = frozenset(
    {"forever", "infinite", "infinity", "inf", "always", "never-expire", "unlimited"}
)
_LONGEST: Final = 64
"""Characters of a duration that somebody means."""
_TERM: Final = re.compile(r"(\d++(?:\.\d++)?|\.\d++)\s*+([a-z]+)\s*+", re.ASCII)
_SECONDS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}


def go_duration(word: str) -> str:
    """Return the Go duration that a text means: `1d` is `24h`; empty: it is anybody's guess."""
    text = word.strip().lower()
    if len(text) > _LONGEST:
        return ""
    if text.replace(" ", "") in _FOR_EVER:
        return "-1"
    # Few files need it, and it brings the decimals with it.
    from fractions import Fraction

    total, end = Fraction(0), 0
    for term in _TERM.finditer(text):
        if term.start() != end or term[2] not in _SECONDS:
            return ""
        total += Fraction(term[1] if term[1][0] != "." else f"0{term[1]}") * _SECONDS[term[2]]
        end = term.end()
    if not end or end != len(text) or total.denominator != 1:
        return ""
    unit, size = next((u, n) for u, n in (("h", 3600), ("m", 60), ("s", 1)) if total % n == 0)
    return f"{total // size}{unit}"


@Rule(
    id="HW111",
    title="a number that is not digits alone",
    why="No suffix, sign or separator: otherwise Ollama warns in its log and uses the default.",
    bad="OLLAMA_GPU_OVERHEAD=2G",
    good="OLLAMA_GPU_OVERHEAD=2147483648",
    source="envconfig/config.go@v0.32.15:259-300",
)
def number_misread(view: View, facts: Facts) -> Hits:
    for variable, fact in known_values(view, facts):
        if fact.kind not in {"uint", "bytes"} or not fact.name.startswith("OLLAMA_"):
            continue
        word = cleaned(variable.value)
        # What has no effect any more, HW114 tells.
        if word and whole(word) is None and fact.works:
            yield _no_number(view, variable, fact)
        elif fact.kind == "bytes" and fact.works and 0 < (whole(word) or 0) < 2**20:
            yield Hit(
                message=f"{variable.name} counts bytes: {word} of them are next to nothing",
                place=variable.place,
                fix="write bytes, like `2147483648` for 2 GiB",
            )


def _no_number(view: View, variable: Variable, fact: Fact) -> Hit:
    word = cleaned(variable.value)
    default = fact.default_entry
    note = f" ({default.note})" if default and default.note else ""
    used = f"the default, {default.value}{note}" if default else "the default"
    if kilo := whole(word.lower().removesuffix("k")):
        otherwise = f"write `{kilo * 1024}`"
    elif word.lower() in {"auto", "default", "none"}:
        otherwise = "leave it out"
    elif fact.kind == "bytes":
        otherwise = "write bytes, like `2147483648`"
    else:
        otherwise = "write digits alone"
    message = f"`{word}` is not a whole number; Ollama warns and uses {used}"
    return corrected(view, variable, message, digits_of(word, fact), otherwise)


_GFX: Final = re.compile(r"(?:gfx)?(\d{1,2})(\d)([0-9a-f])", re.IGNORECASE | re.ASCII)
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+", re.ASCII)


@Rule(
    id="HW123",
    severity="error",
    title="a GFX version in the wrong form",
    why="The ROCm runtime wants three numbers with dots, and reads nothing from a target's name.",
    bad="HSA_OVERRIDE_GFX_VERSION=gfx1030",
    good="HSA_OVERRIDE_GFX_VERSION=10.3.0",
    source="docs/gpu.mdx@v0.32.15, Overrides on Linux",
)
def gfx_version_form(view: View, _: Facts) -> Hits:
    for variable in server_variables(view):
        word = cleaned(variable.value)
        if not re.fullmatch(r"HSA_OVERRIDE_GFX_VERSION(_\d+)?", variable.name):
            continue
        if word and not variable.unresolved and not _VERSION.fullmatch(word):
            message = f"`{word}` is no GFX version: those are three numbers, like 10.3.0"
            yield corrected(view, variable, message, _gfx_version(word), "write it like `10.3.0`")


def _gfx_version(word: str) -> str:
    if re.fullmatch(r"[0-9]+\.[0-9]+", word):
        return f"{word}.0"
    named = _GFX.fullmatch(word)
    return f"{named[1]}.{named[2]}.{int(named[3], 16)}" if named else ""


_QUOTED: Final = re.compile(r"""(["'])(.*)\1""", re.DOTALL)
_KEPT_AS_THEY_ARE: Final = "its reader does not strip them"
_PLAIN: Final = re.compile(r"[A-Za-z0-9][\w.:/@-]*", re.ASCII)


@Rule(
    id="HW119",
    severity="info",
    title="a value in quotes that belong to it",
    why="The file's own quoting is gone when the server gets the value; a second pair stays in it. "
    "Ollama strips that from its own variables. The GPU driver and llama-server do not: to them "
    '`"0"` is no number.',
    bad="Environment=\"CUDA_VISIBLE_DEVICES='0'\"",
    good="Environment=CUDA_VISIBLE_DEVICES=0",
    source="envconfig/config.go@v0.32.15:374; systemd.exec(5)",
)
def quoted_twice(view: View, facts: Facts) -> Hits:
    for variable, fact in known_values(view, facts):
        quoted = _QUOTED.fullmatch(variable.value)
        # What is no directory at all goes as a whole (HW505).
        out = variable.name == "OLLAMA_MODELS" and names_an_address(variable.value)
        if quoted is None or out:
            continue
        stripped = fact.name.startswith("OLLAMA_")
        effect = "Ollama strips them" if stripped else _KEPT_AS_THEY_ARE
        yield Hit(
            message=f"the quotes are part of the value of {variable.name}; {effect}",
            place=variable.place,
            severity=None if stripped else "error",
            fix=f"write `{quoted[2]}` without them",
            edits=rewritten(view, variable, quoted[2]),
        )
    yield from _quoted_for_clients(view)


def _quoted_for_clients(view: View) -> Hits:
    """Yield the same of words and addresses that programs beside the server get."""
    for client in view.clients:
        for variable in client.variables:
            quoted = _QUOTED.fullmatch(variable.value)
            if quoted is not None and _PLAIN.fullmatch(quoted[2]) and not variable.unresolved:
                yield Hit(
                    message=f"the quotes are part of the value of {variable.name}; "
                    f"{_KEPT_AS_THEY_ARE}",
                    place=variable.place,
                    severity="warning",
                    fix=f"write `{quoted[2]}` without them",
                )
