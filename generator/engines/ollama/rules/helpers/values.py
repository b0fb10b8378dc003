"""What Ollama makes of the values of its variables, and what a text can only mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.units import GO_FALSE, parse_size, whole

if TYPE_CHECKING:
    from generator.catalogue.records import Variable as Fact

NO: Final = frozenset(["0", "f", "false", "n", "no", "off", "none", "disable", "disabled", "never"])
YES: Final = frozenset(["1", "t", "true", "y", "yes", "on", "enable", "enabled"])


def truthy(value: str) -> bool:
    """Return what Ollama makes of a Boolean: what it cannot parse is true.

    Source: envconfig/config.go@v0.32.15:177-197 (strconv.ParseBool).
    """
    return bool(value) and value not in GO_FALSE


def cleaned(value: str) -> str:
    """Return what Ollama makes of a value first: without blanks and quotes around it."""
    return value.strip().strip("\"'")


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
