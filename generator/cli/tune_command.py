"""`gen tune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import click

from generator.cli.options import (
    Misuse,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_argument,
    seconds_of,
    set_option,
)
from generator.cli.talk import printable, say, status, visible
from generator.cli.trial_options import needed_restarter, steps, trial_options

if TYPE_CHECKING:
    from generator.bench.measurement import Workload
    from generator.plan import Plan
    from generator.profiles.document import Document
    from generator.trial.knob import Knob, Vary
    from generator.trial.memory import Bound
    from generator.trial.tune import Tuned

LARGEST: Final = 1 << 24
WAYS: Final = ("threads", "gpu_layers", "num_batch", "num_parallel", "context")
EXAMPLES: Final = """
\b
Examples:
  gen tune ./my-host.toml --vary threads
  gen tune ./my-host.toml --vary num_batch --html tune.html
  gen tune ./my-host.toml -m qwen3:8b --vary gpu_layers --vram-limit 85%
  gen tune ./my-host.toml --vary num_parallel --dry-run
  gen tune ./my-host.toml --vary threads --values 4,8,12,16 --write
  gen tune ./p.toml --vary num_parallel --restart-command ./restart.sh

\b
Exit codes: 0 measured; 2 bad usage or profile; 3 the server cannot be
measured, or not be put back.
"""


@click.command(name="tune", epilog=EXAMPLES)
@profile_argument
@filled_option(
    "-m", "--model", metavar="MODEL", example="llama3.2:1b",
    text="The model to ask.  [default: the first of the profile that writes]",
)  # fmt: skip
@click.option("--vary", type=click.Choice(WAYS), required=True, help="What is tried.")
@filled_option(
    "--values", metavar="N,…", example="4,8,16",
    text="Values to try.  [default: those of this machine and model]",
)  # fmt: skip
@click.option(
    "--budget",
    type=click.IntRange(2, 10_000),
    help="Visits at most.  [default: three tenths of four for each value]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    help="Requests at once.  [default: 8 for num_parallel, otherwise 1]",
)
@filled_option(
    "--vram-limit", metavar="SHARE", example="90%",
    text="Of the GPUs' memory, which gpu_layers keeps to.  [default: 90%]",
)  # fmt: skip
@click.option("--write", is_flag=True, help="Write the best into the profile, with its reason.")
@trial_options(requests=6, timeout="1h")
@set_option
@instance_option
@html_option
@json_option
def command(
    *,
    profile: str,
    overrides: tuple[str, ...],
    model: str | None,
    url: str | None,
    vary: str,
    values: str | None,
    budget: int | None,
    concurrency: int | None,
    vram_limit: str | None,
    requests: int,
    prompt_tokens: int | None,
    output_tokens: int | None,
    seed: int,
    timeout: str | None,
    restart_command: str | None,
    compose: str | None,
    write: bool,
    dry_run: bool,
    html: str | None,
    as_json: bool,
) -> None:
    """Find the value of one setting with which a running server answers fastest.

    In few visits, though each of them is noisy: some values over the whole range, then the gaps
    around the best, then those that may be the best in turns, until what differs is noise or the
    budget is used up. The server is put back as it was at the end, whatever ends it.
    """
    from generator.bench.measure import Load
    from generator.bench.measurement import Workload
    from generator.cli.streams import stdin_if
    from generator.pipeline import plan_of
    from generator.profiles.load import read_document
    from generator.trial.choice import choices
    from generator.trial.knob import KNOBS
    from generator.trial.search import budget_of
    from generator.trial.subject import current_value
    from generator.trial.tune import tune
    from generator.trial.visit import Visits

    chosen_vary = cast("Vary", vary)
    knob, given = KNOBS[chosen_vary], stdin_if(profile)
    document = read_document(profile, overrides, stdin=given)
    plan = plan_of(document)
    at = url or f"http://{plan.service.listen.address}"
    named = _model(plan, model)
    path = _writable(document, knob, named) if write else None
    share = share_of(vram_limit or "90%")
    seconds = seconds_of(timeout or "1h", "--timeout")
    current = current_value(plan.service, knob, named)
    every = _values(chosen_vary, values, plan, at, named, current)
    chosen = choices(
        knob.option or knob.key, [str(each) for each in every], named,
        profile=profile, overrides=overrides, stdin=given,
    )  # fmt: skip
    restarter = needed_restarter(chosen, plan.service, at, restart_command, compose)
    most = budget or budget_of(len(every))
    if dry_run:
        head = f"at most {most} visits of {requests} requests each"
        click.echo(printable("\n".join([head, *steps(knob.option or knob.key, chosen, restarter)])))
        return
    workload = Workload(
        api="ollama", requests=requests, prompt_tokens=prompt_tokens or knob.prompt_tokens,
        output_tokens=output_tokens or knob.output_tokens, seed=seed,
    )  # fmt: skip
    together = concurrency or knob.at_once
    visits = Visits(
        at, _enough(workload, together), Load(at_once=(together,)), seconds=seconds,
        restarter=restarter, told=status,
    )  # fmt: skip
    try:
        found = tune(
            chosen_vary, knob, chosen, visits, key=knob.key, profile=document.label, budget=most,
            current=current, memory=_bound(chosen_vary, plan, at, named, share),
            told=status,
        )  # fmt: skip
    finally:
        status()
    from generator.cli.trial_show import show

    show(found, html, as_json=as_json)
    if path is not None:
        _write(document, path, found)


def _bound(vary: Vary, plan: Plan, url: str, model: str, share: float) -> Bound | None:
    """Return what values may be too much for; None: nothing."""
    from generator.trial.memory import Contexts
    from generator.trial.subject import memory_of

    if vary == "gpu_layers":
        return memory_of(plan, url, model, share)
    return Contexts(_fitting(plan, url, model)) if vary == "context" else None


def _fitting(plan: Plan, url: str, model: str) -> int:
    """Return the largest context that should fit, as `gen fit` estimates; 0: nobody knows."""
    from contextlib import suppress

    from generator.cli.fit_command import assess_plan
    from generator.errors import HostwrightError
    from generator.fit.assess import Question

    for server in (None, url):
        with suppress(HostwrightError):
            found = assess_plan(plan, Question(models=(model,), server=server))
            return found.fits[0].largest_context if found.fits else 0
    return 0


def _enough(workload: Workload, together: int) -> Workload:
    """Return the Workload with as many requests as keep so many under way for two turns."""
    from dataclasses import replace

    return replace(workload, requests=max(workload.requests, 2 * together if together > 1 else 0))


def _model(plan: Plan, model: str | None) -> str:
    named = model or next((m.served for m in plan.service.models if m.role != "embedding"), None)
    if named is None:
        raise Misuse("the profile has no model that writes", "name one by -m", where="--model")
    return named


def _values(
    vary: Vary, text: str | None, plan: Plan, url: str, model: str, current: int | None
) -> list[int]:
    """Return the values to try, in order, and the current one among them."""
    from generator.trial.choice import MOST
    from generator.trial.subject import values_for

    if text is not None:
        words = [word.strip() for word in text.split(",")]
        found = {int(word) for word in words if word.isascii() and word.isdigit()}
        if len(found) < len(words) or not 1 < len(found) <= MOST or max(found) > LARGEST:
            message = f"--values: `{text}` is no list of numbers"
            hint = f"two to {MOST} of them, each once, like 4,8,16"
            raise Misuse(message, hint, where="--values")
    else:
        found = {*values_for(vary, plan, url, model)}
    found |= {current} if current is not None and found else set()
    found -= {0} if vary != "gpu_layers" else set()
    if len(found) < 2:  # noqa: PLR2004
        message = f"nobody tells which values of {vary} there are"
        raise Misuse(message, "name them: --values 4,8,16", where="--values")
    return sorted(found)


def share_of(text: str) -> float:
    """Return the share that `--vram-limit` says."""
    number = text.removesuffix("%")
    if not (text.endswith("%") and number.isdecimal() and 0 < int(number) <= 100):  # noqa: PLR2004
        raise Misuse(f"--vram-limit: `{text}` is no share", "like 90%", where="--vram-limit")
    return int(number) / 100


def _writable(document: Document, knob: Knob, model: str) -> tuple[str, ...]:
    """Return where the best will stand; before anything is measured."""
    from generator.trial.write import own_file, place_of

    own_file(document)
    if document.instance:
        hint = "write the best into its table below `[[instances]]` yourself"
        raise Misuse("--write is about the key of all servers", hint, where="--write")
    return place_of(document, knob.key, model)


def _doubt(found: Tuned) -> str:
    """Return than what the best may be no better; empty: than nothing that matters."""
    from generator.trial.knob import KNOBS

    if found.gain is None or found.current is None or found.best is None:
        return "others" if found.ended in {"budget", "time"} else ""
    free = KNOBS[found.vary].more and found.best > found.current
    return "" if free or found.gain.high < 0 else str(found.current)


def _write(document: Document, path: tuple[str, ...], found: Tuned) -> None:
    """Show what changes in the profile, and write it, unless that is nothing but noise."""
    from datetime import UTC, datetime

    from generator.trial.words import reason
    from generator.trial.write import edit

    if found.best is None or found.best == found.current:
        say(f"{document.label} has it already: nothing is written")
        return
    if doubt := _doubt(found):
        more = f"; --budget {2 * found.budget} may tell" if found.ended == "budget" else ""
        say(f"that it is better than {doubt} may be noise: nothing is written{more}")
        return
    day = datetime.now(UTC).date().isoformat()
    made = edit(document, path, found.best, reason(found, day))
    for line in made.diff.splitlines():
        say(visible(line))
    backup = made.write()
    say(f"wrote {made.path}; as it was: {backup}")
    for was, served in made.serves:
        say(
            f"the profile now makes `{served}` with it, in place of `{was}`: "
            "render and apply it, and have clients ask for that name"
        )
