"""`gen bench` and `gen bench compare`."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.bench_ab import AB
from generator.cli.bench_ab import command as ab_command
from generator.cli.bench_compare import command as compare_command
from generator.cli.bench_key import key_of, key_option
from generator.cli.bench_loads import baseline_of, load_of, more_loads, prompts_of
from generator.cli.environment import mirrored
from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_if_named,
    seconds_of,
    set_option,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable, status

if TYPE_CHECKING:
    from generator.bench.checklist import Item
    from generator.bench.measure import Load
    from generator.bench.measurement import Measurement, Task, Workload
    from generator.bench.objectives import Objectives
    from generator.bench.summary import Summary
    from generator.profiles.document import Document

COMPARE: Final = "compare"
DEFAULT_URL: Final = "http://127.0.0.1:11434"
MOST_REQUESTS: Final = 10_000
MOST_TOKENS: Final = 1 << 20
FORMATS: Final = click.Choice(("text", "json", "benchstat"))
APIS: Final = click.Choice(("ollama", "openai"))
EXAMPLES: Final = """
\b
Examples:
  gen bench -m llama3.2:1b
  gen bench ./my-host.toml --html bench.html     goodput under its [slo]
  gen bench -m llama3.2:1b --url http://spark:11434 --concurrency 1,4,16
  gen bench -m llama3.2:1b --rate 2.5 --requests 100
  gen bench -m llama3.2:1b --rate 4 --batch-window 50ms
  gen bench -m llama3.2:1b --cold 3             from disk, cached, and warm
  gen bench -m nomic-embed-text --texts 8        vectors per second
  OPENAI_API_KEY=… gen bench -m org/name --api openai --url http://host:8000
  gen bench -m llama3.2:1b --checklist --baseline before.json
  gen bench -m llama3.2:1b --json > after.json
  gen bench ./my-host.toml --remember            gen fit ./my-host.toml then
                                                 says what was measured, too
  gen bench compare before.json after.json --fail-on-regression 5%
  gen bench ./p.toml --ab ollama.flash_attention=true,false
  gen bench --ab --help                          values of a setting, in turns

\b
Exit codes: 0 measured; 2 bad usage or profile, or no such model; 3 nothing
could be measured.
"""


class Bench(click.Command):
    """`gen bench`, which `compare` as its first word or `--ab` make another command."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 -- click's signature
    ) -> click.Context:
        """Return the context of the command that is meant."""
        if args[:1] == [COMPARE]:
            name = f"{info_name} {COMPARE}"
            compared = mirrored(f"{info_name}_{COMPARE}", compare_command)
            return compared.make_context(name, args[1:], parent, **extra)
        if any(arg.partition("=")[0] == AB for arg in args):
            tried = mirrored(f"{info_name}", ab_command)
            return tried.make_context(f"{info_name} {AB}", args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(name="bench", cls=Bench, epilog=EXAMPLES)
@profile_if_named
@filled_option(
    "-m",
    "--model",
    metavar="MODEL",
    example="llama3.2:1b",
    text="The model to ask.  [default: the first of the profile that writes]",
)
@filled_option(
    "--url",
    metavar="URL",
    example="http://host:11434",
    text=f"Where the server answers.  [default: where the profile has it listen, or {DEFAULT_URL}]",
)
@click.option("--api", type=APIS, default="ollama", help="How the server is asked.")
@key_option
@click.option(
    "--requests",
    type=click.IntRange(1, MOST_REQUESTS),
    default=20,
    show_default=True,
    help="Requests at each load.",
)
@filled_option(
    "--concurrency",
    metavar="N,…",
    example="1,4",
    text="How many at once; each is a load.  [default: 1,2,4,8]",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 1000, min_open=True),
    help="Requests per second in place of so many at once, answered or not.",
)
@click.option(
    "--prompt-tokens",
    type=click.IntRange(1, MOST_TOKENS),
    default=128,
    show_default=True,
    help="Tokens of a prompt, about.",
)
@click.option(
    "--output-tokens",
    type=click.IntRange(1, MOST_TOKENS),
    default=64,
    show_default=True,
    help="Tokens of an answer, at most.",
)
@more_loads
@filled_option(
    "--prompts",
    metavar="FILE",
    example="prompts.txt",
    text="A prompt per line, instead of made ones.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, help="Of prompts and times.")
@filled_option(
    "--timeout",
    metavar="TIME",
    example="10m",
    text="How long all of it may take.  [default: 10m]",
)
@click.option(
    "--remember",
    is_flag=True,
    help="Keep the figures beside the profile, as NAME.measured.json: `gen fit` there then says "
    "both. What was kept of the same model is replaced, and said.",
)
@set_option
@instance_option
@click.option("--format", "form", type=FORMATS, default="text", help="How to report.")
@html_option
@json_option
def command(
    *,
    profile: str | None,
    overrides: tuple[str, ...],
    model: str | None,
    url: str | None,
    api_key_file: str | None,
    timeout: str | None,
    form: str,
    html: str | None,
    as_json: bool,
    remember: bool,
    checklist: bool,
    baseline: str | None,
    **asked: Any,  # noqa: ANN401 -- what `_asked` takes
) -> None:
    """Measure a running server: time to the first token, between tokens, tokens per second.

    Each load has its own line: so many requests at once, or so many per second. Every prompt begins
    differently, so that no cache has the answer; one request before all others loads the model and
    is not counted. `gen bench compare A.json B.json` says what has changed, and `gen bench --ab`
    compares values of one setting in turns.
    """
    from generator.bench.measure import measure
    from generator.bench.summary import summary
    from generator.live.client import Server

    workload, load, given = _asked(checklist=checklist, **asked)
    key = key_of(api_key_file, workload.api)
    before = baseline_of(baseline, checklist=checklist)
    if remember:
        from generator.cli.bench_remember import can_be_kept

        can_be_kept(profile, load)
    document = _document(profile, overrides)
    at, named, objectives = _meant(document, url, model, workload)
    try:
        found = measure(
            Server.at(at, seconds_of(timeout or "10m", "--timeout"), key),
            named,
            workload,
            load,
            profile=profile or "",
            given=given,
            told=lambda name, done: status(f"{name}: {done} of {workload.requests} requests"),
        )
    finally:
        status()
    summaries = [summary(level, objectives) for level in found.levels]
    items: tuple[Item, ...] = ()
    if checklist:
        from generator.bench.checklist import checklist as filled_in

        items = filled_in(found, before)
    if html is not None:
        from generator.bench.page import as_page
        from generator.cli.writing import write_page

        write_page(as_page(found, summaries, items), html)
    if html != STDIO:
        _print("json" if as_json else form, found, summaries, objectives, items)
    if remember and document is not None and profile is not None:
        from generator.cli.bench_remember import keep

        keep(found, profile, document)


def _print(
    form: str,
    found: Measurement,
    summaries: list[Summary],
    objectives: Objectives | None,
    items: tuple[Item, ...],
) -> None:
    if form == "json":
        import dataclasses

        told = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        from generator.bench.compare import batching

        held = batching(found)
        told |= {"objectives": objectives, "summaries": summaries}
        print_json(**told, batching=held, checklist=items)
    elif form == "benchstat":
        from generator.bench.benchstat import as_benchstat

        click.echo(printable(as_benchstat(found)), nl=False)
    else:
        from generator.cli.bench_text import bench_text

        click.echo(printable(bench_text(found, summaries, items)), color=coloured())


def _asked(
    *,
    requests: int,
    concurrency: str | None,
    rate: float | None,
    batch_window: str | None,
    batch_size: int,
    cold: int | None,
    checklist: bool,
    embed: bool,
    prompts: str | None,
    api: Any,  # noqa: ANN401 -- one of the words that click lets through
    **lengths: Any,  # noqa: ANN401 -- numbers of a Workload
) -> tuple[Workload, Load, list[str]]:
    """Return what the options ask for: the Workload, the loads, and the prompts that are given."""
    from generator.bench.load import MOST_AT_ONCE
    from generator.bench.measurement import Workload

    if rate is not None and concurrency is not None:
        raise Misuse("--rate and --concurrency are two loads", "leave one out", where="--rate")
    if rate is not None and isnan(rate):
        raise Misuse("--rate: nan is no number of requests", "like 2.5", where="--rate")
    given = prompts_of(prompts) if prompts is not None else []
    words = (concurrency or ("1,4,10" if checklist else "1,2,4,8")).split(",")
    at_once = [int(word) if word.isascii() and word.isdigit() else 0 for word in words]
    if not all(0 < n <= MOST_AT_ONCE for n in at_once) or len({*at_once}) < len(at_once):
        message = f"--concurrency: `{concurrency}` is no list of numbers up to {MOST_AT_ONCE}"
        raise Misuse(message, "like 1,4,16", where="--concurrency")
    if rate is None and requests < max(at_once) and (concurrency or checklist):
        message = f"--requests: {requests} are never {max(at_once)} at once"
        raise Misuse(message, "ask for as many at least", where="--requests")
    at_once = [n for n in at_once if n <= requests]
    load = load_of(
        tuple(at_once), rate, batch_window=batch_window, batch_size=batch_size, cold=cold, api=api,
        checklist=checklist,
    )  # fmt: skip
    task: Task = "embed" if embed else "generate"
    work = Workload(api=api, requests=requests, prompts=len(given), task=task, **lengths)
    return work, load, given


def _document(profile: str | None, overrides: tuple[str, ...]) -> Document | None:
    if profile is not None:
        return document_of(profile, overrides)
    if overrides:
        raise Misuse("--set is about a profile", "name one", where="--set")
    return None


def _meant(
    document: Document | None, url: str | None, model: str | None, work: Workload
) -> tuple[str, str, Objectives | None]:
    """Return where the server is, which model is meant, and what the profile promises."""
    if document is None:
        if model is None:
            raise Misuse("no model is named", "name it by -m, or a profile", where="--model")
        return url or DEFAULT_URL, model, None
    from generator.bench.objectives import objectives_of
    from generator.pipeline import plan_of
    from generator.profiles.validate import validate

    service = plan_of(document).service
    embeds = work.task == "embed"
    fitting = (m.served for m in service.models if (m.role == "embedding") == embeds)
    named = model or next(fitting, None)
    if named is None:
        what = "makes vectors" if embeds else "writes"
        raise Misuse(f"the profile has no model that {what}", "name one by -m", where="--model")
    objectives = objectives_of(validate(document).slo) if "slo" in document.data else None
    return url or f"http://{service.listen.address}", named, objectives
