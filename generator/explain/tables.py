"""The data files as plain tables, without the typed Catalogue: `gen explain` has to start fast.

The tests hold the files to the form that the Catalogue demands; here it is taken for granted.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import CatalogueError, HostwrightError, told
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Table = Mapping[str, Any]

_DATA: Final = Path(__file__).parent.parent / "catalogue/data"


@functools.cache
def data(file: str) -> Table:
    """Return a data file. Raises CatalogueError where the installation is broken."""
    try:
        return tomllib.loads((_DATA / file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"data/{file}: {error}", hint="install Hostwright again") from error


@functools.cache
def by_name(file: str, table: str) -> dict[str, Table]:
    """Return the entries of an array of tables by their `name`."""
    return {entry["name"]: entry for entry in data(file)[table]}


@functools.cache
def dead_names() -> dict[str, Table]:
    """Return the entry of each name that no release reads."""
    return {name: entry for entry in data("ollama.toml")["dead"] for name in entry["names"]}


@functools.cache
def runner_names() -> dict[str, Table]:
    """Return the entry of each name that llama-server reads without an entry of its own."""
    entries = data("ollama.toml")["runner_names"]
    return {name: entry for entry in entries for name in entry["names"]}


def release_of(text: str | None) -> Release:
    """Return the release that a user names, a line like `0.9` being its newest patch.

    Raises HostwrightError for what is no release of Ollama. Younger ones than known pass.
    """
    listed = data("releases.toml")
    newest = Release.parse(listed["newest"])
    if text is None:
        return newest
    try:
        release = Release.parse(text)
    except ValueError as error:
        message, hint = told(error)
        raise HostwrightError(message, hint=hint) from None
    patches = listed["lines"].get(release.line, ())
    if patches and text.count(".") == 1 and release.candidate is None:
        return Release(release.major, release.minor, max(patches))
    if release <= newest and release.patch not in patches:
        raise HostwrightError(
            f"`{text}` is not a release of Ollama that Hostwright knows",
            hint=f"the newest is `{newest}`; a line like `{newest.line}` is its newest patch",
        )
    return release


def facts_release(release: Release) -> Release:
    """Return the release to ask facts for: the final one, at most the newest that is known."""
    return min(Release(release.major, release.minor, release.patch), release_of(None))


def covers(span: Table, release: Release) -> bool:
    """Return whether something with `since`, and `until` or `removed`, holds in a release."""
    end = span.get("until") or span.get("removed")
    return Release.parse(span["since"]) <= release and (end is None or release < Release.parse(end))


def current(spans: Iterable[Table], release: Release) -> Table | None:
    """Return the youngest of those that hold in a release."""
    holding = [span for span in spans if covers(span, release)]
    return max(holding, key=lambda span: Release.parse(span["since"]), default=None)


def periods(spans: Iterable[Table], end: str = "") -> Iterator[tuple[str, str, Table]]:
    """Yield each span with its first release and the first one after it (empty: it lasts).

    A span without `until` ends where the next one begins, the last at `end`.
    """
    listed = list(spans)
    for span, following in zip(listed, [*listed[1:], {}], strict=True):
        yield span["since"], span.get("until") or following.get("since", end), span
