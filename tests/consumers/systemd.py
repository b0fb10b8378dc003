"""What systemd makes of rendered units: `systemd-analyze verify`, and the manager's own dump.

`read` runs the real manager in test mode, which loads units exactly as a boot would, prints
what it understood and exits. Nothing is started and no privilege is needed.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.consumers.effective import ConsumerError, Effective, Memlock
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The unit that Ollama's installer writes: what a directory of only drop-ins is meant for.
STUB_PATH = "/usr/local/bin:/usr/bin:/bin:/snap/bin"
STUB_UNIT = f"""\
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
Environment="PATH={STUB_PATH}"

[Install]
WantedBy=default.target
"""
UNIT_DIR = "etc/systemd/system"
NOBODY = 65534
INFINITY = 2**64 - 1
UNSET_MEMLOCK = 12347
END = "HOSTWRIGHT_END=of-the-environment"
ENTRY = "\n\t\tEnvironment: "
SECONDS = {
    "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800,
}  # fmt: skip


# ── systemd-analyze verify ────────────────────────────────────────────────────────────────────


def verify(directory: Path, units: Sequence[str]) -> list[str]:
    """Return every line of `systemd-analyze verify` about our files; none means accepted.

    The lines are the verdict: the exit status is 0 for many faults that systemd only ignores.
    """
    with _root(directory) as root:
        _stub_executables(root)
        argv = [require("systemd-analyze"), "verify", f"--root={root}", "--man=no"]
        result = _run([*argv, "--recursive-errors=no", *units], {})
        lines = [line for line in result.stderr.split("\n") + result.stdout.split("\n") if line]
        names = [str(root), *units]
        ours = [line for line in lines if any(name in line for name in names)]
        failed = result.returncode != 0
        return [_without(root, line) for line in ours or (lines if failed else [])]


@contextmanager
def _root(directory: Path) -> Iterator[Path]:
    """Copy `directory` as the units of a file system of their own, readable by anyone."""
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        root = Path(name)
        units = root / UNIT_DIR
        shutil.copytree(directory, units, symlinks=True)
        if not (units / "ollama.service").exists():
            (units / "ollama.service").write_text(STUB_UNIT, encoding="utf-8")
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield root


def _stub_executables(root: Path) -> None:
    """Put something to execute where each Exec line points, for none of it is installed here."""
    for text in _texts(root):
        for found in re.findall(r"(?m)^Exec\w+=[-@:+!|]*\"?(/[^\s\"]+)", text):
            stub = root / found.lstrip("/")
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text("#!/bin/sh\n", encoding="utf-8")
            stub.chmod(0o755)


def _texts(root: Path) -> list[str]:
    files = (path for path in (root / UNIT_DIR).rglob("*") if path.is_file())
    return [path.read_text(encoding="utf-8") for path in files]


def _without(root: Path, line: str) -> str:
    return line.replace(f"{root}/{UNIT_DIR}/", "").replace(str(root), "")


# ── the manager's dump ────────────────────────────────────────────────────────────────────────


def read(directory: Path, unit: str = "ollama.service", *, lenient: bool = False) -> Effective:
    """Return what the manager understood of a service `unit` in `directory`.

    `extra`: `fields` (every other line of the dump, by key, in order), `exec` (command lines by
    kind), `drop_ins` (file names in the order applied), and `devices` (DeviceAllow, last first).
    Raises ConsumerError if the manager does not find the unit or, unless `lenient`, complains
    about our files.
    """
    with _root(directory) as root:
        _mark(root / UNIT_DIR, unit)
        head, environment, tail = _split(_dump(root, unit, lenient=lenient), unit)
        names = _names(root, unit, environment, lenient=lenient)
    fields, commands = _fields(head + "\n" + tail)
    return _effective(_assign(environment, names), fields, commands)


def _mark(units: Path, unit: str) -> None:
    """Make the dump readable: a last variable ends the environment, whatever values hold.

    The memlock default of the manager looks like a setting, so a number of our own goes first.
    """
    path = units / unit
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(f"[Service]\nLimitMEMLOCK={UNSET_MEMLOCK}\n{text}", encoding="utf-8")
    _last_drop_in(units, unit, [END])


def _last_drop_in(units: Path, unit: str, assignments: Sequence[str]) -> None:
    folder = units / f"{unit}.d"
    folder.mkdir(exist_ok=True)
    lines = "".join(f"Environment={assignment}\n" for assignment in assignments)
    (folder / "zzzz-end.conf").write_text(f"[Service]\n{lines}", encoding="utf-8")


def _dump(root: Path, unit: str, *, lenient: bool) -> str:
    argv = [require("systemd"), "--test", "--system", f"--unit={unit}", "--no-pager"]
    result = _run(argv, manager_paths(root / UNIT_DIR), drop_root=True)
    complaints = [line for line in result.stderr.split("\n") if f"{root}/" in line]
    if (complaints and not lenient) or result.returncode != 0:
        told = "\n".join(_without(root, line) for line in complaints) or result.stderr
        silent = f"systemd --test ended with {result.returncode} and no word; is /sys mounted?"
        raise ConsumerError(told or silent)
    return result.stdout


def manager_paths(units: Path) -> dict[str, str]:
    """Return what lets a manager load `units`, and of the system its targets, which ours refer to.

    Its services and what its generators write take nine tenths of the time, and ours need none.
    """
    targets = _targets()
    nothing = {} if targets is None else {"SYSTEMD_GENERATOR_PATH": f"{targets}/none"}
    # A trailing colon keeps all units of the system.
    return {"SYSTEMD_UNIT_PATH": f"{units}:{targets or ''}", **nothing}


@cache
def _targets() -> Path | None:
    """Copy the targets of the system to where anyone may read them, until the tests end."""
    found = [*Path("/usr/lib/systemd/system").glob("*.target")]
    if not found:
        return None
    folder = Path(tempfile.mkdtemp(prefix="hostwright-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for target in found:
        (folder / target.name).write_bytes(target.read_bytes())
    # What a manager falls back to that does not find a unit, here without a shell.
    (folder / "rescue.target").write_text("[Unit]\n")
    # A target is loaded where another names it, and says then which units it wants.
    (folder / "basic.target.d").mkdir()
    (folder / "basic.target.d/all.conf").write_text("[Unit]\nBefore=multi-user.target\n")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _run(
    argv: list[str], environment: dict[str, str], *, drop_root: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run in a clean environment, without UTF-8, in which newer dumps have other arrows."""
    # The manager refuses test mode to root.
    nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    result = subprocess.run(
        argv,
        env={"HOME": "/tmp", "PATH": os.defpath, "LC_ALL": "C", **environment},  # noqa: S108
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        **(nobody if drop_root and os.geteuid() == 0 else {}),
    )
    # Decoded by hand: text mode would make one of `\r\n` and `\n`.
    out, err = (raw.decode("utf-8", "surrogateescape") for raw in (result.stdout, result.stderr))
    return subprocess.CompletedProcess(argv, result.returncode, out, err)


def _split(dump: str, unit: str) -> tuple[str, str, str]:
    """Cut the dump of `unit` into what stands before, in and behind its environment."""
    start = dump.find(f"\t-> Unit {unit}:\n")
    if start < 0 or END not in dump[start:]:
        raise ConsumerError(f"systemd does not know a service `{unit}`")
    before, _, rest = dump[start:].partition(ENTRY)
    environment, _, after = (ENTRY + rest).partition(ENTRY + END + "\n")
    # The next unit, or the list of jobs behind the last one.
    tail = re.split(r"(?m)^\t?-> ", after, maxsplit=1)[0]
    return before, environment, tail


def _names(root: Path, unit: str, environment: str, *, lenient: bool) -> list[str]:
    """Return the names that are variables, in order, when values could pretend to be some.

    The dump prints line breaks as they are, so a value may look like a further variable. Asked
    again with every candidate assigned anew, the manager replaces real ones in their place and
    appends pretended ones behind the end mark. A line break takes a backslash to write.
    """
    candidates = [name for name, _ in _entries(environment)]
    if not any("\\" in text for text in _texts(root)):
        return candidates
    _last_drop_in(root / UNIT_DIR, unit, [END, *(f"{name}=x" for name in candidates)])
    dump = _dump(root, unit, lenient=lenient)
    return [name for name, _ in _entries(_split(dump, unit)[1])]


def _entries(environment: str) -> list[tuple[str, str]]:
    chunks = re.split(re.escape(ENTRY) + r"(?=[A-Za-z_][A-Za-z0-9_]*=)", environment)[1:]
    return [(name, value) for name, _, value in (chunk.partition("=") for chunk in chunks)]


def _assign(environment: str, names: list[str]) -> dict[str, str]:
    """Give each real name its value, which takes in the lines of the pretended ones behind it."""
    values: dict[str, str] = {}
    expected, last = list(names), ""
    for name, value in _entries(environment):
        if expected and name == expected[0]:
            last = expected.pop(0)
            values[last] = value
        else:
            values[last] += f"{ENTRY}{name}={value}"
    return values


def _fields(text: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Sort the lines of a dump without environment into fields and commands."""
    fields: dict[str, list[str]] = {}
    commands: dict[str, list[str]] = {}
    kind = ""
    for line in text.split("\n"):
        key, _, value = line.strip("\t").partition(": ")
        if line.startswith("\t\t-> "):
            kind = line.removeprefix("\t\t-> ").removesuffix(":")
        elif line.startswith("\t\t\t"):
            if key == "Command Line":
                commands.setdefault(kind, []).append(value)
        else:
            fields.setdefault(key, []).append(value)
    return fields, commands


def _effective(
    environment: dict[str, str], fields: dict[str, list[str]], commands: dict[str, list[str]]
) -> Effective:
    if environment.get("PATH") == STUB_PATH:
        del environment["PATH"]
    quota = _seconds(_one(fields, "CPUQuotaPerSecSec"))
    paths = [Path(path).name for line in fields.get("DropIn Path", []) for path in line.split()]
    extra = {
        "fields": fields,
        "exec": commands,
        "drop_ins": [name for name in paths if name != "zzzz-end.conf"],
        "devices": fields.get("DeviceAllow", []),
    }
    return Effective(
        environment=environment,
        restart=_one(fields, "Restart"),
        cpu_quota_percent=None if quota is None else round(quota * 100),
        cpu_weight=_number(_one(fields, "CPUWeight")),
        memory_max=_number(_one(fields, "MemoryMax")),
        memory_high=_number(_one(fields, "MemoryHigh")),
        memory_swap_max=_number(_one(fields, "MemorySwapMax")),
        limit_memlock=_memlock(_one(fields, "LimitMEMLOCK")),
        extra=extra,
    )


def _one(fields: dict[str, list[str]], key: str) -> str:
    return fields.get(key, [""])[0]


def _number(text: str) -> int | None:
    """Read a number of the dump; all ones and the words of newer releases mean no limit."""
    word = text.partition(" ")[0]
    return int(word) if word.isdigit() and int(word) != INFINITY else None


def _memlock(text: str) -> Memlock:
    if text in ("infinity", str(INFINITY)):
        return "infinity"
    number = _number(text)
    return None if number == UNSET_MEMLOCK else number


def _seconds(text: str) -> float | None:
    """Read systemd's spelling of a duration, `16min 40s` or `1.500s`."""
    if text in ("", "infinity"):
        return None
    parts = re.findall(r"([\d.]+)([a-z]+)", text)
    return sum(float(amount) * SECONDS[unit] for amount, unit in parts)
