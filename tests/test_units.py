import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.meaning import parse_go_duration
from generator.units import Release, about, format_size, parse_cpu_quota, parse_size, whole

GIB = 1073741824


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24G", 25769803776),
        ("24GiB", 25769803776),
        ("24576M", 25769803776),
        ("25769803776", 25769803776),
        ("512K", 524288),
        ("1.5G", 1610612736),
        ("0", 0),
    ],
)
def test_sizes_are_binary_as_systemd_reads_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["24GB", "24 gigs", "", "G", "-1", "1e9", "٣G", "24g", "9999999E"])
def test_sizes_that_mean_nothing_or_two_things_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"; write "):
        parse_size(text)


def test_a_decimal_size_is_answered_with_both_binary_spellings() -> None:
    with pytest.raises(ValueError, match=r"`24GB` .* `24G` or `24GiB`"):
        parse_size("24GB")


@pytest.mark.parametrize(
    ("size", "text"), [(20 * GIB, "20G"), (1536 * 1024, "1536K"), (1000, "1000"), (0, "0")]
)
def test_sizes_are_written_in_the_largest_exact_suffix(size: int, text: str) -> None:
    assert format_size(size) == text


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_a_written_size_reads_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


def test_cpu_quota_is_percent_of_one_cpu() -> None:
    assert parse_cpu_quota("2000%") == 2000


@pytest.mark.parametrize(
    ("text", "hint"),
    [("20", "write `2000%` for 20 CPUs"), ("lots", "write a percentage"), ("0%", "percentage")],
)
def test_a_cpu_quota_without_percent_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_cpu_quota(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("5m", 300_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("300", 300_000_000_000),
        ("-1", -1_000_000_000),
        ("-1m", -60_000_000_000),
        ("0", 0),
        ("100ms", 100_000_000),
        ("2µs", 2_000),
        (".5s", 500_000_000),
    ],
)
def test_go_durations(text: str, nanoseconds: int) -> None:
    assert parse_go_duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1d", "write `24h`"),
        ("2d", "write `48h`"),
        ("1w", "write `168h`"),
        ("forever", "write `90s`"),
        ("5 minutes", "write `90s`"),
        ("5M", "write `90s`"),
        ("", "write `90s`"),
        ("h", "write `90s`"),
        ("1h 30m", "write `90s`"),
        ("9999999999h", "write `-1` for forever"),
    ],
)
def test_what_ollama_would_silently_take_for_five_minutes_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        parse_go_duration(text)


def test_releases_are_ordered_as_released() -> None:
    texts = ["0.9.6", "0.10.0", "0.30.0-rc1", "0.30.0-rc12", "0.30.0", "v0.30.1", "1.0"]
    releases = [Release.parse(text) for text in texts]
    assert releases == sorted(releases, reverse=False)
    assert str(Release.parse("v0.30.1")) == "0.30.1"
    assert str(Release.parse("0.33.0-rc2")) == "0.33.0-rc2"
    assert Release.parse("0.32").line == "0.32"


@pytest.mark.parametrize("text", ["latest", "0", "0.32.x", "0.32.1.1", "-0.3", ""])
def test_a_release_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it like `0\.32`"):
        Release.parse(text)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "\u00b2", "\u0661", str(2**64), "1" * 4301])
def test_a_text_that_is_no_whole_number_of_64_bits(text: str) -> None:
    assert whole(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (str(2**64 - 1), 2**64 - 1)])
def test_a_whole_number(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (434400, "424.2 KiB"), (2 * GIB, "2 GiB"),
     (14_300_000_000, "13.3 GiB"), (2**70, "1024 EiB")],
)  # fmt: skip
def test_a_size_for_prose(size: int, text: str) -> None:
    assert about(size) == text
