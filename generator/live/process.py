"""The processes of a server on this machine: which they are, and what they have used so far."""

from __future__ import annotations

import warnings
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_THREADS: Final = ("--threads", "-t")
_VARIABLE: Final = "LLAMA_ARG_THREADS"
_DOORS: Final = ("docker-proxy", "rootlessport", "systemd")
"""What listens in the place of a server."""


@dataclass(frozen=True, slots=True)
class Used:
    """Of one process: nanoseconds of CPU time, and bytes of memory that no file is behind."""

    pid: int
    cpu: int
    memory: int


def server_process(port: int, program: str) -> int:
    """Return the process that listens at a port; 0: nobody says which.

    Those of other users are hidden from all but root: there it is the only `program serve`.
    """
    for found in _asked(lambda psutil: psutil.net_connections(kind="tcp")) or ():
        listens = found.status == "LISTEN" and found.laddr and found.laddr.port == port
        if listens and found.pid and _name(found.pid) not in _DOORS:
            return int(found.pid)
    every = _asked(lambda psutil: [*psutil.process_iter(["cmdline"])]) or ()
    serving = [p.pid for p in every if _serves(p.info["cmdline"] or [], program)]
    return int(serving[0]) if len(serving) == 1 else 0


def family(pid: int) -> list[Any]:
    """Return a process and all that it has started, as psutil has them."""
    found = _asked(lambda psutil: psutil.Process(pid))
    if found is None:
        return []
    return [found, *(_asked(lambda _: found.children(recursive=True)) or ())]


def used(processes: Sequence[Any]) -> list[Used]:
    """Return what each has used so far; one that is gone is left out."""
    every = (_asked(lambda _, one=one: _of(one)) for one in processes)
    return [each for each in every if each is not None]


def threads(processes: Sequence[Any]) -> int:
    """Return how many threads compute, by the command line or environment; 0: neither says."""
    for each in processes:
        words = _asked(lambda _, one=each: one.cmdline()) or []
        for name, value in pairwise(words):
            if name in _THREADS and value.isascii() and value.isdigit():
                return int(value)
        told = (_asked(lambda _, one=each: one.environ()) or {}).get(_VARIABLE, "")
        if told.isascii() and told.isdigit():
            return int(told)
    return 0


def _of(process: Any) -> Used:  # noqa: ANN401 -- psutil's
    with process.oneshot():
        times, memory = process.cpu_times(), process.memory_info()
    anonymous = memory.rss - getattr(memory, "shared", 0)
    return Used(process.pid, round((times.user + times.system) * 1e9), max(anonymous, 0))


def _serves(words: Sequence[str], program: str) -> bool:
    return len(words) > 1 and words[0].rpartition("/")[2] == program and words[1] == "serve"


def _name(pid: int) -> str:
    return _asked(lambda psutil: str(psutil.Process(pid).name())) or ""


def _asked(question: Callable[..., Any]) -> Any:  # noqa: ANN401 -- whatever psutil answers
    """Return psutil's answer; None: it has none, as where a process is gone or another user's."""
    import psutil

    failures = (psutil.Error, LookupError, OSError, RuntimeError, ValueError)
    with suppress(*failures), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return question(psutil)
    return None
