"""`--host FILE`: the facts of a machine, from the `[host]` table of a TOML file."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from generator.errors import Problem, ProfileError
from generator.profiles.load import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from generator.catalogue.catalogue import Catalogue
    from generator.host import Host


def read_host(path: Path, catalogue: Catalogue, *, stdin: bytes | None = None) -> Host:
    """Return the Host that the `[host]` table of a file describes, a profile's or alone.

    Raises ProfileError for a table that is wrong or missing, HostwrightError for a file that is
    not there, EnvironmentFailure for one that cannot be read.
    """
    # Most checks name no host, and pydantic takes longer to load than they do.
    from generator.profiles.validate import validate
    from generator.resolve.host import host_facts

    document = read_file(path, stdin=stdin)
    if not isinstance(document.data.get("host"), dict):
        problem = Problem("host", "there is no such table", "write the machine under `[host]`")
        raise ProfileError(document.source, (problem,))
    data = {"schema_version": 1, "name": "host", "host": document.data["host"]}
    table = validate(dataclasses.replace(document, data=data)).host
    return host_facts(table, catalogue.at("ollama"))
