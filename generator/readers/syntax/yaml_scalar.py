"""What yaml.v3 makes of a plain scalar, and how Go prints it: Compose and Helm are Go programs."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal

Kind = Literal["null", "bool", "int", "float", "str"]

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
BOOLS: Final = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_NUMBER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)"
    r"|(?P<d>0|[1-9]\d*))",
    re.ASCII,
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_BASES: Final = (("x", 16), ("b", 2), ("o", 8), ("d", 10))
_LONGEST: Final = 400  # no number that Go can hold has more digits
_G_LEAST, _G_MOST = -4, 5
_INT_MIN, _INT_MAX, _UINT_MAX = -(2**63), 2**63 - 1, 2**64 - 1


def resolved(text: str, tag: str) -> tuple[Kind, str]:
    """Return the type of a scalar and its value as Go prints it.

    `tag` is empty for a plain scalar without one; a tag that is no standard one means a string.
    """
    text = text if text.isascii() else _whole(text)
    if tag not in {"", "null", "bool", "int", "float"}:
        return ("null", "") if tag.startswith("!") and text in NULLS else ("str", text)
    if text in NULLS:
        return "null", ""
    if text in BOOLS:
        return "bool", text.lower()
    return _number(text) or ("str", text)


def _whole(text: str) -> str:
    """Return a text with the halves of a character that JSON escapes apart put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(text: str) -> tuple[Kind, str] | None:
    if text[:1] not in "+-.0123456789":
        return None
    digits = text.replace("_", "")
    if len(digits) > _LONGEST:
        return None
    match = _NUMBER.fullmatch(digits)
    if match is not None:
        value = _integer(match)
        # Go's ParseUint takes no sign.
        if _INT_MIN <= value <= (_INT_MAX if match["sign"] else _UINT_MAX):
            return "int", str(value)
    if not _FLOAT.fullmatch(digits) or float(digits) in {float("inf"), float("-inf")}:
        return None
    return "float", go_float(float(digits))


def _integer(match: re.Match[str]) -> int:
    group, base = next((name, base) for name, base in _BASES if match[name] is not None)
    return int(f"{match['sign']}{match[group]}", base)


def go_float(value: float) -> str:
    """Return a float as Go's shortest `%g`: `0.5`, `100000`, `1e+06`."""
    number = Decimal(repr(value)).normalize()
    if _G_LEAST <= number.adjusted() <= _G_MOST:
        return f"{number:f}"
    mantissa, _, exponent = f"{number:e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"
