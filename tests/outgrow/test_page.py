"""The page of `gen outgrow`: whole by itself, and drawn as the numbers say."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

import pytest

from generator.outgrow.curve import HEIGHT, LEFT, TOP, WIDTH, Curve, curve
from tests.commands import called

if TYPE_CHECKING:
    from pathlib import Path


def page(*args: str, code: int) -> str:
    done = called("outgrow", *args, "--html", "-")
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("<!DOCTYPE html>")
    return done.stdout


def drawings(text: str) -> list[Xml.Element]:
    return [Xml.fromstring(one) for one in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]  # noqa: S314


def places(drawn: Curve) -> list[tuple[float, float]]:
    pairs = (point.split(",") for point in drawn.points.split())
    return [(float(x), float(y)) for x, y in pairs]


def test_it_has_the_arithmetic_the_way_out_and_what_leaving_costs() -> None:
    text = page("dgx-spark", "--rate", "2", "--tokens", "300", code=1)
    for told in (
        "One server is not enough; 6 like it are.",
        "one server carries 4 slots /",
        "Step 1: 32 slots in place of 4",
        "--set ollama.num_parallel=32",
        "Step 2: 2 servers with 32 slots each",
        "Another engine: vLLM",
        "calls of tools",
    ):
        assert told in text
    assert "td:first-child { overflow-wrap: normal;" in text  # no word of it is broken
    # What carries how much, then how long requests wait: as it is, and with each step.
    assert len(drawings(text)) == 4
    assert not re.search(r"<script|https?://(?!www\.w3)|src=|@import", text)


def test_where_one_is_enough_there_is_no_way_out() -> None:
    text = page("dgx-spark", "--rate", "0.1", code=0)
    assert "One server is enough." in text
    assert "Step 1" not in text
    assert "What leaving costs" not in text
    assert len(drawings(text)) == 2


def test_a_log_is_drawn_and_nothing_of_it_is_markup(tmp_path: Path) -> None:
    rows = [{"time": n, "seconds": 9, "prompt": "<b>x</b>"} for n in range(50)]
    log = tmp_path / "<i>.jsonl"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    text = page("dgx-spark", "--log", str(log), "--set", "name=a", code=1)
    assert "the log: 50 requests in 50 s" in text
    assert "a cache of exact repeats pays" in text
    assert "<i>" not in text
    assert "5-8 at once" in text


def test_a_page_beside_what_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    done = called("outgrow", "dgx-spark", "--rate", "2", "--html", str(file), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["servers"] == 4
    assert "gen outgrow: dgx-spark" in file.read_text()


def test_one_slot_waits_as_the_formula_says() -> None:
    # One slot of a second, M/M/1: at 0.8 a second 95 % wait at most ln(0.8 / 0.05) / 0.2 = 13.86 s,
    # the height is twice that, and the width 1.2 a second.
    drawn = curve("x", 1, 1.0, demand=0.6, may_wait=None)
    found = places(drawn)
    assert found[0] == (LEFT, TOP + HEIGHT)
    assert found[-1][1] == pytest.approx(TOP, abs=0.2)
    assert drawn.full.at == pytest.approx(LEFT + WIDTH * 0.8 / 1.2, abs=0.1)
    near = min(found, key=lambda one: abs(one[0] - drawn.full.at))
    assert near[1] == pytest.approx(TOP + HEIGHT / 2, abs=6)
    assert drawn.asked is not None
    assert drawn.asked.at == pytest.approx(LEFT + WIDTH / 2, abs=0.1)
    assert [mark.told for mark in drawn.along] == ["0", "0.25", "0.5", "0.75", "1"]


def test_the_line_only_rises_and_stays_inside() -> None:
    for slots, seconds in ((1, 0.01), (4, 6.0), (900, 3.3), (5000, 100.0)):
        found = places(curve("x", slots, seconds, demand=1.0, may_wait=2.0))
        assert found == sorted(found, key=lambda one: (one[0], -one[1]))
        assert all(LEFT <= x <= LEFT + WIDTH and TOP - 0.2 <= y <= TOP + HEIGHT for x, y in found)


def test_what_does_not_fit_is_not_drawn() -> None:
    drawn = curve("x", 1, 1.0, demand=100.0, may_wait=-1.0)
    assert (drawn.asked, drawn.promised) == (None, None)
    assert curve("x", 1, 1.0, demand=0.1, may_wait=3.0).promised is not None
