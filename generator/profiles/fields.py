"""The kinds of value that a profile's keys take, each with its check, message and JSON Schema.

A message is `what; what to do`, as in `units`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from generator.meaning import parse_go_duration
from generator.profiles.document import NAME
from generator.units import (
    ADDRESS,
    CPU_LIST,
    MODEL_NAME,
    MOST_CPUS,
    SYSTEM_DIRECTORIES,
    VARIABLE,
    WORD,
    Release,
    cpu_list,
    is_address,
    parse_cpu_quota,
    parse_size,
)

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

_IMAGE = re.compile(r"(?:[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?/)?[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?")
MOST_PORT = 65535
_NOT_IN_PATHS = re.compile(r"[^\w./@+:,=~-]")
_STORE = "/nix/store"


@dataclass(frozen=True, slots=True)
class _Matching(AfterValidator):
    """A check that all of a text fits a pattern, which the JSON Schema says too."""

    pattern: str = ""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}


def matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    """Return a check that all of a text fits `pattern`; `what` is `kind; what to write`."""

    def check(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise ValueError(f"`{text}` is not {what}")
        return text

    # Editors read ECMAScript, where `\d` is always that of ASCII.
    return _Matching(check, f"^(?:{pattern.pattern})$")


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError(
            f"`{text}` is not an absolute path; write it from `/`, without `~` or $HOME"
        )
    if ".." in text.split("/"):
        raise ValueError(f"`{text}` leads upwards; write the path without `..`")
    if strange := _NOT_IN_PATHS.search(text):
        raise ValueError(
            f"`{text}` has {strange[0]!r} in it, which unit files take for something else; "
            f"use letters, digits and `._/@+:,=~-`"
        )
    path = "/" + "/".join(part for part in text.split("/") if part not in {"", "."})
    if path in SYSTEM_DIRECTORIES:
        raise ValueError(f"`{text}` belongs to the system; write a directory below it")
    return path


def _secret_path(text: str) -> str:
    if PurePosixPath(f"/{text.lstrip('/')}").is_relative_to(_STORE):
        raise ValueError(
            f"`{text}` is in the store of Nix, where every user reads it; name a file outside of it"
        )
    return text


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _go_duration(text: str) -> str:
    parse_go_duration(text)
    return text


def _port(text: str) -> str:
    if not 0 < int(text.rpartition(":")[2]) <= MOST_PORT:
        raise ValueError(f"`{text}` names no port; write one from 1 to {MOST_PORT}")
    return text


def _positive_duration(text: str) -> str:
    try:
        length = parse_go_duration(text)
    except ValueError as error:
        # Others mean for ever by that; here it is none.
        raise ValueError(str(error).replace("`-1` for forever", "a time like `5m`")) from None
    if length <= 0:
        raise ValueError(f"`{text}` does not bound anything; write a time above zero, like `5m`")
    return text


def _not_negative(value: int | str) -> int | str:
    if isinstance(value, int) and value < 0:
        raise ValueError(f"`{value}` is less than nothing; write a size, or `infinity`")
    return value


def _cpu_list(text: str) -> str:
    if cpu_list(text) is None:
        raise ValueError(
            f"`{text}` names a CPU that no kernel has; write `{MOST_CPUS - 1}` at most"
        )
    spans = (part.partition("-") for part in text.replace(",", " ").split())
    for first, _, last in spans:
        if last and int(last) < int(first):
            raise ValueError(f"`{first}-{last}` runs backwards; write `{last}-{first}`")
    return text


def _forwards(text: str) -> str:
    for first, last in re.findall(r"(\w{3})\.\.(\w{3})", text):
        if _DAYS.index(first) > _DAYS.index(last):
            raise ValueError(f"`{first}..{last}` runs backwards; a week begins with Mon")
    return text


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"`{text}` is not an IP address; write it without port and brackets")
    return text


def _version(value: object) -> object:
    if isinstance(value, bool):  # `true` equals 1 to Python
        raise ValueError("a truth value is no version; write `1`")
    if isinstance(value, str):
        raise ValueError(f"`{value}` in quotes is text and no version; write `1` without quotes")
    return value


def _above_zero(value: int | str) -> int | str:
    if value == 0:
        raise ValueError("0 leaves the service no memory at all; write a size, like `20G`")
    return value


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _release(text: str) -> str:
    Release.parse(text)
    return text


def _plain_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL byte cannot be carried by any target; take it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is not text; take it out") from None
    return text


def _reason(text: str) -> str:
    if not text.strip():
        raise ValueError("an empty reason tells nobody why; write why the rule does not hold here")
    return text.strip()


# As `parse_size`, `parse_cpu_quota`, `parse_go_duration` and `Release.parse` read them; `_SOME` is
# before a number above zero.
_SOME = r"(?=[^A-Za-z]*[1-9])"
_A_SIZE = r"\s*[0-9]+(\.[0-9]+)?\s*([KMGTPE](i(B)?)?|B)?\s*"
_A_QUOTA = r"^\s*[1-9][0-9]{0,6}%\s*$"
_TIME = r"([0-9]+|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)"
_A_RELEASE = r"^\s*v?[0-9]{1,6}\.[0-9]{1,6}(\.[0-9]{1,6})?(-rc[0-9]{1,6})?\s*$"
# From `/`, and nothing of ASCII that `_NOT_IN_PATHS` finds.
_A_PATH = r"^/[^\x00-\x20!-$&-*;<>?\[-^`{|}\x7f%]*$"


def _schema(kind: str | list[str], **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = f"(?:{'|'.join(_DAYS)})"
_SPAN = rf"{_DAY}(?:\.\.{_DAY})?"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
# What systemd.time(7) calls calendar events, as far as days and nights need them.
_CALENDAR = rf"(?:{_SPAN}(?:,{_SPAN})* )?(?:\*-\*-\* )?{_CLOCK}"


Text = Annotated[str, AfterValidator(_plain_text)]
Reason = Annotated[Text, AfterValidator(_reason), _schema("string", pattern=r"\S")]
Name = Annotated[str, matching(NAME, "a name; write lower-case letters, digits and `-`")]
Word = Annotated[
    str, matching(re.compile(WORD), "a plain name; write letters, digits, `_`, `.` and `-`")
]
Project = Annotated[
    str,
    matching(
        re.compile(r"[a-z0-9][a-z0-9_-]*"),
        "a project of Compose; write lower-case letters, digits, `_` and `-`",
    ),
]
UserNumbers = Annotated[
    str,
    matching(
        re.compile(r"[1-9][0-9]{0,8}:[0-9]{1,9}"),
        "a user and a group; write their numbers, not root's, like `1000:1000`",
    ),
]
Label = Annotated[
    str,
    matching(
        re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"),
        "a name of Kubernetes; write lower-case letters, digits and `-`, 63 at most",
    ),
]
ResourceName = Annotated[
    str,
    matching(
        re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"),
        "a name of Kubernetes; write lower-case letters, digits, `-` and `.`",
    ),
]
LabelKey = Annotated[
    str,
    matching(
        re.compile(
            r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?"
            r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
        ),
        "a label of Kubernetes; write it like `kubernetes.io/hostname`",
    ),
]
LabelValue = Annotated[
    str,
    matching(
        re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"),
        "the value of a label; write letters, digits, `-`, `_` and `.`, 63 at most",
    ),
]
Capability = Annotated[
    str,
    matching(
        re.compile(r"(?!ALL$|CAP_)[A-Z][A-Z0-9_]{1,31}"),
        "a capability; write it like `SYS_NICE`, without `CAP_`",
    ),
]
Address = Annotated[
    str,
    matching(re.compile(ADDRESS), "an address; write a host name or an IP address"),
    AfterValidator(_address),
]
Url = Annotated[
    str,
    matching(
        re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}(?:/[A-Za-z0-9._~/:%+,;=&?-]*)?"),
        "a URL; write `http://` or `https://`, a host and a path, and no user",
    ),
]
HostPort = Annotated[
    str,
    matching(
        re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}"),
        "an address with a port; write `127.0.0.1:9093`",
    ),
    AfterValidator(_port),
]
# Alertmanager takes some texts for templates, and NixOS a `$` in them for a variable.
Channel = Annotated[
    str, matching(re.compile(r"[#@]?[\w.-]{1,80}"), "a channel; write it like `#alerts`")
]
Login = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z0-9._%+@\\/-]{1,200}"),
        "who logs in; write letters, digits and `._%+@\\/-`",
    ),
]
Email = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?"),
        "an address of mail; write `ops@example.org`",
    ),
]
ImageName = Annotated[str, matching(_IMAGE, "an image; write it without a tag, `ollama/ollama`")]
FrontImage = Annotated[
    str,
    matching(
        re.compile(_IMAGE.pattern + r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
        "an image with its tag; write it like `docker.io/library/haproxy:3.0`",
    ),
]
HfName = Annotated[
    str,
    Field(max_length=200),
    matching(
        re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII),
        "a repository of Hugging Face; write it as its page does, `meta-llama/Llama-3.1-8B`",
    ),
]
ModelName = Annotated[
    str,
    Field(max_length=200),
    matching(
        re.compile(MODEL_NAME), "a model name; write it as `ollama list` does, `qwen2.5-coder:7b`"
    ),
]
Digest = Annotated[
    str,
    matching(
        re.compile(r"[0-9a-f]{12,64}"),
        "a digest; write it as `ollama list` prints it, 12 digits, or all 64, without `sha256:`",
    ),
]
Variable = Annotated[
    str, matching(re.compile(VARIABLE), "a variable name; write letters, digits and `_`")
]
CpuList = Annotated[
    str,
    matching(re.compile(CPU_LIST.replace(r"\d", "[0-9]")), "a CPU list; write it like `0-11,24`"),
    AfterValidator(_cpu_list),
]
HttpUrl = Annotated[
    str,
    matching(
        re.compile(r"https?://[A-Za-z0-9\[\]][A-Za-z0-9.:\[\]-]*(?:/[A-Za-z0-9._~/-]*)?"),
        "a URL; write it with its scheme, like `http://127.0.0.1:6333`",
    ),
]
Origin = Annotated[
    str,
    matching(
        re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s,]+"),
        "an origin; write its scheme too, like `https://app.lan`",
    ),
]
Path = Annotated[
    str, AfterValidator(_path), _schema("string", pattern=_A_PATH, examples=["/srv/models"])
]
# Of a file that says what no output may.
SecretPath = Annotated[Path, AfterValidator(_secret_path)]
UrlPath = Annotated[
    str,
    matching(
        re.compile(r"(?!.*(?://|/\.))/[A-Za-z0-9._~/-]*"),
        "a path of the API; write it from `/`, like `/api/pull`, a `/` at its end for all below",
    ),
]
Size = Annotated[
    int,
    BeforeValidator(_size),
    Field(ge=1),
    _schema(
        ["string", "integer"],
        examples=["24G", "24GiB"],
        minimum=1,
        pattern=f"^{_SOME}{_A_SIZE}$",
    ),
]
SizeOrZero = Annotated[
    int,
    BeforeValidator(_size),
    Field(ge=0),
    _schema(
        ["string", "integer"],
        examples=["512MiB"],
        minimum=0,
        pattern=f"^{_A_SIZE}$",
    ),
]
Bound = Annotated[
    int | Literal["infinity"],
    BeforeValidator(lambda value: value if value == "infinity" else _size(value)),
    AfterValidator(_not_negative),
    _schema(
        ["string", "integer"],
        examples=["20G", "infinity", 0],
        minimum=0,
        pattern=f"^(infinity|{_A_SIZE})$",
    ),
]
Limit = Annotated[
    Bound,
    AfterValidator(_above_zero),
    _schema(
        ["string", "integer"],
        examples=["20G"],
        minimum=1,
        pattern=f"^(infinity|{_SOME}{_A_SIZE})$",
    ),
]
Quota = Annotated[
    int,
    BeforeValidator(lambda v: parse_cpu_quota(str(v)) if isinstance(v, int | str) else v),
    _schema("string", pattern=_A_QUOTA, examples=["2000%"]),
]
GoDuration = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_go_duration),
    _schema(["string", "integer"], examples=["30m", "24h", "-1"], pattern=f"^[-+]?{_TIME}$"),
]
Timeout = Annotated[
    str,
    BeforeValidator(_as_text),
    AfterValidator(_positive_duration),
    _schema(
        ["string", "integer"],
        examples=["90s", "5m"],
        minimum=1,
        pattern=f"^[+]?(?=.*[1-9]){_TIME}$",
    ),
]
ReleaseText = Annotated[
    str, AfterValidator(_release), _schema("string", pattern=_A_RELEASE, examples=["0.32"])
]
EnvValue = Annotated[Text, BeforeValidator(_as_text), _schema(["string", "integer"])]
KvCacheType = Annotated[
    Word,
    _schema(
        "string",
        enum=["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"],
    ),
]
"""What any release takes; `resolve` says what the release at hand does."""
DeviceId = Annotated[
    str,
    BeforeValidator(_as_text),
    matching(
        re.compile(r"[0-9]{1,3}|(?:GPU|MIG)-[0-9A-Za-z/-]+"), "a GPU; write its index or UUID"
    ),
    _schema(
        ["string", "integer"],
        examples=["0", "GPU-8f2e…"],
        minimum=0,
        maximum=999,
        pattern=r"^(?:[0-9]{1,3}|(?:GPU|MIG)-[0-9A-Za-z/-]+)$",
    ),
]
Calendar = Annotated[
    str,
    matching(
        re.compile(_CALENDAR),
        "a time that comes again; write it like `07:00`, `Mon..Fri 07:00` or `Sat,Sun *-*-* 09:30`",
    ),
    AfterValidator(_forwards),
]
Weight = Annotated[int, Field(ge=1, le=10000)]
ComputeCapability = Annotated[
    str, matching(re.compile(r"[0-9]{1,2}\.[0-9]"), "a compute capability; write it like `6.1`")
]
PciId = Annotated[
    str,
    matching(
        re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}(:[0-9a-f]{2})?"),
        "a PCI id; write it like `10de:2684`, or `1002:744c:c8` with the revision",
    ),
]
DriverVersion = Annotated[
    str,
    matching(
        re.compile(r"[0-9]{3,4}(\.[0-9]+)*"), "a driver version; write it like `580` or `580.65.06`"
    ),
]
RuleId = Annotated[str, matching(re.compile(r"HW[0-9]{3}"), "a rule; write its id, like `HW201`")]
Version = Annotated[Literal[1], BeforeValidator(_version)]
