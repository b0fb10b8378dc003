"""The registry: adding an engine is one folder here and one line below."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from generator.engines.base import Engine
    from generator.engines.signs import Signs

ENGINES: Final = {
    "ollama": "Ollama, which runs llama-server since 0.30",
    "vllm": "vLLM, which serves one model for each process",
}
READ: Final = tuple(name for name in ENGINES if name != "vllm")
"""Those whose files readers recognise by any sign: names of variables, of charts and modules."""
JUDGED: Final = tuple(ENGINES)
"""Those whose servers are judged: of what READ leaves out, in the kinds of file of its Signs."""


@functools.cache
def load_signs(name: str) -> Signs:
    """Return how the engine `name`, a key of ENGINES, is recognised in files."""
    return cast("Signs", importlib.import_module(f"generator.engines.{name}.signs").SIGNS)


def load_engine(name: str) -> Engine:
    """Return the engine `name`, a key of ENGINES."""
    return cast("Engine", importlib.import_module(f"generator.engines.{name}.engine"))
