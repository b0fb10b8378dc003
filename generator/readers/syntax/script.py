"""Shell scripts, recipes of make and just, as command lines whose words know their place.

Nothing is run. A variable that the script itself sets to a plain text is put in where it is used;
any other stays as it is written, and its word is `unresolved`. Reading is one pass over the text.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from dataclasses import field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.loops import Loops
from generator.readers.syntax.options import Argument
from generator.readers.syntax.shell import is_shell
from generator.readers.syntax.written import (
    Document,
    as_told,
    edited,
    handed_on,
    inserted,
    joined,
    said,
    teed,
)
from generator.records import dataclass
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_INNER: Final = r"(?:[^()]|\([^()]*\))*"
_QUOTED: Final = r"""[^()'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*+\""""
_HELD: Final = rf"""
    \$\((?: {_QUOTED} | \((?: {_QUOTED} ){{0,2000}}+\) ){{0,2000}}+\)
  | \$\{{(?: [^{{}}"\n] | "[^"\n]*" ){{0,2000}}+\}}
"""
"""A command, or the pattern of a variable, between double quotes: it may have its own quotes."""
_TOKEN: Final = re.compile(
    rf"""
    (?P<continued>\\\r?\n) | (?P<newline>\n) | (?P<blank>[ \t\r]+)
  | (?P<here><<-?[ \t]*(?P<mark>["'\\]?)(?P<tag>[A-Za-z_]\w*)["']?)
  | (?P<redirect>&?\d?(?:<<<|>>|>\||[<>]&|[<>]))
  | (?P<inner>\$\({_INNER}\)|`[^`\n]*`)
  | (?P<gap>\$?\{{\{{[^{{}}\n]*\}}\}}|\$\{{[^{{}}\n]*\}}|\$\$?\w+)
  | (?P<operator>&&|\|\||;;|[;&|()])
  | (?P<single>'[^']*') | (?P<double>"(?:[^"\\$]|\\.|{_HELD}|\$)*+")
  | (?P<escape>\\.) | (?P<plain>[^\s'"\\;&|()<>`$#{{]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_GAP: Final = re.compile(
    r"\$\$?(?P<name>\w+)|\$\{(?P<braced>\w+)(?:\[@\]|\[\*\])?(?::?-(?P<default>[^{}]*))?\}"
    r"|\$\((?P<make>\w+)\)|\$?\{\{\s*(?P<just>[\w.]+)\s*\}\}"
)
_ARRAY: Final = re.compile(r"\$\{(\w+)\[[@*]\]\}")
_ASSIGNED: Final = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_WHOLE: Final = re.compile(r"\"?\$\{?(\w+)\}?\"?")
_PLAIN: Final = re.compile(r"(?<!\\)\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_SET: Final = re.compile(r"(?<![\w$-])([A-Za-z_]\w*)\+?=(?!=)")
_READ: Final = re.compile(r"\b(?:read|for|getopts|select)[ \t]+([^\n;|]*)")
_MAKE: Final = frozenset({"=", ":=", "::=", "?="})
_EXPORTS: Final = frozenset({"export", "declare", "typeset"})
_QUOTES: Final = frozenset({'"', "'"})
_BASH: Final = re.compile(r"#!.*\b(?:bash|zsh)\b")
_UNQUOTED: Final = re.compile(r"\\(.)", re.DOTALL)
_DEEPEST: Final = 3
_MOST: Final = 20_000  # words: nobody writes a longer script by hand
_LONGEST: Final = 4_000  # characters of a value that is put in elsewhere
_BRANCHES: Final = 20  # values of one variable
_FILLED: Final = 1_000_000  # characters that are put in, of all values


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line: variables set before it, its words, and what it is given to read.

    `exported`: there is no command, and later ones get the variables. `listed`: they are the words
    of an array. `fed`: something else is its input, a pipe or a file. `torn`: a quote in it has no
    partner, so that a shell reads to the end of the script, and runs neither it nor what is behind.
    """

    assigned: tuple[tuple[str, Argument], ...]
    words: tuple[Argument, ...]
    documents: tuple[Document, ...] = ()
    exported: bool = False
    listed: bool = False
    fed: bool = False
    torn: bool = False


@dataclasses.dataclass(slots=True)
class _Word:
    line: int
    pieces: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    quoted: bool = False
    unresolved: bool = False


def lines(text: str, file: str, first: int = 1, depth: int = 0) -> Iterator[CommandLine]:
    """Yield the command lines of a script whose first line is `first` in `file`."""
    yield from _Script(text, file, first, depth).lines()


class _Script:
    """One pass over a script; `known` are the variables that it has set so far."""

    def __init__(self, text: str, file: str, first: int, depth: int) -> None:
        self.text, self.file, self.line, self.depth = text, file, first, depth
        self.known: dict[str, str] = {}
        self.earlier: dict[str, list[Argument]] = {}
        self.arrays: dict[str, list[Argument]] = {}
        self.words: list[Argument] = []
        self.word: _Word | None = None
        self.redirect, self.target, self.array = "", "", ""
        self.fed = self.piped = self.appends = self.torn = False
        self.bash = _BASH.match(text) is not None
        self.said: Document | None = None
        self.groups: list[tuple[str, list[Document]]] = []
        self.pending: list[tuple[str, bool]] = []
        self.documents: list[Document] = []
        self.inner: list[tuple[str, int]] = []
        self.at = self.count = 0
        self.room = _FILLED
        self.loops = Loops()

    def lines(self) -> Iterator[CommandLine]:
        while self.at < len(self.text) and self.count < _MOST:
            found = _TOKEN.match(self.text, self.at)
            assert found is not None  # noqa: S101 -- the last alternative takes anything
            self.at, kind, sign = found.end(), found.lastgroup or "", found[0]
            if kind in {"newline", "operator"}:
                yield from self._operator(sign)
            elif kind == "here" or found["tag"]:
                self._end_word()
                self.pending.append((found["tag"], not found["mark"]))
            elif kind == "redirect":
                self._end_word()
                self.redirect = sign
                self.fed = self.fed or sign.startswith("<")
            elif kind in {"blank", "continued"}:
                self._end_word()
            elif sign == "#" and self.word is None:
                self.at = self._end_of_line()
            elif sign.startswith("`#") and kind == "inner":
                continue  # A comment within a command that goes on by backslashes: no word at all.
            else:
                self._piece(kind, sign)
            self.line += sign.count("\n")
        self._end_word()
        yield from self._command()

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _operator(self, sign: str) -> Iterator[CommandLine]:
        opens = sign == "(" and self.word is not None and self.word.raw[-1:] == ["="]
        if opens and self.word is not None:
            self.array, self.word = "".join(self.word.raw).rstrip("+="), None
            return
        self._end_word()
        if self.array:
            if sign == ")":
                yield from self._listed()
                self.array = ""
            return
        if sign == "\n" and self.pending:
            self._bodies()
        yield from self._command(piped=sign == "|")
        if sign == "(":
            self.groups.append((")", []))
        elif sign == ")":
            self._closes(sign)

    def _listed(self) -> Iterator[CommandLine]:
        """Yield the `NAME=value` words of an array that ends here."""
        found = []
        for word in self.arrays.get(self.array, ()):
            if match := _ASSIGNED.fullmatch(word.text):
                head = word.text[: len(word.text) - len(match[2])]
                value = replace(word, text=match[2], written=_behind(word, head))
                found.append((match[1], value))
        if found:
            yield CommandLine(tuple(found), (), listed=True)

    def _bodies(self) -> None:
        """Read the here-documents that the line before has announced."""
        at, line = self.at, self.line + 1
        for tag, expands in self.pending:
            end = re.compile(rf"^[ \t]*{tag}[ \t\r]*$", re.MULTILINE).search(self.text, at)
            stop, after = (end.start(), end.end() + 1) if end else (len(self.text), len(self.text))
            text = self.text[at:stop]
            told = self._put_into(text) if expands and "$" in text else text
            self.documents.append(Document("", told, line, expands, filled=told != text))
            line += self.text.count("\n", at, after)
            at = after
        # The newline before the bodies is counted by the caller.
        self.at, self.line, self.pending = min(at, len(self.text)), line - 1, []

    def _put_into(self, text: str) -> str:
        """Return a here-document with the variables put in that the script sets just once."""

        def told(match: re.Match[str]) -> str:
            value = self.known.get(match[1] or match[2])
            once = value is not None and (match[1] or match[2]) in self._set_once
            if value is None or not once or "\n" in value or len(value) > self.room:
                return match[0]
            self.room -= len(value)
            return value

        return _PLAIN.sub(told, text)

    @functools.cached_property
    def _set_once(self) -> frozenset[str]:
        """The variables that one place of the script sets, and nobody is asked for."""
        counted = Counter(_SET.findall(self.text))
        asked = {name for line in _READ.findall(self.text) for name in line.split()}
        return frozenset(name for name, times in counted.items() if times == 1) - asked

    def _piece(self, kind: str, sign: str) -> None:
        self.word = self.word or _Word(self.line)
        word = self.word
        word.raw.append(sign if kind != "plain" or not sign.endswith("=") else sign[:-1])
        if kind == "plain" and sign.endswith("="):
            word.raw.append("=")
        if kind == "single":
            word.pieces.append(sign[1:-1])
            word.quoted = True
        elif kind == "double":
            text = sign[1:-1].replace("\\\n", "")
            word.quoted = True
            word.pieces.append(_UNQUOTED.sub(_kept, self._filled(text, word)))
        elif kind in {"gap", "inner"}:
            word.pieces.append(self._filled(sign, word))
        else:
            self.torn = self.torn or (kind == "plain" and sign in _QUOTES and not self.depth)
            word.pieces.append(sign[1:] if kind == "escape" else sign)

    def _filled(self, text: str, word: _Word) -> str:
        """Put in the variables that are known."""

        def known(match: re.Match[str]) -> str:
            name = match["name"] or match["braced"] or match["make"] or match["just"]
            told = self.known.get(name)
            if told is not None and len(told) <= self.room:
                self.room -= len(told)
                return told
            default = match["default"] if told is None else None
            if default and not set("$`") & set(default):
                return default.strip("\"'")  # What it is where nobody says otherwise.
            word.unresolved = True
            return match[0]

        for inner in re.findall(rf"\$\(({_INNER})\)|`([^`\n]*)`", text):
            if (told := inner[0] or inner[1]) not in self.known:
                self.inner.append((told, self.line))
                word.unresolved = True
        return _GAP.sub(known, text) if "$" in text or "{{" in text else text

    def _end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        self.count += 1
        text, raw = "".join(word.pieces), "".join(word.raw)
        place = Place(self.file, word.line)
        argument = Argument(text, place, _written(raw, text), word.unresolved)
        if self.redirect:
            self._redirected(argument)
            return
        whole = _WHOLE.fullmatch(raw)
        also = tuple(self.earlier.get(whole[1], ())) if whole else ()
        argument = replace(argument, also=also) if also else argument
        into = self.arrays.setdefault(self.array, []) if self.array else self.words
        if (array := _ARRAY.fullmatch(raw.strip('"'))) and array[1] in self.arrays:
            into += self._elements(array[1])
        elif not word.quoted and raw.startswith("$") and " " in text and not word.unresolved:
            into += [replace(argument, text=part, written=lambda _: "") for part in text.split()]
        else:
            into.append(argument)

    def _redirected(self, word: Argument) -> None:
        """Take in where a command writes to, or what it reads."""
        if ">" in self.redirect and "&" not in self.redirect:
            self.target, self.appends = word.text, self.redirect.endswith(">>")
        elif self.redirect == "<<<":
            self.documents.append(as_told(word))
        self.redirect = ""

    def _elements(self, array: str) -> list[Argument]:
        """Return what an array stands for, as long as a script of so many words would be read."""
        elements = self.arrays[array][: _MOST - self.count]
        self.count += len(elements)
        return [replace(one, listed=True) for one in elements]

    def _command(self, *, piped: bool = False) -> Iterator[CommandLine]:
        """Yield the command that ends here, and those inside of its words."""
        words, documents, inner = self.words, self.documents, self.inner
        fed, self.fed = self.fed or self.piped or bool(documents), False
        self.piped = piped
        opened = [word.text for word in takewhile(lambda word: word.text in _OPENS, words)]
        words = words[len(opened) :]
        self.groups += [("}", []) for word in opened if word == "{"]
        exported = bool(words) and words[0].text in _EXPORTS
        assigned, words = self._assignments(words)
        given = self._written(words, assigned, piped=piped)
        self.words, self.documents, self.inner = [], [], []
        self.known.pop(self.loops.follow(words, asks=bool(_ASKS & {*opened})), None)
        if assigned or words or given:
            for each in self.loops.unrolled(words) if words else ([],):
                self.count += len(each)
                torn, self.torn = self.torn, False
                yield CommandLine(tuple(assigned), tuple(each), given, exported, fed=fed, torn=torn)
                given = ()
        if self.depth < _DEEPEST:
            for text, line in inner:
                yield from lines(text, self.file, line, self.depth + 1)
            yield from self._nested(words, documents)

    def _written(
        self, words: list[Argument], assigned: list[tuple[str, Argument]], *, piped: bool
    ) -> tuple[Document, ...]:
        """Return what a command writes to files; what it says otherwise is for the next one."""
        if words and words[0].text == "}":
            self._closes("}")
        tee, adds = teed(words)
        tee, adds = (tee, adds) if tee else handed_on(words)
        target = tee or edited(words, assigned) or self.target
        appends = adds if tee else self.appends and target == self.target
        reads = target != self.target or not words or words[0].text == "}"
        says = self.said if reads else said(words, bash=self.bash)
        told = self.documents or ([says] if says else [])
        self.target = target if self.pending else ""
        self.said = None
        if target:
            written = (replace(one, target=target, appends=appends) for one in told)
            return (*written, *inserted(words))
        if piped and told:
            self.said = joined(told, "")
        elif told and self.groups and (not words or words[0].text in _TELLS):
            self.groups[-1][1].extend(told)
        runs = any(is_shell(word.text) for word in words) or (words and words[0].text == "ssh")
        return (*(() if piped or runs else self.documents), *inserted(words))

    def _closes(self, sign: str) -> None:
        """End a group of commands: what they have said goes where the group's output goes."""
        if self.groups and self.groups[-1][0] == sign:
            _, told = self.groups.pop()
            self.said = joined(told, "") if told else None

    def _nested(self, words: list[Argument], documents: list[Document]) -> Iterator[CommandLine]:
        """Yield the commands of a script that a shell is told."""
        if handed_on(words)[0]:
            return
        shell = any(is_shell(word.text) for word in words)
        remote = bool(words) and words[0].text in _REMOTE
        for word in words if shell or remote else ():
            if " " in word.text and not (remote and word.text.startswith("-")):
                yield from lines(word.text, self.file, word.place.line, self.depth + 1)
        for document in documents if shell or (words and words[0].text == "ssh") else ():
            yield from lines(document.text, self.file, document.line, self.depth + 1)

    def _assignments(
        self, words: list[Argument]
    ) -> tuple[list[tuple[str, Argument]], list[Argument]]:
        """Take the variables off that a command begins with, and remember them."""
        exports = bool(words) and words[0].text in _EXPORTS | {"local", "readonly"}
        rest = words[1:] if exports else words
        if len(rest) > 1 and rest[1].text in _MAKE and re.fullmatch(r"\w+", rest[0].text):
            text = " ".join(word.text for word in rest[2:])
            value = replace(rest[0], text=text, written=rest[2].written if rest[2:] else _nothing)
            self._know(rest[0].text, value)
            return [(rest[0].text, value)], []
        found: list[tuple[str, Argument]] = []
        for at, word in enumerate(rest):
            if exports and word.text.startswith("-"):
                continue
            match = _ASSIGNED.fullmatch(word.text)
            if match is None:
                return found, ([] if exports else rest[at:])
            head = word.text[: len(word.text) - len(match[2])]
            value = replace(word, text=match[2], written=_behind(word, head))
            found.append((match[1], value))
            self._know(match[1], value)
        return found, []

    def _know(self, name: str, value: Argument) -> None:
        self.known.pop(name, None)
        if not value.unresolved and "$" not in value.text and len(value.text) <= _LONGEST:
            self.known[name] = value.text
            told = self.earlier.setdefault(name, [])
            if len(told) < _BRANCHES:
                told.append(replace(value, also=()))


_OPENS: Final = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time"})
"""Words of the shell before a command."""
_ASKS: Final = frozenset({"while", "until"})
_REMOTE: Final = frozenset({"ssh", "eval", "su", "watch", "docker", "tmux", "screen"})
"""Programs that hand a word to a shell."""
_TELLS: Final = frozenset({"echo", "printf", "cat", "}"})
"""Commands that say what they are given, unless something takes it."""


def _nothing(_: str) -> str:
    return ""


def _behind(word: Argument, head: str) -> Callable[[str], str]:
    return lambda more: word.written(head + more)


def _kept(match: re.Match[str]) -> str:
    """Undo an escape between double quotes, where most backslashes stay."""
    return match[1] if match[1] in '$`"\\\n' else match[0]


def _written(raw: str, text: str) -> Callable[[str], str]:
    """Return what tells how the rest behind a head is written, where no quotes cut through it."""

    def rest(head: str) -> str:
        if not text.startswith(head):
            return ""
        for bare in (raw, raw[1:-1] if raw[:1] in {"'", '"'} and raw[-1:] == raw[:1] else ""):
            if bare == text:
                return text[len(head) :]
        # `NAME="value"`: the quotes begin behind the head.
        inner = raw[len(head) :]
        whole = raw.startswith(head) and inner[:1] in {"'", '"'} and inner[-1:] == inner[:1]
        return inner if whole and inner[1:-1] == text[len(head) :] else ""

    return rest
