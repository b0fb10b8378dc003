"""`--host FILE`: the facts of a machine, from the `[host]` table of a TOML file."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from generator.errors import Problem, ProfileError
from generator.profiles.load import read_file
from generator.profiles.validate import validate
from generator.view import Card, Machine

if TYPE_CHECKING:
    from pathlib import Path

    from generator.catalogue.catalogue import Catalogue
    from generator.profiles.schema import Host, HostGpu


def read_machine(path: Path, catalogue: Catalogue) -> Machine:
    """Return the Machine that the `[host]` table of a file describes, a profile's or alone.

    Raises ProfileError for a table that is wrong or missing, HostwrightError for a file that is
    not there, EnvironmentFailure for one that cannot be read.
    """
    document = read_file(path)
    if not isinstance(document.data.get("host"), dict):
        problem = Problem("host", "there is no such table", "write the machine under `[host]`")
        raise ProfileError(document.source, (problem,))
    data = {"schema_version": 1, "name": "host", "host": document.data["host"]}
    host = validate(dataclasses.replace(document, data=data)).host
    return Machine(
        cores=host.cpu.cores if host.cpu else 0,
        threads=host.cpu.hardware_threads if host.cpu else 0,
        memory=host.memory or 0,
        cards=tuple(_card(gpu, host, catalogue) for gpu in host.gpus),
        driver=host.driver,
        system=host.system,
    )


def _card(gpu: HostGpu, host: Host, catalogue: Catalogue) -> Card:
    known = catalogue.card(gpu.name)
    return Card(
        name=gpu.name,
        memory=gpu.memory,
        compute_capability=gpu.compute_capability or (known.compute_capability if known else ""),
        uuid=gpu.uuid,
        integrated=host.unified_memory,
    )
