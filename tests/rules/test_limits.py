"""HW212: limits that systemd ignores."""

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.mend import mended
from generator.readers.base import Context, Source
from generator.readers.systemd import read as systemd
from generator.rules.limits import unreadable_limit
from generator.view import Line, Place, View
from tests.views import FILE, found, view


def limited(name: str, value: str) -> View:
    return view(unread=(Line(section="Service", name=name, value=value, place=Place(FILE, 2)),))


CASES: dict[str, tuple[View, View]] = {"HW212": (limited("MemoryMax", "20GiB"), view())}


def test_it_catches_one_and_leaves_the_other_alone() -> None:
    caught, left = CASES["HW212"]
    assert [placed.finding.rule for placed in found(unreadable_limit, caught)] == ["HW212"]
    assert not found(unreadable_limit, left)


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("MemoryMax", "20GiB", "write `MemoryMax=20G`"),
        ("MemoryHigh", "20g", "write `MemoryHigh=20G`"),
        ("LimitMEMLOCK", "8 Gi", "write `LimitMEMLOCK=8G`"),
        ("MemoryMax", "20GB", "write it like `20G`, 1024 based"),
        ("MemoryMax", "lots", "write it like `20G`, 1024 based"),
        ("CPUQuota", "20", "write percent of one CPU: `2000%` is 20 CPUs"),
        ("Nice", "high", "see `gen explain Nice`"),
    ],
)
def test_what_to_write(name: str, value: str, fix: str) -> None:
    (placed,) = found(unreadable_limit, limited(name, value))
    assert placed.finding.fix == fix


def test_a_drop_in_is_mended() -> None:
    text = "[Service]\nMemoryMax=20GiB\nMemoryHigh=18G\nCPUQuota=20\n"
    source = Source("ollama.service.d/limits.conf", text)
    (seen,) = systemd.read([source], Context(load_catalogue()))
    assert [line.name for line in seen.unread] == ["MemoryMax", "CPUQuota"]
    new = mended(found(unreadable_limit, seen), {source.path: text})
    assert new == {source.path: text.replace("20GiB", "20G")}
