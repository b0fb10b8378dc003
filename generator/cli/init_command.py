"""`gen init`."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from generator.cli.options import Misuse, filled_option, json_option, release_option
from generator.cli.streams import STDIO, print_json
from generator.cli.talk import print_findings, say, visible, word
from generator.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.detect.detect import Detection
    from generator.fit.assess import Assessment
    from generator.plan import Plan
    from generator.targets.base import File

EXAMPLES: Final = """
\b
Examples:
  gen init                           asks what this machine does not tell
  gen init -m qwen3:8b -t compose    asks nothing: all is told
  gen init --yes -o host             takes what it would propose
  gen init --root machine.tar --yes --json
"""
# Who installed the server says what runs it; of nobody else is it known.
_BY_INSTALLER: Final = {"nixos": "nixos", "script": "systemd", "package": "systemd"}
_PROPOSED: Final = "systemd"


@click.command(name="init", epilog=EXAMPLES)
@filled_option(
    "-o", "--output", metavar="DIR", example="host", text="Write below DIR.  [default: here]"
)
@filled_option(
    "--name", metavar="NAME", example="gpu-host", text="Name of the profile.  [default: the host's]"
)
@click.option("-t", "--target", type=click.Choice([*TARGETS]), help="What shall run the server.")
@click.option(
    "-m", "--model", "models", multiple=True, metavar="MODEL",
    help="A model to pull and to load at the start; repeatable.",
)  # fmt: skip
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what would be proposed.")
@filled_option("--root", metavar="DIR|TAR", example="machine.tar", text="Read a captured machine.")
@release_option("Release to write for.  [default: the installed, or newest known]")
@json_option
def command(
    *,
    output: str | None,
    name: str | None,
    target: str | None,
    models: tuple[str, ...],
    yes: bool,
    root: str | None,
    version: str | None,
    as_json: bool,
) -> None:
    """From this machine to the files that run a server on it: detect, fit, render.

    Asks only what the machine does not tell, and not with --yes. Writes NAME.toml and below NAME/
    the bundle; nothing that is there is replaced.
    """
    from generator.cli.detect_command import detected

    detection = detected(root, version)
    folder = Path(output or ".")
    name = _name(name, detection, folder)
    silent = yes or as_json or root == STDIO or not somebody_there()
    target = target or _target(detection, silent=silent, yes=yes)
    models = models or _models(detection, silent=silent, yes=yes)
    text = detection.profile(name) + _model_tables(models)
    plan, fit = _judged(text, f"{name}.toml", version)
    files = _bundle(plan, target)
    path = folder / f"{name}.toml"
    _write(path, text, folder / name, files, target, as_json=as_json, plan=plan, fit=fit)
    click.get_current_context().exit(1 if fit is not None and fit.fails else 0)


def somebody_there() -> bool:
    """Return whether there is somebody to ask."""
    return sys.stdin.isatty()


def _name(name: str | None, detection: Detection, folder: Path) -> str:
    """Return the name of the profile. Raises WriteRefused where there is one already."""
    from generator.detect.profile import name_of
    from generator.errors import WriteRefused
    from generator.profiles.document import NAME

    name = name or name_of(detection.at)
    if not NAME.fullmatch(name):
        message = f"--name: `{name}` is not a name"
        raise Misuse(message, "write lower-case letters, digits and `-`", where="--name")
    for path in (folder / f"{name}.toml", folder / name):
        if path.exists():
            hint = f"name another by --name or -o; `gen {path}` renders a profile again"
            raise WriteRefused(f"{path} is there already", hint=hint)
    return name


def _target(detection: Detection, *, silent: bool, yes: bool) -> str:
    kind = detection.at.found.ollama.kind
    if kind in _BY_INSTALLER:
        return _BY_INSTALLER[kind]
    if silent:
        return _assumed("-t", _PROPOSED, yes=yes)
    choice: str = click.prompt(
        "What shall run the server?", type=click.Choice([*TARGETS]), default=_PROPOSED, err=True
    )
    return choice


def _models(detection: Detection, *, silent: bool, yes: bool) -> tuple[str, ...]:
    """Return the models to run: one that fits well here, unless somebody says another."""
    best = _best(detection)
    if silent:
        return tuple(filter(None, [_assumed("-m", best, yes=yes)]))
    answer: str = click.prompt(
        "Which models, by commas? (`-`: none)", default=best or STDIO, err=True
    )
    return tuple(part.strip() for part in answer.split(",") if part.strip() not in {"", STDIO})


def _assumed(option: str, value: str, *, yes: bool) -> str:
    """Return what is proposed; without --yes nobody has agreed to it."""
    if not yes:
        message = f"this machine does not tell {option}, and there is nobody to ask"
        raise Misuse(message, f"--yes takes {value or 'none'}, {option} names it", where=option)
    return value


def _best(detection: Detection) -> str:
    """Return the model that `gen fit` recommends here; empty: none fits."""
    _, fit = _judged(detection.profile("here"), "here.toml", None)
    found = fit.choices or () if fit else ()
    best = [each.name for each in found if each.recommended] or [
        each.name for each in found if each.best
    ]
    return best[0] if best else ""


def _model_tables(models: Sequence[str]) -> str:
    from generator.formats.data import to_toml

    tables = (to_toml({"name": name, "preload": True}) for name in models)
    return "".join(f"\n[[models]]\n{table}" for table in tables)


def _judged(text: str, source: str, version: str | None) -> tuple[Plan, Assessment | None]:
    """Return the Plan of a profile and what fits; None: nothing says what memory there is."""
    from generator.cli.fit_command import assess_document
    from generator.errors import ProfileError
    from generator.fit.assess import Question
    from generator.pipeline import plan_of
    from generator.profiles.load import read_document

    document = read_document(source, stdin=text.encode())
    plan = plan_of(document, version=version)
    try:
        return plan, assess_document(document, version, Question())
    except ProfileError as error:
        say(f"{word('warning')} {error.problems[0].message}: what fits is not known")
        return plan, None


def _bundle(plan: Plan, target: str) -> list[File]:
    from generator.targets import all_files

    files = all_files(target, plan)
    return [dataclasses.replace(file, path=f"{target}/{file.path}") for file in files]


def _write(
    path: Path,
    text: str,
    folder: Path,
    files: Sequence[File],
    target: str,
    *,
    as_json: bool,
    plan: Plan,
    fit: Assessment | None,
) -> None:
    from generator.cli.fit_command import model_data, print_assessment
    from generator.files.rewrite import create
    from generator.files.write import write
    from generator.records import replace

    path.parent.mkdir(parents=True, exist_ok=True)
    create(path, text.encode())
    changes = write(files, folder, within=[target])
    if as_json:
        fits = [model_data(each) for each in fit.fits] if fit else []
        print_json(
            profile=str(path), bundle=str(folder), target=target, models=fits, changes=changes,
            findings=plan.findings,
        )  # fmt: skip
        return
    print_findings([each for each in plan.findings if each.severity != "info"])
    for warning in fit.warnings if fit else ():
        say(f"{word('warning')} {visible(warning)}")
    if fit and fit.fits:
        print_assessment(replace(fit, choices=None), every=False)
    say(f"wrote {path}, and {len(changes)} files below {folder}")
    say(f"{word('hint')} read {folder}/{target}/README.md; change {path}, then: "
        f"gen {_spelled(path)} -t {target} -o {folder}")  # fmt: skip


def _spelled(path: Path) -> str:
    return str(path) if path.is_absolute() or len(path.parts) > 1 else f"./{path}"
