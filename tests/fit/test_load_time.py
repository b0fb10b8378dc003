"""How long loading takes, and how a disk is written."""

import pytest

from generator.fit.load_time import disk_of, load_time
from tests.facts import facts_at
from tests.fit.shapes import shape


@pytest.mark.parametrize(
    ("text", "disk"),
    [
        ("nvme", "nvme"),
        (" SSD ", "ssd"),
        ("network", "network"),
        ("500MB/s", 500_000_000),
        ("3.5 GB/s", 3_500_000_000),
        ("80 mb/s", 80_000_000),
    ],
)
def test_a_disk_is_a_kind_or_a_rate(text: str, disk: str | int) -> None:
    assert disk_of(text) == disk


@pytest.mark.parametrize(
    "text", ["floppy", "500", "MB/s", "-1MB/s", "1e99GB/s", "9999999GB/s", "٣MB/s", "0MB/s", "."]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a kind of disk nor a rate"):
        disk_of(text)


def test_cold_is_bytes_by_the_rate_and_a_start() -> None:
    """5459.93 MiB and 6 more of hermes3:8b at five bits, at 500 MB/s: 11.5 s, and a second."""
    time = load_time(shape("hermes3:8b:Q5_K_M").tensor_bytes, facts_at(), 500_000_000)
    (cold,) = time.cold
    assert cold.disk == "disk"
    assert cold.time.likely == pytest.approx(12.5, abs=0.6)
    assert time.warm.likely < cold.time.likely


def test_the_first_report_lies_between_a_fast_disk_and_a_slow_one() -> None:
    """30 s at first, 4.5 s with its answer once it was loaded; the disk is not told."""
    time = load_time(shape("hermes3:8b:Q5_K_M").tensor_bytes, facts_at())
    by_disk = {each.disk: each.time for each in time.cold}
    assert list(by_disk) == ["nvme", "ssd", "hdd"]
    assert by_disk["ssd"].likely < 30 < by_disk["hdd"].high
    assert time.warm.low < 4.5


def test_nothing_is_read_faster_than_from_memory() -> None:
    time = load_time(5 * 10**9, facts_at(), 10**12)
    assert time.cold[0].time == time.warm


def test_slower_disks_take_longer() -> None:
    time = load_time(5 * 10**9, facts_at())
    likely = [each.time.likely for each in time.cold]
    assert likely == sorted(likely)
    for each in (time.warm, *(cold.time for cold in time.cold)):
        assert each.low < each.likely < each.high
