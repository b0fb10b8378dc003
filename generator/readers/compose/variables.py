"""Variables of Compose: `$VAR` and `${VAR:-default}` in a value, `.env` and `env_file`.

Values are read as by compose-go, its packages template and dotenv.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[str], str | None]
    from collections.abc import Iterator, Mapping

LONGEST: Final = 1024 * 1024
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?:(?P<braced>[_a-z][_a-z0-9]*(?::?[-+?].*)?)\}|(?P<invalid>)))",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(
    r"(?P<name>[_a-z][_a-z0-9]*)(?:(?P<operator>:?[-+?])(?P<word>.*))?", re.IGNORECASE
)
_SPACE: Final = " \t\v\f\r\x85\xa0"
_BETWEEN: Final = re.compile(r"(?:\s|#[^\n]*+)*+")
_ENTRY: Final = re.compile(
    rf"(?:export[ \t]+)?(?P<key>[^\s=:#][^=:\n]*)(?:(?P<assigns>[=:])[{_SPACE}]*(?:"
    r"""(?P<quote>["'])(?P<quoted>(?:(?!(?P=quote))[^\\]|\\.)*+)(?P=quote)|(?P<bare>[^\n]*))|\n|$)""",
    re.DOTALL,
)
_NAME: Final = re.compile(r"[\w.\-\[\]]+")
_ESCAPE: Final = re.compile(r'\\(?:([abcfnrtv$"\\])|0(\d{0,3}))')
_SHORT: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"',
    "\\": "\\", "$": "$$",
}  # fmt: skip


def substitute(text: str, lookup: Lookup) -> str | None:
    """Return `text` with its variables replaced by what `lookup` says.

    None: it depends on a variable without a value; Compose would ask the shell. Raises
    ValueError, `what; what to do`, where Compose refuses the text.
    """
    parts: list[str] = []
    size = at = 0
    explicit = True
    while match := _VARIABLE.search(text, at):
        found, end = _replaced(match, lookup)
        explicit = explicit and found is not None
        parts += [text[at : match.start()], found or ""]
        size += len(found or "")
        at = end
        if size > LONGEST:
            raise ValueError("grows beyond a megabyte; use fewer variables in it")
    return "".join([*parts, text[at:]]) if explicit else None


def _replaced(match: re.Match[str], lookup: Lookup) -> tuple[str | None, int]:
    """Return the replacement of one variable, and where the text goes on."""
    if match["escaped"]:
        return "$", match.end()
    if match["named"]:
        return lookup(match["named"]), match.end()
    if match["braced"] is None:
        raise ValueError(
            f"`{match.string[match.start() :][:20]}` is no variable; write `$$` for a dollar sign"
        )
    closing = _closing(match[0])
    inner = match[0][2:closing]
    parts = _PARTS.fullmatch(inner)
    if parts is None:
        raise ValueError(f"`${{{inner[:20]}}}` is no variable; write `$$` for a dollar sign")
    return _value(parts, lookup), match.start() + closing + 1


def _closing(text: str) -> int:
    """Return where the brace that the text opens is closed, by its count; else its last brace."""
    depth, at = 0, 1
    while at < len(text):
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        if text[at] == "{":
            depth += 1
            at += 1  # compose-go counts no brace right behind another
        at += 1
    return len(text) - 1


def _value(parts: re.Match[str], lookup: Lookup) -> str | None:
    """Return what `NAME`, `NAME:-word`, `NAME?word` or `NAME+word` stands for."""
    value = lookup(parts["name"])
    operator, word = parts["operator"] or "", parts["word"] or ""
    missing = value is None or (operator.startswith(":") and not value)
    match operator[-1:]:
        case "-":
            return substitute(word, lookup) if missing else value
        case "+":
            return "" if missing else substitute(word, lookup)
        case "?":
            return None if missing else value
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable of the file: its value, None where it has none, and its line."""

    name: str
    value: str | None
    line: int
    written: str = ""


def parse_dotenv(text: str, around: Mapping[str, str | None]) -> tuple[Entry, ...]:
    r"""Return the variables in file order; `around` are those that values may refer to.

    They stand as `KEY=value`, `KEY: value` or a lone `KEY`, which takes the value that is around.
    A ` #` ends an unquoted value; single quotes keep all, double quotes know `\n` and replace
    variables. Raises ValueError, `what; what to do`, where Compose refuses the file.
    """
    try:
        return tuple(_entries(text.removeprefix("\ufeff"), around))
    except RecursionError as error:
        raise ValueError("a value is nested too deeply; write it out") from error


def _entries(text: str, around: Mapping[str, str | None]) -> Iterator[Entry]:
    known = dict(around)
    at, line = 0, 1
    while (between := _BETWEEN.match(text, at)) and between.end() < len(text):
        line += text.count("\n", at, between.end())
        found = _ENTRY.match(text, between.end())
        try:
            entry = _entry(found, line, around, known)
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
        # What is around a file goes before the file's own.
        if around.get(entry.name) is None:
            known[entry.name] = entry.value
        yield entry
        at = found.end() if found else len(text)
        line += text.count("\n", between.end(), at)


def _entry(
    found: re.Match[str] | None,
    line: int,
    around: Mapping[str, str | None],
    known: Mapping[str, str | None],
) -> Entry:
    name = found["key"].rstrip(" \t") if found else ""
    if found is None or not _NAME.fullmatch(name):
        raise ValueError("is no `KEY=value`; use letters, digits and `_` in the key")
    if not found["assigns"]:
        return Entry(name, around.get(name), line)
    quote, bare = found["quote"] or "", found["bare"] or ""
    if bare.startswith(("'", '"')):
        raise ValueError(f"a value is not closed; end it with `{bare[0]}`")
    text = bare.partition(" #")[0].rstrip()
    if quote:
        text = found["quoted"].replace(f"\\{quote}", quote)
    if quote == '"':
        text = _ESCAPE.sub(_unescaped, text)
    value = text if quote == "'" else substitute(text, known.get)
    written = found.string[found.end("assigns") : found.end()].strip(_SPACE).strip("'\"")
    return Entry(name, value, line, "" if "\n" in written else written)


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return _SHORT.get(match[1], match[0])
    digits = match[2]
    return chr(int(digits, 8) & 0xFF) if digits and not set(digits) & set("89") else match[0]
