"""A document model for Nix and its printer, in the layout of nixfmt (RFC 166).

Syntax facts are from the Nix manual, "Data types" and "String literals". Strings are
`"…"`, but for lines of a shell, as indented `''` strings drop leading spaces. JSON's `\\u` escapes
mean nothing to Nix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, Union

from generator.errors import RenderError
from generator.formats.text import WIDTH, Commented, comment, decimal, opened, refuse_nul
from generator.records import dataclass


@dataclass(frozen=True, slots=True)
class Raw:
    """A Nix expression, printed as written, in parentheses where its place needs them."""

    expr: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function applied to a value: `Call("mkDefault", -1)` is `mkDefault (-1)`."""

    function: str
    value: Value


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A string of parts: text stands for itself, and a Raw for what its expression evaluates to."""

    parts: Sequence[str | Raw]


@dataclass(frozen=True, slots=True)
class Lines:
    """A text of several lines, as of a file, printed as they stand where Nix reads them so."""

    text: str


# A key is a name, a tuple that stands for a path (("services", "ollama") prints `services.ollama`),
# or a Raw: an expression in `${}` that makes the name. `Any` because the type of keys is
# invariant: a union would refuse all of them.
Attrs: TypeAlias = "Mapping[Any, Value]"
Value: TypeAlias = Union[
    str, int, float, bool, Raw, Call, Lines, Interpolated, Commented, Attrs, "Sequence[Value]", None
]

_INDENT = "  "
_INT_MAX = 2**63 - 1  # integers are 64 bits wide; -2**63 is read as the negation of 2**63
_KEYWORDS = {"assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")
_ATOM = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*(\.[A-Za-z_][A-Za-z0-9_'-]*)*|\d+|\.{1,2}/[\w./-]+")
_ODD = re.compile(r"^ |[\n\r\t]|''|'\$\{|['$]$")
# In lines: what begins or ends a quote of another length, or an escape.
_NO_LINES = re.compile(r"\'{3}|\'\$|\$\$|[\r\t]|(?m:^ +$)")
_QUOTING = re.compile(r'["\\]')
_SPECIAL = re.compile(r'\$\{|["\\\n\r\t]')
_ESCAPES = {"${": r"\${", '"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def to_nix(value: Value) -> str:
    """Return `value` as a Nix expression without a final newline. Mappings keep their order.

    Raises RenderError naming the attribute whose value Nix cannot hold.
    """
    if isinstance(value, Commented):
        return "\n".join([*comment(value.comment), _expr(value.value, 0, "")])
    return _expr(value, 0, "")


def nix_string(text: str, where: str = "a Nix string") -> str:
    r"""Return `text` as a `"…"` literal; RenderError naming `where` for NUL and surrogates.

    Nix knows the escapes `\"`, `\\`, `\${`, `\n`, `\r` and `\t`; everything else stands for
    itself. A raw carriage return would be read as a newline.
    """
    return _literal(refuse_nul(text, where))


def indented_string(text: str) -> str:
    r"""Return a line with `"` or `\` as a `''…''` literal, in which they stand for themselves.

    Any other text, and what would be read in another way there, is a `"…"` literal.
    """
    if not _QUOTING.search(text) or _ODD.search(refuse_nul(text, "a Nix string")):
        return nix_string(text)
    return "''" + text.replace("${", "''${") + "''"


@lru_cache(maxsize=4096)
def _literal(text: str) -> str:
    return '"' + _SPECIAL.sub(lambda match: _ESCAPES[match[0]], text) + '"'


@lru_cache(maxsize=4096)
def attr_name(name: str) -> str:
    """Return `name` as one attribute name, quoted unless it is an identifier."""
    bare = _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS
    return name if bare else nix_string(name, "an attribute name")


def attr_path(*names: str) -> str:
    """Return `names` as an attribute path, `services."my app".enable`."""
    return ".".join(map(attr_name, names))


def _expr(value: Value, depth: int, where: str) -> str:
    """Return `value` as an expression whose first line is at `depth`."""
    if value is None or isinstance(value, str | int | float):
        return _scalar(value, where)
    if isinstance(value, Raw | Lines):
        text = value.expr if isinstance(value, Raw) else _lines(value.text, where)
        return re.sub(r"\n(?!\n)", "\n" + _INDENT * depth, text)
    if isinstance(value, Interpolated):
        parts = (_part(part, where or "a Nix string") for part in value.parts)
        return f'"{"".join(parts)}"'
    if isinstance(value, Call):
        return f"{value.function} {_argument(value.value, depth, where)}"
    if isinstance(value, Mapping):
        return _block("{", _bindings(value, depth + 1, where), "}", depth)
    if isinstance(value, Sequence):
        return _list(value, depth, where)
    raise TypeError(f"{where or 'the document'}: no Nix expression for {type(value).__name__}")


def _lines(text: str, where: str) -> str:
    """Return lines between `''`, which drops the spaces that all of them begin with."""
    flush = any(line[:1] not in {"", " "} for line in text.split("\n"))
    if not flush or not text.endswith("\n") or _NO_LINES.search(refuse_nul(text, where)):
        return nix_string(text, where)
    safe = text.replace("''", "'''").replace("${", "''${")
    lines = (f"{_INDENT}{line}" if line else "" for line in safe[:-1].split("\n"))
    return "\n".join(["''", *lines, "''"])


def _part(part: str | Raw, where: str) -> str:
    r"""Return one part; a final `$` is escaped, for Nix reads `$${` as three plain characters."""
    if isinstance(part, Raw):
        return f"${{{part.expr}}}"
    text = nix_string(part, where)[1:-1]
    return f"{text[:-1]}\\$" if text.endswith("$") else text


def _scalar(value: str | float | None, where: str) -> str:
    if isinstance(value, str):
        return nix_string(value, where or "a Nix string")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, int):
        return decimal(value, where)
    if abs(value) > _INT_MAX:
        raise RenderError(f"`{where}` is {value}, more than the 64 bits of a Nix integer")
    return str(value)


def _argument(value: Value, depth: int, where: str) -> str:
    """Return `value` as an argument or a list element: anything but one term in parentheses."""
    text = _expr(value, depth, where)
    compound = isinstance(value, Call) or (
        isinstance(value, Raw) and not _ATOM.fullmatch(value.expr)
    )
    if compound and "\n" in text:
        return _block(
            "(", iter([_INDENT * (depth + 1) + _expr(value, depth + 1, where)]), ")", depth
        )
    negative = isinstance(value, int | float) and text.startswith("-")
    return f"({text})" if compound or negative else text


def _bindings(attrs: Attrs, depth: int, where: str) -> Iterator[str]:
    """Yield the lines of `attrs`; a value of several lines comes as one item."""
    pad = _INDENT * depth
    for number, (key, item) in enumerate(attrs.items()):
        value, above = opened(item, pad, first=number == 0)
        yield from above
        path = _key(key)
        name = f"{where}.{path}".lstrip(".")
        text = _expr(value, depth, name)
        if len(f"{path} = {text};".partition("\n")[0]) > WIDTH:  # The indent does not count.
            if text.startswith("["):
                text = _block("[", _elements(value, depth + 1, name), "]", depth)
            elif isinstance(key, Raw):
                text = f"\n{pad}{_INDENT}{text}"
        yield f"{pad}{path} ={'' if text[:1].isspace() else ' '}{text};"


def _key(key: str | Raw | tuple[str, ...]) -> str:
    if isinstance(key, Raw):
        return f"${{{key.expr}}}"
    return attr_name(key) if isinstance(key, str) else attr_path(*key)


def _list(items: Sequence[Value], depth: int, where: str) -> str:
    """Return a list as nixfmt does: on one line only when empty or one short term."""
    if len(items) == 1 and not isinstance(items[0], Commented):
        only = _argument(items[0], depth, where)
        if "\n" not in only:
            return f"[ {only} ]"
    return _block("[", _elements(items, depth + 1, where), "]", depth)


def _elements(items: Sequence[Value], depth: int, where: str) -> Iterator[str]:
    pad = _INDENT * depth
    for number, item in enumerate(items):
        value, above = opened(item, pad, first=number == 0)
        yield from above
        yield pad + _argument(value, depth, where)


def _block(start: str, lines: Iterator[str], end: str, depth: int) -> str:
    body = "\n".join(lines)
    return f"{start}\n{body}\n{_INDENT * depth}{end}" if body else f"{start} {end}"
