"""Lists of CPUs, as the kernel writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.detect.root import written_list
from generator.units import cpu_list


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0-3,8", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set()),
        ("3-1", set()),
        ("0-99999999", None),
        ("a-b", None),
        ("²", None),
    ],
)
def test_cpu_list(text: str, cpus: set[int] | None) -> None:
    assert cpu_list(text) == (None if cpus is None else frozenset(cpus))


@given(st.frozensets(st.integers(0, 300)))
def test_a_written_list_is_read_back(cpus: frozenset[int]) -> None:
    assert cpu_list(written_list(cpus)) == cpus
