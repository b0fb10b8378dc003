"""Read profiles: find them, merge `extends` and `--set`, keep where each value came from.

No pydantic here, so that a profile seen before starts fast; form is judged by `validate`.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import EnvironmentFailure, HostwrightError, Problem, ProfileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.profile import Profile

_PACKAGE: Final = Path(__file__).parent
_MAX_EXTENDS: Final = 16
FLAG: Final = "--set"


@dataclass(frozen=True, slots=True)
class Document:
    """A merged profile that is not validated yet.

    `source` names it for people (`profiles/xeon-cpu.toml`); `origins` tells for a key path which
    file or flag it came from; `digest` is that of everything read.
    """

    source: str
    data: dict[str, Any]
    origins: Mapping[tuple[str, ...], str]
    digest: str


def shipped_profiles() -> tuple[Path, ...]:
    """Return the paths of the shipped profiles, by name."""
    packaged = _PACKAGE / "profiles"
    folder = packaged if packaged.is_dir() else _PACKAGE.parent / "profiles"
    return tuple(sorted(folder.glob("*.toml")))


def read_document(name: str, overrides: Sequence[str] = ()) -> Document:
    """Read the profile `name` (a shipped name or a path), its `extends` and the `--set` flags.

    Raises ProfileError for TOML errors, a circular `extends` and flags that make no sense;
    HostwrightError for a profile that is not there; EnvironmentFailure for one that can't be read.
    """
    return _Reader().document(name, overrides)


def load_profile(name: str, overrides: Sequence[str] = ()) -> Profile:
    """Read and validate in one step. Raises what `read_document` and `validate` raise."""
    from generator.validate import validate

    return validate(read_document(name, overrides))


class _Reader:
    """One reading: collects the digest and the origins over all files that take part."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.origins: dict[tuple[str, ...], str] = {}

    def document(self, name: str, overrides: Sequence[str]) -> Document:
        path = _find(name, Path())
        data = self._merged(path, ())
        problems = [p for text in overrides if (p := self._override(data, text))]
        if problems:
            raise ProfileError(FLAG, tuple(problems))
        return Document(_shown(path), data, self.origins, self.hash.hexdigest())

    def _merged(self, path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
        if path in seen or len(seen) >= _MAX_EXTENDS:
            chain = " → ".join(_shown(p) for p in (*seen, path))
            problem = Problem(
                "extends", f"the profiles extend each other: {chain}", "cut the circle"
            )
            raise ProfileError(_shown(seen[0] if seen else path), (problem,))
        data = self._parse(path)
        parent = data.get("extends")
        base: dict[str, Any] = {}
        if isinstance(parent, str):
            base = self._merged(_find(parent, path.parent, of=_shown(path)), (*seen, path))
        self._merge(base, data, _shown(path), ())
        return base

    def _parse(self, path: Path) -> dict[str, Any]:
        try:
            raw = path.read_bytes()
            self.hash.update(b"%d\0" % len(raw) + raw)
            return tomllib.loads(raw.decode())
        except OSError as error:
            raise EnvironmentFailure(f"cannot read {_shown(path)}: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            message, _, place = str(error).rpartition(" (at ")
            where = place.rstrip(")") if message else ""
            problem = Problem(where, message or str(error), "mend the TOML syntax")
            raise ProfileError(_shown(path), (problem,)) from None
        except UnicodeDecodeError as error:
            problem = Problem(f"byte {error.start}", "this is not UTF-8", "save the file as UTF-8")
            raise ProfileError(_shown(path), (problem,)) from None

    def _merge(
        self, base: dict[str, Any], over: Mapping[str, Any], origin: str, at: tuple[str, ...]
    ) -> None:
        """Deep-merge tables; replace everything else, arrays too."""
        for key, value in over.items():
            self.origins[*at, key] = origin
            if isinstance(value, dict) and isinstance(base.setdefault(key, {}), dict):
                self._merge(base[key], value, origin, (*at, key))
            else:
                base[key] = value

    def _override(self, data: dict[str, Any], text: str) -> Problem | None:
        self.hash.update(f"{len(text)}:{text}".encode(errors="surrogateescape"))
        key, equals, value = text.partition("=")
        path = tuple(part.strip() for part in key.split("."))
        if not equals or not all(path):
            return Problem(f"`{text}`", "not a setting", "write `--set key.path=value`")
        *parents, last = path
        table: Any = data
        for part in parents:
            table = _child(table, part)
        if not _assign(table, last, _flag_value(value, textual=_textual(path))):
            return Problem(key, "leads through a value that is no table", "shorten the key path")
        self.origins[path] = FLAG
        return None


def _child(table: Any, key: str) -> Any:  # noqa: ANN401 -- it walks TOML
    if isinstance(table, dict):
        return table.setdefault(key, {})
    if isinstance(table, list) and key.isdecimal() and int(key) < len(table):
        return table[int(key)]
    return None


def _assign(table: Any, key: str, value: object) -> bool:  # noqa: ANN401 -- it walks TOML
    if isinstance(table, dict):
        table[key] = value
        return True
    if isinstance(table, list) and key.isdecimal() and int(key) < len(table):
        table[int(key)] = value
        return True
    return False


def _textual(path: tuple[str, ...]) -> bool:
    """Whether a key takes text only, so that `0x1f` and `0.30` are no numbers there."""
    return path[:2] == ("ollama", "env") or path == ("ollama", "version")


def _flag_value(text: str, *, textual: bool) -> object:
    """Read `text` as a TOML value, or as a bare string where it is none (`800%`, `cuda`).

    A `textual` key takes everything but a quoted TOML string as it stands.
    """
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
    return text if textual and not isinstance(value, str) else value


def _find(name: str, folder: Path, of: str = "") -> Path:
    if "/" in name or name.endswith(".toml"):
        path = folder / Path(name).expanduser()
        if path.is_file():
            return path
    else:
        by_name = {path.stem: path for path in shipped_profiles()}
        if name in by_name:
            return by_name[name]
    import difflib

    known = [path.stem for path in shipped_profiles()]
    close = difflib.get_close_matches(Path(name).stem, known, n=1)
    guess = f"did you mean `{close[0]}`? " if close else ""
    raise HostwrightError(
        f"there is no profile `{name}`" + (f", which {of} extends" if of else ""),
        hint=f"{guess}shipped are {', '.join(known)}; a path ends in `.toml`",
    )


def _shown(path: Path) -> str:
    """Name a file without machine paths: shipped ones as `profiles/x.toml`, others as given."""
    return f"profiles/{path.name}" if path in shipped_profiles() else path.as_posix()
