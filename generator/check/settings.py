"""`.hostwright.toml`: what `gen check` does in a repository, for all of it or by path."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.nixos import no_channel
from generator.errors import HostwrightError, Problem, ProfileError, split_message
from generator.reading import read_regular
from generator.records import dataclass
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.units import Release

NAME: Final = ".hostwright.toml"
MOST_FILES: Final = 20_000
_SKIPPED: Final = frozenset({".git", ".venv", "node_modules", "__pycache__"})
_KEYS: Final = ("select", "ignore", "ollama_version", "nixos")


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds for the files that a pattern matches; `""` is all of them."""

    pattern: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    release: Release | None = None
    channel: str = ""

    def covers(self, path: PurePath) -> bool:
        """Return whether a path, from the folder of the settings, is one of those files."""
        folders = (path, *path.parents)
        return not self.pattern or any(folder.match(self.pattern) for folder in folders)


@dataclass(frozen=True, slots=True)
class Settings:
    """The scopes of a file, the widest first; without a file nothing is set."""

    folder: Path = Path()
    scopes: tuple[Scope, ...] = ()

    def _of(self, file: str) -> Iterator[Scope]:
        path = Path(file).absolute()
        inside = path.is_relative_to(self.folder)
        for scope in self.scopes:
            if not scope.pattern or (inside and scope.covers(path.relative_to(self.folder))):
                yield scope

    def release(self, file: str) -> Release | None:
        """Return the release that a file is for; None: nothing is said of it."""
        return next((s.release for s in [*self._of(file)][::-1] if s.release), None)

    def channel(self, file: str) -> str:
        """Return the release of NixOS that a file is for; empty: nothing is said of it."""
        return next((s.channel for s in [*self._of(file)][::-1] if s.channel), "")

    def idle(self, files: Iterable[str]) -> list[str]:
        """Return the patterns that match no file: none of those, and none below the folder."""
        left = {scope.pattern: scope for scope in self.scopes if scope.pattern}
        every = (Path(file).absolute() for file in files)
        judged = (path for path in every if path.is_relative_to(self.folder))
        for number, path in enumerate(chain(judged, self._below()) if left else ()):
            if not left or number > MOST_FILES:
                return []  # Of so many nobody knows what the rest would match.
            inside = path.relative_to(self.folder)
            left = {name: scope for name, scope in left.items() if not scope.covers(inside)}
        return [*left]

    def _below(self) -> Iterator[Path]:
        """Yield the files below the folder."""
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in _SKIPPED]
            for name in names:
                yield Path(folder, name)

    def wants(self, file: str, rule: str) -> bool:
        """Return whether a rule is to be told of a file."""
        scopes = [*self._of(file)]
        chosen = [scope.select for scope in scopes if scope.select]
        selected = not chosen or rule.startswith(chosen[-1])
        return selected and not any(rule.startswith(scope.ignore) for scope in scopes)


def read_settings(catalogue: Catalogue, start: Path | None = None) -> Settings:
    """Return the settings of the nearest folder from here upwards, up to a repository's own.

    Raises ProfileError with all that is wrong with the file.
    """
    here = (start or Path()).absolute()
    for folder in (here, *here.parents):
        if os.path.lexists(file := folder / NAME):
            return _settings(file, catalogue)
        if (folder / ".git").exists():
            break
    return Settings()


def _settings(file: Path, catalogue: Catalogue) -> Settings:
    import tomllib  # Few repositories have such a file.

    problems: list[Problem] = []
    try:
        data = tomllib.loads(read_regular(file).decode())
    except HostwrightError:
        message, hint = "is no regular file, or larger than any", "write a file of that name"
        raise ProfileError(str(file), (Problem("", message, hint),)) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ProfileError(str(file), (Problem("", message, "check who may read it"),)) from None
    except ValueError as error:
        raise ProfileError(str(file), (Problem("", f"is not TOML: {error}", "mend it"),)) from None
    table = data.pop("check", {})
    problems += _unknown("", data, ("check",))
    if not isinstance(table, dict):
        raise ProfileError(str(file), (Problem("check", "is no table", "write [check]"),))
    tables = table.pop("paths", [])
    scopes = [_scope("check", table, "", catalogue, problems)]
    for number, each in enumerate(tables if isinstance(tables, list) else [tables]):
        where = f"check.paths.{number}"
        if not isinstance(each, dict) or not isinstance(each.get("path"), str):
            problems.append(Problem(where, "names no files", 'write path = "deploy/**"'))
            continue
        scopes.append(_scope(where, each, each.pop("path"), catalogue, problems))
    if problems:
        raise ProfileError(str(file), tuple(problems))
    return Settings(file.parent, tuple(scopes))


def _scope(
    where: str, table: dict[str, Any], pattern: str, catalogue: Catalogue, problems: list[Problem]
) -> Scope:
    problems += _unknown(where, table, _KEYS)
    select, ignore = (
        _rules(f"{where}.{key}", table.get(key, []), problems) for key in ("select", "ignore")
    )
    release = None
    if "ollama_version" in table:
        try:
            release = catalogue.release(str(table["ollama_version"]))
        except ValueError as error:
            problems.append(Problem(f"{where}.ollama_version", *split_message(error)))
    channel = str(table.get("nixos", ""))
    if channel and (problem := no_channel(f"{where}.nixos", channel, catalogue.channels)):
        problems.append(problem)
    return Scope(pattern, select, ignore, release, channel)


def _rules(where: str, value: object, problems: list[Problem]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(rule, str) for rule in value):
        problems.append(Problem(where, "is no list of rules", 'write ["HW1", "HW203"]'))
        return ()
    for rule in value:
        if not rule or not any(known.startswith(rule) for known in every_rule()):
            message = f"`{rule}` is no rule, nor the beginning of one"
            problems.append(Problem(where, message, "`gen explain --list rule` has them all"))
    return tuple(value)


def _unknown(where: str, table: dict[str, Any], known: Sequence[str]) -> Iterator[Problem]:
    for key in (key for key in table if key not in known):
        dotted = f"{where}.{key}" if where else key
        yield Problem(dotted, "is no setting", f"there are {', '.join(known)}")
