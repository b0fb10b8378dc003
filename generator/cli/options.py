"""Options that several commands share, each declared once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from generator.cli.environment import written
from generator.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.profiles.document import Document

    Command = TypeVar("Command", bound=Callable[..., Any])

PROFILE: Final = "--profile"
DAY: Final = 86400.0
OWN_OPTIONS: Final = "generator.cli.own_options"
"""Where the context keeps the options of `gen` itself, if the command line names no command."""


class Misuse(click.UsageError):
    """A command line that makes no sense: what is wrong, what to do, which option it is about."""

    def __init__(self, message: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(message, click.get_current_context(silent=True))
        self.hint, self.where = hint, where


def did_you_mean(names: Iterable[str]) -> str:
    """Return `did you mean …? ` for some names, nothing for none."""
    listed = " or ".join(f"`{name}`" for name in names)
    return f"did you mean {listed}? " if listed else ""


def filled_option(
    *names: str, metavar: str, example: str, text: str, envvar: str | None = None
) -> Callable[[Command], Command]:
    """Return an option whose value may not be empty; `text` is its help."""

    def callback(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if value == "":
            where = max(parameter.opts, key=len)
            raise Misuse(f"{where} is empty", f"write a value, like {where} {example}", where=where)
        return value

    return click.option(*names, metavar=metavar, callback=callback, help=text, envvar=envvar)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
html_option = filled_option(
    "--html", metavar="FILE", example="page.html", text="Also write a page to look at; - is stdout."
)
set_option = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    envvar="GEN_SET",
    help="Override a profile value, like threads.count=8; repeatable.",
)


def instance_option(command: Command) -> Command:
    """Add `--instance`; the command gets it among `overrides`, which lead to the one server."""

    @filled_option(
        "--instance",
        metavar="NAME",
        example="p4000",
        text="Of several servers of the profile the one that this is about.",
    )
    @functools.wraps(command)
    def with_instance(*, overrides: tuple[str, ...], instance: str | None, **options: Any) -> Any:  # noqa: ANN401
        from generator.profiles.load import INSTANCE

        chosen = (f"{INSTANCE}{instance}",) if instance else ()
        return command(overrides=(*overrides, *chosen), **options)

    return with_instance  # type: ignore[return-value] # click hands over keywords only


def release_option(text: str) -> Callable[[Command], Command]:
    """Return `--ollama-version` with its help: what the release is for differs by command."""
    return filled_option(
        "--ollama-version",
        "version",
        metavar="RELEASE",
        example="0.32",
        text=text,
        envvar="GEN_OLLAMA_VERSION",
    )


def targets_option(text: str) -> Callable[[Command], Command]:
    """Return `-t` with its help; the command gets `targets` by name, every one for `all`."""

    def named(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(TARGETS if "all" in given else dict.fromkeys(given))

    kinds = click.Choice([*TARGETS, "all"])
    return click.option(
        "-t", "--target", "targets", multiple=True, type=kinds, callback=named, help=text
    )


def profile_option(
    name: str, *, multiple: bool = False, envvar: str | None = None
) -> Callable[[Command], Command]:
    """Return `-p`; the command gets its value as `name`."""
    return click.option(
        "-p",
        PROFILE,
        name,
        metavar="PROFILE",
        multiple=multiple,
        envvar=envvar,
        help="The profile, if not the argument: a shipped name, a path, or - for stdin.",
    )


def profile_argument(command: Command) -> Command:
    """Add the profile, as the argument or as `-p`; the command gets its name as `profile`."""
    return _with_profile(command, needed=True)


def profile_if_named(command: Command) -> Command:
    """Add the profile as `profile_argument` does; the command gets None where none is named."""
    return _with_profile(command, needed=False)


def _with_profile(command: Command, *, needed: bool) -> Command:
    @click.argument("positional", metavar="[PROFILE]", required=False)
    @profile_option("option", envvar="GEN_PROFILE" if needed else None)
    @functools.wraps(command)
    def with_profile(*, positional: str | None, option: str | None, **options: Any) -> Any:  # noqa: ANN401
        # An argument is nearer than what the environment says.
        option = option if positional is None or written("option") else None
        name = _one_profile(positional, option)
        if name is None and needed:
            raise Misuse(
                "no profile is named",
                "name a shipped one, like xeon-cpu, a path, or - for stdin; `gen list` has the "
                "shipped",
                where=PROFILE,
            )
        return command(profile=name, **options)

    return with_profile  # type: ignore[return-value] # click hands over keywords only


def _one_profile(positional: str | None, option: str | None) -> str | None:
    from generator.cli import COMMANDS

    if positional in COMMANDS:
        hint = f"the command stands first: gen {positional} …"
        raise Misuse(f"`{positional}` is a command, no profile", hint, where=PROFILE)
    if positional is not None and option is not None:
        message = f"two profiles are named: `{positional}` and --profile `{option}`"
        raise Misuse(message, "name one", where=PROFILE)
    return option if positional is None else positional


def _all_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    return lambda command: functools.reduce(
        lambda made, option: option(made), reversed(options), command
    )


def _with_nixos(command: Command) -> Command:
    """Add `--nixos`; the command gets the release that it stands for as `version`."""

    @functools.wraps(command)
    def with_nixos(*, nixos: str | None, version: str | None, **options: Any) -> Any:  # noqa: ANN401
        if nixos is not None and (version is None or (written("nixos") > written("version"))):
            version = _release_of(nixos)
        return command(version=version, **options)

    return with_nixos  # type: ignore[return-value] # click hands over keywords only


def _release_of(nixos: str) -> str | None:
    from generator.catalogue.catalogue import load_catalogue
    from generator.catalogue.nixos import no_channel
    from generator.pipeline import release_of

    if problem := no_channel("--nixos", nixos, load_catalogue().channels):
        raise Misuse(problem.message, problem.hint, where=problem.where)
    return release_of(nixos)


plan_options = _all_of(
    release_option("Release or line the output is for, like 0.32.  [default: newest known]"),
    filled_option(
        "--nixos",
        metavar="RELEASE",
        example="26.05",
        envvar="GEN_NIXOS",
        text="Release of NixOS that the output is for, like 26.05 or unstable: the Ollama that it "
        "has, unless --ollama-version names one.",
    ),
    _with_nixos,
    set_option,
    click.option("--strict", is_flag=True, help="Refuse what the release does not take."),
    click.option(
        "--legacy-env",
        is_flag=True,
        help="Also emit names no release reads, for wrappers that do.",
    ),
    click.option(
        "--allow-plain-secrets",
        is_flag=True,
        help="Let output hold secrets of `[ollama.env]`, as ignoring HW406 does.",
    ),
    click.option(
        "--full-unit",
        is_flag=True,
        help="A complete hardened ollama.service instead of drop-ins.",
    ),
)
"""What decides a Plan, as `plan_of` takes it."""


def output_options(force: str) -> Callable[[Command], Command]:
    """Return the options for files: where to, only compare, replace. `force` is the help of it."""
    return _all_of(
        filled_option(
            "-o",
            "--output",
            metavar="DIR",
            example="out",
            text="Write files below DIR; - is stdout.",
        ),
        click.option("--diff", is_flag=True, help="Show what -o would change; write nothing."),
        click.option("--check", is_flag=True, help="Exit 1 if DIR differs; write nothing."),
        click.option("--force", is_flag=True, help=force),
    )


def seconds_of(text: str, where: str) -> float:
    """Return the seconds that an option says to wait: some, and not for days."""
    from generator.meaning import parse_go_duration

    try:
        seconds = parse_go_duration(text) / 1e9
    except ValueError as error:
        raise Misuse(f"{where}: {error}", where=where) from None
    if not 0 < seconds <= DAY:
        raise Misuse(f"{where}: {text} is no time to wait", "like 10s", where=where)
    return seconds


def needs_directory(output: str | None, **flags: bool) -> None:
    """Refuse flags about files where none are written."""
    given = [f"--{name}" for name, on in flags.items() if on]
    if given and output in {None, "-"}:
        raise Misuse(f"{given[0]} is about files", "name their directory by -o DIR", where=given[0])


def document_of(
    profile: str, overrides: tuple[str, ...] = (), *, full_unit: bool = False
) -> Document:
    """Read the profile that the options name, with what they override."""
    from generator.cli.streams import stdin_if
    from generator.profiles.load import read_document

    flags = (*overrides, "service.full_unit=true") if full_unit else overrides
    return read_document(profile, flags, stdin=stdin_if(profile))


def again(
    command: str,
    profile: str,
    overrides: tuple[str, ...],
    *,
    full_unit: bool = False,
    version: str | None = None,
    strict: bool = False,
    legacy_env: bool = False,
    allow_plain_secrets: bool = False,
) -> str:
    """Return the command line of another command about the same Plan, as a shell takes it."""
    import shlex

    words = ["gen", command, profile]
    words += [word for one in overrides for word in ("--set", one)]
    words += ["--ollama-version", version] if version else []
    flags = {
        "--strict": strict,
        "--legacy-env": legacy_env,
        "--allow-plain-secrets": allow_plain_secrets,
        "--full-unit": full_unit,
    }
    return shlex.join([*words, *(flag for flag, on in flags.items() if on)])
