"""What is remembered of a measurement, and the file that keeps it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from generator.bench.remembered import (
    As,
    measured,
    merged,
    parsed,
    remembered,
    remembered_beside,
    text_of,
)
from generator.errors import ProfileError
from generator.fit.measured import Measured
from tests.bench.samples import MS, level, measurement, sample

KNOWN = As(
    model="mine:1b", machine="8 cores", date="2026-11-30", slots=4, context=4096, cache_type="f16"
)


def kept() -> Measured:
    """Two requests alone: 11 tokens with 10 ms between them; the server counts 100 ms for 11."""
    long = replace(sample(), prompt_tokens=100, prefill=200 * MS)
    found = measured(measurement(level(long, long), level(sample(gap=99), at_once=4)), KNOWN)
    assert found is not None
    return found


def test_what_is_remembered() -> None:
    found = kept()
    assert (found.decode, found.low, found.high) == pytest.approx((110, 110, 110))
    assert found.prompt == 500  # 100 tokens in 200 ms
    assert (found.depth, found.requests, found.release) == (106, 2, "0.32.15")
    assert (found.slots, found.context, found.load) == (4, 4096, 0.03)


def test_short_prompts_tell_no_rate() -> None:
    found = measured(measurement(level(sample())), KNOWN)
    assert found is not None
    assert found.prompt == 0


def test_without_one_at_a_time_there_is_nothing() -> None:
    assert measured(measurement(level(sample(), at_once=4)), KNOWN) is None
    assert measured(measurement(level(sample(tokens=1))), KNOWN) is None
    assert measured(measurement(level(sample(error="no"))), KNOWN) is None


def test_measured_again_it_takes_the_place_of_what_was() -> None:
    old, other = replace(kept(), decode=1.0, low=1.0), replace(kept(), model="other:1b")
    assert merged([old, other], kept()) == ((kept(), other), old)
    assert merged([], kept()) == ((kept(),), None)
    elsewhere = replace(kept(), machine="2 cores")
    assert len(merged([elsewhere], kept())[0]) == 2


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "host.measured.json"
    assert remembered(path) == ()
    path.write_text(text_of([kept()]))
    assert remembered(path) == (kept(),)
    assert remembered_beside(f"{tmp_path}/host.toml") == path


GOOD = json.loads(text_of([kept()]))["measured"][0]
WRONG = {
    "no JSON": b"{",
    "no text": b"\xff",
    "deep": b"[" * 100_000,
    "another version": b'{"schema_version": 2, "measured": []}',
    "a list": b"[]",
    "no list": b'{"schema_version": 1, "measured": 7}',
    "another key": b'{"schema_version": 1, "measured": [], "more": 1}',
    **{
        f"{key} = {value!r}": json.dumps(
            {"schema_version": 1, "measured": [GOOD | {key: value}]}
        ).encode()
        for key, value in (
            ("decode", float("nan")), ("decode", 0.0), ("size", -1), ("low", 1e9), ("load", "x"),
            ("prompt", float("inf")), ("model", None),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_nobody_here_wrote_is_refused(kind: str) -> None:
    with pytest.raises(ProfileError) as error:
        parsed(WRONG[kind], "host.measured.json")
    assert all("--remember" in each.hint for each in error.value.problems)
