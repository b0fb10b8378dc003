"""What single commands write into files: `echo`, `printf`, `sed -i`, and to which file it goes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.shell import is_shell
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.syntax.options import Argument

SPEAKS: Final = frozenset({"echo", "printf"})
_UNITS: Final = "/etc/systemd/system"
_FOLDERS: Final = {
    "--user": "~/.config/systemd/user",
    "--global": "/etc/systemd/user",
    "--runtime": "/run/systemd/system",
}
_UNIT: Final = re.compile(
    r"(?:.*/)?systemd/(?:system|user)/(?:[^/]+/)?[^/]*(?:\.(?:service|socket)|\.d/[^/]+\.conf)"
)
_SUFFIXES: Final = re.compile(r".*\.(?:service|socket|timer|target|mount|path|slice|scope)")
_CONVERSION: Final = re.compile(r"%([%sbdiu]|.)", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}
_MOST: Final = 1_000  # pieces of one text


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is written to a file: a here-document, or what a command says.

    `expands`: the shell puts in what `$NAME` stands for; `filled`: some of it is put in here.
    `appends`: it comes behind what the file has. `lines`: where each of its lines stands, if that
    is not one behind the other from `line` on. `inserted`: it is put into what the file has.
    """

    target: str
    text: str
    line: int
    expands: bool = False
    spoken: bool = False
    filled: bool = False
    appends: bool = False
    inserted: bool = False
    lines: tuple[int, ...] = ()

    def each_line(self) -> tuple[int, ...]:
        """Return where each line of the text stands."""
        count = self.text.count("\n") + 1
        told = self.lines or tuple(range(self.line, self.line + count))
        return told[:count]


def is_unit(path: str) -> bool:
    """Return whether a path is that of a unit, or of a drop-in, where systemd looks for them."""
    return _UNIT.fullmatch(path) is not None


def joined(parts: Sequence[Document], target: str) -> Document:
    """Return documents that are written one behind the other as one."""
    text, lines = "", list[int]()
    for one in parts:
        text = text if not text or text.endswith("\n") else f"{text}\n"
        lines = lines[: text.count("\n")] + list(one.each_line())
        text += one.text
    first = parts[0]
    return Document(
        target,
        text,
        first.line,
        expands=any(one.expands for one in parts),
        spoken=any(one.spoken for one in parts),
        filled=any(one.filled for one in parts),
        appends=first.appends,
        inserted=first.inserted,
        lines=tuple(lines),
    )


def said(words: Sequence[Argument], *, bash: bool = False) -> Document | None:
    """Return what `echo` or `printf` says; None: another command, or nobody can tell.

    The `echo` of bash leaves backslashes alone where it is not told `-e`.
    """
    if not words or words[0].text not in SPEAKS:
        return None
    pieces = _printed(words[1:]) if words[0].text == "printf" else _echoed(words[1:], bash=bash)
    text, lines = "", list[int]()
    for piece, line in pieces:
        lines += [line] * (piece.count("\n") + (not lines))
        text += piece
    line = words[0].place.line
    expands = any(word.unresolved for word in words)
    return Document("", text, line, expands, spoken=True, lines=tuple(lines)) if text else None


def as_told(word: Argument) -> Document:
    """Return a word that a command reads, as `<<<` hands it over."""
    lines = tuple(range(word.place.line, word.place.line + word.text.count("\n") + 2))
    text = f"{word.text}\n"
    return Document("", text, word.place.line, word.unresolved, spoken=True, lines=lines)


def _echoed(words: Sequence[Argument], *, bash: bool) -> Iterator[tuple[str, int]]:
    flags = ""
    while words and re.fullmatch(r"-[neE]+", words[0].text):
        flags, words = flags + words[0].text, words[1:]
    escapes = "e" in flags or not bash
    for at, word in enumerate(words[:_MOST]):
        if at:
            yield " ", word.place.line
        yield from _pieces(word, escapes=escapes)
    if words and "n" not in flags:
        yield "\n", words[-1].place.line + words[-1].text.count("\n")


def _pieces(word: Argument, *, escapes: bool) -> Iterator[tuple[str, int]]:
    """Yield the lines that a word has in the script."""
    for at, part in enumerate(word.text.split("\n")):
        line = word.place.line + at
        if at:
            yield "\n", line
        yield (_ESCAPE.sub(_meant, part) if escapes else part), line


def _meant(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])


def _unquoted(match: re.Match[str]) -> str:
    return match[1] if match[1] in "\"'" else _meant(match)


def _printed(words: Sequence[Argument]) -> Iterator[tuple[str, int]]:
    """Yield what `printf` makes of its format, again and again while there are arguments."""
    words = words[1:] if words and words[0].text == "--" else words
    if not words or words[0].text.startswith("-"):
        return
    form, given = words[0], list(words[1:][:_MOST])
    takes = sum(found[1] != "%" for found in _CONVERSION.finditer(form.text))
    if any(found[1] not in "%sbdiu" for found in _CONVERSION.finditer(form.text)):
        return
    while True:
        yield from _formatted(form, given[:takes])
        given = given[takes:]
        if not given or not takes:
            return


def _formatted(form: Argument, given: Sequence[Argument]) -> Iterator[tuple[str, int]]:
    left = iter(given)
    for at, part in enumerate(form.text.split("\n")):
        line, end = form.place.line + at, 0
        if at:
            yield "\n", line
        for found in _CONVERSION.finditer(part):
            yield _ESCAPE.sub(_unquoted, part[end : found.start()]), line
            end = found.end()
            word = None if found[1] == "%" else next(left, None)
            if word is not None:
                yield from _pieces(word, escapes=found[1] == "b")
                line = word.place.line + word.text.count("\n")
            elif found[1] == "%":
                yield "%", line
        yield _ESCAPE.sub(_unquoted, part[end:]), line


def teed(words: Sequence[Argument]) -> tuple[str, bool]:
    """Return the file to which `tee` writes, and whether behind what it has."""
    texts = [word.text for word in words]
    if "tee" not in texts:
        return "", False
    behind = texts[texts.index("tee") + 1 :]
    told = next((text for text in behind if not text.startswith("-")), "")
    return told, bool({"-a", "--append", "-ia", "-ai"} & {*behind})


def edited(words: Sequence[Argument], assigned: Sequence[tuple[str, Argument]] = ()) -> str:
    """Return the file that `systemctl edit` writes what it reads to; empty: it is no such command.

    It asks an editor, unless it is told `--stdin`, or an editor that takes what it is given.
    """
    texts = [word.text for word in words]
    if "systemctl" not in texts or "edit" not in texts[texts.index("systemctl") :]:
        return ""
    given = [f"{name}={value.text}" for name, value in assigned]
    editor = re.compile(r"(?:SYSTEMD_EDITOR|EDITOR|VISUAL)=(?:\S*/)?tee\b")
    if "--stdin" not in texts and not any(map(editor.match, (*texts, *given))):
        return ""
    behind = texts[texts.index("edit") + 1 :]
    unit = next((text for text in behind if not text.startswith("-")), "")
    if not unit:
        return ""
    unit = unit if _SUFFIXES.fullmatch(unit) else f"{unit}.service"
    folder = next((place for flag, place in _FOLDERS.items() if flag in texts), _UNITS)
    named = (text.partition("=")[2] for text in texts if text.startswith("--drop-in="))
    part = next(named, "override.conf").removesuffix(".conf")
    return f"{folder}/{unit}" if "--full" in texts else f"{folder}/{unit}.d/{part}.conf"


_TAKES: Final = re.compile(
    r"\s*(?:sudo\s+)?(?:cat\s*(?:-\s*)?>|tee\s)(?P<more>>|\s*-a\s)?\s*(?P<quote>[\"']?)"
    r"(?P<file>[^\s\"'|;&]+)(?P=quote)(?:\s*>\s*/dev/null)?\s*;?\s*"
)


def handed_on(words: Sequence[Argument]) -> tuple[str, bool]:
    """Return the file to which a shell writes what it reads, and whether behind what it has.

    It is told so in a word: `sh -c 'cat > FILE'`, `ssh HOST 'sudo tee FILE'`.
    """
    runs = any(is_shell(word.text) for word in words) or (words and words[0].text == "ssh")
    found = _TAKES.fullmatch(words[-1].text) if runs else None
    return (found["file"], bool(found["more"])) if found else ("", False)


_PLACES: Final = frozenset({"cp", "mv", "install", "ln"})
_VALUES: Final = frozenset({"-m", "-o", "-g", "--mode", "--owner", "--group", "-t", "-S"})


def put_at(words: Sequence[Argument]) -> tuple[str, str]:
    """Return a file that a command copies, moves or links, and what it becomes; empty: none."""
    texts = [word.text for word in words]
    at = next((at for at, text in enumerate(texts[:4]) if text in _PLACES), None)
    if at is None:
        return "", ""
    rest, names = texts[at + 1 :], list[str]()
    for before, text in zip([texts[at], *rest], rest, strict=False):
        if not text.startswith("-") and before not in _VALUES:
            names.append(text)
    if len(names) != 2:  # noqa: PLR2004 -- from one, to the other
        return "", ""
    source, target = names
    whole = PurePosixPath(target).suffix and not target.endswith((".d", "/"))
    name = PurePosixPath(source).name
    return source, target if whole else f"{target.rstrip('/')}/{name}"


_ADDRESS: Final = re.compile(r"\s*(?:(\d+|\$)|/((?:[^/\\]|\\.)*)/I?|\\(.)((?:(?!\3).)*)\3)?\s*")
_HEADER: Final = re.compile(r"\\?\[(\w+)\\?\]")
_KEY: Final = re.compile(r"\^?\s*#?\s*(\w+)")
_SECTIONS: Final = {
    "Unit": frozenset(
        {"Description", "Documentation", "After", "Before", "Wants", "Requires", "BindsTo"}
    ),
    "Install": frozenset({"WantedBy", "RequiredBy", "Alias", "Also"}),
}
_ASSIGNS: Final = re.compile(r"[A-Za-z]\w*[ \t]*=")
_MATCHED: Final = re.compile(r"\\\d|(?<!\\)&")
"""What stands for a part of what was there before."""


def inserted(words: Sequence[Argument]) -> Iterator[Document]:
    """Yield what `sed -i` puts into a file: whole lines, below the section that they come to."""
    at = next((at for at, word in enumerate(words[:4]) if word.text == "sed"), None)
    if at is None:
        return
    scripts, files, in_place = _arguments(words[at + 1 :])
    for script in scripts if in_place and len(files) == 1 else ():
        found = [line for one in _commands(script.text) for line in one]
        unit = bool(files) and is_unit(files[0].text)
        found = found if unit else [line for line in found if not line.startswith("[")]
        if found:
            text, line = "\n".join(found) + "\n", script.place.line
            lines = (line,) * (len(found) + 1)
            yield Document(
                files[0].text, text, line, script.unresolved, spoken=True, appends=True,
                inserted=True, lines=lines,
            )  # fmt: skip


def _arguments(words: Sequence[Argument]) -> tuple[list[Argument], list[Argument], bool]:
    """Return the scripts and the files that sed is given, and whether it changes them."""
    scripts: list[Argument] = []
    rest: list[Argument] = []
    in_place, takes = False, False
    for word in words:
        text = word.text
        if takes:
            scripts.append(word)
            takes = False
        elif text in {"-e", "--expression", "-ie", "-Ee", "-re"}:
            takes = True
        elif text.startswith("-"):
            in_place = in_place or text.startswith(("-i", "--in-place", "-Ei", "-ri", "-ni"))
        elif text:
            rest.append(word)
    return (scripts, rest, in_place) if scripts else (rest[:1], rest[1:], in_place)


def _commands(script: str) -> Iterator[list[str]]:
    """Yield what a script of sed, of one command, puts in: a section, and its lines."""
    found = _ADDRESS.match(script)
    behind = script[found.end() :] if found else script
    sought = (found[2] or found[4] or "") if found else ""
    verb = behind[:1]
    if verb in {"a", "i", "c"}:
        text = behind[1:].lstrip().removeprefix("\\").lstrip()
        section = (
            "Install" if found and found[1] == "$" else section_beside(sought, before=verb == "i")
        )
        yield from _below(section, text)
    elif verb == "s" and len(behind) > 1:
        parts = re.split(rf"(?<!\\){re.escape(behind[1])}", behind[2:])
        if len(parts) >= 2:  # noqa: PLR2004 -- what is sought, and what replaces it
            yield from _around(*parts[:2])


def section_beside(sought: str, *, before: bool) -> str:
    """Return the section in which something comes to stand beside what is sought."""
    if header := _HEADER.search(sought):
        if not before:
            return header[1]
        return {"Install": "Service", "Service": "Unit"}.get(header[1], "")
    key = _KEY.match(sought)
    return next((name for name, keys in _SECTIONS.items() if key and key[1] in keys), "Service")


def _below(section: str, text: str) -> Iterator[list[str]]:
    kept = [line for line in _lines_of(text) if _ASSIGNS.match(line)]
    if section and kept:
        yield [f"[{section}]", *kept]


def _around(sought: str, text: str) -> Iterator[list[str]]:
    """Yield the lines of a text that replaces what is sought, which may stand among them."""
    section, every = section_beside(sought, before=True), _lines_of(text)
    for at, line in enumerate(every):
        header = _HEADER.fullmatch(line)
        if header or _MATCHED.search(line):
            section = header[1] if header else section_beside(sought, before=False)
        elif section and _ASSIGNS.match(line) and (at or _is_whole(sought, line)):
            yield [f"[{section}]", line.replace("\\&", "&")]


def _is_whole(sought: str, line: str) -> bool:
    """Return whether what is sought is a line from its start on, so that this stands for all."""
    begins = sought.startswith(("^", ".*")) or _HEADER.search(sought) is not None
    directive = line.partition("=")[0] != line.partition("=")[0].upper()
    return (begins or directive) and not (line.count('"') % 2 or line.count("'") % 2)


def _lines_of(text: str) -> list[str]:
    return [line.strip().replace("\\/", "/") for line in text.replace("\\n", "\n").split("\n")]
