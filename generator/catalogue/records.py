"""What is known of one thing: the tables of `data/*.toml` as records.

A record that depends on the release carries it as `at`, so that nobody has to name it again.
`build` holds the data to these classes, marks included: a text is not empty,
unless it is Blank, and what is BOUND is filled in by Facts and not in the data. They have no slots:
with them, Python would make each class twice.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import field, fields
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, cast

from generator.records import dataclass
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BOUND: Final = "bound"
Blank = Annotated[str, "blank"]
Name = Annotated[str, "name"]
Key = Annotated[str, "key"]
Bytes = Annotated[int, "bytes"]
System = Literal["x86_64-linux", "aarch64-linux"]
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Span:
    """What holds from release `since` on, up to release `until`, which no longer has it."""

    since: Release
    until: Release | None = None

    def covers(self, release: Release) -> bool:
        """Whether it holds in `release`."""
        return self.since <= release and (self.until is None or release < self.until)


_S = TypeVar("_S", bound=Span)


def current(spans: Iterable[_S], release: Release) -> _S | None:
    """The youngest span that holds in `release`; None: none does."""
    return max((s for s in spans if s.covers(release)), key=lambda s: s.since, default=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Default(Span):
    """A default as an operator would write it; `note` says what it means."""

    value: Blank
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Allowed(Span):
    """The values that count, on `system` or everywhere; `note` says what others do."""

    values: tuple[str, ...]
    system: System | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacement(Span):
    """What to use instead, ready to print; `same_value`: a variable that takes the value as is."""

    use: str
    same_value: bool = False


class Replaced:
    """What has a successor: the youngest of its `replacements` counts."""

    at: Release
    replacements: tuple[Replacement, ...]

    @property
    def replacement(self) -> str:
        """What to use instead, in words; empty: nothing."""
        entry = current(self.replacements, self.at)
        return entry.use if entry else ""

    @property
    def renamed(self) -> str:
        """The variable that takes the same value; empty: there is none."""
        entry = current(self.replacements, self.at)
        return entry.use.partition("=")[0] if entry and entry.same_value else ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Readable:
    """What variables and model options have in common."""

    at: Annotated[Release, BOUND]
    name: Name
    since: Release
    removed: Release | None = None
    defaults: tuple[Default, ...] = ()
    effect: str
    source: str

    @functools.cached_property
    def known(self) -> bool:
        """Whether the release reads it."""
        return self.since <= self.at and not self.gone

    @property
    def gone(self) -> bool:
        """Whether the release is one from which it was removed."""
        return self.removed is not None and self.at >= self.removed

    @property
    def default_entry(self) -> Default | None:
        """The default with its note; None: unset, or the release does not read it."""
        return current(self.defaults, self.at) if self.known else None

    @property
    def default(self) -> str | None:
        """The default as an operator would write it; None: as `default_entry`."""
        entry = self.default_entry
        return entry.value if entry else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Variable(Readable, Replaced):
    """An environment variable that some reader obeys, or that other builds would obey.

    `remains` is what it still does where it has lost its effect. `builds` is a pattern for images
    of others that mostly have an older release, which still reads it.
    """

    kind: Literal["bool", "uint", "int", "duration", "enum", "string", "list", "path", "bytes"]
    scope: Literal["server", "runner", "gpu-selection", "client", "informational"]
    effective_until: Release | None = None
    remains: str = ""
    builds: str = ""
    replacements: tuple[Replacement, ...] = ()
    allowed_values: tuple[Allowed, ...] = ()
    on_invalid: Literal[
        "warn-default", "silent-default", "true", "presence", "ignored", "load-fail", "crash",
        "per-version", "driver", "runtime",
    ]  # fmt: skip
    note: str = ""
    effective: bool = True
    dangerous: bool = False
    safe: bool = True

    @property
    def lapsed(self) -> bool:
        """Whether it has lost its effect by this release."""
        return self.effective_until is not None and self.at >= self.effective_until

    @property
    def works(self) -> bool:
        """Whether setting it changes anything."""
        return self.effective and not self.lapsed and self.known

    @property
    def two_ways(self) -> bool:
        """Whether it is a switch with a negative form.

        A flag that can only be turned on ignores other text, and has none.
        """
        return self.kind == "bool" and self.on_invalid == "load-fail"

    def allowed(self, system: str) -> tuple[str, ...] | None:
        """The values that count on `system`, like `x86_64-linux`; None: any."""
        entry = current((a for a in self.allowed_values if a.system in {None, system}), self.at)
        return entry.values if entry else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Option(Readable):
    """A model option: in requests, and `PARAMETER` in a Modelfile if `modelfile`."""

    type: Literal["int", "float", "bool", "string"]
    modelfile: bool = False
    reload: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Flag(Span):
    """A flag of a command, and its short form; `value`: it takes the next word."""

    names: tuple[str, ...]
    value: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class CommandFact:
    """A command of the engine's program, with the flags of every release."""

    at: Annotated[Release, BOUND]
    names: tuple[Name, ...]
    flags: tuple[Flag, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class NoCommand:
    """Commands that people look for, and the program does not have: what to use `instead`."""

    names: tuple[str, ...]
    instead: str


@dataclass(frozen=True, kw_only=True, eq=False)
class DeadName(Replaced):
    """Names that no release reads, what people believe of them, and the profile key that means it.

    `--legacy-env` may emit those in `legacy`. `forks`: some fork of the engine reads them.
    """

    at: Annotated[Release, BOUND]
    names: tuple[Name, ...]
    category: str
    belief: str
    intent: Key = ""
    replacements: tuple[Replacement, ...] = ()
    legacy: tuple[Name, ...] = ()
    forks: bool = False
    note: str = ""
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Behaviour(Span):
    """What releases do apart from any single variable, or a number that they use."""

    id: str
    value: int = 0
    effect: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LogFault:
    """What a line of a server's log says that is wrong, and what mends it.

    `pattern` is a regular expression, without case. `worse`: nothing works until it is mended. Of
    `remedy` the words `{unit}`, `{models}`, `{port}`, `{restart}` and `{settings}` stand for
    those of the service; `variable` is one to set for it, `NAME=value`.
    """

    id: str
    pattern: str
    worse: bool
    says: str
    remedy: str
    variable: str = ""
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Era(Span):
    """A period of releases that compute in one way; some of them are `tried` each time."""

    name: str
    tried: tuple[str, ...] = ()
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnerNames(Span):
    """Names that llama-server reads beyond the variables with an entry."""

    names: tuple[Name, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnerReading:
    """What llama-server makes of the values of some names: which of a few end it, or do not.

    `takes` are words that it takes where it does not take any text.
    """

    names: tuple[Name, ...]
    refuses: tuple[Blank, ...]
    takes: tuple[str, ...] = ()
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Floor(Span):
    """The oldest driver branch that works."""

    value: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """The official container image; paths and port are those inside it."""

    repository: str
    tag: str
    rocm_tag: str
    systems: tuple[System, ...]
    rocm_systems: tuple[System, ...]
    home_path: str
    models_path: str
    port: int
    missing_tools: tuple[str, ...]
    healthcheck: tuple[str, ...]
    environment: dict[Name, Blank]
    cpu_repository: str = ""
    cpu_tags: dict[str, str] = field(default_factory=dict)
    source: str

    def of(self, acceleration: str, system: str) -> tuple[str, str]:
        """The image without its tag, and the pattern of that, for what computes."""
        if acceleration == "cpu" and self.cpu_repository:
            return self.cpu_repository, self.cpu_tags[system]
        return self.repository, self.rocm_tag if acceleration == "rocm" else self.tag


@dataclass(frozen=True, kw_only=True, eq=False)
class ServeOption(Span):
    """An option of the command that starts a server, and what it takes: a word, or nothing."""

    name: str
    takes: Literal["nothing", "number", "share", "text", "word"]
    words: tuple[str, ...] = ()
    effect: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ServeNames(Span):
    """Names of options that the command which starts a server knows, whatever they take."""

    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ServeGone:
    """Names of options that older releases of the command had, and what does the same now."""

    names: tuple[str, ...]
    instead: Blank
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate(Span):
    """What a host needs so that a release computes there by `acceleration`.

    `capability` is the least of NVIDIA's, `feature` an instruction set as /proc/cpuinfo has it, and
    `system` where that is asked (None: everywhere).
    """

    acceleration: Literal["cpu", "cuda", "rocm", "vulkan"]
    capability: str = ""
    feature: str = ""
    system: System | None = None
    why: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Routes:
    """The paths that the server answers a GET at; `*` is any name."""

    by_get: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class HubFact:
    """How weights on the hub are quantised, if at all, and which it does not give to everybody.

    `methods` are those that read weights which somebody has quantised by them before, and quantise
    none. `makers` are names on the hub whose weights are as they were trained, unless the name of
    the model says otherwise. `gated` are patterns of repositories that want a token, `tokens` the
    variables that carry one.
    """

    methods: tuple[str, ...]
    makers: tuple[str, ...]
    gated: tuple[str, ...]
    tokens: tuple[str, ...]
    source: str

    def is_gated(self, repository: str) -> bool:
        """Return whether the hub gives a repository to nobody without a token."""
        return any(re.fullmatch(pattern, repository) for pattern in self.gated)


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherEngine:
    """The facts of an engine beside the one that most tables are of: what its tables hold.

    `newest` and `lines` are as in releases.toml; the other tables take the place of those that
    have their names.
    """

    name: Name
    product: str
    newest: Release
    lines: dict[str, tuple[int, ...]]
    era: tuple[Era, ...]
    image: Image
    variable: tuple[Variable, ...]
    serve_option: tuple[ServeOption, ...]
    serve_names: tuple[ServeNames, ...]
    serve_gone: tuple[ServeGone, ...]
    gate: tuple[Gate, ...]
    hub: HubFact
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CacheProgram:
    """A program of a cache before the servers: where it is on a host, and in a container."""

    name: str
    image: str
    port: int
    program: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingFact:
    """A setting of a program around a server; `default` empty: nothing counts unless it is said."""

    name: str
    program: str
    default: Blank = ""
    effect: str
    ollama: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class TopicFact:
    """What people ask about that has no name of its own in any file; `also` are other words."""

    name: str
    also: tuple[str, ...] = ()
    title: str
    text: tuple[str, ...]
    see: tuple[str, ...] = ()
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LitellmKey:
    """A key of LiteLLM's config.yaml by its path; `since` empty: every release reads it."""

    name: str
    effect: str
    source: str
    since: Blank = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrontFact:
    """A program that stands before servers.

    `program` is where packages put it, and `config` where its image reads its configuration.
    """

    name: str
    program: str
    image: str
    config: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ChartFact:
    """A Helm chart that runs an engine, at the `version` that values are written for."""

    name: str
    engine: Name
    repository: str
    version: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class KserveFact:
    """KServe, from the `version` on that has what is written for it; servers listen at `port`."""

    version: str
    port: int
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class BlasFact:
    """A BLAS library that ggml can be built with.

    `title` is what people call it; `nixpkgs`, `apt` and `apt_openmp` are the packages that it is.
    `provides` is the file that has to be chosen for it, empty: the package is. `reads` are the
    variables that bound its threads.
    """

    name: str
    title: str
    nixpkgs: str
    apt: str
    apt_openmp: str
    provides: str = ""
    reads: tuple[Name, ...]
    systems: tuple[System, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """How a build of one's own is made.

    In a container: `sources` are compiled on the image `base`, with the packages `tools`, by
    `commands`; what lies then in `made` goes to `place`, where what `replaced` names goes first.
    In nixpkgs: `general` and `of_the_cpu` are the flags in a `file` of the sources.
    """

    sources: str
    base: str
    tools: tuple[str, ...]
    openmp: str
    commands: tuple[str, ...]
    made: str
    place: str
    replaced: str
    file: str
    general: str
    of_the_cpu: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MarchFact:
    """A processor, as GCC names it, and the `options` of ggml for what it can do."""

    name: str
    options: tuple[Name, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SecretNames:
    """Which variables hold a secret, told by the words of their names.

    `endings` are last words of such a name, `parts` words anywhere in it, `elsewhere` the last
    words of one that holds none; `stand_ins` are values that are no secret.
    """

    endings: tuple[str, ...]
    parts: tuple[str, ...]
    elsewhere: tuple[str, ...]
    stand_ins: tuple[str, ...]
    source: str

    def has(self, name: str) -> bool:
        """Whether a variable of that name holds a secret."""
        words = f"_{name.upper()}"
        found = _ends(words, self.endings) or any(part in words for part in self.parts)
        return found and not _ends(words, self.elsewhere)


def _ends(words: str, endings: Iterable[str]) -> bool:
    return words.endswith(tuple(f"_{ending}" for ending in endings))


@dataclass(frozen=True, kw_only=True, eq=False)
class CredentialFact:
    """A credential that the server has a use for: it looks for the `file` below its home, or is
    told of it by the `variable`.
    """

    name: str
    file: str = ""
    variable: str = ""
    effect: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Directives:
    """What systemd reads in a section of a service's unit."""

    section: Literal["Unit", "Service", "Install"]
    names: tuple[Name, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """What directives of [Service] take: one of `words`, or what is of that `kind`."""

    names: tuple[Name, ...]
    words: tuple[str, ...] = ()
    kind: Literal["", "switch", "time", "limit", "path", "output"] = ""
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Expiring:
    """A directive that systemd gives up: `instead`, empty: nothing, with the `same` values or not.

    `ignored` is the first release of systemd that ignores it.
    """

    section: Literal["Unit", "Service"]
    name: Name
    instead: str = ""
    same: bool = False
    ignored: int
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class KeyFact:
    """What a profile key becomes, by target; `variable` carries it in every one."""

    name: str
    variable: str = ""
    becomes: dict[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spelling:
    """How a target writes a variable and a limit; `{name}`, `{compose}` stand for their names."""

    target: str
    variable: str
    limit: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LimitFact:
    """What a limit or a sandboxing directive does to Ollama; `bad`: what a careless value does."""

    name: Name
    compose: tuple[str, ...] = ()
    key: Key = ""
    effect: str
    ollama: str
    bad: str = ""
    source: str


_SPANS: Final = {
    f"tuple[{kind.__name__}, ...]": kind for kind in (Default, Allowed, Replacement, Flag, Floor)
}
_release: Final = functools.cache(Release.parse)


def record(kind: type[_T], table: Mapping[str, Any], **bound: object) -> _T:
    """Return the record of a table of the Catalogue, with what is bound to it."""
    read = _readers(cast("type", kind))
    return kind(**{key: read[key](value) for key, value in table.items()}, **bound)


@functools.cache
def _readers(kind: type) -> dict[str, Callable[[Any], object]]:
    """Return what makes the value of each field of what JSON has."""
    return {each.name: _reader(str(each.type)) for each in fields(kind)}


def _reader(annotation: str) -> Callable[[Any], object]:
    if annotation.startswith("Release"):
        return _release
    if span := _SPANS.get(annotation):
        return lambda tables: tuple(record(span, table) for table in tables)
    return tuple if annotation.startswith("tuple") else lambda value: value


class Table(Mapping[str, _T]):
    """The records of a table by name, each made when it is first asked for."""

    def __init__(
        self,
        kind: type[_T],
        tables: Iterable[Mapping[str, Any]],
        key: str = "name",
        **bound: object,
    ) -> None:
        self._kind = kind
        self._bound = bound
        self._tables: dict[str, Mapping[str, Any]] = {}
        for table in tables:
            names = table[key]
            self._tables |= dict.fromkeys(names if isinstance(names, list) else [names], table)
        self._made: dict[str, _T] = {}

    def __getitem__(self, name: str) -> _T:
        if name not in self._made:
            self._made[name] = record(self._kind, self._tables[name], **self._bound)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)
