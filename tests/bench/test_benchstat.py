"""Text for benchstat, line by line."""

from generator.bench.benchstat import as_benchstat
from tests.bench.samples import level, measurement, sample


def test_a_line_for_each_request() -> None:
    run = "BenchmarkAnswer/at-once=4 1"
    found = measurement(level(sample(100, 10), sample(error="lost"), at_once=4))
    assert as_benchstat(found).splitlines() == [
        "model: mine:1b",
        f"digest: {'a' * 64}",
        "release: 0.32.15",
        "",
        f"{run} 200000000 ns/op 100000000 ttft-ns 10000000 itl-ns 100.000 tokens/s",
    ]


def test_no_text_leaves_its_line() -> None:
    found = measurement(level(sample()), release="1\nBenchmarkEvil 1 1 ns/op\x1b[2J")
    assert as_benchstat(found).splitlines()[2] == "release: 1 BenchmarkEvil 1 1 ns/op [2J"
