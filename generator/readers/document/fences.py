"""Fences of Markdown: each block of code with its language, its line, and the file that it is."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPENS: Final = re.compile(r"([ \t>]*)(?:[-*+] )?(`{3,}|~{3,})[ \t]*([^`\n]*)")
_INNER: Final = re.compile(r"(?m)^[ \t>]*(?:`{3,}|~{3,})[ \t]*\S")
_DOCUMENTS: Final = frozenset({"", "md", "markdown", "text"})
_DEEPEST: Final = 2
_LONG: Final = 300  # characters: no line that names a file is longer
_SUFFIXES: Final = r"service|container|conf|ya?ml|env|nix|sh|json|toml"
_PATH: Final = re.compile(
    rf"(?<![\w.])((?:[\w.@~-]*/)*(?:[\w@.-]*\.(?:{_SUFFIXES})|Makefile|justfile))(?![\w/])"
)
_COMMENT: Final = re.compile(r"[ \t]*(?:#|//|;)[ \t]*(\S+)[ \t]*")
_PROMPT: Final = re.compile(r"[ \t]*(?:[\w.-]+@[\w.-]+[^$#\n]{0,40})?[$%] ")
_MISTAKE: Final = re.compile(
    r"[\W\d_]*(?:bad|wrong|incorrect|broken|don'?t(?: do this)?|avoid(?: this)?|not like this"
    r"|anti-?pattern|before|(?:the )?problem)[\W_]*|[\W_]*[❌✗✘].{0,200}",
    re.IGNORECASE,
)
_SAID_TO_FAIL: Final = re.compile(
    r"[ \t]*(?:#|//)[\W_]*(?:this )?(?:does(?:n['’]?t| not) work|wo(?:n['’]t|n?t) work|fails"
    r"|wrong|bad|incorrect|broken|don['’]?t do)\b",
    re.IGNORECASE,
)
"""A line that says of what stands below it that nobody should write that."""
_TITLE: Final = re.compile(r"(?:title|file(?:name)?)=[\"']?([^\"'\s}]+)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code: `language` as written, `name` of the file that it is, `line` of its text.

    `mistake`: the line above says that nobody should write that.
    """

    language: str
    name: str
    text: str
    line: int
    mistake: bool = False


def fences(text: str, first: int = 1, depth: int = 0) -> Iterator[Fence]:
    """Yield the fences of a document; one that stays open ends with it.

    Those of a document within a longer fence are yielded instead of it. `first` is its line.
    """
    lines = text.split("\n")
    at, prose = 0, ""
    ends = [number for number, line in enumerate(lines) if "-->" in line]
    while at < len(lines):
        opened = _OPENS.fullmatch(lines[at].rstrip())
        at += 1
        if opened is None:
            prose = lines[at - 1] if lines[at - 1].strip() else prose
            at = _behind_comment(lines, at, ends)
            continue
        start, close = at, re.compile(rf"[ \t>]*{opened[2][0]}{{{len(opened[2])},}}[ \t\r]*")
        while at < len(lines) and not close.fullmatch(lines[at]):
            at += 1
        body = textwrap.dedent("\n".join(line.removeprefix("> ") for line in lines[start:at]))
        language = _language(opened[3])
        if language in _DOCUMENTS and depth < _DEEPEST and _INNER.search(body):
            yield from fences(body, first + start, depth + 1)
            at, prose = at + 1, ""
            continue
        name, line = _name(opened[3], body, prose), first + start
        mistake = bool(_MISTAKE.fullmatch(prose.strip()) or _SAID_TO_FAIL.match(body[:_LONG]))
        yield Fence(language.strip("."), name, body + "\n", line, mistake)
        at, prose = at + 1, ""


def _language(info: str) -> str:
    """Return the language that a fence says it has; of MyST what stands behind its directive."""
    first, *others = [*info.strip("{} ").lower().split(), ""]
    if first in {"code-block}", "code}", "sourcecode}", "code-cell}"}:
        first = others[0]
    return _MARKED.split(first, maxsplit=1)[0]


_MARKED: Final = re.compile(r"[:,{}\[]")
"""What stands behind a language without a blank: lines to mark, the name of the file."""
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_MOST: Final = 2000  # characters of a line that are looked at


def unfenced(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of code that stand in no fence: indented ones, and those within `<pre>`."""
    lines = text.split("\n")
    for fence in fences(text):
        end = fence.line - 1 + fence.text.count("\n")
        lines[fence.line - 1 : end] = [""] * (end - fence.line + 1)
    ends = [number for number, line in enumerate(lines) if "-->" in line]
    at, prose, inner, before = 0, "", False, ""
    while at < len(lines):
        line, at = lines[at][:_MOST], at + 1
        inner = inner or "<pre" in line
        indented = line.startswith(("    ", "\t")) and before.startswith(("    ", "\t", "\n"))
        if (inner or indented) and not _MISTAKE.fullmatch(prose.strip()):
            yield at, _TAG.sub("", line).strip()
        elif line.strip():
            prose = line[:_LONG]
        inner = inner and "</pre" not in line
        before = line if line.strip() else "\n"
        at = _behind_comment(lines, at, ends)


def _behind_comment(lines: Sequence[str], at: int, ends: Sequence[int]) -> int:
    """Return the line to go on with, behind a comment of HTML that the line before `at` opens."""
    _, opened, rest = lines[at - 1].rpartition("<!--")
    if not opened or "-->" in rest:
        return at
    end = bisect_left(ends, at)
    return ends[end] + 1 if end < len(ends) else at


def _name(info: str, body: str, prose: str) -> str:
    """Return the file that a fence is: by its title, its first comment, or the line above it."""
    if title := _TITLE.search(info):
        return title[1]
    comment = _COMMENT.fullmatch(body.partition("\n")[0][:_LONG])
    named = _PATH.fullmatch(comment[1]) if comment else None
    if named:
        return named[1]
    above = _PATH.findall(prose[:_LONG])
    return str(above[0]) if len(set(above)) == 1 else ""


_TO_FILL_IN: Final = re.compile(
    r"(?<=[ \t=:\"'/])<(?![(<])[^\W\d_][^<>|&;\n\"'`$]{0,80}\b>(?![\w<>&])"
)


def commands(text: str) -> str:
    """Return what somebody has typed of a session: with prompts, other lines are output.

    Lines and columns stay where they are; what a reader has to fill in is one word.
    """
    text = _TO_FILL_IN.sub(lambda gap: re.sub(r"[ \t]", "_", gap[0]), text)
    lines = text.split("\n")
    if not any(_PROMPT.match(line) for line in lines):
        return text
    kept: list[str] = []
    open_until = ""
    for line in lines:
        prompt = _PROMPT.match(line)
        typed = line[prompt.end() :] if prompt else line
        if not (prompt or open_until):
            kept.append("")
            continue
        kept.append(typed)
        open_until = _open(typed, "" if prompt else open_until)
    return "\n".join(kept)


_EDITING: Final = re.compile(
    r"[ \t$#]*(?:sudo[ \t]+)?(?:-\w+[ \t]+)*"
    r"(?:systemctl[ \t]+(?:--\S+[ \t]+)*edit[ \t]+(?:--\S+[ \t]+)*"
    r"|(?:nano|vim?|nvim|emacs|micro|edit|gedit)[ \t]+(?:\S*/)?(?=[\w@.-]+\.service\b))"
    r"([\w@.-]+)(?:\.d/\S+)?[ \t]*(?:--\S+[ \t]*)*(?:#.*)?"
)
_SAYS: Final = re.compile(r"[ \t]*(?:[#;].*|\[\w+\]|[A-Z][a-z]\w*[ \t]*=.*)?[ \t\r]*")
_HEADS: Final = re.compile(r"[ \t]*\[(?:Unit|Service|Install)\][ \t\r]*")


_BARE: Final = re.compile(r"[ \t]*Environment(?:File)?=[\"']?[A-Z/-]")


def typed_into_units(text: str, first: int) -> Iterator[tuple[str, str, int, bool]]:
    """Yield what a guide has somebody type into a unit: its name, the text, line, `bare`.

    It begins with the header of a section behind `systemctl edit`, or with the word that a shell
    does not have (`bare`), and ends before what is no line of a unit.
    """
    lines = text.split("\n")
    at, unit = 0, ""
    while at < len(lines):
        if found := _EDITING.fullmatch(lines[at][:_LONG]):
            unit = found[1] if "." in found[1] else f"{found[1]}.service"
        start, at = at, at + 1
        bare = _BARE.match(lines[start]) is not None
        if not bare and not (unit and _HEADS.fullmatch(lines[start][:_LONG])):
            continue
        while at < len(lines) and _SAYS.fullmatch(lines[at]) and not _EDITING.match(lines[at]):
            at += 1
        yield unit, "\n".join(lines[start:at]), first + start, bare
        unit = ""


def _open(line: str, before: str) -> str:
    """Return what the next line goes on with: a quote, a here-document or a continued line."""
    if before not in {"", "\\", "'", '"'}:
        return "" if line.strip(" '\"") == before else before
    if here := re.search(r"<<-?\s*['\"\\]?([A-Za-z_]\w*)", line):
        return here[1]
    quote = before if before in {"'", '"'} else ""
    for char in re.findall(r"\\.|['\"]", line):
        quote = quote if char[0] == "\\" else char if not quote else "" if char == quote else quote
    return quote or ("\\" if line.rstrip().endswith("\\") else "")
