"""The `[host]` table of a profile as a Host, with what the Catalogue knows of its GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.host import Gpu, Host

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.profiles.schema import Host as HostTable
    from generator.profiles.schema import HostGpu


def host_facts(table: HostTable, facts: Facts) -> Host:
    """Return the Host that a profile describes; a compute capability left out is looked up."""
    cpu = table.cpu
    return Host(
        system=table.system,
        cpu=cpu.model if cpu else "",
        cores=cpu.cores if cpu else 0,
        threads=cpu.hardware_threads if cpu else 0,
        memory=table.memory or 0,
        gpus=tuple(_gpu(gpu, facts, unified=table.unified_memory) for gpu in table.gpus),
        driver=table.driver,
    )


def _gpu(gpu: HostGpu, facts: Facts, *, unified: bool) -> Gpu:
    known = facts.card(gpu.name)
    return Gpu(
        name=gpu.name,
        memory=gpu.memory,
        compute_capability=gpu.compute_capability or (known.compute_capability if known else ""),
        uuid=gpu.uuid,
        unified=unified,
    )
