"""How compose files say what rules speak of."""

from __future__ import annotations

from typing import Final

from generator.view import Phrases

COMPOSE: Final = Phrases(
    kind="compose",
    expands=True,
    past_firewall=True,
    read_by="`docker inspect` shows it, and the file goes to version control",
    keep_in="a file outside version control that `env_file` names",
    restart="add `restart: unless-stopped` to the service",
    cpus="cpus: {}",
    refused=r".*\.(?:cpus|cpuset)",
    weight=("cpu_shares", 1024),
    share_cpus="add `cpus`, one more than the compute threads, or less `cpu_shares` than the "
    "others have",
    soft_limit_reserves=True,
    no_swap="add `memswap_limit: {}`, the same as the memory, for no swap",
    memlock="add `ulimits: {memlock: -1}` to the service",
    obsolete=frozenset({"version"}),
)
