r"""PromQL and the templates of alerts: names of users inside selectors, and text that stays text.

A string of PromQL is escaped as one of Go: `\`, `"` and what is no printable character. Grafana
takes a `$` for a variable of the dashboard, so that none is written: `\x24` is the same there.
Source: pkg prometheus/util/strutil/quote.go; Go, "String literals".
"""

from __future__ import annotations

import re
from typing import Final

from generator.formats.text import refuse_nul

_ODD: Final = re.compile(r'["\\$\x01-\x1f\x7f-\x9f\u2028\u2029]')
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_TEMPLATE: Final = re.compile(r"\{\{|\}\}")
_LITERAL: Final = re.compile(r"([\\.+*?()|\[\]{}^$])")


def quoted(text: str) -> str:
    """Return a string of PromQL. Raises RenderError for NUL and halves of surrogate pairs."""
    return f'"{_ODD.sub(_escaped, refuse_nul(text, "a label"))}"'


def selector(name: str, **labels: str) -> str:
    """Return a metric with labels that must be so, as `up{job="node"}`."""
    inside = ",".join(f"{label}={quoted(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name


def narrowed(expr: str, begins: str, **labels: str) -> str:
    """Return an expression of which the metrics that begin so have these labels, too."""
    inside = ",".join(f"{label}={quoted(value)}" for label, value in labels.items())

    def told(found: re.Match[str]) -> str:
        if not found["name"]:
            return found[0]
        return f"{found['name']}{{{inside}" + ("," if found["more"] else "}")

    named = rf"{_STRING.pattern}|\b(?P<name>{begins}\w+)(?P<more>\{{)?"
    return re.sub(named, told, expr)


def any_of(*texts: str) -> str:
    """Return a pattern for a `=~` that matches these texts alone, as a string of PromQL."""
    return quoted("|".join(_LITERAL.sub(r"\\\1", text) for text in texts))


def plain_template(text: str) -> str:
    """Return the text of an annotation in which nothing is a template of Prometheus."""
    return _TEMPLATE.sub(lambda found: f'{{{{"{found[0]}"}}}}', text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character in '"\\':
        return f"\\{character}"
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"  # noqa: PLR2004 -- the end of ASCII
