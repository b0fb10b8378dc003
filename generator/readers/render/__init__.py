"""Blueprints of Render: how `render.yaml` is recognised, and what it calls things."""

from __future__ import annotations

import re
from typing import Final

from generator.readers.signs import Signs
from generator.view import Phrases

_TYPE: Final = r"(?m)^[ \t]*(?:- [ \t]*)?type:[ \t]*[\"']?(?:web|pserv|worker|cron|keyvalue)\b"
SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml"}),
    # Compose has a mapping there, and other programs call their manifests `render.yaml`.
    content=r"(?m)^services:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n){0,40}"
    r"[ \t]*- [ \t]*(?:type|name|env|runtime|plan|region)[ \t]*:",
    holds=lambda text: re.search(_TYPE, text) is not None,
)
RENDER: Final = Phrases(
    kind="render",
    string='"{}"',
    devices_told=False,
    read_by="the file goes to version control",
    keep_in="the dashboard of Render, with `sync: false` here",
    keep_volume="add a `disk` with `mountPath: /root/.ollama`",
    no_swap="",
)
