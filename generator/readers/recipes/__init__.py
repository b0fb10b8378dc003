"""Files of commands: Taskfiles, Procfiles, tasks of mise, scripts of npm, Vagrantfiles.

How they are recognised, and what they call things.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.passed import uses_an_engine
from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

if TYPE_CHECKING:
    from generator.readers.base import Source

TASKFILE: Final = r"[Tt]askfile[\w.-]*\.ya?ml"
PROCFILE: Final = r"Procfile(?:\.[\w-]+)?"
MISE: Final = r"\.?mise(?:\.[\w-]+)*\.toml"
PACKAGE: Final = r"package\.json"
VAGRANT: Final = r"Vagrantfile(?:\.[\w-]+)?"


def _ours(source: Source) -> bool:
    """Whether a command has to do with an engine: a library of its name is none."""
    return uses_an_engine(source.text)


SIGNS: Final = Signs(
    names=f"{TASKFILE}|{PROCFILE}|{MISE}|{PACKAGE}|{VAGRANT}",
    maybe=frozenset({".yml", ".yaml", ".toml", ".json"}),
    content=r"(?m)^tasks[ \t]*:[ \t]*(?:#[^\n]*)?$",
    holds=lambda text: re.search(r"(?m)^[ \t]+cmds?[ \t]*:", text) is not None,
    ours=_ours,
)
RECIPES: Final = replace(SCRIPT, kind="recipes", assigns=False, mendable=False)
