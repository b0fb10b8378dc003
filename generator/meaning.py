"""What a server written in Go reads in a text, and one form for all texts that mean the same.

It needs Python 3.8 alone: `verify.py` of a bundle carries the text of this module.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Optional, Tuple  # noqa: UP035 -- Python 3.8

# What strconv.ParseBool of Go takes, and nothing else.
GO_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
GO_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
SCHEMES = {"http": 80, "https": 443}
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_TERM = r"(\d+(?:\.\d*)?|\.\d+)([a-zµμ]+)"
_DAYS = {"d": 24, "w": 7 * 24, "y": 365 * 24}
_MOST = 2**63 - 1
_PORT = 11434
_LEVELS = {"0": "INFO", "1": "DEBUG", "2": "DEBUG-4"}


def cleaned(value: str) -> str:
    """Return what a server makes of a value first: without blanks and quotes around it."""
    return value.strip().strip("\"'")


def truthy(value: str) -> bool:
    """Return what a server makes of a Boolean: what it cannot parse is true.

    Source: envconfig/config.go@v0.32.15:177-197 (strconv.ParseBool).
    """
    return bool(value) and value not in GO_FALSE


def parse_go_duration(text: str) -> int:
    """Return the nanoseconds of a Go duration, or of a whole number of seconds.

    Negative means for ever. There is no unit above the hour. Raises ValueError with a
    message for people. Sources: Go time.ParseDuration; `KeepAlive` in
    envconfig/config.go@v0.32.15:126-144.
    """
    body = text[1:] if text[:1] in {"-", "+"} else text
    sign = -1 if text.startswith("-") else 1
    seconds = body.isascii() and body.isdigit()
    total = int(body) * 10**9 if seconds else _terms(text, body)
    if total > _MOST:
        raise ValueError(f"`{text}` is beyond 292 years; write `-1` for forever")
    return sign * total


def is_go_duration(text: str) -> bool:
    """Return whether a text is a Go duration, or a whole number of seconds."""
    try:
        parse_go_duration(text)
    except ValueError:
        return False
    return True


def _terms(text: str, body: str) -> int:
    total, end, one = 0, 0, re.compile(_TERM, re.ASCII)
    while True:
        term = one.match(body, end)
        if term is None or term[2] not in _NANOSECONDS:
            break
        whole, _, fraction = term[1].partition(".")
        total += int(whole + fraction or "0") * _NANOSECONDS[term[2]] // 10 ** len(fraction)
        end = term.end()
    if body and end == len(body):
        return total
    wrong = f"`{text}` is not a Go duration"
    if term and term[2] in _DAYS and term[1].isdigit():
        hours = int(term[1]) * _DAYS[term[2]]
        raise ValueError(f"{wrong}, which has no unit above the hour; write `{hours}h`")
    raise ValueError(f"{wrong}; write `90s`, `5m` or `24h`")


def parts_of(value: str) -> Tuple[str, str, Optional[str], str]:  # noqa: UP006, UP045 -- 3.8
    """Return scheme, host, port and path of an address; the port is None where there is none.

    As to Go's net.SplitHostPort, more than one colon without brackets is no port; brackets stay.
    Source: envconfig/config.go@v0.32.15:22-60.
    """
    scheme, _, rest = cleaned(value).strip().rpartition("://")
    rest, _, path = rest.partition("/")
    bracketed = re.fullmatch(r"(\[[^\]]*\])(?::(.*))?", rest)
    if bracketed:
        return scheme, bracketed[1], bracketed[2], path
    host, colon, port = rest.partition(":")
    return (scheme, rest, None, path) if ":" in port or not colon else (scheme, host, port, path)


def port_of(value: str, default: int) -> int:
    """Return the port of an address; a scheme without a port has its own."""
    scheme, _, port, _ = parts_of(value)
    return int(port) if port and re.fullmatch("[0-9]{1,19}", port) else SCHEMES.get(scheme, default)


def _address(text: str) -> str:
    scheme, host, _, path = parts_of(text)
    name = host.strip("[]") or ("" if ":" in text else "127.0.0.1")
    place = f"{f'[{name}]' if ':' in name else name}:{port_of(text, _PORT)}"
    return f"{scheme or 'http'}://{place}{f'/{path}' if path else ''}"


def _level(text: str) -> str:
    if text in _LEVELS.values():
        return text
    return _LEVELS.get(text) or _LEVELS["1" if text.lower() in {"t", "true"} else "0"]


def _duration(text: str) -> str:
    """Return the nanoseconds, of which some below 0 are for ever; what is no duration stays."""
    try:
        number = parse_go_duration(text)
    except ValueError:
        return text
    return str(_MOST if number < 0 else number)


def _timeout(text: str) -> str:
    """Return the same of a time of which none is for ever, too."""
    number = _duration(text)
    return str(_MOST) if number == "0" else number


FORMS: Dict[str, Callable[[str], str]] = {  # noqa: UP006 -- Python 3.8
    "address": _address,
    "bool": lambda text: str(truthy(text)).lower(),
    "duration": _duration,
    "level": _level,
    "lower": str.lower,
    "text": str,
    "timeout": _timeout,
}
"""How a value is read, by what a Plan calls it. What has no such name counts as it is written."""


def meant(value: str, form: str, default: str) -> str:
    """Return a value in the one form of all that mean the same; an empty one means the default."""
    if form not in FORMS:
        return value
    text = cleaned(value) or cleaned(default)
    return FORMS[form](text) if text else ""
