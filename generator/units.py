"""Sizes, quotas, durations, addresses, places and releases: how they are written and compared.

Parsers raise ValueError with a message for people; the part after `; ` is the hint.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MIB: Final = 2**20
GIB: Final = 2**30
# systemd's default weight of 100 is Docker's default of 1024 shares.
SHARES_PER_WEIGHT: Final = 10.24
SIZE_SUFFIXES: Final = ("K", "M", "G", "T", "P", "E")
MANY_CPUS: Final = 10_000
MOST_CPUS: Final = 8192
"""What the largest kernels are built for."""
WORD: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]*"
CPU_LIST: Final = r"\d{1,5}(?:-\d{1,5})?(?:[, ]\d{1,5}(?:-\d{1,5})?)*"
ADDRESS: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?"
LIMITS: Final = {
    "cpu_quota": "CPUQuota",
    "cpu_weight": "CPUWeight",
    "allowed_cpus": "AllowedCPUs",
    "memory_max": "MemoryMax",
    "memory_high": "MemoryHigh",
    "memory_swap_max": "MemorySwapMax",
    "numa_policy": "NUMAPolicy",
    "numa_mask": "NUMAMask",
    "io_weight": "IOWeight",
    "nice": "Nice",
    "tasks_max": "TasksMax",
    "limit_memlock": "LimitMEMLOCK",
    "oom_score_adjust": "OOMScoreAdjust",
}
"""The limits of a service, and systemd's words for them."""
HOMES: Final = ("/home", "/root", "/run/user")
"""What `ProtectHome=` is about."""
SYSTEM_DIRECTORIES: Final = frozenset(
    f"/{name}"
    for name in (
        *("", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "nix"),
        *("opt", "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
    )
)
"""Where nobody keeps models: what has them for its own, writes below."""
MODEL_NAME: Final = rf"(?:{WORD}(?::[0-9]+)?/)?(?:{WORD}/)?{WORD}(?::{WORD})?"
"""The name of a model: host, namespace, model and tag, of which none begins with `-` or `.`."""
# Patterns as text, compiled by the first that is read: a start may need none of them.
_SIZE: Final = r"(\d+(?:\.\d+)?)\s*([KMGTPE]?)(i?)(B?)"
_QUOTA: Final = r"([1-9]\d{0,6})%"
_SIZED: Final = frozenset({"memory_max", "memory_high", "memory_swap_max", "limit_memlock"})
_CPU_DIGITS: Final = 5
_DIGITS: Final = 20
_RELEASE = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:-rc(\d{1,6}))?", re.ASCII)


def parse_size(text: str) -> int:
    """Return the bytes of a size as systemd reads it: every suffix is a power of 1024.

    `24G`, `24GiB`, `24576M` and `25769803776` are the same size. `24GB` is refused, because
    half of its readers mean 10⁹. Source: systemd.syntax(7), parse_size in basic/parse-util.c.
    """
    match = re.fullmatch(_SIZE, text.strip(), re.ASCII)
    if match is None or (match[3] and not match[2]):
        raise ValueError(f"`{text}` is not a size; write bytes or a binary suffix, like `24G`")
    number, suffix, binary, unit = match.groups()
    if unit and suffix and not binary:
        raise ValueError(
            f"`{text}` is decimal for some and binary for others; "
            f"write `{number}{suffix}` or `{number}{suffix}iB` (both × 1024)"
        )
    power = SIZE_SUFFIXES.index(suffix) + 1 if suffix else 0
    whole, _, fraction = number.partition(".")
    scale: int = 1024**power
    scaled: int = int(whole + fraction) * scale // 10 ** len(fraction)
    if scaled >= 2**63:
        raise ValueError(f"`{text}` is more than any machine has; write a smaller size")
    return scaled


def format_size(size: int) -> str:
    """Return the shortest exact spelling that `parse_size` and systemd read back as `size`."""
    power = 0
    while size and size % 1024 == 0 and power < len(SIZE_SUFFIXES):
        size //= 1024
        power += 1
    return f"{size}{SIZE_SUFFIXES[power - 1] if power else ''}"


def written_size(size: int) -> str:
    """Return a size for prose, exact: `20 GiB`, `1536 MiB`, `1000 bytes`."""
    text = format_size(size)
    return f"{text[:-1]} {text[-1]}iB" if text[-1] in SIZE_SUFFIXES else f"{text} bytes"


def gib(size: int, places: int | None = None) -> str:
    """Return a size for prose, rounded: `13.3 GiB`; with `places` always so many, `13.0 GiB`."""
    number = size / GIB
    return f"{round(number, 1):g} GiB" if places is None else f"{number:.{places}f} GiB"


def about(size: int) -> str:
    """Return a size for prose, rounded, in the unit that suits it: `13.3 GiB`, `424 KiB`."""
    power = max(min((max(size, 1).bit_length() - 1) // 10, len(SIZE_SUFFIXES)), 0)
    number = f"{round(size / 1024**power, 1):g}"
    return f"{number} {SIZE_SUFFIXES[power - 1]}iB" if power else f"{number} bytes"


def parse_cpu_quota(text: str) -> int:
    """Return the percent of one CPU in a quota: `2000%` is twenty CPUs.

    systemd refuses a bare number, so this does too. Source: systemd.resource-control(5).
    """
    match = re.fullmatch(_QUOTA, text.strip(), re.ASCII)
    if match is None:
        number = text.strip().rstrip("%")
        hint = (
            f"write `{int(number) * 100}%` for {int(number)} CPUs"
            if number.isascii() and number.isdigit() and 0 < int(number) < MANY_CPUS
            else "write a percentage of one CPU, like `2000%` for 20 CPUs"
        )
        raise ValueError(f"`{text}` is not a CPU quota; {hint}")
    return int(match[1])


def whole(text: str) -> int | None:
    """Return the whole number that a text is; None: it is none, or more than 64 bits hold."""
    short = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if short and int(text) < 2**64 else None


def cpu_list(text: str) -> frozenset[int] | None:
    """Return the CPUs of a list like `0-11,24`; None where it is no such list."""
    cpus: set[int] = set()
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        ends = (first, last or first)
        if not all(end.isascii() and end.isdigit() and len(end) <= _CPU_DIGITS for end in ends):
            return None
        if int(ends[1]) >= MOST_CPUS:
            return None
        cpus.update(range(int(first), int(ends[1]) + 1))
    return frozenset(cpus)


def cpu_spans(cpus: Iterable[int]) -> str:
    """Return CPUs as a list with spans, like `0-5,12-17`: what `cpu_list` reads."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][1] + 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def tagged(model: str) -> str:
    """Return the name of a model as a server tells it: with its tag."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def address(host: str, port: int) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_address(text: str) -> bool:
    """Return whether a text is a host name or an IP address, without port and brackets."""
    if not re.fullmatch(ADDRESS, text, re.ASCII):
        return False
    import ipaddress  # Few who read units ask for an address.

    try:
        return not re.fullmatch(r"[0-9.]+|.*:.*", text) or bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def limit_line(name: str, value: int | str) -> tuple[str, str]:
    """Return the directive of a limit, and its value as systemd reads it."""
    percent = "%" if name == "cpu_quota" else ""
    is_size = name in _SIZED and isinstance(value, int)
    return LIMITS[name], format_size(int(value)) if is_size else f"{value}{percent}"


_WITH_PORT: Final = re.compile(r"[^\[\]:]*:\d*|\[[^\]]*\]:\d*", re.ASCII)
_BARE_V6: Final = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F.:]*", re.ASCII)


def takes_port(host: str) -> bool:
    """Return whether a host is an address still once a colon and a port stand behind it."""
    return not (_WITH_PORT.fullmatch(host) or _BARE_V6.fullmatch(host))


def is_local(host: str) -> bool:
    """Return whether only this machine reaches what listens on `host`."""
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""}


class Release(NamedTuple):
    """An Ollama release, ordered as released: `0.30.0-rc1` < `0.30.0` < `0.30.1`."""

    major: int
    minor: int
    patch: int
    candidate: float = math.inf
    """The number behind `-rc`; infinite: it is the release itself."""

    @classmethod
    def parse(cls, text: str) -> Release:
        """Read `0.32.15`, `v0.32.15`, `0.33.0-rc2`; a missing patch is 0. Raises ValueError."""
        match = _RELEASE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"`{text}` is not a release; write it like `0.32` or `0.32.15`")
        major, minor, patch, candidate = match.groups()
        numbers = int(major), int(minor), int(patch or 0)
        return cls(*numbers, int(candidate)) if candidate else cls(*numbers)

    @property
    def final(self) -> bool:
        """Whether it is no candidate."""
        return self.candidate == math.inf

    @property
    def line(self) -> str:
        """The release line: `0.32`."""
        return f"{self.major}.{self.minor}"

    def __str__(self) -> str:
        suffix = "" if self.final else f"-rc{self.candidate}"
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"


EVERYWHERE: Final = ("0.0.0.0", "[::]", "::")  # noqa: S104 -- to recognise, not to bind
"""Addresses at which a server listens on all interfaces."""


_UNIT: Final = re.compile(
    r"[\w:.\\@-]+\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)",
    re.ASCII,
)


def is_unit_name(text: str) -> bool:
    """Return whether systemd takes a text for the name of a unit, which has its type at its end."""
    return _UNIT.fullmatch(text) is not None


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the name that is written most like one; empty: none comes near."""
    from difflib import get_close_matches  # Most commands guess nothing.

    return next(iter(get_close_matches(name, list(names), n=1, cutoff=cutoff)), "")


_ENTRY: Final = re.compile(r"(?i)(?:^|[./_-])entry[_-]?point(?:[._-][^/]*)?$")


def is_entry_point(file: str) -> bool:
    """Return whether a script has a name of those with which a container begins."""
    return _ENTRY.search(file) is not None
