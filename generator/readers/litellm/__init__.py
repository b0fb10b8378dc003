"""Configurations of LiteLLM's proxy: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.around import Words
from generator.readers.signs import Signs, reached
from generator.view import Phrases

SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml"}),
    content=r"(?m)^model_list[ \t]*:|^litellm_settings[ \t]*:",
    never=r"(?m)^[\"']?(?:services|apiVersion)[\"']?[ \t]*:",
    ours=reached,
)
LITELLM: Final = Phrases(
    kind="litellm",
    restart="",
    mendable=True,
    read_by="everybody who may read the file reads it",
    keep_in="the environment, and name it: `os.environ/NAME`",
    reader="LiteLLM",
    filled_in="write `os.environ/NAME`, as the whole value",
)
WORDS: Final = Words(
    program="LiteLLM", wait="`timeout: 1800`", spread="`routing_strategy: least-busy`"
)
