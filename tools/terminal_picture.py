"""docs/terminal.svg: what a terminal shows of the README's host, from what `gen` really prints."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from click.testing import CliRunner

from generator.cli import gen
from tools.readme import OVERRIDE, profile

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS: Final = (
    ("check", "override.conf"),
    ("fit", "my-host.toml", "--model", "qwen3:14b"),
)
_STYLE: Final = re.compile(r"\x1b\[([\d;]*)m")
_COLOURS: Final = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "34": "#79c0ff",
    "35": "#d2a8ff",
    "36": "#56d4dd",
}
_WIDE, _HIGH, _EDGE, _TOP = 8.4, 19, 18, 44  # of a character, and around them, in pixels
_FONT: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def files() -> dict[str, str]:
    """Return the picture by its path in the repository."""
    return {"docs/terminal.svg": _picture(list(_lines()))}


def _lines() -> Iterator[str]:
    """Yield what a terminal shows, with its colours."""
    runner = CliRunner()
    with TemporaryDirectory() as folder, chdir(folder):
        Path("my-host.toml").write_text(profile(), encoding="utf-8")
        Path("override.conf").write_text(OVERRIDE, encoding="utf-8")
        for command in COMMANDS:
            yield f"\x1b[32m$\x1b[0m \x1b[1mgen {' '.join(command)}\x1b[0m"
            done = runner.invoke(gen, command, color=True, env={"NO_COLOR": None})
            yield from done.stdout.rstrip("\n").split("\n")
            yield ""


def _picture(lines: list[str]) -> str:
    widest = max(len(_STYLE.sub("", line)) for line in lines)
    width, height = round(widest * _WIDE + 2 * _EDGE), _TOP + len(lines) * _HIGH
    svg = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}")
    svg.set("role", "img")
    SubElement(svg, "title").text = "gen check and gen fit in a terminal"
    SubElement(svg, "rect", width=str(width), height=str(height), rx="8", fill="#0d1117")
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        SubElement(svg, "circle", cx=str(_EDGE + 6 + 20 * number), cy="20", r="6", fill=colour)
    body = SubElement(svg, "g", {"font-family": _FONT, "font-size": "14", "fill": "#e6edf3"})
    for number, line in enumerate(lines):
        _write(body, line, _TOP + number * _HIGH)
    indent(svg)
    return tostring(svg, encoding="unicode") + "\n"


def _write(body: Element, line: str, y: int) -> None:
    """Add the runs of a line, each at the column where it begins, as wide as in a terminal."""
    at, style = 0, dict[str, str]()
    for number, piece in enumerate(_STYLE.split(line)):
        if number % 2:
            style = _styled(style, piece)
            continue
        for word in re.finditer(r"\S+(?: \S+)*", piece):
            x, wide = _EDGE + (at + word.start()) * _WIDE, len(word[0]) * _WIDE
            place = {"x": f"{x:.1f}", "y": str(y), "textLength": f"{wide:.1f}"}
            SubElement(body, "text", place | style).text = word[0]
        at += len(piece)


def _styled(style: dict[str, str], codes: str) -> dict[str, str]:
    for code in codes.split(";"):
        if code in {"", "0"}:
            style = {}
        elif code == "1":
            style = style | {"font-weight": "bold"}
        elif code in _COLOURS:
            style = style | {"fill": _COLOURS[code]}
    return style
