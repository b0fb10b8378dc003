"""Profiles in a check: the lines of keys in TOML."""

import pytest

from generator.check.profiles import line_of

TEXT = """\
schema_version = 1
name = "x"

[host]
cpu = { cores = 12 }

[ollama]
keep_alive = "24h"
env.FOO = "1"
"kv_cache_type" = "q8_0"

[[models]]
name = "a"

[[models]]
name = "b"
parameters = { num_ctx = 1 }

[hosts.grey-area.overrides.resources]
memory_max = "24G"
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("name", 2),
        ("host", 4),
        ("host.cpu.cores", 5),
        ("host.gpus", 4),
        ("ollama.keep_alive", 8),
        ("ollama.env.FOO", 9),
        ("ollama.kv_cache_type", 10),
        ("ollama.context_length", 7),
        ("models", 12),
        ("models.0.name", 13),
        ("models.1.name", 16),
        ("models.1.parameters.num_ctx", 17),
        ("hosts.grey-area.overrides.resources.memory_max", 20),
        ("resources.memory_max", 0),
        ("", 0),
    ],
)
def test_a_key_is_found_or_what_is_around_it(key: str, line: int) -> None:
    assert line_of(TEXT, key) == line
