"""Write, compare and report: what commands with `-o` share."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.streams import STDIO, json_text, keyed, print_json
from generator.cli.talk import coloured, say, visible, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.errors import Finding
    from generator.files.write import Change
    from generator.targets.base import File


def write_files(
    files: Sequence[File],
    directory: str,
    findings: Sequence[Finding],
    *,
    as_json: bool,
    diff: bool,
    check: bool,
    force: bool,
    within: Sequence[str],
) -> None:
    """Write `files`, or for `diff` and `check` only compare them, and say what changes.

    `force` and `within` are those of `write`. Exits 1 for a `check` that differs.
    """
    from generator.files.write import compare

    if dry := diff or check:
        changes = compare(files, Path(directory), within=within)
    else:
        say_link(directory)
        changes = _written(files, Path(directory), within, force=force)
    differ = [change for change in changes if change.kind != "unchanged"]
    if as_json:
        print_json(changes=changes, findings=findings)
    elif diff:
        print_patch("".join(change.diff for change in differ))
    _summary(changes, directory, dry=dry)
    if check and differ:
        click.get_current_context().exit(1)


def print_patch(patch: str) -> None:
    """Print a patch: in colours on a terminal, elsewhere byte by byte as `patch` takes it."""
    from generator.cli.talk import patch_shown

    text = patch_shown(_hidden(patch)) if sys.stdout.isatty() else patch
    click.echo(text, nl=False, color=coloured())


def _hidden(patch: str) -> str:
    """Return a patch to look at: what stands beside a change may be a secret."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.redact import redacted

    catalogue = load_catalogue()
    has = catalogue.at(catalogue.engine).secrets.has
    return "".join(redacted(line, has) for line in patch.splitlines(keepends=True))


def say_kept(kept: Path | None) -> None:
    """Say where a file that was replaced is kept, and how it comes back."""
    if kept is not None:
        say(f"kept as it was: {visible(str(kept))}; gen restore {visible(str(kept))} --at latest")


def say_link(name: str) -> None:
    """Name where a path leads that is a symbolic link out of its folder, before it is followed."""
    from generator.files.links import led_out

    if (place := led_out(Path(name))) is not None:
        say(f"{word('warning')} {visible(name)} is a symbolic link to {visible(str(place))}")


def write_page(text: str, name: str) -> None:
    """Write a page to look at; only another one of ours is replaced. `-` is stdout."""
    from generator.errors import WriteRefused
    from generator.files.rewrite import create
    from generator.formats.page import is_page

    if name == STDIO:
        click.echo(text, nl=False)
        return
    path = Path(name)
    try:
        create(path, text.encode(), force=path.is_file() and is_page(path), ours=True)
    except WriteRefused as error:
        raise WriteRefused(error.message, hint="it is no page of ours: name another file") from None
    say(f"wrote {name}")


def keep_archive(name: str, files: Mapping[str, bytes], again: str, *, force: bool) -> None:
    """Write a capture, packed where its name says so; `again` reads it, and `-` is stdout."""
    from generator.detect.root import archive_of
    from generator.files.rewrite import create

    archive = archive_of(files)
    if name.endswith((".gz", ".tgz")):
        import gzip

        archive = gzip.compress(archive, mtime=0)
    if name == STDIO:
        click.echo(archive, nl=False)
        return
    say_link(name)
    say_kept(create(Path(name), archive, force=force))
    say(f"{name}: {len(files)} files; read it with {again}")


def _written(
    files: Sequence[File], directory: Path, within: Sequence[str], *, force: bool
) -> tuple[Change, ...]:
    """Write `files`; show the diff of what would be lost where that is refused."""
    from generator.cli.talk import patch_shown
    from generator.errors import WriteRefused
    from generator.files.write import compare, write

    try:
        return write(files, directory, within=within, force=force)
    except WriteRefused:
        for change in compare(files, directory, within=within):
            if change.lost:
                say(patch_shown(change.diff).rstrip("\n"))
        raise


def _summary(changes: tuple[Change, ...], directory: str, *, dry: bool) -> None:
    from generator.files.write import MANIFEST, NOT_OURS

    kinds = ("new", "changed", "removed", "kept", "unchanged")
    told = [change for change in changes if change.path != MANIFEST or change.whose != "gen"]
    counts = {kind: sum(change.kind == kind for change in told) for kind in kinds}
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    say(f"{'would be in' if dry else 'in'} {directory}: {summary}")
    for change in changes:
        if change.backup:
            say_kept(Path(change.backup))
        elif dry and change.lost:
            say(
                f"{word('warning')} {visible(change.path)}: {NOT_OURS[change.whose]}; --force "
                "backs it up and replaces it"
            )
    for change in changes if not dry else ():
        if change.path.endswith("README.md") and change.path.count("/") <= 1:
            say(f"{word('hint')} how to apply, verify and remove: {directory}/{change.path}")


def files_text(
    files: Sequence[tuple[str, File]], findings: Sequence[Finding], *, as_json: bool
) -> str:
    """Return files of targets one after the other, each under its path, or as JSON."""
    if as_json:
        rows = [(target, file.path, file.text, file.executable) for target, file in files]
        keys = ("target", "path", "text", "executable")
        return json_text(files=keyed(keys, rows), findings=findings)
    if len(files) == 1:
        return files[0][1].text
    named = ((f"{target}/{file.path}".lstrip("/"), file.text) for target, file in files)
    return "\n".join(f"# ==> {path}\n{text}" for path, text in named)
