"""Releases of charts that commands install: `helm upgrade … -f FILE --set …`, and helmfile."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.beside import installed, missing
from generator.readers.helm.given import Given, sets, values_set
from generator.readers.helm.merge import all_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.options import Argument
    from generator.view import NotJudged, Place

    Read = Callable[[str], Source | None]

HELM_PROGRAM: Final = "helm"
_VERBS: Final = frozenset({"install", "upgrade", "template"})
_FILES: Final = frozenset({"-f", "--values"})
_KEEPS: Final = frozenset({"--reuse-values", "--reset-then-reuse-values"})
_UP: Final = 3
"""How far above a script the values may lie that it names: it is run from there."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a release gives its chart: `values` in all, and files of them that are not at hand.

    `ours`: the chart is that of the engine. `of_files`: all of the values stand in files.
    `all_told`: the chart gets no others, as those that it had before.
    """

    values: Table | None
    gaps: tuple[NotJudged, ...] = ()
    ours: bool = False
    of_files: bool = True
    all_told: bool = True


def release_of(words: Sequence[Argument], engine: Engine, read: Read) -> Release | None:
    """Return the release that a command line makes, None where it makes none.

    `read` returns a file by the path in the command.
    """
    texts = [word.text for word in words]
    program = next((at for at, text in enumerate(texts) if text == HELM_PROGRAM), None)
    if program is None or not _VERBS & set(texts[program:]):
        return None
    found: list[Table] = []
    gaps: list[NotJudged] = []
    for name, place in _named(words):
        source = read(name)
        values = values_in(source) if source else None
        found += [values] if values is not None else []
        gaps += [missing(name, place)] if values is None else []
    values = values_set(words, all_of(found))
    of_files, kept = not sets(words), any(text in _KEEPS for text in texts)
    return Release(values, tuple(gaps), _names_chart(texts, engine), of_files, not kept)


def _named(words: Sequence[Argument]) -> Iterator[tuple[str, Place]]:
    """Yield the files of values that a command names, in its order."""
    for at, word in enumerate(words):
        name, equals, text = word.text.partition("=")
        if name in _FILES:
            told = word if equals else next(iter(words[at + 1 : at + 2]), word)
            for one in filter(None, (text if equals else told.text).split(",")):
                yield one, told.place


def is_chart_of(engine: str, chart: str, *, repository: bool = False) -> bool:
    """Return whether a name is that of an engine's own chart: in a repository of charts.

    A chart in a folder is somebody's own, whatever it is called. `repository`: one is named beside.
    """
    if chart.rpartition("/")[2].partition(":")[0] != engine:
        return False
    if chart.startswith("oci://"):
        return True
    above = chart.rpartition("/")[0]
    own = "/" in above or above in _FOLDERS or not above[:1].isalpha()
    return not own if above else repository


def lies_in_folder(chart: str) -> bool:
    """Return whether a chart is named by a path in somebody's repository."""
    return chart.startswith(".") or chart.rpartition("/")[0] in _FOLDERS


_FOLDERS: Final = frozenset(
    {"charts", "chart", "helm", "deploy", "k8s", "kubernetes", "infra", "manifests", "apps"}
)


def _names_chart(texts: Sequence[str], engine: Engine) -> bool:
    """Whether the words of a command name the chart of an engine."""
    repository = any(text.startswith("--repo") for text in texts)
    repository = repository and any(re.search(engine.chart_place, text) for text in texts)
    return any(is_chart_of(engine.name, text, repository=repository) for text in texts)


def read_from(by: str, context: Context) -> Read:
    """Return what reads files as a command in the file `by` names them: from there, or above."""

    def read(name: str) -> Source | None:
        # Of a path that a variable begins, what stands behind it is in the repository.
        name = name.partition("/")[2] if name.startswith("$") else name
        for up in range(_UP):
            if name.startswith("/"):
                return installed(name, by, context)
            path = posixpath.normpath(posixpath.join(posixpath.dirname(by), *[".."] * up, name))
            if (text := context.read(path)) is not None:
                return Source(path, text)
        return None

    return read


def values_in(source: Source) -> Table | None:
    """Return the values of a file; None: it is none that can be read as it stands."""
    try:
        found = parse(source)
    except ProfileError:
        return None
    return found if isinstance(found, Table) else None


def releases(tree: Table, engine: str, context: Context) -> Iterator[tuple[Table, Release]]:
    """Yield the releases of a helmfile, each with what it gives its chart."""
    for one in tree.items("releases"):
        if not isinstance(one, Table) or one.text("installed") == "false":
            continue
        gaps: list[NotJudged] = []
        given = Given(all_of(_values(one, context, gaps)), one.place)
        for key, plain in (("set", True), ("setString", False)):
            for pair in one.items(key):
                _take(pair, given, plain=plain)
        ours = is_chart_of(engine, one.text("chart"))
        yield one, Release(given.table(), tuple(gaps), ours)


def _values(release: Table, context: Context, gaps: list[NotJudged]) -> Iterator[Table]:
    for node in release.items("values"):
        if isinstance(node, Table):
            yield node
        elif isinstance(node, Scalar):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(node.place.file), node.text))
            text = context.read(path)
            found = None if text is None else values_in(Source(path, text))
            if found is not None:
                yield found
            else:
                gaps.append(missing(node.text, node.place))


def _take(pair: Node, given: Given, *, plain: bool) -> None:
    name, value = (pair.text("name"), pair.get("value")) if isinstance(pair, Table) else ("", None)
    listed = pair.get("values") if isinstance(pair, Table) else None
    if isinstance(value, Scalar):
        given.put_text(name, value.text, value.place, plain=plain)
    elif isinstance(listed, Items):
        given.put(name, listed)
