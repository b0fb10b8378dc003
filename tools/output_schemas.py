"""The JSON Schemas of what `--json` prints: of records, and of objects that commands make.

Each document begins with `schema_version`. Within a version keys are added but none goes or changes
its meaning. A test holds every command to its schema.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from generator.advise.advise import Advice, Advised
from generator.bench.checklist import Item
from generator.bench.compare import Compared
from generator.bench.measurement import Measurement
from generator.bench.objectives import Objectives
from generator.bench.summary import Summary
from generator.clients.clients import Clients
from generator.detect.detected import Detected
from generator.detect.situation import Choice, LeftOut
from generator.difference.installed import Installed
from generator.difference.plans import Difference
from generator.difference.upgrade import Upgrade
from generator.doctor.result import Result
from generator.engines.base import ServedModel
from generator.errors import SEVERITIES, Finding, Problem, Severity
from generator.explain.page import KINDS
from generator.files.write import Change
from generator.fit.layout import Need, Placement
from generator.fit.load_time import LoadTime
from generator.fit.measured import Corrected
from generator.fit.shape import Load
from generator.fit.speed import Speed
from generator.fit.verdict import Word
from generator.formats.data import to_json
from generator.importing.entries import Added
from generator.outgrow.outgrow import Outgrown
from generator.plan import LATER, SCHEMA_VERSION, Plan
from generator.pod import Pod
from generator.trial.ab import Trial
from generator.trial.tune import Tuned
from generator.verify.rows import Row
from generator.verify.served import Extra
from generator.verify.vitals import Vitals
from generator.warmup.warmed import Warmed

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


class Shape(NamedTuple):
    """An object that is no record; of its keys, `some` are not always there.

    What a key holds is a type, a Shape, or as `[kind]` a list.
    """

    name: str
    about: str
    keys: Mapping[str, Any]
    some: Mapping[str, Any] = types.MappingProxyType({})


class Nullable(NamedTuple):
    """A kind, or null."""

    kind: Any


def _texts(*keys: str) -> dict[str, Any]:
    return dict.fromkeys(keys, str)


_FINDINGS: Final = {"findings": [Finding]}
_ROW: Final = Shape("Row", "A setting as a table shows it.", _texts("setting", "value", "why"))
_SETTING: Final = Shape(
    "Setting",
    "A setting; `service` is there where a profile has several servers.",
    _texts("setting", "value", "why"),
    some=_texts("service"),
)
_FILE: Final = Shape(
    "PrintedFile",
    "A file; `target` is empty for those of a fleet.",
    _texts("target", "path", "text") | {"executable": bool},
)
_FILES: Final = Shape(
    "Files", "`gen render` and `gen fleet -o -`.", {"files": [_FILE], **_FINDINGS}
)
_CHANGES: Final = Shape(
    "Changes", "`gen render` and `gen fleet` with `-o DIR`.", {"changes": [Change], **_FINDINGS}
)
_FLEET_HOST: Final = Shape(
    "FleetHost",
    "A host of a fleet.",
    _texts("name", "target", "address", "system", "profile", "release") | {"tags": [str]},
)
_VERIFIED: Final = Shape(
    "Verified",
    "`gen verify`. `manager` is who runs the server, `process` and `release` what "
    "runs: null where nobody tells. `extras` are models that no profile asks for, "
    "`not_asked` who could not be asked, `unanswered` why the server is silent.",
    {
        "url": str,
        "manager": Nullable(
            Shape("Manager", "Who runs the server, and as what.", _texts("by", "name"))
        ),
        "process": Nullable(Shape("Process", "What runs.", {"pid": int, "command": [str]})),
        "release": str | None,
        "rows": [Row],
        "extras": [Extra],
        "remarks": [str],
        "not_asked": [Shape("NotAsked", "Somebody, and why not.", _texts("who", "why"))],
        "unanswered": str,
    },
)
_LOCATED: Final = Shape(
    "LocatedFinding",
    "A finding with its place; `line` counts from 1, 0 is the file as a whole. From `column` to "
    "`end_column`, which is behind it, stands what the text report marks: characters from 1, 0 "
    "where nothing is marked.",
    {
        "file": str,
        "line": int,
        "column": int,
        "end_column": int,
        "setting": str,
        "page": str,
        **get_type_hints(Finding),
        "fixable": bool,
        "unsafe_fix": bool,
        "withheld": str,
    },
)
_COUNTS: Final = Shape(
    "Counts",
    "How many findings of each severity nobody silences, and how many somebody does.",
    dict.fromkeys((*SEVERITIES, "ignored"), int),
)
_NOT_JUDGED: Final = Shape(
    "NotJudged",
    "A file that nobody has judged, or the `part` of it that stands from `line` on, and why.",
    _texts("file", "part", "reason", "hint") | {"line": int},
)
_SAME: Final = Shape(
    "Same",
    "A further name of a file, such as a link, and the one under which that is told.",
    _texts("file", "same_as"),
)
_SPAN: Final = Shape(
    "Span",
    "What holds of some releases: from `since` on and below `until`.",
    {"since": str},
    {
        **_texts("until", "value"),
        "values": [str],
        "use": str,
        "same_value": bool,
        **_texts("note", "system"),
    },
)
_MODEL_KEYS: Final[Mapping[str, Any]] = {
    **{key: [str] for key in ("names", "use", "can")},
    **dict.fromkeys(("bytes", "parameters", "context", "pulls"), int),
    **_texts("quantisation", "architecture", "released", "licence", "since", "superseded", "sure"),
}
_MODEL_SIZE: Final = Shape(
    "ModelSize",
    "A quantisation of a model: the bytes of its file, `read` or `derived`, what it loses, the tag "
    "to pull and the size that the library shows of it, both empty where it is made by hand.",
    _texts("quantisation", "known", "tag", "shown") | {"bytes": int, "loss": Nullable(float)},
)
_PAGE: Final = Shape(
    "Page",
    "A name explained; which keys there are beside the first four goes by its kind.",
    {"kind": Literal[*KINDS], **_texts("name", "summary"), "sources": [str]},
    {
        "rules": [str],
        **_texts("profile_key", "note", "status", "type", "since"),
        "removed": str | None,
        "defaults": [_SPAN],
        "replacement": [_SPAN],
        "scope": str,
        "effective": bool,
        "effective_until": str | None,
        "allowed": [_SPAN],
        "on_invalid": str,
        **dict.fromkeys(("dangerous", "safe"), bool),
        **_texts("category", "belief"),
        "names": [str],
        "takes": str,
        "default": Any,
        "required": bool,
        "keys": [str],
        "becomes": dict[str, str],
        "compose": [str],
        **_texts("ollama", "careful"),
        **dict.fromkeys(("modelfile", "reload"), bool),
        "severity": Severity,
        **_texts("why", "bad", "good", "releases", "program"),
        "text": [str],
        "see": [str],
        "silence": [str],
        **{key: kind for key, kind in _MODEL_KEYS.items() if key not in {"names", "since"}},
    },
)
_ROOM: Final = Shape(
    "Room",
    "A device or the host, in bytes; `left` is null where its memory is not known.",
    {
        "name": str,
        **get_type_hints(Need),
        **dict.fromkeys(("needed", "memory", "reserved"), int),
        "left": int | None,
        "limit": str,
        "may_grow_by": int | None,
        "verdict": Word,
    },
)
_MODEL_FIT: Final = Shape(
    "ModelFit",
    "A model on a host.",
    {
        **_texts("model", "quantisation", "architecture"),
        "load": Load,
        "verdict": Word,
        "why": str,
        "placement": Placement,
        "rooms": [_ROOM],
        **dict.fromkeys(("largest_context", "most_slots"), int),
        "context_split": bool,
        "kv_is_upper_bound": bool,
        "remarks": list[str],
        "source": str,
        "speed": Speed | None,
        "load_time": LoadTime | None,
        "corrected": Corrected | None,
    },
)
_TOGETHER: Final = Shape(
    "Together",
    "Several models side by side, and those that make the server unload others.",
    {"loaded": [str], "evicting": [str], "verdict": Word, "rooms": [_ROOM]},
)
_CHOICE_FIT: Final = Shape(
    "ChoiceFit",
    "A model of the catalogue that fits.",
    {**_MODEL_FIT.keys, "best": bool, "recommended": bool, "loss": float},
)
_WAY: Final = Shape(
    "Way",
    "What would make a model fit: a change of the model (`quantisation`, which loses `loss` of "
    "perplexity), of the service, or of the machine, and the verdict then; empty and 0: no change.",
    {
        "quantisation": str,
        "cache_type": str,
        "slots": int,
        "context": int,
        "gpu": str,
        "beside": bool,
        "memory": int,
        "loss": float,
        "fit": _MODEL_FIT,
    },
)
_LOADED: Final = Shape(
    "LoadedModel",
    "A model that a server has loaded now, in bytes, and how much of it is on GPUs.",
    {"model": str, "size": int, "on_gpus": int},
)
_WARMED_KEYS: Final[Mapping[str, Any]] = {"url": str, "models": [Warmed]}
_FIT_KEYS: Final[Mapping[str, Any]] = {
    "release": str,
    "models": [_MODEL_FIT],
    "together": Nullable(_TOGETHER),
    "choices": [_CHOICE_FIT],
    "quantisations": [_CHOICE_FIT],
    "ways": [[_WAY]],
    "loaded": Nullable([_LOADED]),
    "warnings": [str],
}
PRINTED: Final[Mapping[str, tuple[type | Shape, ...]]] = {
    "advise": (Shape("Advised", "`gen advise`.", get_type_hints(Advised)),),
    "bench": (
        Shape(
            "Measured",
            "`gen bench`. `levels` hold every request, `summaries` what follows from them; "
            "`objectives` is null where no profile promises anything.",
            {
                **get_type_hints(Measurement),
                "objectives": Nullable(Objectives),
                "summaries": [Summary],
                "batching": Nullable(Compared),
                "checklist": [Item],
            },
        ),
        Shape("ComparedMeasurements", "`gen bench compare`.", get_type_hints(Compared)),
        Shape("Trial", "`gen bench --ab`.", get_type_hints(Trial)),
    ),
    "check": (
        Shape(
            "Checked",
            "`gen check`.",
            {
                "files": [str],
                "links": [_SAME],
                "findings": [_LOCATED],
                "counts": _COUNTS,
                "not_judged": [_NOT_JUDGED],
            },
        ),
    ),
    "clients": (
        Shape(
            "Clients",
            "`gen clients` without `-o`; `url` is that of the server, `remarks` are sentences.",
            get_type_hints(Clients),
        ),
        _FILES,
        _CHANGES,
    ),
    "detect": (
        Shape(
            "Detection",
            "`gen detect`; `host` is the table of that name in a profile, which its schema "
            "describes.",
            {
                "detected": Detected,
                "host": dict[str, Any],
                **_texts("release", "like"),
                "tuning": [Choice],
                "left_out": [LeftOut],
            },
        ),
    ),
    "doctor": (
        Shape(
            "Diagnosed",
            "`gen doctor`: what every check has said, the worst first; `who` was looked at. "
            "`advice` is null without a profile.",
            {"url": str, "who": [str], "results": [Result], "advice": Nullable([Advice])},
        ),
    ),
    "error": (
        Shape(
            "Failure",
            "What any command prints where it fails, with the exit code that it has.",
            {"error": str, "exit_code": int, "problems": [Problem]},
        ),
    ),
    "completion": (Shape("Completion", "`gen completion`.", {"shell": str, "script": str}),),
    "explain": (
        Shape("Pages", "`gen explain NAME`.", {"pages": [_PAGE]}),
        Shape(
            "Reasons",
            "`gen explain --profile PROFILE`: every value that it leads to, and pages of names.",
            {
                "profile": str,
                "values": [
                    Shape(
                        "Reason",
                        "A value of the plan, where it stands, and why it is so.",
                        _texts("where", "name", "value", "reason", "source", "key"),
                    )
                ],
                "advice": [Advice],
                "pages": [_PAGE],
            },
        ),
        Shape(
            "Names",
            "`gen explain --list`.",
            {
                "names": [
                    Shape(
                        "Entry", "A name that can be explained.", _texts("kind", "name", "summary")
                    )
                ]
            },
        ),
    ),
    "fit": (
        Shape(
            "Fit",
            "`gen fit`; `loaded` is null where no server was asked.",
            _FIT_KEYS,
        ),
        Shape(
            "FitOfEach",
            "`gen fit` of a profile with several servers.",
            {
                "services": [Shape("FitOfService", "A server.", {"service": str, **_FIT_KEYS})],
                "host": Shape(
                    "FitOnHost",
                    "What all servers hold of the memory of the host, in bytes; null: it is not "
                    "known how much there is.",
                    {"needed": int, "memory": int | None},
                ),
            },
        ),
    ),
    "fleet": (
        Shape("Hosts", "`gen fleet` without `-o`.", {"hosts": [_FLEET_HOST], **_FINDINGS}),
        _CHANGES,
        _FILES,
    ),
    "import": (
        Shape(
            "Import",
            "`gen import`: the `profile` as TOML, and what became of each setting of the `files`. "
            "`line` counts from 1, 0 is the file as a whole. `retire` are files that win over "
            "a bundle.",
            {
                **_texts("name", "service", "profile"),
                "files": [str],
                "carried": [
                    Shape(
                        "Carried",
                        "A `value` for the `key` of a profile; `note` tells why it is another than "
                        "that of the setting, `rule` is the one that says so.",
                        {**_texts("setting", "file", "key", "note", "rule")}
                        | {"line": int, "value": Any},
                    )
                ],
                "left": [
                    Shape(
                        "Left",
                        "A setting that the profile does not carry; `idle`: nothing is lost. The "
                        "`value` of a secret is empty.",
                        {**_texts("setting", "file", "value", "reason", "fix", "rule")}
                        | {"line": int, "idle": bool},
                    )
                ],
                "added": [Added],
                "retire": [str],
            },
        ),
    ),
    "list": (
        Shape(
            "Profiles",
            "`gen list`.",
            {
                "profiles": [
                    Shape("Profile", "A shipped profile.", _texts("name", "system", "description"))
                ]
            },
        ),
    ),
    "mcp": (
        Shape(
            "Tools",
            "`gen mcp --json`, which serves nobody.",
            {
                "tools": [
                    Shape(
                        "Tool",
                        "A tool, with the JSON Schema of what it takes, and of what it answers.",
                        _texts("name", "description") | {"input_schema": Any, "output_schema": Any},
                    )
                ]
            },
        ),
    ),
    "migrate": (
        Shape(
            "Migrated",
            "`gen migrate`; `was` and `now` are schema versions, `notes` what a plan said "
            "otherwise.",
            _texts("kind", "diff", "text")
            | {"was": int, "now": int, "changed": bool, "notes": [str]},
        ),
    ),
    "models": (
        Shape(
            "Models",
            "`gen models`, also with words.",
            {
                "models": [
                    Shape("Model", "A model of the library.", {"name": str} | {**_MODEL_KEYS})
                ]
            },
        ),
        Shape(
            "OneModel",
            "`gen models NAME`.",
            {
                "model": Shape(
                    "WholeModel",
                    "A model and every quantisation of it, the smallest first.",
                    {"name": str, **_MODEL_KEYS, "sizes": [_MODEL_SIZE], "source": str},
                )
            },
        ),
    ),
    "outgrow": (Shape("Outgrown", "`gen outgrow`.", get_type_hints(Outgrown)),),
    "plan": (Plan,),
    "diff": (
        Shape(
            "Diff",
            "`gen diff`: of the three one is there, by what was compared.",
            {
                "difference": Nullable(Difference),
                "upgrade": Nullable(Upgrade),
                "installed": Nullable(Installed),
            },
        ),
    ),
    "init": (
        Shape(
            "Begun",
            "`gen init`. `models` are those of the profile, each with how it fits.",
            {
                **_texts("profile", "bundle", "target"),
                "models": [_MODEL_FIT],
                "changes": [Change],
                "findings": [Finding],
            },
        ),
    ),
    "render": (_FILES, _CHANGES),
    "restore": (
        Shape(
            "Restored",
            "`gen restore`: the backups that there are, or with `--at` those that were put back. "
            "`kept` are backups of what was in their place.",
            {
                "backups": [
                    Shape(
                        "Backup",
                        "`backup` is what `file` was until `time`, which is in UTC.",
                        _texts("file", "backup", "time") | {"age_seconds": int},
                    )
                ],
                "kept": [str],
            },
        ),
    ),
    "show": (
        Shape(
            "Settings",
            "`gen show`; `left_out` is empty where no target is named.",
            {
                "settings": [_SETTING],
                "left_out": [
                    Shape(
                        "NotPrinted", "What a target leaves out of a Plan.", _texts("what", "why")
                    )
                ],
                **_FINDINGS,
            },
        ),
    ),
    "tune": (Shape("Tuning", "`gen tune`.", get_type_hints(Tuned)),),
    "verify": (
        _VERIFIED,
        Shape(
            "Watched",
            "A line of `gen verify --watch --json`; `rows` are those at odds alone.",
            {
                "at": str,
                "exit_code": int,
                "vitals": Vitals,
                "models": [ServedModel],
                **_VERIFIED.keys,
            },
        ),
        Shape(
            "VerifiedEach",
            "`gen verify` of a profile with several servers.",
            {
                "services": [
                    Shape("VerifiedService", "A server.", {"service": str, **_VERIFIED.keys})
                ]
            },
        ),
        Shape(
            "VerifiedFleet",
            "`gen verify --fleet`.",
            {
                "hosts": [
                    Shape(
                        "VerifiedHost",
                        "A host; `failure` is why it cannot be asked, `verified` null then.",
                        _texts("name", "address", "profile", "state", "failure")
                        | {"verified": Nullable(_VERIFIED._replace(name="Comparison"))},
                    )
                ]
            },
        ),
    ),
    "warmup": (
        Shape("WarmedUp", "`gen warmup`.", _WARMED_KEYS),
        Shape(
            "WarmedUpEach",
            "`gen warmup` of a profile with several servers.",
            {"services": [Shape("WarmedUpService", "A server.", _WARMED_KEYS)]},
        ),
    ),
}
"""By command, or `error` for all, what it may print."""
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


def files() -> dict[str, str]:
    """Return the schemas by their path in the repository."""
    return {f"docs/schemas/{name}.json": to_json(schema(name)) for name in PRINTED}


def schema(name: str) -> Schema:
    """Return the schema of what a command prints."""
    definitions: dict[str, Schema] = {}
    roots = [_of(kind, definitions) for kind in PRINTED[name]]
    version = {"schema_version": {"const": SCHEMA_VERSION if name == "plan" else 1}}
    for root in roots:
        definition = definitions[root["$ref"].rpartition("/")[2]]
        definition["properties"] = version | definition["properties"] | version
        definition["required"] = [*dict.fromkeys([*version, *definition["required"]])]
    body = roots[0] if len(roots) == 1 else {"anyOf": roots}
    title = "Any command that fails" if name == "error" else f"gen {name}"
    return {"$schema": DRAFT, "title": f"{title}, with --json", **body, "$defs": definitions}


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: ANN401 -- one per kind
    if isinstance(kind, list):
        return {"type": "array", "items": _of(kind[0], definitions)}
    if isinstance(kind, Nullable):
        return {"anyOf": [_of(each, definitions) for each in (kind.kind, type(None))]}
    if isinstance(kind, Shape) or dataclasses.is_dataclass(kind):
        return _object(kind if isinstance(kind, Shape) else _of_record(kind), definitions)
    return _PLAIN[kind] if kind in _PLAIN else _of_type(kind, definitions)


def _of_type(kind: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: ANN401
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"const": args[0]} if len(args) == 1 else {"enum": list(args)}
    parts = [_of(arg, definitions) for arg in args if arg is not ...]
    if origin in {Union, types.UnionType}:
        return {"anyOf": parts}
    if origin in {list, tuple} and len(parts) == 1:
        return _of(list(args[:1]), definitions)
    if origin is dict:
        return {"type": "object", "additionalProperties": parts[1]}
    raise TypeError(f"no JSON Schema for {kind}")


def _of_record(kind: Any) -> Shape:  # noqa: ANN401 -- any record
    about = " ".join((inspect.getdoc(kind) or "").split())
    hints = get_type_hints(kind)
    later = LATER & hints.keys() if kind.__module__ in {Plan.__module__, Pod.__module__} else set()
    if kind is Plan:  # What a profile does not ask for, as a front, is not there at all.
        later |= {name for name, hint in hints.items() if type(None) in get_args(hint)}
    keys = {name: hint for name, hint in hints.items() if name not in later}
    return Shape(kind.__name__, about, keys, {name: hints[name] for name in sorted(later)})


def _object(shape: Shape, definitions: dict[str, Schema]) -> Schema:
    """Return a reference to the definition of an object."""
    if shape.name not in definitions:
        definitions[shape.name] = {}  # A record may hold itself.
        keys = {**shape.keys, **shape.some}
        definitions[shape.name] |= {
            "type": "object",
            "description": shape.about,
            "properties": {key: _of(kind, definitions) for key, kind in keys.items()},
            "required": list(shape.keys),
        }
    return {"$ref": f"#/$defs/{shape.name}"}
