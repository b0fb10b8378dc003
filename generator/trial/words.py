"""A Trial and a Tuned in words and numbers, as both their texts and their pages say them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.bench.statistics import median
from generator.bench.words import interval, number
from generator.trial.knob import KNOBS
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.bench.measurement import Environment, Workload
    from generator.bench.statistics import Change
    from generator.trial.ab import Pair, Trial
    from generator.trial.tune import Candidate, Tuned

ENDED: Final = {
    "sure": "the best is surely better than the others",
    "noise": "what is left of a difference is noise",
    "budget": "the visits are used up",
    "time": "the time is up",
}

FEW: Final = "too few rounds"


def between(found: Pair | Change) -> str:
    """Return the interval of a change in percent: `-3.1 to +1.2`; `too few rounds` tell none."""
    return interval(found, FEW)


def percent(found: Pair | Change) -> str:
    """Return the same within a sentence."""
    told = between(found)
    return told if told == FEW else f"{told} %"


def measured_on(model: str, seen: Environment, url: str) -> str:
    """Return what was measured: model, release, address, processor."""
    release = f"Ollama {seen.release}" if seen.release else ""
    cpu = f"{seen.cpu}, {seen.cores} cores" if seen.cpu else ""
    return " · ".join(filter(None, (model, release, url, cpu)))


def asked(work: Workload) -> str:
    """Return what a visit asks."""
    tokens = f"{work.prompt_tokens} tokens in, {work.output_tokens} out"
    return f"{work.requests} requests each, {tokens}"


def trial_subject(found: Trial) -> tuple[str, str]:
    """Return what was compared, and how."""
    first, *others = (one.value for one in found.tried)
    work = found.workload
    model = " | ".join(dict.fromkeys(one.model for one in found.tried))
    return (
        measured_on(model, found.tried[0].environment, found.url),
        f"{found.key}: {', '.join(others)} against {first}, {found.rounds} rounds of {asked(work)}",
    )


def pair_rows(found: Trial) -> Iterator[tuple[Pair, tuple[str, ...]]]:
    """Yield each pair and its row: load, value, measure, both medians, change, interval."""
    for each in found.pairs:
        rate = each.measure == "tokens/s"
        what = each.measure if rate else f"{each.measure}, ms"
        medians = [median(values) for values in (each.before, each.after)]
        told = [number(n if rate else n / 1e6) for n in medians]
        yield each, (each.load, each.value, what, *told, f"{each.share:+.1%}", between(each))


def trial_remarks(found: Trial) -> Iterator[str]:
    """Yield what makes it doubtful."""
    yield from found.remarks
    for one in found.tried:
        if one.failed:
            yield f"requests that failed with {one.value}, and are not compared: {one.failed}"


def tuned_subject(found: Tuned) -> tuple[str, str]:
    """Return what was measured, and how."""
    work = found.workload
    each = f"{found.at_once} at once" if found.at_once > 1 else "one after the other"
    return (
        measured_on(found.model, found.environment, found.url),
        f"{found.visits} visits of {asked(work)}, {each}, {found.seconds:.0f} s",
    )


def unit(found: Tuned) -> str:
    """Return what the time of a candidate is of."""
    return "a token of all, ms" if found.at_once > 1 else "an answer, ms"


def candidate_row(one: Candidate) -> tuple[str, ...]:
    """Return a row: value, time, more than the best, rates, memory of GPUs, visits."""
    if one.against is None:
        return (str(one.value), *[""] * 6)
    same = one.verdict == "best"
    return (
        str(one.value),
        number(one.nanoseconds / 1e6),
        "" if same else f"{one.against.share:+.1%} ({between(one.against)})",
        number(one.prompt_rate) if one.prompt_rate else "-",
        number(one.token_rate) if one.token_rate else "-",
        about(one.on_gpus) if one.on_gpus else "-",
        str(one.visits),
    )


def result(found: Tuned) -> str:
    """Return the best value, what it gains, and why nothing more was measured."""
    told = f"{found.vary} {found.best}"
    if found.gain is not None and found.current != found.best:
        word = "less" if found.gain.share < 0 else "more"
        sure = "" if found.gain.low > 0 or found.gain.high < 0 else ", which may be noise"
        told += (
            f": {abs(found.gain.share):.1%} {word} time than {found.current}, as the profile has "
            f"it ({percent(found.gain)}){sure}"
        )
    elif found.gain is not None:
        told += ", as the profile has it"
    if slack := KNOBS[found.vary].slack:
        told += f", the largest that fits and takes at most {slack:.0%} longer than the fastest"
        return told if found.ended == "sure" else f"{told}; {ENDED[found.ended]}"
    return f"{told}; {ENDED[found.ended]}"


def reason(found: Tuned, day: str) -> str:
    """Return the comment beside a value that was written: what was measured, on what, and when."""
    best = next(one for one in found.candidates if one.value == found.best)
    of = unit(found).partition(",")[0]
    told = f"{number(best.nanoseconds / 1e6)} ms {of}"
    if found.gain is not None:
        told += f", {found.gain.share:+.1%} ({percent(found.gain)}) against {found.current}"
    on = measured_on(found.model, found.environment, "")
    return f"gen tune {day}: {told}; {on}"
