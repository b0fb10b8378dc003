"""Jobs of Nomad: how their files are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs
from generator.view import Phrases

_JOB: Final = r"job[ \t]+\"[^\"\n]+\"[ \t]*\{"
SIGNS: Final = Signs(
    sure=frozenset({".nomad"}),
    names=r".+\.nomad\.hcl",
    content=rf"(?m)^{_JOB}",
    look=rf"(?:[^\n]*\n){{0,80}}?{_JOB}",
)
NOMAD: Final = Phrases(
    kind="nomad",
    string='"{}"',
    publishes_local=False,
    devices_told=False,
    read_by="whoever may read the job in Nomad sees it",
    keep_in="a `template` with `env = true` that reads a variable of Nomad, or of Vault",
    keep_volume='add a `volume_mount` with `destination = "/root/.ollama"`',
    no_swap="",
    restart="",
    mendable=False,
)
