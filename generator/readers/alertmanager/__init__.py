"""Configurations of Alertmanager: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import Final

from generator.readers.signs import Signs, reached
from generator.view import Phrases

_RECEIVERS: Final = re.compile(r"(?m)^[\"']?receivers[\"']?[ \t]*:")
SIGNS: Final = Signs(
    names=r"alertmanager(?:[._-][\w.-]+)?\.ya?ml",
    maybe=frozenset({".yaml", ".yml"}),
    content=r"(?m)^[\"']?route[\"']?[ \t]*:",
    never=r"(?m)^[\"']?(?:services?|apiVersion|exporters|scrape_configs|groups)[\"']?[ \t]*:",
    holds=lambda text: _RECEIVERS.search(text) is not None,
    ours=reached,
    companion=True,
)
ALERTMANAGER: Final = Phrases(
    kind="alertmanager",
    restart="",
    reader="Alertmanager",
    accepts="alertmanager",
    refuses_whole="the file",
    takes_empty=True,
)
