"""Files of `NAME=value`: `EnvironmentFile=` of systemd, `--env-file` of containers, shell files.

Each kind has its own quotes: systemd knows both kinds and `\\`, `docker run` none at all.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import each, refused
from generator.readers.environment import ENVIRONMENT
from generator.readers.syntax.shell import exported, runs_the_server
from generator.readers.syntax.words import is_text
from generator.view import Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context, Source
    from generator.view import Reach

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE: Final = re.compile(r"[ \t\n\r]*(?:([#;])|([^\s=][^=\n\r]*)(=)?)?")
_COMMENT: Final = re.compile(r"(?:[^\\\n\r]|\\[^\n\r])*\\?")
_BLANKS: Final = re.compile(r"[ \t]*")
_SINGLE: Final = re.compile(r"'([^']*)'?")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)\\?"?', re.DOTALL)
_BARE: Final = re.compile(r"((?:[^\\\n\r]|\\.)*)\\?", re.DOTALL)
_IN_DOUBLE: Final = re.compile(r"\\(.)", re.DOTALL)
_CHARACTER: Final = re.compile(r"\\(.)|(.)", re.DOTALL)
_SHELL_FILES: Final = frozenset(
    {
        *(".bashrc", ".bash_profile", ".bash_login", ".bash_aliases", ".profile", "bash.bashrc"),
        *(".zshrc", ".zprofile", ".zshenv", ".zlogin", "profile", "zshenv", "zshrc", "zprofile"),
    }
)
_SHEBANG: Final = re.compile(r"#!.*\b(?:sh|bash|zsh|dash|ksh)\b")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file; raises ProfileError for those that assign nothing."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    variables = tuple(_variables(source, context.engine))
    blank = all(line.lstrip()[:1] in {"", "#", ";"} for line in source.text.splitlines())
    if not (variables or blank or _is_script(source)):
        hint = "write one variable a line, as `OLLAMA_HOST=127.0.0.1:11434`"
        raise refused(source.path, "", "there is no `NAME=value` in this file", hint)
    return context.view(
        ENVIRONMENT,
        context.release_for(),
        name=PurePosixPath(source.path).name,
        place=Place(source.path),
        variables=variables,
    )


def _variables(source: Source, engine: Engine) -> list[Variable]:
    """Return what a file sets, and for whom: a login shell's variables reach no service."""
    if _is_script(source):
        reach: Reach = "server" if runs_the_server(source.text, engine) else "shell"
        return exported(source, reach)
    # A service of a user sees what environment.d says.
    login = source.path.endswith("etc/environment")
    plain = environment_file(source, "shell" if login else "server")
    return sorted([*plain, *exported(source, "shell")], key=lambda v: v.place.line)


def _is_script(source: Source) -> bool:
    """Whether a shell reads the file, which sees only what is exported there."""
    path = PurePosixPath(source.path)
    shell = path.name in _SHELL_FILES or path.suffix in {".sh", ".bash", ".zsh"}
    return shell or bool(_SHEBANG.match(source.text))


def environment_file(source: Source, reach: Reach = "server") -> list[Variable]:
    """Return the variables as systemd reads an `EnvironmentFile=`, systemd.exec(5)."""
    text, at, found = source.text.removeprefix("\ufeff"), 0, []
    number, counted = 1, 0
    while at < len(text):
        line = _LINE.match(text, at)
        at = line.end() if line else len(text)
        if line and line[1]:
            at = _end(_COMMENT, text, at)
        elif line and line[3]:
            value, end = _value(text, at)
            name = line[2].rstrip(" \t")
            if _NAME.fullmatch(name) and is_text(value):
                number += text.count("\n", counted, line.start(2))
                counted = line.start(2)
                written = text[at:end].strip(" \t")
                found.append(_variable(source, number, name, value, written, reach))
            at = end
        at += 1
    return found


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int) -> tuple[str, int]:
    """Return the value that starts here and where it ends: quoted parts, then a bare one."""
    parts: list[str] = []
    while True:
        at = _end(_BLANKS, text, at)
        if single := _SINGLE.match(text, at):
            parts.append(single[1])
            at = single.end()
        elif double := _DOUBLE.match(text, at):
            parts.append(_IN_DOUBLE.sub(_unescaped, double[1]))
            at = double.end()
        else:
            break
    bare = _BARE.match(text, at)
    if bare:
        parts.append(_chomped(bare[1]))
        at = bare.end()
    return "".join(parts), at


def _unescaped(match: re.Match[str]) -> str:
    if match[1] in '"\\`$':
        return match[1]
    return "" if match[1] == "\n" else match[0]


def _chomped(text: str) -> str:
    """Undo the escapes of a bare value, without the blanks behind it that none of them kept."""
    value, kept = "", 0
    for match in _CHARACTER.finditer(text):
        escaped, plain = match.groups()
        value += plain or ("" if escaped in "\n\r" else escaped)
        kept = len(value) if escaped or plain not in " \t" else kept
    return value[:kept]


def container_file(source: Source) -> Iterator[Variable]:
    """Yield the variables as `docker run --env-file` reads them: the value is all behind `=`."""
    for number, line in enumerate(source.text.removeprefix("\ufeff").split("\n"), 1):
        text = line.removesuffix("\r").lstrip()
        name, equals, value = text.partition("=")
        if equals and not text.startswith("#") and _NAME.fullmatch(name):
            yield _variable(source, number, name, value, value, "server")


def _variable(
    source: Source, number: int, name: str, value: str, written: str, reach: Reach
) -> Variable:
    return Variable(
        name=name,
        value=value,
        place=Place(source.path, number, name),
        reach=reach,
        written="" if "\n" in written else written,
    )
