#!/usr/bin/env python3
"""Says what of this bundle is not in effect, by its manager, the process, and the server itself.

    usage: verify.py [ADDRESS...]

ADDRESS is where the server answers, of several each of them, else where the bundle has it listen.
What is wanted stands in verify.json. Values count by what they mean: 1h and 60m are the same.
Status 0: nothing is at odds, 1: something is, 2: usage, 3: somebody could not be asked.
The script is the same for every host, and needs Python 3.8 alone.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from generator.meaning import meant  # a bundle has the text of that module in this place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 10  # that a manager has, and the server for all its answers
MOST = 1 << 22  # bytes of an answer
LONGEST = 300  # characters of others that a line shows
ONE_CPU = 10**4  # microseconds of each second that are a percent
NANO = 10**7  # of a CPU that are a percent
PERIOD = 100_000
SHARES_PER_WEIGHT = 10.24
UNBOUND = (None, "infinity", "0", "100")  # what a container has that nobody gave a limit
MICROSECONDS = {"us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6}
NOT_SET = ("[not set]", str(2**64 - 1))
SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(us|ms|min|s|h)")
PLACE = re.compile(r"https?://(\[[^]]*\]|[^]/:[]*):(\d{1,5})(?:/.*)?", re.DOTALL)
NO_ANSWER = "no answer of such a server"
GROUPS = "sys/fs/cgroup"
# The machine is below DESTDIR, as for apply.sh: empty on a real host.
ROOT = Path(os.environ.get("DESTDIR") or "/")


class Row(NamedTuple):
    """A setting: `fault` says what is at odds, and is empty; None: nobody tells what is so."""

    setting: str
    wanted: str
    fault: str | None


class Unasked(Exception):
    """Somebody cannot be asked; the message says why."""


def printable(text: object) -> str:
    """Return what others wrote as one line that does nothing to a terminal."""
    line = "".join(c if c.isprintable() else "?" for c in str(text))
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


# What systemd, Docker or Podman holds


def ask(*command: str) -> tuple[str, str]:
    """Return what a program prints, and what it says of a failure. Raises Unasked."""
    try:
        done = subprocess.run(
            command,
            capture_output=True, timeout=SECONDS, check=False, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise Unasked(f"{command[0]}: {error}") from None
    return done.stdout, done.stderr.strip().partition("\n")[0]


def systemctl(unit: str, *, user: bool = False) -> dict[str, str]:
    """Return the properties of a unit. Raises Unasked."""
    out, why = ask("systemctl", *(["--user"] if user else []), "show", unit)
    told = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    if told.get("LoadState") != "loaded":
        raise Unasked(f"systemd does not tell of {unit}: {why or 'not loaded'}")
    return told


def inspect(engine: str, name: str) -> dict[str, Any]:
    """Return what Docker or Podman holds of a container. Raises Unasked."""
    out, why = ask(engine, "inspect", "--type", "container", name)
    try:
        every = json.loads(out)
    except (ValueError, RecursionError):
        every = None
    if not isinstance(every, list) or not every or not isinstance(every[0], dict):
        raise Unasked(f"{engine} does not tell of {name}: {why or 'no such container'}")
    return every[0]


def table(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return what is below a key, if it is a table."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def records(found: object) -> list[dict[str, Any]]:
    """Return the tables of a list."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def given(box: dict[str, Any]) -> dict[str, str]:
    """Return the variables of a container."""
    every = table(box, "Config").get("Env")
    pairs = [str(item).partition("=") for item in every] if isinstance(every, list) else []
    return {name: value for name, _, value in pairs}


def bounds(box: dict[str, Any]) -> dict[str, str]:
    """Return the limits of a container, by their names in a unit; those that nobody set, too."""
    host = table(box, "HostConfig")
    ulimits = records(host.get("Ulimits"))
    locked = [n for n in ulimits if "MEMLOCK" in str(n.get("Name")).upper()]
    soft = [count(one, "Soft") for one in locked]
    memory, both = count(host, "Memory"), count(host, "MemorySwap")
    period = count(host, "CpuPeriod") or PERIOD
    cpu = count(host, "NanoCpus") // NANO or max(count(host, "CpuQuota"), 0) * 100 // period
    return {
        "CPUQuota": str(cpu or "infinity"),
        "CPUWeight": str(round(count(host, "CpuShares") / SHARES_PER_WEIGHT) or 100),
        "AllowedCPUs": str(host.get("CpusetCpus") or "") or "infinity",
        "MemoryMax": str(memory or "infinity"),
        "MemorySwapMax": str(both - memory if both > 0 else "infinity"),
        "TasksMax": str(max(count(host, "PidsLimit"), 0) or "infinity"),
        "OOMScoreAdjust": str(count(host, "OomScoreAdj")),
        **({"LimitMEMLOCK": str(soft[0] if soft[0] >= 0 else "infinity")} if soft else {}),
    }


def count(data: dict[str, Any], key: str) -> int:
    """Return a number, 0 where there is none."""
    found = data.get(key)
    return found if isinstance(found, int) and abs(found) < 2**63 else 0


def reached(box: dict[str, Any]) -> list[str]:
    """Return `address:port:port` for each port of a container that is reached from outside."""
    return [
        f"{f'[{ip}]' if ':' in ip else ip}:{one.get('HostPort')}:{inner.partition('/')[0]}"
        for inner, every in table(table(box, "HostConfig"), "PortBindings").items()
        for one in records(every)
        for ip in [str(one.get("HostIp") or "0.0.0.0")]  # noqa: S104 -- what an empty one means
    ]


def words(text: str) -> list[str]:
    """Return the items of a list, which systemd quotes where a shell would need it."""
    try:
        return shlex.split(text.replace("=$'", "='"))
    except ValueError:
        return text.split()


def handed(told: dict[str, str]) -> dict[str, str]:
    """Return the variables that systemd hands over."""
    gone = set(words(told.get("UnsetEnvironment", "")))
    every = [(word, word.partition("=")) for word in words(told.get("Environment", ""))]
    return {name: value for word, (name, _, value) in every if not {word, name} & gone}


def held(name: str, told: dict[str, str], bound: dict[str, str]) -> str | None:
    """Return a limit as it is held; None: nobody tells. What bounds a unit bounds what is in it."""
    own = bound.get(name)
    if own not in UNBOUND or not told:
        return own
    text = told.get(name)
    if name == "CPUQuota":
        text = told.get("CPUQuotaPerSecUSec")
        return None if text is None else quota(text)
    if text in NOT_SET:
        return "100" if name.endswith("Weight") else "infinity"
    return text


def quota(text: str) -> str:
    """Return the percent of one CPU that a time of each second is, as `1min 4s`."""
    parts = SPAN.findall(text)
    percent = round(sum(float(number) * MICROSECONDS[unit] for number, unit in parts) / ONE_CPU)
    return str(percent) if parts else "infinity"


def form(name: str, value: object) -> object:
    """Return a limit in a form to compare: CPUs as a set."""
    if name not in {"AllowedCPUs", "NUMAMask"}:
        return str(value)
    spans = (span.partition("-") for span in re.findall(r"\d{1,5}(?:-\d{1,5})?", str(value)))
    return frozenset(n for a, _, b in spans for n in range(int(a), int(b or a) + 1))


# What the process got


def read(path: str) -> str:
    """Return the text of a file; empty where nobody may read it, or it is not there."""
    try:
        return (ROOT / path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def environ(pid: str) -> dict[str, str] | None:
    """Return the environment of a process; None where only root may read it, or it is gone."""
    pairs = (item.partition("=") for item in read(f"proc/{pid}/environ").split("\0"))
    return {name: value for name, _, value in pairs if name} or None


def groups(pid: str) -> list[PurePosixPath]:
    """Return the control group of version 2 that a process is in, and those above."""
    lines = read(f"proc/{pid}/cgroup").splitlines()
    path = next((line[3:] for line in lines if line.startswith("0::/")), "")
    here = PurePosixPath(GROUPS + path)
    there = path and (ROOT / here / "cgroup.procs").exists()
    return [group for group in (here, *here.parents) if there and str(group).startswith(GROUPS)]


def applied(name: str, within: list[PurePosixPath]) -> str | None:
    """Return what the kernel applies: the tightest of all groups; None: it does not tell."""
    file = {"CPUQuota": "cpu.max", "MemoryMax": "memory.max"}.get(name)
    if not file or not within:
        return None
    found = (re.findall(r"\d{1,18}", read(f"{group}/{file}")) for group in within)
    if name == "CPUQuota":  # `50000 100000`, or `max 100000`
        numbers = [max(1, int(n[0]) * 100 // int(n[1])) for n in found if len(n) > 1 and int(n[1])]
    else:
        numbers = [int(n[0]) for n in found if n]
    return str(min(numbers)) if numbers else "infinity"


# The settings against both


class Held(NamedTuple):
    """What is held of the server: by a unit, a container, or both, and its process."""

    who: str
    environment: dict[str, str]
    told: dict[str, str]
    box: dict[str, Any]
    pid: str


def holder(wanted: dict[str, Any]) -> Held:
    """Return what the manager of this bundle holds. Raises Unasked."""
    by, unit, name = wanted["manager"], wanted["unit"], wanted["container"]
    box = inspect(by, name) if name else {}
    told = systemctl(unit, user=wanted["user"]) if unit else {}
    if not name:
        return Held(by, handed(told), told, box, told.get("MainPID", "0"))
    pid, whole = str(count(table(box, "State"), "Pid")), str(box.get("Id") or "?")
    # An engine in a machine of its own counts its processes there.
    own = whole in read(f"proc/{pid}/cgroup")
    return Held(by, given(box), told, box, pid if own else "0")


def same(wanted: dict[str, Any], name: str, value: str, other: str | None) -> bool:
    """Return whether two values of a variable mean the same to the server."""
    form, default = wanted["forms"].get(name, ("", ""))
    return other is not None and meant(other, form, default) == meant(value, form, default)


def variables(wanted: dict[str, Any], held: Held) -> Iterator[Row]:
    """Yield a row for each variable."""
    process = environ(held.pid)
    for name, value in wanted["variables"].items():
        hidden = name in wanted["hidden"]
        fault = None if process is None else ""
        for who, has in (("the process has", process), (f"{held.who} holds", held.environment)):
            if has is not None and not same(wanted, name, value, has.get(name)):
                other = has.get(name, "nothing")
                fault = f"{who} {'another one' if hidden and name in has else other}"
        yield Row(name, "what is not shown here" if hidden else value, fault)


def limits(wanted: dict[str, Any], has: Held) -> Iterator[Row]:
    """Yield a row for each limit."""
    within, bound = groups(has.pid), bounds(has.box) if has.box else {}
    for name, (written, value) in wanted["limits"].items():
        want, text, got = form(name, value), held(name, has.told, bound), applied(name, within)
        fault = None if text is None and got is None else ""
        if got is not None and paged(name, got) != paged(name, want):
            fault = f"the kernel applies {shown(name, got)}"
        if text is not None and form(name, text) != want:
            fault = f"{has.who} holds {shown(name, text)}"
        yield Row(name, written, fault)


def published(wanted: dict[str, Any], held: Held) -> Iterator[Row]:
    """Yield the row of where a container is reached; one in a network of its host has no such."""
    if wanted["published"]:
        has = reached(held.box)
        right = has == [wanted["published"]]
        fault = "" if right else f"{held.who} publishes {', '.join(has) or 'nothing'}"
        yield Row("published", wanted["published"], fault)


def paged(name: str, value: object) -> object:
    """Return a limit as the kernel has it, which counts memory in pages."""
    text, page = str(value), os.sysconf("SC_PAGE_SIZE")
    return int(text) // page if name == "MemoryMax" and text.isdigit() else value


def shown(name: str, value: object) -> str:
    """Return a limit as a unit has it."""
    text = str(value)
    if name == "CPUQuota" and text.isdigit():
        return f"{text}%"
    if name.startswith("Memory") and text.isdigit():
        power = next((p for p in (4, 3, 2, 1) if int(text) and not int(text) % 1024**p), 0)
        return f"{int(text) >> 10 * power}{' KMGT'[power].strip()}"
    return text or "nothing"


# What the server answers


class Server:
    """A server that is asked; it has SECONDS for all its answers together."""

    def __init__(self, address: str) -> None:
        found = PLACE.fullmatch(meant(address, "address", ""))
        if not found:
            raise Unasked(f"{address} is no address with a port")
        self.host, self.port = found[1].strip("[]") or "127.0.0.1", int(found[2])
        self.address = address

    def ask(self, path: str) -> dict[str, Any]:
        """Return what the server answers. Raises Unasked."""
        try:
            with closing(http.client.HTTPConnection(self.host, self.port, SECONDS)) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                text = answer.read(MOST)
            told = json.loads(text.decode()) if answer.status == http.client.OK else None
        except (OSError, ValueError, OverflowError, RecursionError, http.client.HTTPException) as e:
            raise Unasked(f"{self.address}{path}: {str(e) or type(e).__name__}") from None
        if not isinstance(told, dict):
            raise Unasked(f"{self.address}{path}: {NO_ANSWER}")
        return told


def too_late(*_: object) -> NoReturn:
    """End what takes more than its time."""
    raise TimeoutError(f"not answered within {SECONDS} seconds")


def number(release: str) -> list[int]:
    """Return a release as numbers to compare: `0.32.15-rc1` is `[0, 32, 15]`."""
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", release)
    return [int(part or 0) for part in found.groups()] if found else []


def release(wanted: dict[str, Any], server: Server) -> Row:
    """Return the row of the release that the bundle is for."""
    since, until = wanted["release"]
    path = wanted["api"]["release"]
    told = server.ask(path).get("version")
    here = number(str(told))
    if not here:
        raise Unasked(f"{server.address}{path}: {NO_ANSWER}")
    span = f"{since} or later" + (f", before {until}" if until else "")
    if not any(here):  # a build of one's own tells none
        return Row("release", span, None)
    right = number(since) <= here and not (until and number(until) <= here)
    return Row("release", span, "" if right else f"the server is {printable(told)}")


def models(wanted: dict[str, Any], server: Server) -> Iterator[Row]:
    """Yield a row for each model; None tells of one that a job is about to fetch or make."""
    path = wanted["api"]["models"]
    every = server.ask(path).get("models")
    if not isinstance(every, list):
        raise Unasked(f"{server.address}{path}: {NO_ANSWER}")
    there = {whole(str(one.get("name"))) for one in every if isinstance(one, dict)}
    missing = {name for name in wanted["models"] if whole(name) not in there}
    why = None if missing and busy(wanted) else "the server does not have it"
    for name in wanted["models"]:
        yield Row(f"model {name}", "there", why if name in missing else "")


def whole(name: str) -> str:
    """Return a name with the tag that it has where it names none; case does not count."""
    return (name if ":" in name.rpartition("/")[2] else f"{name}:latest").casefold()


def busy(wanted: dict[str, Any]) -> bool:
    """Return whether a job is at work, or about to be."""
    for job in wanted["jobs"]:
        try:
            if not wanted["unit"]:
                if table(inspect(wanted["manager"], job), "State").get("Running"):
                    return True
                continue
            told = systemctl(job, user=wanted["user"])
        except Unasked:
            continue
        if told.get("ActiveState") == "activating" or told.get("Job", "0") not in {"", "0"}:
            return True
    return False


# All of it


def of_machine(wanted: dict[str, Any]) -> list[Row]:
    """Return what the manager and the process tell. Raises Unasked."""
    held = holder(wanted)
    unread = held.told.get("NeedDaemonReload") == "yes"
    stale = Row("files", "as systemd has read them", "they have changed: systemctl daemon-reload")
    rows = [*variables(wanted, held), *limits(wanted, held), *published(wanted, held)]
    return [stale, *rows] if unread else rows


def of_server(wanted: dict[str, Any], address: str) -> list[Row]:
    """Return what the server tells; nothing where nobody knows how it is asked. Raises Unasked."""
    if not wanted["api"]:
        return []
    signal.signal(signal.SIGALRM, too_late)
    server = Server(address)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return [release(wanted, server), *models(wanted, server)]
    except OSError as error:
        raise Unasked(str(error)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def compare(wanted: dict[str, Any], address: str) -> tuple[list[Row], list[str]]:
    """Return all rows, and who could not be asked, and why."""
    rows: list[Row] = []
    unasked: list[str] = []
    parts: list[Callable[[], list[Row]]] = [
        lambda: of_machine(wanted),
        lambda: of_server(wanted, address),
    ]
    for part in parts:
        try:
            rows += part()
        except Unasked as why:
            unasked.append(f"Not asked: {printable(why)}")
    return rows, unasked


def summary(rows: list[Row]) -> tuple[str, int]:
    """Return the last line, and the status."""
    odd, unseen = sum(bool(r.fault) for r in rows), sum(r.fault is None for r in rows)
    if unseen == len(rows):
        return "Nobody tells what is in effect of this bundle.", 3
    rest = f", and of {unseen} nobody tells" if unseen else ""
    if odd:
        return f"{odd} of {len(rows)} settings of this bundle are not in effect{rest}.", 1
    return f"{len(rows) - unseen} settings of this bundle are in effect{rest}.", 0


def main(arguments: list[str]) -> int:
    """Compare, print, and return the status."""
    asked_for_help = arguments in (["-h"], ["--help"])
    if asked_for_help:
        print(__doc__)
        return 0
    file = Path(__file__).parent / "verify.json"
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{file} does not say what is wanted: {error}")
        return 2
    every = wanted if isinstance(wanted, list) else [wanted]
    if len(arguments) not in {0, len(every)}:
        print(__doc__)
        return 2
    rows: list[Row] = []
    unasked: list[str] = []
    for one, address in zip(every, arguments or [one["address"] for one in every]):  # noqa: B905
        seen, why = compare(one, address)
        about = f"{one['name']}: " if "name" in one else ""
        rows += [row._replace(setting=about + row.setting) for row in seen]
        unasked += why
    lines = [printable(f"{r.setting}: wanted {r.wanted}, {r.fault}") for r in rows if r.fault]
    last, status = summary(rows)
    print("\n".join([*lines, *unasked, last]))
    return status or (3 if unasked else 0)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
