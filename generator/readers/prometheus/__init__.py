"""Rules and configurations of Prometheus: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml", ".rules"}),
    content=r"(?m)^scrape_configs[ \t]*:|^groups[ \t]*:[ \t]*(?:#[^\n]*)?\n"
    r"(?:[^\n]*\n){0,60}?[ \t]*(?:-[ \t]+)?(?:alert|record)[ \t]*:",
    never=r"(?m)^[\"']?(?:services|apiVersion|tests|positions|clients|server)[\"']?[ \t]*:",
    ours=reached,
    belongs=lambda _: "",
)
PROMETHEUS: Final = Phrases(
    kind="prometheus",
    restart="",
    reader="Prometheus",
    accepts="prometheus",
    refuses_whole="the file",
    takes_empty=True,
    own_keys=r".*_sd_configs|x-.*",
)
