"""Requests that nobody has sent, in milliseconds."""

from generator.bench.measurement import Environment, Level, Measurement, Sample, Workload
from generator.bench.usage import Usage

MS = 1_000_000


def sample(
    ttft: float = 100, gap: float = 10, tokens: int = 11, *, due: int = 0, error: str = ""
) -> Sample:
    """A request that waits 20 ms for a slot, 30 for loading, and whose client sees 2 % more."""
    if error:
        return Sample(due=due * MS, error=error)
    first, decode = round(ttft * MS), round(gap * MS * (tokens - 1))
    latency = first + decode
    total = round(latency / 1.02)
    return Sample(
        due=due * MS,
        first=due * MS + first,
        ended=due * MS + latency,
        gaps=(round(gap * MS),) * (tokens - 1),
        prompt_tokens=7,
        tokens=tokens,
        total=total,
        load=30 * MS,
        prefill=total - decode - 50 * MS,
        decode=decode,
    )


def level(
    *samples: Sample, at_once: int = 1, seconds: float = 1.0, usage: Usage | None = None
) -> Level:
    wall = round(seconds * 1e9)
    return Level(at_once=at_once, per_second=0.0, wall=wall, samples=samples, usage=usage)


def measurement(*levels: Level, release: str = "0.32.15") -> Measurement:
    return Measurement(
        profile="",
        url="http://127.0.0.1:11434",
        model="mine:1b",
        workload=Workload(
            api="ollama", requests=5, prompt_tokens=7, output_tokens=11, seed=1, words=7
        ),
        environment=Environment(release=release, digest="a" * 64),
        warmup=sample(500),
        levels=levels,
    )
