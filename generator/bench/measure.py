"""The use case of `gen bench`: a running server and a Workload → a Measurement."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from generator.bench.cold import starts
from generator.bench.environment import environment_of, loaded
from generator.bench.load import closed_loop, joined, open_loop
from generator.bench.measurement import Environment, Measurement
from generator.bench.prompts import arrivals, fitting_words, prompt
from generator.bench.request import timed
from generator.bench.summary import failures
from generator.bench.usage import Usage, by_server
from generator.bench.watch import Watch
from generator.errors import EnvironmentFailure
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.bench.load import Prepare
    from generator.bench.measurement import Level, Sample, Start, StartKind, Workload
    from generator.live.client import Server

    Told = Callable[[str, int], None]
    """What is told of progress: of which load, and how many of its requests are done."""

FAR: Final = 1.5
"""How many times as long as asked a prompt may be for its words to be told by its tokens."""
TRIES: Final = 3
SHORT: Final = 16
"""Words that are a short prompt, whatever a word is to a model."""
TURNS: Final = 4
"""In how many parts two loads take turns, at most."""
TOO_LONG: Final = "context"
"""What a server says of a prompt that it does not take."""
NO_KEY: Final = " answers 401"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The loads to try: so many at once each, or in their place requests per second.

    With a `window`, in nanoseconds, those per second are asked twice: sent as they are due, and by
    a client that holds them so long, or until it has `most`. `starts` are how often each kind of
    start is tried, and `again` how often the same prompt is.
    """

    at_once: tuple[int, ...] = ()
    per_second: float = 0.0
    window: int = 0
    most: int = 4
    starts: int = 0
    again: int = 0


def measure(
    server: Server,
    model: str,
    workload: Workload,
    load: Load,
    *,
    profile: str = "",
    given: Sequence[str] = (),
    salt: str = "",
    told: Told = lambda _, __: None,
) -> Measurement:
    """Return what the server does under each load, after one request that is not counted.

    `given` are prompts, for want of which they are made; measurements of one `salt` and seed ask
    the same, those of none never do. Raises HostwrightError for a model that is not there,
    EnvironmentFailure where nothing could be measured.
    """
    environment, task = environment_of(server, model, workload)
    workload = replace(workload, task=task)
    told("warm-up", 0)
    warm, workload = _warmed(server, model, workload, given)

    salt = salt or token_hex(4)

    def of_load(name: str) -> Prepare:
        return lambda index: partial(
            timed, server, model, workload, prompt(workload, given, name, index, salt)
        )

    levels = tuple(_levels(server, workload, load, of_load, told))
    seen = loaded(environment, server, model)
    every = [sample for level in levels for sample in level.samples]
    if all(sample.error for sample in every):
        raise _nothing(failures(every)[0].error)
    return Measurement(
        profile=profile,
        url=server.url,
        model=model,
        workload=workload,
        environment=seen,
        warmup=warm,
        levels=tuple(_on_gpus(level, seen) for level in levels),
        repeated=tuple(_repeated(server, load, of_load)),
        starts=_starts(server, model, load, of_load, told) if load.starts else (),
    )


def _nothing(error: str) -> EnvironmentFailure:
    asks = "; it asks for a key: OPENAI_API_KEY or --api-key-file" if NO_KEY in error else ""
    return EnvironmentFailure(error, hint=f"nothing could be measured{asks}")


def _levels(
    server: Server, workload: Workload, load: Load, of_load: Callable[[str], Prepare], told: Told
) -> list[Level]:
    number, watch = workload.requests, Watch.at(server.url)
    if load.per_second:
        return _open_levels(server, workload, load, of_load, told, watch)
    runs = (
        partial(closed_loop, of_load(str(n)), number, n, server, partial(told, f"{n} at once"))
        for n in load.at_once
    )
    return [_watched(run, watch) for run in runs]


def _open_levels(
    server: Server,
    workload: Workload,
    load: Load,
    of_load: Callable[[str], Prepare],
    told: Told,
    watch: Watch | None,
) -> list[Level]:
    """Return the requests per second; with a window, both loads take turns.

    What the machine does meanwhile then counts for both.
    """
    found: dict[str, list[Level]] = {name: [] for name, _ in _windows(load)}
    for first, dues in _turns([*arrivals(load.per_second, workload.requests, workload.seed)], load):
        for name, window in _windows(load):
            run = partial(
                open_loop,
                _from(of_load(name), first),
                dues,
                load.per_second,
                server,
                _counting(told, name, first),
                window=window,
                most=load.most,
            )
            found[name].append(_watched(run, watch))
    return [joined(levels) for levels in found.values()]


def _from(prepare: Prepare, first: int) -> Prepare:
    return lambda index: prepare(first + index)


def _counting(told: Told, name: str, first: int) -> Callable[[int], None]:
    return lambda done: told(name, first + done)


def _turns(dues: Sequence[int], load: Load) -> Iterator[tuple[int, list[int]]]:
    """Yield the parts that two loads take turns with, each with the number of its first request.

    One load has all in one part. A part is as long as several windows are full.
    """
    parts = min(TURNS, len(dues) // (2 * load.most)) if load.window else 1
    size = -(-len(dues) // max(parts, 1))
    for first in range(0, len(dues), size):
        yield first, [due - dues[first] for due in dues[first : first + size]]


def _windows(load: Load) -> list[tuple[str, int]]:
    """Return what loads of requests per second are called, and for how long each is held."""
    name = f"{load.per_second:g}/s"
    return [(name, 0), *([(f"{name} held", load.window)] if load.window else [])]


def _watched(run: Callable[[], Level], watch: Watch | None) -> Level:
    """Return a Level with what the server used meanwhile."""
    if watch is None:
        return run()
    with watch.while_():
        level = run()
    return replace(level, usage=watch.usage)


def _on_gpus(level: Level, seen: Environment) -> Level:
    """Return a Level with the memory of GPUs as the server tells it, where no driver does."""
    if not seen.on_gpus:
        return level
    return replace(level, usage=by_server(level.usage or Usage(wall=level.wall), seen.on_gpus))


def _repeated(server: Server, load: Load, of_load: Callable[[str], Prepare]) -> Iterator[Sample]:
    """Yield requests that are all the same, for which a server may have a cache."""
    ask = of_load("again")(0)
    for _ in range(load.again):
        yield from closed_loop(lambda _: ask, 1, 1, server, lambda _: None).samples


def _starts(
    server: Server, model: str, load: Load, of_load: Callable[[str], Prepare], told: Told
) -> tuple[Start, ...]:
    def asked_once(kind: StartKind, at: int) -> Sample:
        ask = of_load(f"start {kind}")(at)
        return closed_loop(lambda _: ask, 1, 1, server, lambda _: None).samples[0]

    return starts(server, model, asked_once, load.starts, partial(told, "cold starts"))


def _warmed(
    server: Server, model: str, workload: Workload, given: Sequence[str]
) -> tuple[Sample, Workload]:
    """Return the first request, and the Workload with as many words as its tokens ask for.

    Where a word is many tokens, as for a model that reads bytes, the first prompt was so much
    longer that a server may have cut it off, and counted what was left: then it is asked again.
    """

    def sent(words: int, tokens: int) -> Sample:
        made = replace(workload, words=words, output_tokens=tokens)
        ask = partial(timed, server, model, made, prompt(made, given, "warm-up", words))
        return closed_loop(lambda _: ask, 1, 1, server, lambda _: None).samples[0]

    wanted = words = workload.prompt_tokens
    sample = sent(words, workload.output_tokens)
    short = sample.error and not given and words > SHORT and TOO_LONG in sample.error.casefold()
    if short:
        words = SHORT
        sample = sent(words, workload.output_tokens)
    if sample.error:
        raise _nothing(sample.error)
    if given:
        return sample, replace(workload, words=0)
    last, texts = sample, workload.texts if workload.task == "embed" else 1
    for _ in range(TRIES):
        counted = last.prompt_tokens // texts
        before, words = words, fitting_words(words, wanted, counted)
        if last.error or words == before or not (counted > FAR * wanted or short):
            break
        short = False
        last = sent(words, 1)
    return sample, replace(workload, words=words)
