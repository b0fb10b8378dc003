"""HW124 and HW126: what several lines say of one thing."""

from __future__ import annotations

from typing import Any

import pytest

from generator.check.mend import mended
from generator.readers.layers import Said, overruled
from generator.rules.order import overruled_setting, second_command
from generator.rules.registry import every_rule
from generator.view import Overruled, Place, View
from tests.rules.test_files import lines
from tests.views import found, view

BY_ID = every_rule()
LOST = Overruled(
    name="OLLAMA_KEEP_ALIVE",
    value="24h",
    place=Place("10-keep.conf", 2),
    winner="5m",
    by=Place("override.conf", 3),
)
SECOND = "[Service]\nExecStart=/usr/bin/numactl -N 1 /usr/local/bin/ollama serve\n"
RESET = SECOND.replace("ExecStart=", "ExecStart=\nExecStart=")


def drop_in(text: str, **more: Any) -> View:
    return view(lines=lines(text), adds=True, **more)


CASES: dict[str, tuple[View, View]] = {
    "HW124": (view(overruled=(LOST,)), view({"OLLAMA_KEEP_ALIVE": "24h"})),
    "HW126": (drop_in(SECOND), drop_in(RESET)),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


def test_both_lines_are_named() -> None:
    (placed,) = found(overruled_setting, view(overruled=(LOST,)))
    assert placed.place == LOST.place
    assert placed.finding.message == (
        "`OLLAMA_KEEP_ALIVE=24h` has no effect: override.conf:3 sets it to `5m`, and wins"
    )


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "OLLAMA_API_KEY", "HF_TOKEN"])
def test_no_secret_is_told(name: str) -> None:
    lost = Overruled(name=name, value="s3cret", place=Place("a", 1), winner="x", by=Place("a", 2))
    (placed,) = found(overruled_setting, view(overruled=(lost,)))
    assert placed.finding.message == f"`{name}` has no effect: line 2 sets it again, and wins"


def names(said: list[tuple[str, str, str]]) -> list[tuple[str, bool]]:
    """Return the losing values, and whether that is usual, of `value, file, file that names it`."""
    entries = [
        Said("X", value, Place(file, at), by, apart=file != by)
        for at, (value, file, by) in enumerate(said, 1)
    ]
    ranks = {"unit": (-9, -9), "vendor": (-1, -6), "a": (-1, 0), "b": (-1, 0), "all": (-5, 0)}
    return [(lost.value, lost.usual) for lost in overruled(entries, ranks)]


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        ([("1", "a", "a"), ("2", "a", "a")], [("1", False)]),
        ([("1", "a", "a"), ("1", "b", "b")], []),
        ([("1", "a", "a"), ("2", "b", "b")], [("1", False)]),
        ([("1", "unit", "unit"), ("2", "a", "a")], []),
        ([("1", "vendor", "vendor"), ("2", "a", "a")], []),
        ([("1", "all", "all"), ("2", "a", "a")], []),
        ([("1", "a", "a"), ("2", "all", "all")], [("1", False)]),
        ([("1", "unit", "unit"), ("2", "env", "unit")], [("1", True)]),
        ([("1", "unit", "unit"), ("2", "env", "a")], []),
        ([("1", "a", "a"), ("2", "env", "unit")], [("1", False)]),
        ([("1", "env", "unit"), ("2", "env", "unit")], [("1", False)]),
        ([("1", "unit", "unit"), ("2", "a", "a"), ("3", "b", "b")], [("2", False)]),
    ],
)
def test_who_loses_to_whom(said: list[tuple[str, str, str]], lost: list[tuple[str, bool]]) -> None:
    assert names(said) == lost


@pytest.mark.parametrize(
    "text",
    [
        f"{SECOND}[Install]\nWantedBy=default.target\n",
        f"{SECOND}Type=oneshot\n",
        "[Service]\nNice=5\n",
    ],
)
def test_a_command_that_may_be_the_only_one(text: str) -> None:
    assert found(second_command, drop_in(text)) == ()


def test_a_job_may_run_several_commands_in_a_unit_nobody_shows() -> None:
    assert found(second_command, drop_in(SECOND, name="ollama-pull.service")) == ()


def test_a_unit_with_two_commands_is_for_a_person() -> None:
    (placed,) = found(second_command, view(lines=lines(f"{SECOND}ExecStart=/bin/true\n")))
    assert (placed.place.line, placed.edits) == (3, ())


def test_the_reset_is_written_above() -> None:
    assert mended(found(second_command, drop_in(SECOND)), {"override.conf": SECOND}) == {
        "override.conf": RESET
    }
