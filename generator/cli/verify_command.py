"""`gen verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import (
    Misuse,
    document_of,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_if_named,
    release_option,
    seconds_of,
    set_option,
)
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import coloured, printable
from generator.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed
    from generator.verify.vitals import Vitals

VIA: Final = click.Choice(("systemd", "docker", "podman", "kubectl", "process", "api"))
_SPELT: Final = {"version": "ollama-version", "overrides": "set"}
_HERE: Final = "3s"
_AFAR: Final = "30s"
"""How long all programs may take, here and in a cluster or a fleet."""
FORMATS: Final = click.Choice(("text", "json", "junit", "nagios"))
EXAMPLES: Final = """
\b
Examples:
  gen verify xeon-cpu                       on the machine that serves
  gen verify xeon-cpu --wait 60s            after a start
  gen verify xeon-cpu --watch 2s            a screen, until Ctrl-C
  gen verify ./my-host.toml --via docker
  gen verify ./my-host.toml --via kubectl   the pod of the current context
  gen verify ./my-host.toml --via kubectl --capture pod.tar.gz
  gen verify ./my-host.toml --via api --url http://spark:11434
  gen verify ./my-host.toml --capture host.tar.gz   on the machine
  gen verify ./my-host.toml --root host.tar.gz      anywhere
  gen verify xeon-cpu --format nagios       as a plugin: a line, and the code
  gen verify --fleet fleet.toml             every host, over ssh

\b
Exit codes: 0 as the profile says, as far as can be seen; 1 drift; 2 bad usage
or profile; 3 the server cannot be asked, or nobody tells what is in effect.
"""


@click.command(name="verify", epilog=EXAMPLES)
@profile_if_named
@filled_option(
    "--url",
    metavar="URL",
    example="http://host:11434",
    text="Where the server answers.  [default: where the profile has it listen]",
)
@filled_option(
    "--timeout",
    metavar="TIME",
    example="3s",
    text="How long all programs, and the server with all its answers, may take.  "
    "[default: 3s; 30s for a cluster, a capture, and each host of a fleet]",
)
@click.option(
    "--via", "via", multiple=True, type=VIA,
    help="Whom to ask; repeatable.  [default: all of this machine who know of it]",
)  # fmt: skip
@filled_option(
    "--wait",
    metavar="TIME",
    example="60s",
    text="How long to wait for a first answer of the server.",
)
@filled_option(
    "--watch",
    metavar="TIME",
    example="2s",
    text="Show how the server does, each TIME anew until Ctrl-C; --json: a line each.",
)
@filled_option(
    "--root",
    metavar="DIR|TAR",
    example="captured.tar",
    text="A captured machine, instead of this one; - is stdin.",
)
@filled_option(
    "--capture",
    metavar="TAR",
    example="captured.tar.gz",
    text="Only keep in an archive what is asked, without secrets; - is stdout.",
)
@click.option("--force", is_flag=True, help="Back up and replace a capture that is there.")
@filled_option(
    "--fleet",
    metavar="FLEET.toml",
    example="fleet.toml",
    text="Ask every host of a fleet over its ssh; - is stdin.",
)
@click.option(
    "--only", multiple=True, metavar="TAG",
    help="Of a fleet: only hosts with this tag, or of this name; repeatable.",
)  # fmt: skip
@release_option("Release that the profile is resolved for.  [default: newest known]")
@set_option
@instance_option
@click.option("--format", "form", type=FORMATS, default="text", help="How to report.")
@html_option
@json_option
def command(
    profile: str | None,
    *,
    version: str | None,
    overrides: tuple[str, ...],
    form: str,
    html: str | None,
    as_json: bool,
    capture: str | None,
    force: bool,
    watch: str | None,
    fleet: str | None,
    only: tuple[str, ...],
    **asked: Any,  # noqa: ANN401 -- what `_compared` takes
) -> None:
    """Compare a running server with its profile: what files say, managers hold, processes got.

    A row per setting: what the profile wants, what systemd or a container engine holds, what is in
    effect, and why it differs: the file and line that wins, a restart that is due, a value that the
    server reads in another way, a limit that the kernel does not apply. Nothing is changed.
    """
    from generator.pipeline import plan_of

    context = click.get_current_context()
    _refuse_contradictions(context.params, profile)
    form = "json" if as_json else form
    if fleet is not None:
        from generator.cli.verify_fleet import verified_fleet

        seconds = seconds_of(asked["timeout"] or _AFAR, "--timeout")
        context.exit(verified_fleet(fleet, only, seconds=seconds, form=form, html=html)[1])
    plan = plan_of(document_of(profile or "", overrides), version=version)
    if watch is not None:
        from generator.cli.verify_watch import watch as watched

        again = _again(plan, **asked)
        every = seconds_of(watch, "--watch")
        context.exit(watched(plan, every, again, as_json=form == "json"))
    if capture is not None:
        _keep(plan, capture, force=force, **asked)
        return
    if form in {"json", "text"} and len(plan.services) > 1 and html is None:
        context.exit(_of_each(plan, form, **asked))
    # All else is about one server.
    plan = plan.of(plan.service.name)
    try:
        found, seen = _compared(plan, **asked)
    except EnvironmentFailure as error:
        if form != "nagios":
            raise
        from generator.verify.reports import nagios_line

        # A plugin says what is wrong where the others are read, too.
        click.echo(nagios_line(error.message, error.exit_code))
        context.exit(error.exit_code)
    code = found.code(seen)
    if html is not None:
        from generator.cli.writing import write_page
        from generator.verify.page import as_page

        write_page(as_page(plan, found, seen), html)
    if html != STDIO:
        _print(form, plan, found, seen, code)
    context.exit(code)


def _of_each(plan: Plan, form: str, **asked: Any) -> int:  # noqa: ANN401 -- what `_compared` takes
    """Compare every server, print it under its name, and return the worst exit code."""
    if asked["url"] is not None:
        plan = plan.of(plan.service.name)
    every = [(part, *_compared(part, **asked)) for part in plan.parts]
    if form == "json":
        told = [
            {"service": part.service.name} | document(found, seen) for part, found, seen in every
        ]
        print_json(services=told)
    for number, (part, found, seen) in enumerate(every if form == "text" else ()):
        click.echo(f"{chr(10) * bool(number)}── {part.service.name}")
        _print(form, part, found, seen, found.code(seen))
    return max(found.code(seen) for _, found, seen in every)


def _print(form: str, plan: Plan, found: Comparison, seen: Observed, code: int) -> None:
    if form == "json":
        print_json(**document(found, seen))
    elif form == "text":
        from generator.cli.verify_text import verify_text

        click.echo(printable(verify_text(plan, found, seen)), color=coloured())
    else:
        from generator.verify.reports import as_junit, as_nagios

        junit = form == "junit"
        click.echo(as_junit(found, seen) if junit else as_nagios(found, seen, code), nl=False)


def _refuse_contradictions(given: Mapping[str, Any], profile: str | None) -> None:
    """Refuse options that do not go together; `given` are all, by the names that they have."""

    def refuse(lead: str, others: tuple[str, ...], why: str) -> None:
        clash = next((name for name in others if given[name]), None)
        if given[lead] and clash:
            where = f"--{_SPELT.get(clash, clash)}"
            raise Misuse(f"--{lead} {why}", f"leave {where} out", where=where)

    whole = ("capture", "watch", "root", "url", "via", "wait", "version", "overrides")
    refuse("fleet", whole, "asks hosts for what their fleet says")
    refuse("capture", ("root", "wait", "html"), "keeps what is asked, and compares nothing")
    if given["capture"] and {*given["via"]} - {"kubectl"}:
        message = "--capture keeps all that is asked of this machine, or of a pod"
        raise Misuse(message, "leave --via out, or write --via kubectl", where="--via")
    refuse("watch", ("capture", "root", "wait", "html"), "shows a server that runs")
    refuse("root", ("url", "wait"), "is a machine of which nothing runs any more")
    if "kubectl" in given["via"] and (given["root"] or given["watch"]):
        message = "--root is a captured machine" if given["root"] else "--watch is of this machine"
        raise Misuse(f"{message}, and no cluster", "leave one of them out", where="--via")
    if given["watch"] and given["form"] in {"junit", "nagios"}:
        message = f"--watch has no end, and --format {given['form']} is for one comparison"
        raise Misuse(message, "write --json, a line each time", where="--format")
    if given["fleet"] and profile is not None:
        message = f"a profile is named, `{profile}`, and --fleet names those of its hosts"
        raise Misuse(message, "leave one of them out", where="--fleet")
    if given["only"] and not given["fleet"]:
        raise Misuse("--only is about a fleet", "name it by --fleet FLEET.toml", where="--only")
    if profile is None and not given["fleet"]:
        hint = "name a shipped one, like xeon-cpu, a path, or - for stdin; or --fleet FLEET.toml"
        raise Misuse("no profile is named", hint, where="--profile")


def _keep(
    plan: Plan,
    capture: str,
    *,
    force: bool,
    url: str | None,
    timeout: str | None,
    via: tuple[Any, ...],
    **_: Any,  # noqa: ANN401 -- what `_compared` takes beside these
) -> None:
    """Write what a comparison asks of this machine, or of a pod."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.cli.writing import keep_archive
    from generator.verify.verify import captured

    seconds = seconds_of(timeout or _AFAR, "--timeout")
    files = captured(plan, load_catalogue(), url=url, seconds=seconds, via=via)
    keep_archive(capture, files, f"gen verify PROFILE --root {capture}", force=force)


def _again(
    plan: Plan,
    *,
    url: str | None,
    timeout: str | None,
    via: tuple[Any, ...],
    **_: Any,  # noqa: ANN401 -- what `_compared` takes beside these
) -> Callable[[], tuple[Comparison, Observed, Vitals]]:
    """Return what asks this machine again and again."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.verify.verify import watching

    seconds = seconds_of(timeout or _HERE, "--timeout")
    return watching(plan, load_catalogue(), url=url, seconds=seconds, via=via)


def _compared(
    plan: Plan,
    *,
    url: str | None,
    timeout: str | None,
    via: tuple[Any, ...],
    wait: str | None,
    root: str | None,
) -> tuple[Comparison, Observed]:
    import sys

    from generator.catalogue.catalogue import load_catalogue
    from generator.verify.verify import verify

    return verify(
        plan,
        load_catalogue(),
        url=url,
        seconds=seconds_of(timeout or (_AFAR if "kubectl" in via else _HERE), "--timeout"),
        via=via,
        patience=seconds_of(wait, "--wait") if wait else 0,
        root=root,
        stdin=sys.stdin.buffer if root == STDIO else None,
    )


def document(found: Comparison, seen: Observed) -> dict[str, object]:
    """Return a Comparison as JSON has it."""
    held = seen.held
    return {
        "url": seen.url,
        "manager": held and {"by": held.by, "name": held.name},
        "process": seen.process
        and {"pid": seen.process.pid, "command": list(seen.process.command)},
        "release": seen.answers and seen.answers.release,
        "rows": found.rows,
        "extras": found.extras,
        "remarks": list(found.remarks),
        "not_asked": [{"who": who, "why": why} for who, why in seen.gaps],
        "unanswered": seen.unanswered,
    }
