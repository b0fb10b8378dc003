"""What a lever is: what it sets, what it takes to pull it, and what it costs besides."""

from __future__ import annotations

from typing import Final, Literal

from generator.records import dataclass

Effort = Literal["restart", "pull", "install"]
EFFORTS: Final[tuple[Effort, ...]] = ("restart", "pull", "install")
"""The least first: the service starts anew; a model is downloaded; another program is installed."""
Source = Literal["fit", "own bench", "speed data", "quantisation data", "none"]
"""Who says what is gained: the estimate of this host, that corrected by what was measured on it,
rates of disks, the loss of quantisations, or nobody yet.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """A lever that nobody has pulled: the values that pull it, and what is known of its cost.

    `gains` says what is gained where that is no number of the estimate, `told` who says so, and
    `measure` the command that tells what nobody knows; MODEL and PROFILE stand for the main model
    and the profile. `loads`: it saves loading, whose time follows from the disk. `loses`: answers
    get worse.
    """

    name: str
    sets: tuple[str, ...]
    effort: Effort = "restart"
    cost: str = ""
    gains: str = ""
    told: Source = "none"
    measure: str = ""
    loads: bool = False
    loses: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A lever that cannot act here, or is pulled already, and why."""

    lever: str
    why: str
