"""What `--json` prints, a type for each command; docs/schemas/ is made of them.

Each begins with `schema_version`. Within a version keys are added but none goes or changes its
meaning. The commands name these types for the type checker only, so that no start pays for them.
"""

from typing import Any, Literal, NotRequired, TypedDict

from generator.detect.detected import Detected
from generator.detect.situation import Choice, LeftOut
from generator.errors import Finding, Problem, Severity
from generator.files.write import Change
from generator.fit.layout import Placement
from generator.fit.shape import Load
from generator.fit.verdict import Word


class Failure(TypedDict):
    """What any command prints where it fails, with the exit code that it has."""

    error: str
    exit_code: int
    problems: list[Problem]


class Profile(TypedDict):
    """A shipped profile."""

    name: str
    system: str
    description: str


class Profiles(TypedDict):
    """`gen list`."""

    profiles: list[Profile]


class Row(TypedDict):
    """A setting as a table shows it."""

    setting: str
    value: str
    why: str


class NotPrinted(TypedDict):
    """What a target leaves out of a Plan."""

    what: str
    why: str


class Settings(TypedDict):
    """`gen show`; `left_out` is empty where no target is named."""

    settings: list[Row]
    left_out: list[NotPrinted]
    findings: list[Finding]


class PrintedFile(TypedDict):
    """A file; `target` is empty for those of a fleet."""

    target: str
    path: str
    text: str
    executable: bool


class Files(TypedDict):
    """`gen render` and `gen fleet -o -`."""

    files: list[PrintedFile]
    findings: list[Finding]


class Changes(TypedDict):
    """`gen render` and `gen fleet` with `-o DIR`."""

    changes: list[Change]
    findings: list[Finding]


class FleetHost(TypedDict):
    """A host of a fleet."""

    name: str
    target: str
    address: str
    system: str
    profile: str
    release: str
    tags: list[str]


class Hosts(TypedDict):
    """`gen fleet` without `-o`."""

    hosts: list[FleetHost]
    findings: list[Finding]


class LocatedFinding(TypedDict):
    """A finding with its place; `line` counts from 1, 0 is the file as a whole."""

    file: str
    line: int
    rule: str
    severity: Severity
    message: str
    where: str
    fix: str
    link: str
    ignored: str
    fixable: bool


class Counts(TypedDict):
    """How many findings of each severity nobody silences, and how many somebody does."""

    error: int
    warning: int
    info: int
    ignored: int


class NotRead(TypedDict):
    """What kept some files from being read; `named`: the user asked for one of them."""

    message: str
    hint: str
    named: bool


class Checked(TypedDict):
    """`gen check`."""

    files: list[str]
    findings: list[LocatedFinding]
    counts: Counts
    failures: list[NotRead]


class Entry(TypedDict):
    """A name that can be explained."""

    kind: str
    name: str
    summary: str


class Names(TypedDict):
    """`gen explain --list`."""

    names: list[Entry]


class Span(TypedDict):
    """What holds of some releases: from `since` on and below `until`."""

    since: str
    until: NotRequired[str]
    value: NotRequired[str]
    values: NotRequired[list[str]]
    use: NotRequired[str]
    same_value: NotRequired[bool]
    note: NotRequired[str]
    system: NotRequired[str]


class Page(TypedDict):
    """A name explained; which keys there are beside the first four goes by its kind."""

    kind: Literal["rule", "variable", "dead", "key", "limit", "option"]
    name: str
    summary: str
    sources: list[str]
    rules: NotRequired[list[str]]
    profile_key: NotRequired[str]
    note: NotRequired[str]
    status: NotRequired[str]
    type: NotRequired[str]
    since: NotRequired[str]
    removed: NotRequired[str | None]
    defaults: NotRequired[list[Span]]
    replacement: NotRequired[list[Span]]
    scope: NotRequired[str]
    effective: NotRequired[bool]
    effective_until: NotRequired[str | None]
    allowed: NotRequired[list[Span]]
    on_invalid: NotRequired[str]
    dangerous: NotRequired[bool]
    safe: NotRequired[bool]
    category: NotRequired[str]
    belief: NotRequired[str]
    names: NotRequired[list[str]]
    takes: NotRequired[str]
    default: NotRequired[Any]
    required: NotRequired[bool]
    keys: NotRequired[list[str]]
    becomes: NotRequired[dict[str, str]]
    compose: NotRequired[list[str]]
    ollama: NotRequired[str]
    careful: NotRequired[str]
    modelfile: NotRequired[bool]
    reload: NotRequired[bool]
    severity: NotRequired[Severity]
    why: NotRequired[str]
    bad: NotRequired[str]
    good: NotRequired[str]
    releases: NotRequired[str]
    silence: NotRequired[list[str]]


class Pages(TypedDict):
    """`gen explain NAME`."""

    pages: list[Page]


class Room(TypedDict):
    """A device or the host, in bytes; `left` is null where its memory is not known."""

    name: str
    layers: int
    weights: int
    kv: int
    compute: int
    other: int
    needed: int
    memory: int
    left: int | None
    limit: str
    may_grow_by: int | None
    verdict: Word


class ModelFit(TypedDict):
    """A model on a host."""

    model: str
    quantisation: str
    architecture: str
    load: Load
    verdict: Word
    why: str
    placement: Placement
    rooms: list[Room]
    largest_context: int
    most_slots: int
    kv_is_upper_bound: bool
    source: str


class ChoiceFit(ModelFit):
    """A model of the catalogue that fits."""

    best: bool
    recommended: bool


class Together(TypedDict):
    """Several models side by side, and those that make the server unload others."""

    loaded: list[str]
    evicting: list[str]
    verdict: Word
    rooms: list[Room]


class LoadedModel(TypedDict):
    """A model that a server has loaded now, in bytes, and how much of it is on GPUs."""

    model: str
    size: int
    on_gpus: int


class Fit(TypedDict):
    """`gen fit`; `loaded` is null where no server was asked."""

    release: str
    models: list[ModelFit]
    together: Together | None
    choices: list[ChoiceFit]
    loaded: list[LoadedModel] | None
    warnings: list[str]


class Detection(TypedDict):
    """`gen detect`; `host` is the table of that name in a profile, which its schema describes."""

    detected: Detected
    host: dict[str, Any]
    release: str
    like: str
    tuning: list[Choice]
    left_out: list[LeftOut]
