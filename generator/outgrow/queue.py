"""How long requests wait for a slot, where so many slots serve one queue. Pure.

The front holds one queue for all servers (docs/beyond.md), requests come as they like (Poisson),
and an answer takes about as long as the mean says, or longer: the formula of Erlang, M/M/c. It is
on the safe side where answers are alike.
"""

from __future__ import annotations

from math import log
from typing import Final

FULL: Final = 0.8
"""Of the time slots may be busy where nothing is promised: above it waiting grows fast."""
MOST: Final = 20_000  # slots that are counted one by one; so many together hardly ever wait
LATE: Final = 0.05


def waiting(slots: int, busy: float) -> float:
    """Return the share of requests that wait, where `busy` slots are on the mean: Erlang's C."""
    if busy >= slots:
        return 1.0
    if slots > MOST:
        return 0.0
    blocked = 1.0
    for number in range(1, slots + 1):
        blocked = busy * blocked / (number + busy * blocked)
    return blocked / (1 - busy / slots * (1 - blocked))


def late_wait(slots: int, busy: float, seconds: float) -> float:
    """Return what 95 % of the requests wait at most, of which each takes `seconds`."""
    share = waiting(slots, busy)
    if share <= LATE:
        return 0.0
    return seconds * log(share / LATE) / (slots - busy) if busy < slots else float("inf")
