"""The hosts of a fleet, each asked over the fleet's own ssh, several at once, and compared here."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.errors import EnvironmentFailure
from generator.records import dataclass
from generator.verify.capture import SHELL, taken
from generator.verify.machine import Machine
from generator.verify.verify import of_machine, script_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.fleet.decide import Node
    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed

State = Literal["ok", "drift", "silent"]
STATES: Final[dict[int, State]] = {0: "ok", 1: "drift", 3: "silent"}
"""What a host is, by the exit code of its comparison."""
AT_ONCE: Final = 16
"""Hosts that are asked at the same time."""
IN_CLUSTER: Final = "a cluster runs it, not a host: gen verify PROFILE --via kubectl asks there"
_CONNECT: Final = 10
"""Seconds that ssh has to get through, unless the fleet says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A host of a fleet: how it compares with its Plan, or the `failure` to ask it."""

    name: str
    address: str
    plan: Plan
    found: Comparison | None = None
    seen: Observed | None = None
    failure: str = ""

    @property
    def code(self) -> int:
        """The exit code of a comparison of this host alone."""
        return self.found.code(self.seen) if self.found and self.seen else 3

    @property
    def state(self) -> State:
        """How it is, in a word."""
        return STATES[self.code]


def ssh(address: str, deploy: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the command that runs a shell on a host; `deploy` has deploy-rs's settings of it.

    It asks for no password. What the fleet says of ssh comes before what is said here of the time,
    as the first of two counts.
    """
    user = deploy.get("sshUser")
    return (
        *("ssh", "-T", "-o", "BatchMode=yes"),
        *map(str, deploy.get("sshOpts") or ()),
        *("-o", f"ConnectTimeout={_CONNECT}", "--"),
        f"{user}@{address}" if user else address,
        *SHELL,
    )


def verify_fleet(
    nodes: Sequence[Node],
    catalogue: Catalogue,
    *,
    seconds: float,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[Asked, ...]:
    """Return what became of each host, in their order.

    Each has `seconds`, from when its turn comes; `tell` hears how many are done, and of how many.
    """
    waiting: SimpleQueue[Node] = SimpleQueue()
    done: SimpleQueue[Asked | BaseException] = SimpleQueue()
    for node in nodes:
        waiting.put(node)

    def work() -> None:
        while True:
            try:
                node = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put(_asked(node, catalogue, seconds))
            except BaseException as error:  # noqa: BLE001 -- raised below, where somebody waits
                done.put(error)

    for _ in nodes[:AT_ONCE]:
        # Nobody waits for them where the user has enough.
        threading.Thread(target=work, daemon=True).start()
    found = {}
    for number in range(len(nodes)):
        one = done.get()
        if isinstance(one, BaseException):
            raise one
        found[one.name] = one
        if tell:
            tell(number + 1, len(nodes))
    return tuple(found[node.name] for node in nodes)


def in_clusters(nodes: Sequence[Node]) -> tuple[Asked, ...]:
    """Return servers that clusters run, of which no host tells anything: none of them was asked."""
    return tuple(
        Asked(name=node.name, address=node.address, plan=node.plan, failure=IN_CLUSTER)
        for node in nodes
    )


def _asked(node: Node, catalogue: Catalogue, seconds: float) -> Asked:
    who: dict[str, Any] = {"name": node.name, "address": node.address, "plan": node.plan}
    try:
        files = taken(ssh(node.address, node.deploy), script_of(node.plan, catalogue), seconds)
        machine = Machine(None, seconds, taken=files)
        found, seen = of_machine(node.plan, catalogue, machine)
    except EnvironmentFailure as error:
        return Asked(**who, failure=error.message)
    return Asked(**who, found=found, seen=seen)
