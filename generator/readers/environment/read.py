"""Files of `NAME=value`: `EnvironmentFile=` of systemd, `--env-file` of containers, shell files.

Each kind has its own quotes: systemd knows both kinds and `\\`, `docker run` none at all.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.applications import ASKED, of_applications
from generator.readers.base import Context, Source, each, refused
from generator.readers.environment import ENVIRONMENT
from generator.readers.environment.dotenv import is_dotenv, passed_on, unpassed, variables_of
from generator.readers.layers import overruled, said
from generator.readers.signs import BOM, is_for_a_shell
from generator.readers.syntax.shell import exported, runs_the_server
from generator.readers.syntax.words import is_text
from generator.records import replace
from generator.view import UNASSIGNED, UNSEEN, Line, Overruled, Place, Reach, Variable, View, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNASSIGNED: Final = re.compile(
    r"[ \t]*[A-Z][A-Z0-9]*_[A-Z0-9_]*[ \t]*(?::|[ \t])[^=\n]*$", re.ASCII
)
_LINE: Final = re.compile(
    r"[ \t\n\r]*(?:[#;](?:[^\\\n\r]|\\[^\n\r])*\\?|(?P<name>[^\s=][^=\n\r]*)(?P<assigns>=)?)?"
)
_PART: Final = re.compile(
    r"""[ \t]*(?:'([^']*)'?|"((?:[^"\\]|\\.)*)\\?"?|((?:[^\\\n\r]|\\.)*)\\?)""", re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
SHELL_FILES: Final = frozenset(
    {
        *(".bashrc", ".bash_profile", ".bash_login", ".bash_aliases", ".profile", "bash.bashrc"),
        *(".zshrc", ".zprofile", ".zshenv", ".zlogin", "profile", "zshenv", "zshrc", "zprofile"),
    }
)
"""Files that a login shell, or an interactive one, reads."""


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file; raises ProfileError for those that assign nothing."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    left = () if _is_script(source) else tuple(dropped(source))
    own = PurePosixPath(source.path).name == f"{context.engine.name}.env"
    said = tuple(of_applications(_variables(source, context.engine), context, servers=own))
    said = said if own else tuple(_of_a_client(one, context) for one in said)
    variables = tuple(passed_on(source, said, context))
    blank = all(line.lstrip()[:1] in {"", "#", ";"} for line in source.text.splitlines())
    if not (variables or left or blank or _is_script(source)):
        hint = "write one variable a line, as `OLLAMA_HOST=127.0.0.1:11434`"
        raise refused(source.path, "", "there is no `NAME=value` in this file", hint)
    return context.view(
        ENVIRONMENT,
        context.release_for(),
        name=PurePosixPath(source.path).name,
        place=Place(source.path),
        variables=variables,
        lines=(*left, *unpassed(source, said, context)),
        overruled=_overruled(source),
    )


def _of_a_client(variable: Variable, context: Context) -> Variable:
    """Return a variable: the URL of one server is for programs that ask there."""
    asked = variable.name == context.engine.address and ASKED.fullmatch(variable.value)
    return replace(variable, reach="client") if asked else variable


def _overruled(source: Source) -> tuple[Overruled, ...]:
    """Return what is said twice; which line of a script counts, running it tells."""
    plain = not (_is_script(source) or is_dotenv(source.path))
    found = environment_file(source) if plain else ()
    return overruled(said((variable, source.path) for variable in found), {})


def dropped(source: Source, *, by_unit: bool = False) -> Iterator[Line]:
    """Yield the lines that name a variable and assign nothing; a `.env` of Compose may do so."""
    if is_dotenv(source.path) and not by_unit:
        return
    for number, text in enumerate(source.text.split("\n"), 1):
        place = Place(source.path, number)
        if _UNASSIGNED.match(text):
            yield Line(section=UNASSIGNED, name="", value=text.strip(), place=place)
        name = text.removeprefix(BOM).partition("=")[0]
        strange = unseen(name) if "=" in text and not name.isprintable() else ()
        if strange and _NAME.fullmatch("".join(filter(str.isprintable, name))):
            effect = "nobody sees it, and the line sets nothing"
            yield Line(section=UNSEEN, name=strange[0], value=effect, place=place)


def _variables(source: Source, engine: Engine) -> list[Variable]:
    """Return what a file sets, and for whom: a login shell's variables reach no service."""
    if _is_script(source):
        reach: Reach = "server" if runs_the_server(source.text, engine) else "shell"
        return exported(source, reach)
    if is_dotenv(source.path):
        return variables_of(source) or environment_file(source)
    # A service of a user sees what environment.d says.
    login = source.path.endswith("etc/environment")
    plain = environment_file(source, "shell" if login else "server")
    return sorted([*plain, *exported(source, "shell")], key=lambda v: v.place.line)


def _is_script(source: Source) -> bool:
    """Whether a shell reads the file, which sees only what is exported there."""
    path = PurePosixPath(source.path)
    shell = path.name in SHELL_FILES or path.suffix in {".sh", ".bash", ".zsh"}
    return shell or is_for_a_shell(source.text)


def environment_file(source: Source, reach: Reach = "server") -> list[Variable]:
    """Return the variables as systemd reads an `EnvironmentFile=`, systemd.exec(5)."""
    text, at, found = source.text.removeprefix(BOM), 0, []
    number, counted = 1, 0
    while at < len(text):
        line = _LINE.match(text, at)
        at = line.end() if line else len(text)
        if line and line["assigns"]:
            value, end = _value(text, at)
            name = line["name"].rstrip(" \t")
            if _NAME.fullmatch(name) and is_text(value):
                number += text.count("\n", counted, line.start("name"))
                counted = line.start("name")
                written = text[at:end].strip(" \t")
                found.append(_variable(source, number, name, value, written, reach))
            at = end
        at += 1
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    """Return the value that starts here and where it ends: quoted parts, then a bare one."""
    parts: list[str] = []
    bare = None
    while bare is None and (part := _PART.match(text, at)):
        single, double, bare = part.groups()
        at = part.end()
        parts.append(single or _ESCAPED.sub(_unescaped, double or "") or _chomped(bare or ""))
    return "".join(parts), at


def _unescaped(match: re.Match[str]) -> str:
    if match[1] in '"\\`$':
        return match[1]
    return "" if match[1] == "\n" else match[0]


def _chomped(text: str) -> str:
    """Undo the escapes of a bare value, without the blanks behind it that none of them kept."""
    kept = text.rstrip(" \t")
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = text[: len(kept) + 1]
    return _ESCAPED.sub(lambda match: "" if match[1] in "\n\r" else match[1], kept)


def container_file(source: Source) -> Iterator[Variable]:
    """Yield the variables as `docker run --env-file` reads them: the value is all behind `=`."""
    for number, line in enumerate(source.text.removeprefix(BOM).split("\n"), 1):
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
