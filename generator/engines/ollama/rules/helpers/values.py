"""What Ollama and llama-server make of values, and what a text can only mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.meaning import cleaned
from generator.records import dataclass
from generator.units import parse_size, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import RunnerReading
    from generator.catalogue.records import Variable as Fact


NO: Final = frozenset(["0", "f", "false", "n", "no", "off", "none", "disable", "disabled", "never"])
YES: Final = frozenset(["1", "t", "true", "y", "yes", "on", "enable", "enabled"])


def names_an_address(value: str) -> bool:
    """Return whether a value that should be a directory is an address."""
    return re.match(r"(?:https?|ftp|s3)://", cleaned(value)) is not None


def digits_of(word: str, fact: Fact) -> str:
    """Return the digits that a text can only mean: `2G` bytes, `4.0`, `8_192`; else nothing."""
    plain = re.sub(r"(?<=\d)[_,' ](?=\d{3}(?!\d))", "", word)
    plain = re.sub(r"\.0+$", "", plain)
    if whole(plain) is not None:
        return plain
    if fact.kind != "bytes":
        return ""
    try:
        return str(parse_size(word.upper().replace("IB", "iB")))
    except ValueError:
        return ""


PREFIX: Final = "LLAMA_ARG_"
# common/arg.cpp and common/common.h of llama.cpp, is_truthy and is_falsey: these, in lower case.
_TRUE: Final = frozenset({"on", "enabled", "true", "1"})
_FALSE: Final = frozenset({"off", "disabled", "false", "0"})
# std::stoi: blanks, a sign, digits; what follows them does not matter to it.
_STOI: Final = re.compile(r"\s*[+-]?\d+", re.ASCII)
_DECIMAL: Final = re.compile(
    r"\s*+[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:e[+-]?\d++)?", re.ASCII | re.IGNORECASE
)
_LISTS: Final = frozenset(f"{PREFIX}{name}" for name in ("SPEC_TYPE", "TENSOR_SPLIT", "TOOLS"))
# What these take hangs on the machine: a device, a file, JSON, a pattern.
_FREE: Final = re.compile(
    rf"{PREFIX}(DEVICE|OVERRIDE_TENSOR|STATIC_PATH|MCP_\w+|\w+_(FILE|KWARGS|REPO))"
)
_PLAIN: Final = re.compile(r"(?!(?:true|false|null)$)[a-z]+")
_BESIDE_NUMBERS: Final = {f"{PREFIX}N_GPU_LAYERS": frozenset({"auto", "all"})}
_EXITS: Final = "llama-server exits on it"


@dataclass(frozen=True, slots=True)
class ValueFault:
    """What is wrong with a value: `breaks` every load or is misread; `meant` empty: not known."""

    what: str
    breaks: bool = True
    meant: str = ""


def value_fault(name: str, value: str, facts: Facts) -> ValueFault | None:
    """Return what llama-server makes wrong of a value; None: nothing that is known."""
    fact = facts.variable(name)
    read = fact.known if fact else facts.runner_reads(name)
    if not name.startswith(PREFIX) or not read:
        return None
    if name.startswith(f"{PREFIX}NO_") and (fact is None or fact.on_invalid == "presence"):
        message = f"is set by any value, `{value}` too"
        return ValueFault(message, breaks=False) if value.lower() in NO else None
    reading = facts.readings.get(name)
    if reading and not value.strip():
        return ValueFault(f"is empty: {_EXITS}") if "" in reading.refuses else None
    known = _by_kind(name, fact, value)
    if known is None and reading and _ends(name, value, reading):
        return ValueFault(f"`{value}` is nothing that it takes: {_EXITS}")
    return known


def _by_kind(name: str, fact: Fact | None, value: str) -> ValueFault | None:
    if fact is not None and (fact.allowed_values or fact.kind in {"bool", "int", "uint"}):
        return _typed_fault(fact, value)
    if name in _BESIDE_NUMBERS:
        return None if value in _BESIDE_NUMBERS[name] else _number_fault(value)
    return _list_fault(value) if name == f"{PREFIX}FIT_TARGET" else None


def _ends(name: str, value: str, reading: RunnerReading) -> bool:
    """Return whether a value ends llama-server, by what became of those that were tried."""
    if name in _LISTS:
        parts = re.split(r"[,/]+", value)
        return any(_refused(part, reading) for part in parts)
    if _FREE.fullmatch(name) and _alike(value, reading) == "maybe" and not _PLAIN.fullmatch(value):
        return False
    return _refused(value, reading)


def _refused(value: str, reading: RunnerReading) -> bool:
    return value not in reading.takes and _alike(value, reading) in reading.refuses


def _alike(value: str, reading: RunnerReading) -> str:
    """Return the value that was tried which stands for this one."""
    switch = "on" not in reading.refuses
    if value in {"0", "auto"} or (value == "-1" and "auto" not in reading.refuses):
        return "0" if value == "0" else "auto"
    if value in _TRUE | _FALSE and (switch or not value.isdecimal()):
        return "on"
    digits = _STOI.match(value)
    if _DECIMAL.fullmatch(value):
        return "8" if digits and digits.end() == len(value) else "1.5"
    # A number is read up to where it ends.
    return "8" if digits else "maybe"


def _typed_fault(fact: Fact, value: str) -> ValueFault | None:
    # No name of llama-server is for one platform alone.
    allowed = fact.allowed("x86_64-linux")
    if allowed is None:
        return _switch_fault(fact, value) if fact.kind == "bool" else _number_fault(value)
    message = f"`{value}` is not one of {', '.join(allowed)}"
    return None if value in allowed else ValueFault(f"{message}: {_EXITS}")


def _switch_fault(fact: Fact, value: str) -> ValueFault | None:
    if value in _TRUE | _FALSE:
        return None
    meant = "1" if value.lower() in YES else "0" if value.lower() in NO else ""
    if fact.on_invalid == "load-fail":
        return ValueFault(f"`{value}` is neither on nor off: {_EXITS}", meant=meant)
    # A flag that can only be turned on.
    message = f"`{value}` is none of on, enabled, true and 1: it stays off"
    return ValueFault(message, breaks=False, meant=meant) if meant == "1" else None


def _number_fault(value: str) -> ValueFault | None:
    digits = _STOI.match(value)
    message = f"`{value}` is not a whole number"
    number = whole(digits[0].strip().lstrip("+-")) if digits else None
    if digits is None or number is None or number >= 2**31:
        return ValueFault(f"{message}: {_EXITS}")
    if digits.end() != len(value):
        return ValueFault(f"{message}: only `{digits[0].strip()}` is read", breaks=False)
    return None


def _list_fault(value: str) -> ValueFault | None:
    if "," not in value:
        return _number_fault(value)
    sound = all(_number_fault(part) is None for part in value.split(","))
    return None if sound else ValueFault(f"`{value}` is not a list of whole numbers: {_EXITS}")
