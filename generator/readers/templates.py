"""Templates and sample files: each is read as the file that becomes of it.

Jinja, Handlebars and the templates of Go are known by their braces, whatever the file is called,
and so are the names that an installer replaces: `__NAME__`, `@NAME@`.
An expression with a literal default is that default, also one that the role of a template has; any
other stands for a value that nobody knows here. Lines stay where they are.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.records import replace
from generator.view import PREFIXES, NotJudged, Phrases, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.readers.base import Source
    from generator.view import View

T = TypeVar("T")
_TEMPLATES: Final = (
    *(
        ".j2",
        ".jinja",
        ".jinja2",
        ".tmpl",
        ".tpl",
        ".gotmpl",
        ".tftpl",
        ".hbs",
        ".mustache",
        ".erb",
    ),
)
UNREAD: Final = frozenset({".epp", ".ejs"})
"""Templates that nobody reads here: what they say is another program's."""
_SAMPLES: Final = (".example", ".sample", ".dist", ".template")
_ESCAPED: Final = re.compile(r"(?<!\$)\$\$\{\w")
_RECIPES: Final = ("Makefile", "makefile", ".mk", "justfile", "Justfile")
_FILLED_IN: Final = 100_000  # characters of values that are put into one template
_BARE: Final = re.compile(r"(?:^|/)(?:docker-)?compose$")
"""What people call the template of a compose file, where they leave its own end out."""
_FILLED: Final = frozenset({"systemd", "quadlet", "environment", "launchd"})
"""Kinds in whose files braces have no other meaning."""
_STATEMENT: Final = re.compile(
    r"<%(?!=)[^%\n]*%>|\{%(?:[^%{}]|%(?!\})|\{[^%{}\n]{0,99}\})*%\}|\{#[^{}]*#\}"
    r"|\{\{[-~]?[ \t]*(?:[#/^!>][^{}]*"
    r"|(?:else|end|if|range|with|define|block|template)\b(?![.(]|[ \t]*\|)[^{}]*)\}\}"
)
_COMMENTED: Final = (
    r"\{\{[-~]?[^{}\n|]{0,200}\|[ \t]*(?:ansible\.builtin\.)?comment\b[^{}\n]{0,400}\}\}"
)
"""What Ansible makes lines of a comment of, like the one that says who writes the file."""
_ALONE: Final = re.compile(rf"(?m)^[ \t]*(?:(?:{_STATEMENT.pattern}|{_COMMENTED})[ \t]*)+\r?$")
_EXPRESSION: Final = re.compile(r"\{\{-?([^{}\n]*)\}\}|<%=([^%\n]*)%>")
_DEFAULT: Final = re.compile(
    r"\s*[\w.]+\s*\|\s*(?:default|d)\s*\(\s*(?:'([^']*)'|\"([^\"]*)\"|([\w.]+))\s*(?:,[^()]*)?\)"
    r"\s*(?:\|\s*(?:string|int|lower|upper|trim|quote)\s*)?-?"
)
_PLAIN_NAME: Final = re.compile(
    r"\{%-?\s{0,9}(if|endif)\b|\{\{-?\s{0,9}([A-Za-z_]\w*)\s{0,9}"
    r"(?:\|\s{0,9}(?:default|d)\s{0,9}\([^()]{0,99}\)\s{0,9})?"
    r"(?:\|\s{0,9}(?:string|int|lower|trim)\s{0,9})?-?\}\}"
)
"""Where a condition begins or ends, or a variable by itself."""
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
_MARK: Final = re.compile(r"(?<![\w@])(?:__([A-Z][A-Z0-9_]*?)__|@([A-Z][A-Z0-9_]*)@)(?![\w@])")
"""A name that an installer replaces, as `sed` and `configure` do."""
_MARK_ALONE: Final = re.compile(rf"(?m)^[ \t]*(?:{_MARK.pattern})[ \t]*\r?$")
_PROGRAM: Final = re.compile(rf"^([{PREFIXES}]*)(\$\{{)")
UNTOLD: Final = "${"
"""What a value begins with, or has in it, that the template leaves open."""


def read_as(path: str) -> str:
    """Return the name of the file that becomes of a template or a sample; empty: it is neither."""
    name = _shorter(path)
    name = _shorter(name) or name  # `docker-compose.template.j2`
    return f"{name}.yml" if _BARE.search(name) else name


def _shorter(path: str) -> str:
    """Return a name without what says that it is a template or a sample; empty: it says neither."""
    ends = (end for end in (*_TEMPLATES, *_SAMPLES) if path.endswith(end))
    return next((path[: -len(end)] for end in ends if len(path) > len(end)), "")


def is_template(path: str) -> bool:
    """Return whether a name is that of a template."""
    return path.endswith(_TEMPLATES)


def has_gaps(source: Source, kind: str) -> bool:
    """Return whether a text is one that another program fills in, by its name or its braces."""
    if is_template(source.path):
        return True
    text = source.text
    if kind == "script":  # A shell has no word for what Terraform escapes so.
        return _ESCAPED.search(text) is not None and not source.path.endswith(_RECIPES)
    if kind == "compose":  # Docker's own `--format {{…}}` may stand in one.
        return ("{{" in text or "{%" in text) and _ALONE.search(text) is not None
    if kind == "traefik":  # Its file provider fills in templates of Go itself.
        return _EXPRESSION.search(text) is not None
    if kind not in _FILLED:
        return False
    braces = "{{" in text or "{%" in text
    return bool(
        (braces and (_STATEMENT.search(text) or _EXPRESSION.search(text))) or _MARK.search(text)
    )


def plain(
    source: Source,
    kind: str,
    given: Callable[[], Mapping[str, str]] = dict,
    *,
    first: bool = False,
) -> Source:
    """Return the file that a Source is read as: its own, or what becomes of it.

    `given` returns the values that the role of a template has for its variables. Of several
    branches of a template all stay, or the `first` one alone.
    """
    text = _without_others(source.text) if first else source.text
    text = _filled(text, given()) if has_gaps(source, kind) else text
    return replace(source, path=source.read_as or source.path, text=text, read_as="")


_BRANCH: Final = re.compile(
    r"^[ \t]*(?:\{%[-+~]?|\{\{[-~]?)\s{0,9}(?:(?P<opens>[#]?(?:if|unless|for|range|with|each)\b)"
    r"|(?P<other>else|elif|elsif)\b|(?P<ends>/?(?:end\w*|if|unless|each)\b))"
)
"""A line that begins a part of a template, another branch of it, or ends it."""


def has_branches(text: str) -> bool:
    """Return whether a template has a line that begins another branch."""
    found = (_BRANCH.match(line) for line in text.split("\n") if "{" in line)
    return any(one is not None and one["other"] for one in found)


def _without_others(text: str) -> str:
    """Return a text with the lines of all branches but the first emptied."""
    kept: list[str] = []
    skipping: list[bool] = []
    for line in text.split("\n"):
        found = _BRANCH.match(line) if "{" in line else None
        if found and found["opens"]:
            skipping.append(False)
        elif found and found["other"] and skipping:
            skipping[-1] = True
        elif found and found["ends"] and skipping:
            skipping.pop()
        kept.append("" if found or any(skipping) else line)
    return "\n".join(kept)


def _filled(text: str, given: Mapping[str, str]) -> str:
    """Return a text without the lines that only direct, and with a name for what is untold."""
    told = _of_role(text, given) if given else text
    kept = _MARK_ALONE.sub(_emptied, _ALONE.sub(_emptied, told))
    filled = _EXPRESSION.sub(_in_braces, _STATEMENT.sub(_within, kept))
    return _MARK.sub(lambda mark: f"{UNTOLD}{mark[1] or mark[2]}}}", filled)


def _emptied(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _within(found: re.Match[str]) -> str:
    """Return what stands for a directive: behind a `=` it makes a part of the value."""
    line = found.string[found.string.rfind("\n", 0, found.start()) + 1 : found.start()]
    return f"{UNTOLD}untold}}" if "=" in line and "\n" not in found[0] else _emptied(found)


def _of_role(text: str, given: Mapping[str, str]) -> str:
    """Return a text with the values of its role put in, but for what depends on a condition."""
    depth = at = 0
    room, parts = _FILLED_IN, list[str]()
    for found in _PLAIN_NAME.finditer(text):
        if found[1]:
            depth += 1 if found[1] == "if" else -1
        elif not depth and len(given.get(found[2], "")) < room and found[2] in given:
            room -= len(given[found[2]])
            parts += text[at : found.start()], given[found[2]]
            at = found.end()
    return "".join((*parts, text[at:]))


def _in_braces(found: re.Match[str]) -> str:
    """Return what stands for an expression; alone in braces of YAML it needs quotes."""
    value, text = _value(found), found.string
    line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    behind = text[found.end() : found.end() + 1 + _NEAR].lstrip(" ")[:1]
    flow = line.rstrip(" ")[-1:] in {":", ","} and line.count("{") > line.count("}")
    alone = flow and behind in {",", "}"} and "{{" not in line and value.startswith(UNTOLD)
    return f'"{value}"' if alone else value


_NEAR: Final = 9


def _value(found: re.Match[str]) -> str:
    if told := _DEFAULT.fullmatch(found[1] or found[2] or ""):
        return told[1] or told[2] or told[3] or ""
    name = _NAME.search(found[1] or found[2] or "")
    return f"{UNTOLD}{name[0].replace('.', '_') if name else 'untold'}}}"


def as_written(view: View, sources: Mapping[str, Source], *, gaps: bool) -> View:
    """Return a View of files that were read as others, at the places of those that are there.

    `sources` are those by the path that they were read as; `gaps`: one of the files is a template.
    """
    found = _placed(view, {n: s.path for n, s in sources.items()}) if sources else view
    return untold(found) if gaps else untold_values(found)


def untold_values(view: View) -> View:
    """Return a View of which no value is told that still has an expression of a template."""
    if not any("{{" in v.value or "{%" in v.value for v in view.variables):
        return view
    variables = (
        replace(v, unresolved=v.unresolved or "{{" in v.value or "{%" in v.value)
        for v in view.variables
    )
    return replace(view, variables=tuple(variables))


def untold(found: View) -> View:
    """Return a View of what was filled in, without what nobody knows here."""
    variables = (replace(v, unresolved=v.unresolved or UNTOLD in v.value) for v in found.variables)
    box = found.container
    if box is not None and UNTOLD in box.image:
        box = replace(box, digest=True)
    return replace(
        found,
        container=box,
        variables=tuple(variables),
        # What is filled in may be the whole path of a program.
        lines=tuple(
            replace(line, value=_PROGRAM.sub(r"\1/\2", line.value))
            if line.name.startswith("Exec")
            else line
            for line in found.lines
        ),
        unread=tuple(line for line in found.unread if UNTOLD not in line.value),
        # Which branch of a template is taken, nobody knows here.
        overruled=(),
    )


def _placed(value: T, names: Mapping[str, str]) -> T:
    """Return a View, or a part of one, with the places of files moved to others, by `names`."""
    found: Any = value
    if isinstance(found, Place | NotJudged):
        found = replace(found, file=names.get(found.file, found.file))
    elif isinstance(found, tuple) and not hasattr(found, "_fields"):
        found = tuple(_placed(item, names) for item in found)
    elif is_dataclass(found) and not isinstance(found, Phrases):
        parts = {f.name: _placed(getattr(found, f.name), names) for f in fields(found) if f.init}
        found = replace(found, **parts)
    return found  # type: ignore[no-any-return]
