"""`gen fit` of a profile with several servers: what all hold of the memory of the host."""

from __future__ import annotations

import pytest

from tests.commands import run

PAIR = ("fit", "-p", "dual-pascal-pair")


@pytest.mark.parametrize(
    ("memory", "status", "said"),
    [
        ("", 0, "the profile does not say how much there is"),
        ("16GiB", 0, "which has 16.00."),
        ("512MiB", 1, "and it has 0.50: that does not fit."),
    ],
)
def test_the_memory_of_the_host_is_that_of_all_servers(memory: str, status: int, said: str) -> None:
    given = ("--set", f"host.memory={memory}") if memory else ()
    done = run(*PAIR, *given)
    text = " ".join(done.output.partition("── all servers\n")[2].split())
    assert said in text
    assert done.return_value == status
