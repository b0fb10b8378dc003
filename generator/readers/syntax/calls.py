"""Calls of an API and of a program in code, whatever the language: Python, JavaScript, JSON, curl.

Brackets, quotes, colons, equal signs and commas are the same in all of them; what is between them
is taken as it is written. One pass over the text.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.view import Command, Line, Place, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH: Final = r"/api/(?:generate|chat|embeddings|embed|create)\b"
_TOKEN: Final = re.compile(
    rf"""
    (?P<comment>(?<![:\w"'])//[^\n]*|(?<!\S)\#[^\n]*)
  | (?P<url>https?://[^\s"'`,;(){{}}\\]+)
  | (?P<path>{_PATH}|/v1/\w[\w/-]*)
  | (?P<string>\\"[^"\\\n]*\\"|"(?![{{\n])(?:[^"\\\n]|\\.)*"|'(?![{{\n])(?:[^'\\\n]|\\.)*')
  | (?P<open>[{{(\[]) | (?P<close>[}})\]]) | (?P<comma>[,;]) | (?P<is>:(?!:|//)|=(?!=|>))
  | (?P<word>[\w.+-]+) | (?P<newline>\n) | (?P<other>[^\S\n]+|.)
    """,
    re.VERBOSE | re.ASCII,
)
_NEAR: Final = 3000  # characters between a path and the body that is sent there
_MOST: Final = 400_000
OPTIONS: Final = "options"


@dataclasses.dataclass(slots=True)
class _Frame:
    """What stands between two brackets: its fields, and what has no name."""

    line: int
    bracket: str = ""
    before: str = ""
    path: str = ""
    fields: dict[str, tuple[str, int]] = dataclasses.field(default_factory=dict)
    inner: dict[str, _Frame] = dataclasses.field(default_factory=dict)
    items: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    tokens: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    key: str = ""
    at: int = 0


def calls(
    text: str, file: str, program: str, api: str, first: int = 1
) -> tuple[tuple[Request, ...], tuple[Command, ...]]:
    """Return the requests in a text, and the calls of `program` as lists of words.

    `api`: a pattern of addresses at which it is asked.
    """
    frames = list(_frames(text[:_MOST], first, re.compile(api)))
    requests = tuple(_request(frame, file) for frame in frames if _asks(frame, program))
    commands = tuple(_command(frame, file) for frame in frames if _runs(frame, program))
    return requests, commands


def _frames(text: str, line: int, api: re.Pattern[str]) -> Iterator[_Frame]:
    stack = [_Frame(line)]
    path, since, word = "", 0, ""
    for found in _TOKEN.finditer(text):
        kind, token, top = found.lastgroup, found[0], stack[-1]
        named = re.search(_PATH, token) if kind in {"string", "path", "url"} else None
        if named or kind in {"url", "path"} or (kind == "string" and _URL.match(token)):
            ours = named and not _is_of_a_gateway(token, text, found.end(), api)
            path, since = named[0] if named and ours else "", found.end()
        match kind:
            case "open":
                near = path if found.start() - since < _NEAR else ""
                stack.append(_Frame(line, token, word, near))
            case "close" if len(stack) > 1:
                yield _closed(stack, line)
            case "comma":
                _end(top)
            case "is" if len(top.tokens) >= 1:
                top.key, top.at = _bare(top.tokens[-1][0]), top.tokens[-1][1]
                top.tokens = []
            case "string" | "word":
                top.tokens.append((token.replace('\\"', '"'), line))
            case "newline":
                line += 1
                _end(top) if len(stack) == 1 else None  # A line is a statement.
        word = token if kind in {"word", "string"} else word if kind == "other" else ""
    yield from reversed(stack)


_URL: Final = re.compile(r"[\"'](?:https?://[^\"'\s]+/|\$\{?\w+\}?/|[^\"'\s]*/v1/\w)")
_WITH_PORT: Final = re.compile(r"https?://([^/:\s]+:\d+)/")
_BY_KEY: Final = re.compile(r"(?i)authorization|x-api-key")
_HEADERS: Final = 300  # characters


def _is_of_a_gateway(url: str, text: str, end: int, api: re.Pattern[str]) -> bool:
    """Whether a request is one to a program before the server, which asks for a key."""
    found = _WITH_PORT.search(url)
    other = found is not None and api.search(found[1]) is None
    return other and _BY_KEY.search(text, end, end + _HEADERS) is not None


def _closed(stack: list[_Frame], line: int) -> _Frame:
    """Take the innermost frame off, and tell the one around it."""
    top = stack.pop()
    _end(top)
    if stack[-1].key:
        stack[-1].inner[stack[-1].key] = top
    stack[-1].tokens.append(("", line))
    return top


def _end(frame: _Frame) -> None:
    """Note the field or item that ends here."""
    told = frame.tokens[0][0] if len(frame.tokens) == 1 else ""
    if frame.key:
        frame.fields[frame.key] = (told, frame.at)
    elif frame.tokens:
        frame.items.append((told, frame.tokens[0][1]))
    frame.key, frame.tokens = "", []


def _bare(token: str) -> str:
    return token.strip("\"'")


def _asks(frame: _Frame, program: str) -> bool:
    """Whether a body is one for the engine: by where it goes, or by options that no other has."""
    options = frame.inner.get(OPTIONS)
    if options is not None and any(name.startswith("num_") for name in options.fields):
        return True
    body = frame.bracket == "{" and bool(frame.path)
    makes = body and frame.path.endswith("create") and "modelfile" in frame.fields
    return makes or ("model" in frame.fields and (body or frame.before.startswith(f"{program}.")))


def _request(frame: _Frame, file: str) -> Request:
    options = frame.inner.get(OPTIONS)
    fields = [_line("", *field, file) for field in frame.fields.items()]
    if options is not None:
        fields += [_line(OPTIONS, *field, file) for field in options.fields.items()]
    return Request(frame.path, Place(file, frame.line), tuple(fields))


def _line(section: str, name: str, value: tuple[str, int], file: str) -> Line:
    return Line(section=section, name=name, value=value[0], place=Place(file, value[1], name))


def _runs(frame: _Frame, program: str) -> bool:
    return len(frame.items) > 1 and _bare(frame.items[0][0]).rpartition("/")[2] == program


def _command(frame: _Frame, file: str) -> Command:
    words = ((_bare(token), Place(file, line)) for token, line in frame.items[1:])
    return Command(tuple(words))
