r"""Compose's `.env` and `env_file`, as compose-go's dotenv package reads them.

`KEY=value`, `KEY: value` and a lone `KEY`, which takes the value that is around. A ` #` ends an
unquoted value; single quotes keep all, double quotes know `\n` and replace variables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.interpolation import substitute
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY: Final = re.compile(r"(?:export[ \t]+)?(?P<key>[^\s=:#][^=:\n]*?)[ \t]*(?P<end>[=:]|\n|$)")
_SPACE: Final = " \t\v\f\r\x85\xa0"
_NAME: Final = re.compile(r"[\w.\-\[\]]+")
_ESCAPE: Final = re.compile(r'\\(?:([abcfnrtv$"\\])|0(\d{0,3}))')
_SHORT: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"',
    "\\": "\\", "$": "$$",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable of the file: its value, None where it has none, and its line."""

    name: str
    value: str | None
    line: int
    written: str = ""


def parse_dotenv(text: str, around: Mapping[str, str | None]) -> tuple[Entry, ...]:
    """Return the variables in file order; `around` are those that values may refer to.

    Raises ValueError, `what; what to do`, where Compose refuses the file.
    """
    try:
        return tuple(_File(text.removeprefix("\ufeff"), around).entries())
    except RecursionError as error:
        raise ValueError("a value is nested too deeply; write it out") from error


class _File:
    def __init__(self, text: str, around: Mapping[str, str | None]) -> None:
        self.text = text
        self.around = around
        self.own: dict[str, str | None] = {}
        self.at = 0

    def entries(self) -> list[Entry]:
        found = []
        while self._next_statement():
            line = self.text.count("\n", 0, self.at) + 1
            try:
                found.append(self._entry(line))
            except ValueError as error:
                raise ValueError(f"line {line}: {error}") from error
            self.own[found[-1].name] = found[-1].value
        return found

    def _next_statement(self) -> bool:
        """Go to the next line that says something."""
        while self.at < len(self.text):
            if self.text[self.at].isspace():
                self.at += 1
            elif self.text[self.at] == "#":
                self.at = self._line_end()
            else:
                return True
        return False

    def _entry(self, line: int) -> Entry:
        match = _KEY.match(self.text, self.at)
        name = match["key"] if match else ""
        if match is None or not _NAME.fullmatch(name):
            raise ValueError("is no `KEY=value`; use letters, digits and `_` in the key")
        self.at = match.end()
        if match["end"] not in {"=", ":"}:
            return Entry(name, self.around.get(name), line)
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        start = self.at
        value = self._quoted() if self.text[start : start + 1] in {"'", '"'} else self._bare()
        written = self.text[start : self.at].strip(_SPACE).strip("'\"")
        return Entry(name, value, line, "" if "\n" in written else written)

    def _bare(self) -> str | None:
        end = self._line_end()
        value = self.text[self.at : end].partition(" #")[0].rstrip()
        self.at = end
        return self._expanded(value)

    def _quoted(self) -> str | None:
        quote = self.text[self.at]
        chars: list[str] = []
        at = self.at + 1
        while at < len(self.text) and self.text[at] != quote:
            escaped = self.text[at] == "\\" and at + 1 < len(self.text)
            if escaped and self.text[at + 1] == quote:
                at += 1
                chars.append(quote)
            else:
                step = 2 if escaped else 1
                chars.append(self.text[at : at + step])
                at += step - 1
            at += 1
        if at >= len(self.text):
            raise ValueError(f"a value is not closed; end it with `{quote}`")
        self.at = at + 1
        value = "".join(chars)
        return value if quote == "'" else self._expanded(_ESCAPE.sub(_unescaped, value))

    def _expanded(self, value: str) -> str | None:
        return substitute(value, self._lookup)

    def _lookup(self, name: str) -> str | None:
        value = self.around.get(name)
        return self.own.get(name) if value is None else value

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return _SHORT.get(match[1], match[0])
    digits = match[2]
    return chr(int(digits, 8) & 0xFF) if digits and not set(digits) & set("89") else match[0]
