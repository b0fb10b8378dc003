"""A dashboard of a bundle as one page, drawn from what a Prometheus really has: to be looked at.

    python -m tools.dashboard_page dashboard.json http://127.0.0.1:9090 [SECONDS] > page.svg

Each panel is asked for the last minutes; where Grafana draws more, this draws lines, a threshold
and the last values, which shows whether expressions, units and legends say what they should.
"""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.parse
import urllib.request
from html import escape
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLOURS: Final = ("#3b7dd8", "#d9822b", "#2a9d6f", "#b04fc4", "#c9a227", "#5b6b7b")
LIMIT: Final = "#d1434b"
SECONDS: Final = 600
POINTS: Final = 120
WIDE: Final = 1440
HIGH: Final = 200
HEAD: Final = 34
"""Pixels of a heading."""
PLOT: Final = 112
MOST: Final = 4
"""Names of lines that have room below a panel."""
KIB: Final = 1024
SHORT: Final = 24
"""Letters of a name that has room beside another."""
SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB")

Line = tuple[str, list[tuple[float, float]]]
"""The name of a line, and its points: time and value."""


def page(board: dict[str, Any], url: str, *, seconds: int = SECONDS) -> str:
    """Return the page of a dashboard, with the series of the Prometheus at `url`."""
    end, panels = time.time(), board["panels"]
    tops = [_top(each, panels) for each in panels]
    drawn = "\n".join(
        _panel(each, top, url, end, seconds) for each, top in zip(panels, tops, strict=True)
    )
    height = max(tops) + HIGH + 10
    title = escape(board["title"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {height:.0f}" '
        f'width="{WIDE}" height="{height:.0f}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="#f4f5f7"/>\n'
        f'<text x="16" y="32" font-size="20" fill="#20262e">{title}</text>\n{drawn}\n</svg>\n'
    )


def _top(panel: dict[str, Any], panels: Sequence[dict[str, Any]]) -> float:
    """Return where a panel begins: rows of panels and their headings have a height of their own."""
    at = panel["gridPos"]["y"]
    above = {each["gridPos"]["y"]: each["type"] for each in panels if each["gridPos"]["y"] < at}
    return 44 + sum(HEAD if kind == "row" else HIGH for kind in above.values())


def _panel(panel: dict[str, Any], top: float, url: str, end: float, seconds: int) -> str:
    x, title = panel["gridPos"]["x"] * WIDE / 24, escape(panel["title"])
    if panel["type"] == "row":
        return f'<text x="16" y="{top + 24}" font-size="15" fill="#20262e">{title}</text>'
    lines = sorted(_lines(panel, url, end, seconds))
    wide = panel["gridPos"]["w"] * WIDE / 24
    inside = _stat(panel, lines) if panel["type"] == "stat" else _plot(panel, lines, wide)
    return (
        f'<g transform="translate({x + 6:.0f},{top:.0f})"><rect width="{wide - 12:.0f}" '
        f'height="{HIGH - 10}" rx="5" fill="#fff" stroke="#dde1e6"/>'
        f'<text x="10" y="20" fill="#20262e" font-weight="600">{title}</text>'
        f"{inside}</g>"
    )


def _lines(panel: dict[str, Any], url: str, end: float, seconds: int) -> Iterator[Line]:
    """Yield the lines of a panel, as Prometheus answers."""
    for target in panel["targets"]:
        asked = {
            "query": target["expr"],
            "start": f"{end - seconds:.3f}",
            "end": f"{end:.3f}",
            "step": f"{max(1, seconds / POINTS):.3f}",
        }
        address = f"{url.rstrip('/')}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 -- who asks names it
            found = json.loads(answer.read())["data"]["result"]
        for one in found:
            points = [(float(at), float(value)) for at, value in one["values"]]
            yield (
                _named(target["legendFormat"], one["metric"]),
                [p for p in points if isfinite(p[1])],
            )


def _named(legend: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), legend)


def _plot(panel: dict[str, Any], lines: Sequence[Line], wide: float) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    unit, most = defaults["unit"], defaults.get("max")
    limits = [step["value"] for step in defaults["thresholds"]["steps"] if step["value"]]
    values = [value for _, points in lines for _, value in points]
    highest = max([*values, *limits, 0.0])
    ceiling = most or highest * 1.1 or 1.0
    left, width = 72.0, wide - 12 - 72 - 14
    times = [at for _, points in lines for at, _ in points] or [0.0, 1.0]
    first, span = min(times), (max(times) - min(times)) or 1.0

    def place(at: float, value: float) -> str:
        y = 32 + PLOT * (1 - min(value / ceiling, 1.0))
        return f"{left + width * (at - first) / span:.1f},{y:.1f}"

    parts = []
    for share in (0.0, 0.5, 1.0):
        y = 32 + PLOT * (1 - share)
        told = escape(written(ceiling * share, unit))
        parts.append(
            f'<path d="M{left},{y} h{width:.0f}" stroke="#e6e9ed"/>'
            f'<text x="{left - 6}" y="{y + 4}" fill="#6b7683" text-anchor="end">{told}</text>'
        )
    for limit in limits:
        y = 32 + PLOT * (1 - min(limit / ceiling, 1.0))
        parts.append(
            f'<path d="M{left},{y:.1f} h{width:.0f}" stroke="{LIMIT}" stroke-dasharray="5 4"/>'
        )
    for at, (_, points) in enumerate(lines):
        colour = COLOURS[at % len(COLOURS)]
        path = " ".join(place(*point) for point in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
    parts += _names(lines, unit, wide)
    return "".join(parts) if values else _nothing(wide)


def _names(lines: Sequence[Line], unit: str, wide: float) -> Iterator[str]:
    """Yield what lines are called, with their last values: two beside each other if short."""
    told = [f"{name}  {written(points[-1][1], unit)}" for name, points in lines if points][:MOST]
    beside = 2 if all(len(text) <= SHORT for text in told) else 1
    for at, text in enumerate(told[: 2 * beside]):
        x, y = 12 + at % beside * (wide / 2 - 10), HEAD + PLOT + 17 + at // beside * 15
        colour = COLOURS[at % len(COLOURS)]
        yield f'<rect x="{x}" y="{y - 8}" width="9" height="9" fill="{colour}"/>'
        yield f'<text x="{x + 14}" y="{y}" fill="#20262e">{escape(text)}</text>'


def _nothing(wide: float) -> str:
    return f'<text x="{wide / 2:.0f}" y="95" fill="{LIMIT}" text-anchor="middle">no series</text>'


def _stat(panel: dict[str, Any], lines: Sequence[Line]) -> str:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    told = [(name, written(points[-1][1], unit)) for name, points in lines if points]
    return "".join(
        f'<text x="{20 + at * 130}" y="108" font-size="44" fill="#2a9d6f">{escape(value)}</text>'
        f'<text x="{20 + at * 130}" y="134" fill="#6b7683">{escape(name)}</text>'
        for at, (name, value) in enumerate(told)
    ) or _nothing(300)


def written(value: float, unit: str) -> str:
    """Return a value as a person reads it, in a unit of Grafana."""
    match unit.removeprefix("suffix: "):
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "bytes":
            return _size(value)
        case "s":
            return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"
        case "reqps":
            return f"{value:.3g}/s"
        case "tok/s":
            return f"{value:.3g} tok/s"
        case _:
            return f"{value:.3g}"


def _size(value: float) -> str:
    for name in SIZES[:-1]:
        if value < KIB:
            return f"{value:.4g} {name}"
        value /= KIB
    return f"{value:.3g} {SIZES[-1]}"


def main() -> None:
    """Print the page of the dashboard that is named."""
    file, url, *more = sys.argv[1:]
    board = json.loads(Path(file).read_text(encoding="utf-8"))
    sys.stdout.write(page(board, url, seconds=int(more[0]) if more else SECONDS))


if __name__ == "__main__":
    main()
