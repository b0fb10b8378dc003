"""The keys that the reader of a kind of file knows: Compose, Podman, the templates of a chart."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WORD: Final = re.compile(r"(\w+)(\[\]|\{\})?([~'])?(?:@([\d.]+))?", re.ASCII)
ANY: Final = "*"
"""Any name, in a path."""
Form = Literal["", "list", "table"]
_QUOTES: Final = {"": "", "'": "'", "~": "'\""}
_FORMS: Final[dict[str, Form]] = {"": "", "[]": "list", "{}": "table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A key that is known: the form that its value must have, empty: any.

    `verbatim` are the quotes that are a part of the value. `since`: the first release of the reader
    that knows it, empty: all that are in use.
    """

    name: str
    form: Form = ""
    verbatim: str = ""
    since: str = ""


class Accepted:
    """The keys of one kind of file, by path."""

    def __init__(
        self,
        paths: Mapping[str, str],
        mistaken: Mapping[str, str],
        words: Mapping[str, str],
        needs: Mapping[str, str],
        ignored: Mapping[str, str],
    ) -> None:
        self._words = {tuple(filter(None, path.split("."))): words for path, words in paths.items()}
        self._mistaken = {tuple(path.split(".")): meant for path, meant in mistaken.items()}
        self._one_of = {tuple(path.split(".")): text.split() for path, text in words.items()}
        self._needs = {tuple(path.split(".")): text.split() for path, text in needs.items()}
        self._ignored = {tuple(path.split(".")): text.split() for path, text in ignored.items()}
        self._ends = {row[-1] for row in self._one_of}
        self._by_length: dict[int, list[tuple[str, ...]]] = {}
        for row in self._words:
            self._by_length.setdefault(len(row), []).append(row)
        # Keys of one table have one path.
        self._row = functools.lru_cache(maxsize=1024)(self._found)
        self._known = functools.lru_cache(maxsize=1024)(self._keys)

    def below(self, path: Sequence[str]) -> Mapping[str, Known] | None:
        """Return the keys that are known below a path of keys; None: any key is taken there."""
        row = self._row(tuple(path))
        return None if row is None else self._known(row)

    def meant(self, path: Sequence[str]) -> str:
        """Return what people mean who write a key that is not known; empty: nobody knows."""
        row = self._row(tuple(path[:-1]))
        return "" if row is None else self._mistaken.get((*row, path[-1]), "")

    def ignored(self, path: Sequence[str]) -> frozenset[str]:
        """Return the keys that the reader knows below a path, and passes over."""
        row = self._row(tuple(path))
        return frozenset(self._ignored.get(row, ())) if row is not None else frozenset()

    def mistakes(self, path: Sequence[str]) -> Mapping[str, str]:
        """Return all that people write by mistake below a path, and what they mean by it."""
        row = self._row(tuple(path))
        found = self._mistaken.items() if row is not None else ()
        return {key[-1]: meant for key, meant in found if key[:-1] == row}

    def words(self, path: Sequence[str]) -> Sequence[str]:
        """Return the words of which a key takes one; none: any text, or nobody knows."""
        if not self._ends & {path[-1], ANY}:
            return ()  # As of most keys.
        every = self._one_of.items()
        rows = (
            words for row, words in every if len(row) == len(path) and _matches(row, tuple(path))
        )
        return next(rows, ())

    def needs(self, path: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the settings that a table at a path has to have: of each row one."""
        return [row.split("|") for row in self._needs.get(tuple(path), ())]

    def home(self, name: str) -> tuple[str, ...] | None:
        """Return the one path below which a name is known; None: there is none, or several."""
        rows = [row for row in self._words if name in (self.below(row) or ())]
        return rows[0] if len(rows) == 1 else None

    def _found(self, path: tuple[str, ...]) -> tuple[str, ...] | None:
        found = (row for row in self._by_length.get(len(path), ()) if _matches(row, path))
        return next(found, None)

    def _keys(self, row: tuple[str, ...]) -> Mapping[str, Known]:
        return {known.name: known for known in _read(self._words[row])}


def _matches(row: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return all(part in (ANY, name) for part, name in zip(row, path, strict=True))


def _read(words: str) -> Iterator[Known]:
    for word in words.split():
        found = _WORD.fullmatch(word)
        if found is None:
            raise ValueError(f"`{word}` is no key with its marks")
        name, form, verbatim, since = found.groups(default="")
        yield Known(name=name, form=_FORMS[form], verbatim=_QUOTES[verbatim], since=since)
