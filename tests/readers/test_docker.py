"""Limits as Docker reads them."""

from collections.abc import Callable

import pytest

from generator.readers.syntax import docker


@pytest.mark.parametrize(
    ("text", "size"),
    [("20g", 21474836480), ("1.5GiB", 1610612736), ("512m", 536870912), ("10kb", 10240),
     ("7", 7), ("7b", 7), ("1 t", 1099511627776), (".5k", 512)],
)  # fmt: skip
def test_sizes_are_dockers(text: str, size: int) -> None:
    assert docker.size(text) == size


@pytest.mark.parametrize("text", ["", "20 gigs", "20gi", "g", "-1", "1e3", "20,5g", "٣g"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; write it like `20g`"):
        docker.size(text)


@pytest.mark.parametrize(
    ("read", "text", "limit"),
    [
        (docker.memory, "8g", 8589934592), (docker.memory, "0", None), (docker.memory, "-1", None),
        (docker.cpus, "1.5", 150), (docker.cpus, "1e1", 1000), (docker.cpus, "0", None),
        (docker.count, "512", 512), (docker.count, "0", None), (docker.count, "-1", None),
        (docker.whole, "-500", -500), (docker.whole, "5e2", 500),
        (docker.cpu_list, "0-11,24", "0-11,24"),
        (docker.locked, "65536:131072", 65536), (docker.locked, "-1:-1", None),
        (docker.locked, "unlimited", None),
    ],
)  # fmt: skip
def test_limits_and_what_lifts_them(
    read: Callable[[str], int | str | None], text: str, limit: int | str | None
) -> None:
    assert read(text) == limit


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (docker.cpus, "lots"), (docker.cpus, "٣"), (docker.cpus, "1e999"),
        (docker.whole, "1.5"), (docker.whole, "1e999"), (docker.whole, "9" * 5000),
        (docker.count, ""), (docker.locked, "64m"), (docker.cpu_list, "all"),
        (docker.cpu_list, "0-"), (docker.memory, "9" * 5000),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError, match="; write "):
        read(text)
