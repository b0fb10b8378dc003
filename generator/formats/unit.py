r"""systemd unit files and drop-ins. Syntax facts are from systemd.syntax(7), "Quoting".

systemd undoes three layers, in this order: C escapes and quotes, then `%` specifiers, and in
`Exec…=` lines the variables of the environment (`$`). This module applies them in reverse.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from generator.errors import RenderError
from generator.formats.text import INVISIBLE, comment, escape, refuse_nul
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key=value` line; `value` is what stands there, escaped by its own kind already."""

    key: str
    value: str
    comment: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A `[name]` with its entries, in order."""

    name: str
    entries: Sequence[Entry]


_LINE_MAX = 1024 * 1024  # LONG_LINE_MAX of systemd: a longer line fails the whole file
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_BINARY = re.compile(r"""(/|[A-Za-z0-9._](?!.*/))[^\x00-\x1f\x7f"'\\$]*(?<!/)""")
_QUOTED = re.compile(f'["\\\\]|{INVISIBLE.pattern}')
_SHORT = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def unit_text(header_lines: Iterable[str], sections: Iterable[Section]) -> str:
    """Return a unit file: the header as comments, then the sections, a blank line between.

    Raises RenderError naming the entry whose value a line cannot carry.
    """
    header = [line for text in header_lines for line in comment(text)]
    blocks = [header, *(list(_section(section)) for section in sections)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def environment(name: str, value: str) -> str:
    r"""Return `"name=value"` for `Environment=`, which gives back exactly `value`.

    `$` has no meaning there, systemd.exec(5). Invisible characters become C escapes, so that
    none of them ends the line. Raises RenderError for a name that is not `[A-Za-z_][A-Za-z0-9_]*`
    and for a value with NUL.
    """
    if not _VARIABLE.fullmatch(name):
        raise RenderError(
            f"`{name}` is not the name of an environment variable",
            hint="use letters, digits and `_`, not starting with a digit",
        )
    return _quoted(specifier_escape(f"{name}={refuse_nul(value, name)}"))


def exec_line(argv: Sequence[str]) -> str:
    """Return a command line for `ExecStart=` and its kin that runs exactly `argv`.

    Raises RenderError for a program systemd cannot name: it must be a file name or an absolute
    path, and quotes, backslashes, `$` and control characters are not allowed in it.
    """
    if not argv or not _BINARY.fullmatch(argv[0]):
        raise RenderError(
            f"systemd cannot run `{argv[0] if argv else ''}`",
            hint="name the program by an absolute path without quotes, `\\` and `$`",
        )
    return " ".join(exec_word(word, argv[0]) for word in argv)


def exec_word(text: str, where: str = "a command") -> str:
    """Return one argument of a command line; RenderError naming `where` for NUL."""
    return _word(refuse_nul(text, where).replace("$", "$$"))


def tmpfiles_line(kind: str, path: str, *fields: str) -> str:
    """Return a line for tmpfiles.d(5) or sysusers.d(5), each field quoted where it needs it.

    Both split a line as systemd splits a command line, and expand `%` specifiers.
    """
    words = (refuse_nul(word, path) for word in (path, *fields))
    return " ".join([kind, *map(_word, words)])


def specifier_escape(text: str) -> str:
    """Return `text` with `%` doubled, for any value in which systemd expands specifiers."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Return one argument; quotes also take the meaning off a lone `;` and an empty word."""
    return text if _BARE.fullmatch(text) else _quoted(specifier_escape(text))


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    r"""Return `text` in double quotes. `\x` writes a byte, so only ASCII may use it; see escape."""
    return '"' + _QUOTED.sub(lambda match: _SHORT.get(match[0]) or escape(match[0]), text) + '"'


def _section(section: Section) -> Iterator[str]:
    yield f"[{_checked_name(section.name)}]"
    for entry in section.entries:
        yield from comment(entry.comment)
        yield f"{_checked_name(entry.key)}={_checked_value(entry, section.name)}"


@lru_cache(maxsize=512)
def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RenderError(f"`{name}` is not a section or key of a unit file")
    return name


def _checked_value(entry: Entry, section: str) -> str:
    r"""Return the value of `entry`, unless systemd would read another one.

    It strips spaces around a value, joins lines after a final `\`, and takes `\r` for a line end.
    """
    where = f"[{section}] {entry.key}="
    value = refuse_nul(entry.value, where)
    if "\n" in value or "\r" in value:
        raise RenderError(f"`{where}` cannot hold a line break")
    if value.endswith("\\") or value != value.strip(" \t"):
        raise RenderError(f"`{where}` cannot end in a backslash or have spaces around it")
    if len(value) > _LINE_MAX // 8 and len(value.encode()) + len(where) >= _LINE_MAX:
        raise RenderError(f"`{where}` is longer than a line of a unit file may be (1 MiB)")
    return value
