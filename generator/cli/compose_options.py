"""`--fragment` and `--override-of`: what a file for Compose is where there is a project."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import Misuse, filled_option
from generator.cli.talk import say, word
from generator.engines import READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.importing.importing import Imported

TARGET: Final = "compose"
_OPTION: Final = "--override-of"
_SERVICE: Final = "container.service"
_RELEASE: Final = ".version"
_KEYS: Final = frozenset(
    {
        *(f"container.{name}" for name in ("name", "service", "project", "image", "tag")),
        *(f"{name}{_RELEASE}" for name in READ),
    }
)


def compose_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options; the command gets what they say as `overrides`, and `compose` as target."""

    @click.option(
        "--fragment",
        is_flag=True,
        help="For Compose: services to include or paste into a project of yours.",
    )
    @filled_option(
        _OPTION,
        metavar="FILE",
        example="compose.yaml",
        text="For Compose: a file to lay over the service that FILE has.",
    )
    @functools.wraps(command)
    def with_compose(
        *,
        fragment: bool,
        override_of: str | None,
        targets: tuple[str, ...],
        overrides: tuple[str, ...],
        **options: Any,  # noqa: ANN401 -- click hands over keywords only
    ) -> Any:  # noqa: ANN401
        if fragment or override_of:
            _refuse(targets, "--fragment" if fragment else _OPTION, both=bool(override_of))
            told = list(_said(override_of)) if override_of else ["container.compose=fragment"]
            targets, overrides = (TARGET,), (*told, *overrides)
        return command(targets=targets, overrides=overrides, **options)

    return with_compose


def _refuse(targets: tuple[str, ...], option: str, *, both: bool) -> None:
    if option == "--fragment" and both:
        message = f"a file is a fragment, or laid over another: not --fragment and {_OPTION}"
        raise Misuse(message, "choose one of them", where=option)
    if set(targets) - {TARGET}:
        hint = f"leave `--target {next(iter(set(targets) - {TARGET}))}` out"
        raise Misuse(f"{option} is for the target `{TARGET}` alone", hint, where=option)


def _said(path: str) -> Iterator[str]:
    """Yield what a compose file says of the service that another one is laid over."""
    found = _imported(path)
    said = {one.key: str(one.value) for one in found.carried if one.key in _KEYS}
    said.setdefault(_SERVICE, found.service)
    if release := next((v for k, v in said.items() if k.endswith(_RELEASE)), ""):
        say(f"{path} has release {release}, which the output is for")
    for one in found.lost:
        if one.name == "image":
            say(f"{word('warning')} image of {path}: {one.reason}; {one.fix}")
    yield "container.compose=override"
    yield from (f"{key}={json.dumps(value)}" for key, value in said.items())


def _imported(path: str) -> Imported:
    from generator.importing.importing import ImportRequest, imported

    return imported(ImportRequest(paths=(path,)))
