"""Which of several servers with the same port is the one that is asked."""

from __future__ import annotations

import pytest

from generator.verify.machine import Machine
from generator.verify.nearest import nearest

OWN, OTHER = b"net:[1]\n", b"net:[2]\n"


def machine(**networks: bytes) -> Machine:
    files = {f"proc/{name.strip('p')}/ns/net": network for name, network in networks.items()}
    return Machine(None, 1, taken={"proc/meminfo": b"MemTotal: 1 kB\n", **files})


@pytest.mark.parametrize(
    ("networks", "which"),
    [
        ({"self": OWN, "p7": OTHER, "p8": OWN}, 8),
        ({"self": OWN, "p7": OTHER}, 7),  # alone: a container with a published port
        ({"self": OWN, "p7": OTHER, "p8": OTHER}, 0),
        ({"self": OWN, "p7": OWN, "p8": OWN}, 0),  # at two addresses
        ({"self": OWN, "p7": b"", "p8": OTHER}, 7),
        ({"self": OWN, "p7": b"", "p8": b""}, 0),
        ({"p7": OTHER, "p8": OTHER}, 0),  # captured without its own network
        ({"p7": OTHER}, 7),
        ({"self": OWN}, 0),
    ],
)
def test_one_of_the_own_network_comes_first(networks: dict[str, bytes], which: int) -> None:
    there = machine(**networks)
    pids = [int(name[1:]) for name in networks if name != "self"]
    assert nearest(pids, there) == which
    assert ("process" in there.gaps) == (len(pids) > 1 and not which)
