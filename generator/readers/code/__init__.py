"""Programs that ask a server: how they are recognised. Only one that is named is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

SIGNS: Final = Signs(
    named=frozenset(
        {
            *(".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".go", ".rs", ".rb", ".java"),
            *(".kt", ".cs", ".php", ".http", ".rest", ".ipynb"),
        }
    ),
    belongs=lambda _: "",
)
CODE: Final = replace(SCRIPT, kind="code")
