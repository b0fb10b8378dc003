"""What a file is, told by its name and, where that says nothing, by its content."""

from __future__ import annotations

import functools
import re
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.engines import JUDGED, READ
from generator.engines import load_signs as load_engine
from generator.readers import KINDS
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from generator.readers.base import Order, Source


_BETWEEN: Final = re.compile(r"[\s/;,'\"]")
_LONG: Final = 300
_IN_FOLDERS: Final = ".conf"
"""Files that are told apart by the folder in which they lie."""
BOM: Final = "\ufeff"
"""The byte order mark, with which editors of Windows begin a file."""


HASHBANG: Final = r"#!.*\b(?:ba|da|z|k|a)?sh\b"
"""How a script of a shell begins."""


def is_for_a_shell(text: str) -> bool:
    """Return whether a text says by its first line that a shell runs it."""
    return re.match(HASHBANG, text) is not None


def names_an_engine(text: str) -> bool:
    """Return whether a text speaks of an engine."""
    return any(re.search(load_engine(name).mentioned, text) for name in READ)


def reached(source: Source) -> bool:
    """Return whether a file speaks of an engine, or of an address at which one is asked."""
    apis = [re.compile(load_engine(name).api) for name in READ]
    words = (word for word in _BETWEEN.split(source.text) if ":" in word and len(word) < _LONG)
    return names_an_engine(source.text) or any(
        api.fullmatch(word) for word in words for api in apis
    )


def mentioned(source: Source) -> bool:
    """Return whether a file speaks of an engine; a drop-in says so only by its directory."""
    return names_an_engine(source.text) or names_an_engine(PurePosixPath(source.path).parent.name)


def may_run(engine: str, kind: str, sources: Iterable[Source]) -> bool:
    """Return whether files of a kind may run the server of an engine."""
    known = load_engine(engine)
    texts = (f"{PurePosixPath(one.path).parent.name}\n{one.text}" for one in sources)
    return kind in known.kinds and any(re.search(known.mentioned, text) for text in texts)


_OTHERS: Final = tuple(name for name in JUDGED if name not in READ)


def serves(kind: str, text: str) -> bool:
    """Return whether a text of a kind may run a server that is recognised by that alone."""
    every = (load_engine(name) for name in _OTHERS)
    return any(kind in one.kinds and re.search(one.mentioned, text) for one in every)


def served(kind: str) -> Callable[[Source], bool]:
    """Return what tells whether a file of a kind has to do with an engine that is judged there."""

    def ours(source: Source) -> bool:
        return mentioned(source) or any(may_run(name, kind, (source,)) for name in _OTHERS)

    return ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The signs of one kind of file: `SIGNS` of `readers/<kind>`. Patterns are of `re`.

    The suffixes in `sure`, the `names`, and for a `.conf` the end of its directory (`folders`)
    tell the kind; the suffixes in `maybe` leave it to the `content`, without `never`. A file that
    somebody names may have one of the suffixes in `named`, match `hinted`, or no name that says
    anything.
    """

    sure: frozenset[str] = frozenset()
    names: str = r"(?!)"
    places: str = r"(?!)"
    """How paths end that tell the kind by the folder, where their suffix does not."""
    folders: tuple[str, ...] = ()
    maybe: frozenset[str] = frozenset()
    content: str = r"(?!)"
    never: str = r"(?!)"
    holds: Callable[[str], bool] = lambda _: True
    """Whether a text with that content is one indeed, where no pattern can tell."""
    look: str = r"(?!)"
    """How a text begins that is clearly one, whatever it is called; its `content` is there, too."""
    named: frozenset[str] = frozenset()
    hinted: str = r"(?!)"
    ours: Callable[[Source], bool] = mentioned
    """Whether a file of a directory has to do with an engine."""
    filled: Callable[[Source, Callable[[str], str | None]], bool] = lambda *_: False
    """Whether it has by what a file beside it fills in."""
    belongs: Callable[[PurePosixPath], str] = PurePosixPath.as_posix
    """What the files of one group have in common."""
    over: str = r"(?!)"
    """The names of files that are laid over others, and so come last."""
    beside: Callable[[PurePosixPath], Iterable[str]] = lambda _: ()
    """The files that the consumer reads by itself beside one that somebody names."""
    together: Callable[[PurePosixPath, Callable[[str], str | None]], Sequence[str]] = lambda *_: ()
    """The files that the consumer reads together instead, where one beside them says so."""
    orders: Callable[[Source], Sequence[Order]] = lambda _: ()
    """The commands in a text that have files of this kind read together."""
    bases: Sequence[str] = ()
    """The names of the files that such a command reads where it names none, the first there."""
    includes: Callable[[Source], Iterable[str]] = lambda _: ()
    """The files of its kind that one takes in, which are no service by themselves."""
    brings: frozenset[str] = frozenset()
    """Names of files of the same directory that are judged with it."""
    general: str = r"(?!)"
    """Directories whose files count for all that lies in the same system, if something does."""
    lays_over: str = r"(?!)"
    """The names of files that say something of those of their kind in the same directory."""
    companion: bool = False
    """Whether one that names no engine is judged where something else of the directory does."""
    referred: bool = False
    """Whether a file of the same directories that names this one is judged with it."""

    def by_name(self, path: PurePosixPath) -> bool:
        """Return whether the name alone tells."""
        named = self._is_sure(*end_of(path)) or re.fullmatch(self.names, path.name) is not None
        return named or re.search(self.places, path.as_posix()) is not None

    def by_suffix(self, suffix: str, folder: str) -> bool:
        """Return whether files with such an end, in such a folder, may be of this kind."""
        return suffix in self.maybe or self._is_sure(suffix, folder)

    def _is_sure(self, suffix: str, folder: str) -> bool:
        in_folder = suffix == _IN_FOLDERS and self.folders and folder.endswith(self.folders)
        return suffix in self.sure or bool(in_folder)

    def is_general(self, path: PurePosixPath) -> bool:
        """Return whether a file is for more than the services that it names."""
        return re.fullmatch(self.general, path.parent.name) is not None

    def by_content(self, text: str) -> bool:
        """Return whether the text looks like one; a byte order mark is no part of it."""
        text = text.removeprefix(BOM)
        found = re.search(self.content, text) and not re.search(self.never, text)
        return bool(found) and self.holds(text)


OWN: Final = {
    "profile": Signs(
        maybe=frozenset({".toml"}),
        named=frozenset({".toml"}),
        content=r"(?m)^schema_version\s*=",
        never=r"(?m)^\[hosts[.\]]|^(?:app|primary_region)[ \t]*=|^[ \t]*\[(?:http|tcp)[.\]]",
        ours=lambda _: True,
    ),
    "fleet": Signs(
        maybe=frozenset({".toml"}),
        content=r"(?m)^\[hosts[.\]]",
        ours=lambda _: True,
    ),
}
"""The files of Hostwright itself that no reader reads."""


def orders_in(source: Source) -> tuple[Order, ...]:
    """Return the commands in a text that have files read together, of whatever kind."""
    return tuple(order for kind in KINDS for order in signs_of(kind).orders(source))


_NOT_HIDDEN: Final = re.compile(
    r"\.env|\.(?:mise|devcontainer)[\w.-]*\.(?:toml|json)|\.(?:gitlab-ci|woodpecker|drone)[\w.-]*\.ya?ml"
    r"|\.(?:bash(?:rc|_profile|_login|_aliases)|profile|z(?:shrc|profile|shenv|login))"
)


@functools.cache
def signs_of(kind: str) -> Signs:
    """Return the signs of one kind: a key of OWN or of KINDS."""
    return OWN.get(kind) or import_module(f"generator.readers.{kind}").SIGNS


def _plain(text: str) -> str:
    """Return a text without what editors of Windows put into it, which no pattern has to know."""
    return text.removeprefix(BOM).replace("\r\n", "\n")


def _every() -> dict[str, Signs]:
    return _of_all((*OWN, *KINDS))


@functools.cache
def _of_all(kinds: tuple[str, ...]) -> dict[str, Signs]:
    return {kind: signs_of(kind) for kind in kinds}


def _suffixes() -> frozenset[str]:
    return _ends((*OWN, *KINDS))


@functools.cache
def _ends(kinds: tuple[str, ...]) -> frozenset[str]:
    """The ends of files that may be of some kind, wherever they lie."""
    every = _of_all(kinds).values()
    return frozenset().union(*(one.sure | one.maybe for one in every))


def end_of(path: PurePosixPath) -> tuple[str, str]:
    """Return the suffix of a file, and its folder where that tells the kind as well."""
    suffix = path.suffix
    return suffix, path.parent.name if suffix == _IN_FOLDERS else ""


@functools.lru_cache(maxsize=256)
def _by_suffix(kinds: tuple[str, ...], suffix: str, folder: str) -> dict[str, Signs]:
    return {kind: s for kind, s in _of_all(kinds).items() if s.by_suffix(suffix, folder)}


def may_be_ours(path: PurePosixPath) -> bool:
    """Return whether a file of a directory is worth reading; of hidden ones, few are."""
    if path.name.startswith(".") and not _NOT_HIDDEN.fullmatch(path.name):
        return False
    end = end_of(path)
    if end[0] in _suffixes() or _by_suffix((*OWN, *KINDS), *end):
        return True
    return any(signs.by_name(path) for signs in _every().values())


def kind_of(source: Source, *, walked: bool = False) -> str | None:
    """Return the kind of a file, None where it is of no kind that is checked.

    A file that the user names may tell by its content what its name does not; one that is only
    found on the way (`walked`) has to have the right name, too.
    """
    path, text, every = PurePosixPath(source.path), _plain(source.text), _every()
    by_suffix = _by_suffix((*OWN, *KINDS), *end_of(path))
    for kind, signs in (by_suffix or every).items():
        named = path.suffix in signs.named and not walked and not re.search(signs.never, text)
        if signs.by_name(path) or named:
            return kind
    likely = (kind for kind, signs in by_suffix.items() if signs.by_content(text))
    if by_suffix or walked:
        hinted = (k for k, s in by_suffix.items() if not walked and re.search(s.hinted, text))
        return next(likely, None) or next(hinted, None)
    return next((kind for kind, signs in every.items() if signs.by_content(text)), None)


_ASSIGNS_ONLY: Final = re.compile(
    r"(?:[ \t]*(?:[#;][^\n]*|(?:export[ \t]+)?[A-Za-z_]\w*=[^\n]*)?\r?(?:\n|\Z))+"
)


_OF_COMPOSE: Final = re.compile(
    r"(?m)^services[ \t]*:[ \t]*\r?\n(?:[ \t#][^\n]*\n|\r?\n){1,200}?[ \t]+image[ \t]*:[ \t]*\S"
)


def kind_by_look(source: Source) -> str | None:
    """Return the kind that a file is clearly of, whatever its name."""
    if PurePosixPath(source.path).suffix in signs_of("document").named:
        return "document"
    text = _plain(source.text)
    if is_for_a_shell(text):
        return "script"
    if not PurePosixPath(source.path).suffix and _OF_COMPOSE.search(text) and "{{" not in text:
        return "compose"
    if assigns_only(text) and "{{" not in text:
        return "environment"
    return None if _KEPT.search(source.path) else next(_looks(text), None)


_KEPT: Final = re.compile(r"(?i)(?:\.(?:bak|old|orig|save[d]?|disabled|rpm\w+|dpkg-\w+)|~)$")
"""How people call what a file was."""


def _looks(text: str) -> Iterator[str]:
    for kind in KINDS:
        signs = signs_of(kind)
        if re.match(signs.look, text) and signs.by_content(text):
            yield kind


def assigns_only(text: str) -> bool:
    """Return whether a text is nothing but `NAME=value`, comments and empty lines."""
    return _ASSIGNS_ONLY.fullmatch(text) is not None
