"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = TypeVar("Command", bound=Callable[..., Any])

_TARGETS = click.Choice([*TARGETS, "all"])

profile_option = click.option(
    "-p", "--profile", metavar="NAME|PATH", help="A shipped profile's name, or a path to a .toml."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def plan_options(command: Command) -> Command:
    """Add what decides a Plan."""
    for option in reversed(
        (
            click.option(
                "--ollama-version",
                metavar="RELEASE",
                help="Release or line the output is for, like 0.32.  [default: newest known]",
            ),
            click.option(
                "--set",
                "overrides",
                multiple=True,
                metavar="KEY=VALUE",
                help="Override a profile value, like threads.count=8; repeatable.",
            ),
            click.option("--strict", is_flag=True, help="Refuse what the release does not take."),
            click.option(
                "--legacy-env",
                is_flag=True,
                help="Also emit names no release reads, for wrappers that do.",
            ),
            click.option(
                "--full-unit",
                is_flag=True,
                help="A complete hardened ollama.service instead of drop-ins.",
            ),
        )
    ):
        command = option(command)
    return command


def render_options(command: Command) -> Command:
    """Add what decides a Plan and where its files go."""
    for option in reversed(
        (
            click.option(
                "-t",
                "--target",
                "targets",
                multiple=True,
                type=_TARGETS,
                help="What to render; repeatable.  [default: nixos]",
            ),
            click.option(
                "-o",
                "--output",
                metavar="DIR",
                help="Write files below DIR instead of to stdout.",
            ),
            click.option("--diff", is_flag=True, help="Show what -o would change; write nothing."),
            click.option("--check", is_flag=True, help="Exit 1 if DIR differs; write nothing."),
            click.option("--force", is_flag=True, help="Replace files that differ."),
            json_option,
        )
    ):
        command = option(command)
    return plan_options(command)


def planned(
    profile: str,
    *,
    overrides: tuple[str, ...],
    ollama_version: str | None,
    strict: bool,
    legacy_env: bool,
    full_unit: bool,
) -> Any:  # noqa: ANN401 -- a Plan, whose import the caller pays for
    """Return the Plan that the options ask for."""
    from generator.pipeline import plan_of

    if ollama_version == "":
        raise click.UsageError("--ollama-version names no release: write one, like 0.32")
    flags = (*overrides, "service.full_unit=true") if full_unit else overrides
    return plan_of(profile, flags, version=ollama_version, legacy_env=legacy_env, strict=strict)
