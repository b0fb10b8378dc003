"""HW000 and HW001: what the readers of files and of comments say."""

from __future__ import annotations

from typing import Final

from generator.rules.rule import Rule

UNREADABLE: Final = Rule(
    id="HW000",
    severity="error",
    title="a file that cannot be read",
    why="What is not understood cannot be judged: a syntax error, an unknown key, a value of the "
    "wrong kind. The consumer would refuse the file as well, or read something else in it.",
    bad="[resources]\nmemory_max = 20GB",
    good='[resources]\nmemory_max = "20G"',
    source="the grammar of the format, and `gen schema` for profiles",
    silence="Mend the file. If it has nothing to do with Ollama, leave it out of the paths.",
)
SILENCE: Final = Rule(
    id="HW001",
    severity="warning",
    title="a comment that ignores a rule, but not as written",
    why="A comment without a rule or a reason silences nothing: whoever reads the file later wants "
    "the reason. One that finds no fault any more hides the next one, and is only a remark.",
    bad="Environment=OLLAMA_NUM_THREADS=8    # hostwright: ignore HW101",
    good="# hostwright: ignore HW101 because our wrapper reads it\n"
    "Environment=OLLAMA_NUM_THREADS=8",
    source="docs/check.md of Hostwright",
    silence="Write the reason, or remove the comment.",
)
