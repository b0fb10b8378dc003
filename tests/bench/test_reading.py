"""Measurements read back, and what is none."""

import json
from typing import Any

import pytest

from generator.bench.reading import measurement as read
from generator.errors import ProfileError
from generator.formats.data import to_json
from tests.bench.samples import level, measurement, sample

FOUND = measurement(level(sample(), sample(error="lost")))


def written() -> Any:
    import dataclasses

    return json.loads(to_json({"schema_version": 1, **dataclasses.asdict(FOUND), "more": []}))


def test_what_was_written_is_read() -> None:
    assert read(json.dumps(written()).encode(), "a.json") == FOUND


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"schema_version": 1}', b"9" * 5000,
     *(json.dumps({**written(), "schema_version": v}).encode() for v in (True, 1.0, "1", 2, None))],
)  # fmt: skip
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(ProfileError):
        read(data, "a.json")


@pytest.mark.parametrize("value", [-1, 10**30, "x", None, True, 1.5])
def test_times_that_cannot_be(value: object) -> None:
    document = written()
    document["levels"][0]["samples"][0]["gaps"][0] = value
    with pytest.raises(ProfileError) as caught:
        read(json.dumps(document).encode(), "a.json")
    assert caught.value.problems[0].where.startswith("levels.0")
    assert "gen bench --json" in caught.value.problems[0].hint
