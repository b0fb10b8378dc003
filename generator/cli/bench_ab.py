"""`gen bench --ab`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from generator.cli.bench_compare import FAIL, share_of
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
from generator.cli.streams import stdin_if
from generator.cli.talk import printable, status
from generator.cli.trial_options import needed_restarter, steps, trial_options

if TYPE_CHECKING:
    from generator.plan import Service

AB: Final = "--ab"
EXAMPLES: Final = """
\b
Examples:
  gen bench ./my-host.toml --ab ollama.flash_attention=true,false
  gen bench ./my-host.toml --ab ollama.kv_cache_type=f16,q8_0 --rounds 8
  gen bench ./my-host.toml --ab ollama.sched_spread=true,false --dry-run
  gen bench --ab model=llama3.2:1b,llama3.2:1b-instruct-q8_0
  gen bench -m llama3.2:1b --ab num_batch=256,512
  gen bench p.toml --ab ollama.num_parallel=1,4 --concurrency 4 \\
    --restart-command ./restart.sh

\b
Exit codes: 0 compared; 1 worse by as much as --fail-on-regression says; 2 bad
usage or profile; 3 the server cannot be measured, or not be put back.
"""


@click.command(name="bench --ab", epilog=EXAMPLES)
@profile_if_named
@filled_option(
    "-m", "--model", metavar="MODEL", example="llama3.2:1b",
    text="The model to ask.  [default: the first of the profile that writes]",
)  # fmt: skip
@click.option(
    AB,
    "tried",
    metavar="KEY=A,B",
    required=True,
    help="A key of the profile, `model`, or an option of requests, with its values.",
)
@click.option(
    "--rounds",
    type=click.IntRange(2, 100),
    default=5,
    show_default=True,
    help="How often each value has its turn.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Requests at once.",
)
@trial_options(requests=5, timeout="1h")
@filled_option(
    FAIL, metavar="SHARE", example="5%",
    text="Exit 1 where another value than the first is worse by so much, and surely worse.",
)  # fmt: skip
@set_option
@instance_option
@html_option
@json_option
def command(
    *,
    profile: str | None,
    overrides: tuple[str, ...],
    model: str | None,
    url: str | None,
    tried: str,
    rounds: int,
    concurrency: int,
    requests: int,
    prompt_tokens: int | None,
    output_tokens: int | None,
    seed: int,
    timeout: str | None,
    restart_command: str | None,
    compose: str | None,
    fail_on_regression: str | None,
    dry_run: bool,
    html: str | None,
    as_json: bool,
) -> None:
    """Compare values of one setting on a running server, in turns and in pairs.

    The server is started anew with each value where it must be, and put back as it was at the end,
    also after Ctrl-C and failures. Each round asks the same of all values, in another order.
    """
    from generator.bench.measure import Load
    from generator.bench.measurement import Workload
    from generator.trial.ab import trial
    from generator.trial.choice import choices, values_of
    from generator.trial.visit import Visits

    share = share_of(fail_on_regression) if fail_on_regression else None
    key, _, values = tried.partition("=")
    service = _service(profile, overrides)
    at, named = _meant(service, url, model, key, values_of(values))
    chosen = choices(
        key.strip(), values_of(values), named, profile=profile, overrides=overrides,
        stdin=stdin_if(profile),
    )  # fmt: skip
    restarter = needed_restarter(chosen, service, at, restart_command, compose)
    requests = max(requests, concurrency)  # or they are never so many at once
    if dry_run:
        lines = [f"{rounds} rounds of {requests} requests each", *steps(key, chosen, restarter)]
        click.echo(printable("\n".join(lines)))
        return
    workload = Workload(
        api="ollama", requests=requests, prompt_tokens=prompt_tokens or 128,
        output_tokens=output_tokens or 64, seed=seed,
    )  # fmt: skip
    visits = Visits(
        at, workload, Load(at_once=(concurrency,)),
        seconds=seconds_of(timeout or "1h", "--timeout"), restarter=restarter, told=status,
    )  # fmt: skip
    try:
        found = trial(key, chosen, visits, rounds)
    finally:
        status()
    from generator.cli.trial_show import show

    show(found, html, as_json=as_json)
    if share is not None and found.regressions(share):
        click.get_current_context().exit(1)


def _service(profile: str | None, overrides: tuple[str, ...]) -> Service | None:
    if profile is None:
        if overrides:
            raise Misuse("--set is about a profile", "name one", where="--set")
        return None
    from generator.pipeline import plan_of

    return plan_of(document_of(profile, overrides)).service


def _meant(
    service: Service | None, url: str | None, model: str | None, key: str, values: list[str]
) -> tuple[str, str]:
    """Return where the server is and which model is asked."""
    from generator.cli.bench_command import DEFAULT_URL
    from generator.trial.choice import MODEL

    known = service.models if service else ()
    named = model or next((m.served for m in known if m.role != "embedding"), None)
    if named is None and key == MODEL and values:
        named = values[0]
    if named is None:
        raise Misuse("no model is named", "name it by -m, or a profile", where="--model")
    return url or (f"http://{service.listen.address}" if service else DEFAULT_URL), named
