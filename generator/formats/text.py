"""What every text format shares: comments that stay comments, and values no format can carry."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from generator.errors import RenderError
from generator.records import dataclass

WIDTH = 100
_LAST = (0xFFFE, 0xFFFF)

# Code points that Unicode keeps for no character. systemd takes a line with one for broken UTF-8.
NONCHARACTERS = "".join(
    map(chr, [*range(0xFDD0, 0xFDF0), *(p + n for p in range(0, 0x110000, 0x10000) for n in _LAST)])
)
# Control characters, line and paragraph separators, invisible format characters and halves of
# surrogate pairs. The joiners U+200C and U+200D stay: scripts and emoji need them. A fixed list,
# because `str.isprintable` answers differently from one Python to the next.
INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    f"\ud800-\udfff\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff{NONCHARACTERS}]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNCARRIED = re.compile(f"[\x00\ud800-\udfff{NONCHARACTERS}]")


@dataclass(frozen=True, slots=True)
class Commented:
    """A value of a document with a comment above its key; `gap` puts a blank line above both."""

    value: Any
    comment: str | tuple[str, ...] = ""
    gap: bool = False


def opened(item: Any, pad: str, *, first: bool) -> tuple[Any, list[str]]:  # noqa: ANN401 -- a value
    """Return the value inside a Commented, and the lines above it, indented by `pad`."""
    if not isinstance(item, Commented):
        return item, []
    gap = [""] if item.gap and not first else []
    return item.value, gap + comment(item.comment, f"{pad}# ")


def comment(text: str | tuple[str, ...], prefix: str = "# ", width: int = WIDTH) -> list[str]:
    """Return `text`, or each of several, as comment lines of at most `width` characters.

    There are no lines for no text.

    Line breaks of any kind become spaces and other control characters become their escapes, so
    that no text can leave its comment. A word longer than the line is left whole (links).
    """
    texts = (text,) if isinstance(text, str) else text
    return [prefix + line for each in texts for line in _wrapped(each, width - len(prefix))]


@lru_cache(maxsize=4096)
def _wrapped(text: str, room: int) -> tuple[str, ...]:
    """Fill lines greedily; several times faster than textwrap, which hyphenates and expands."""
    plain = INVISIBLE.sub(lambda match: escape(match[0]), " ".join(text.split()))
    if len(plain) <= room:
        return (plain,) if plain else ()
    lines: list[str] = []
    for word in plain.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return tuple(lines)


def escape(character: str) -> str:
    r"""Return `character` as `\x1b`, `\u2028` or `\U000e0001`, ASCII with two digits."""
    code = ord(character)
    if code < 0x80:  # noqa: PLR2004 -- the end of ASCII
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- the BMP


def refuse_nul(value: str, where: str) -> str:
    """Return `value`; raise RenderError naming `where` for what no text file can carry.

    That is NUL, which ends a string in the programs that read our files, half a surrogate pair,
    which has no UTF-8 encoding, and the noncharacters, which systemd takes for broken UTF-8.
    """
    if value.isascii() and "\x00" not in value:
        return value
    bad = _UNCARRIED.search(value)
    if bad:
        name = "a NUL character" if bad[0] == "\x00" else f"`{escape(bad[0])}`, no character"
        raise RenderError(f"`{where}` contains {name}", hint="remove it")
    return value


def refuse_surrogates(value: str, where: str) -> str:
    """Return `value`; raise RenderError naming `where` if UTF-8 cannot encode it."""
    if not value.isascii() and _SURROGATE.search(value):
        raise RenderError(f"`{where}` is not valid Unicode text", hint="write it as UTF-8")
    return value


def decimal(value: float, where: str) -> str:
    """Return a finite float with a dot, which Nix and YAML 1.1 ask for; `1e-05` is `1.0e-05`.

    Raises RenderError naming `where` for an infinity or a NaN.
    """
    if not math.isfinite(value):
        raise RenderError(f"`{where}` is `{value}`, not a finite number")
    digits, e, exponent = repr(float(value)).partition("e")
    return digits + ("" if "." in digits else ".0") + e + exponent
