"""Which of several servers with the same port it is: each network has that port once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

    from generator.verify.machine import Machine

_NETWORK: Final = "/proc/{}/ns/net"


def nearest(pids: Collection[int], machine: Machine) -> int:
    """Return the one that is reached from here; 0: none, or nobody tells which, which is a gap.

    One of our own network comes first. Of others, as in containers, and of those whose network
    nobody may read, one alone can be the server behind a published port.
    """
    here = machine.files.target(_NETWORK.format("self"))
    networks = {pid: machine.files.target(_NETWORK.format(pid)) for pid in pids}
    own = [pid for pid in pids if here and networks[pid] == here]
    unknown = [pid for pid in pids if not here or not networks[pid]]
    first = own or unknown or [*pids]
    if len(first) > 1:
        which = ", ".join(map(str, first))
        machine.gaps["process"] = f"which of the processes {which} answers there, nobody tells"
        return 0
    return first[0] if first else 0
