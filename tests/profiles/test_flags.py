"""`--set`: values, places, and what is no setting."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ProfileError
from generator.profiles.flags import TEXT_KEYS
from generator.profiles.json_schema import json_schema
from generator.profiles.load import load_profile, read_document
from tests.profiles.bad import problems


@pytest.mark.parametrize(
    ("flag", "path", "value"),
    [
        ("threads.count=8", ("threads", "count"), 8),
        ("resources.cpu_quota=800%", ("resources", "cpu_quota"), "800%"),
        ("ollama.version=0.30", ("ollama", "version"), "0.30"),
        ("ollama.flash_attention=false", ("ollama", "flash_attention"), False),
        ("gpu.visible_devices=['0']", ("gpu", "visible_devices"), ["0"]),
        ("ollama.env.FOO=a=b", ("ollama", "env", "FOO"), "a=b"),
        ("ollama.env.FOO=", ("ollama", "env", "FOO"), ""),
        ("ollama.env.FOO=0x1f", ("ollama", "env", "FOO"), "0x1f"),
        ("host.driver=535", ("host", "driver"), "535"),
        ("container.tag=0.32", ("container", "tag"), "0.32"),
        ("service.user=1000", ("service", "user"), "1000"),
        ("description=1e3", ("description",), "1e3"),
        ("ollama.env.FOO=true", ("ollama", "env", "FOO"), "true"),
        ("ollama.env.FOO='a # b'", ("ollama", "env", "FOO"), "a # b"),
    ],
)
def test_set_reads_toml_values_and_bare_words(
    flag: str, path: tuple[str, ...], value: object
) -> None:
    data: object = read_document("xeon-cpu", [flag]).data
    for key in path:
        assert isinstance(data, dict)
        data = data[key]
    assert data == value


def text_keys(
    table: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the keys that the schema gives text and nothing else, `*` for any key."""
    choices = [choice for choice in table.get("anyOf", [table]) if choice.get("type") != "null"]
    if len(choices) > 1:
        return
    (part,) = choices
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].split("/")[-1]]
    for key, below in part.get("properties", {}).items():
        yield from text_keys(below, schema, (*path, key))
    for below in (part.get("items"), part.get("additionalProperties")):
        if below:
            yield from text_keys(below, schema, (*path, "*"))
    if part.get("type") == "string":
        yield ".".join(path[:-1]), path[-1]


def test_the_text_keys_of_set_are_the_schemas() -> None:
    schema = json_schema()
    found = set(text_keys(schema, schema)) - {("", "extends")}
    assert found == {(table, key) for table, keys in TEXT_KEYS.items() for key in keys}


def test_a_flag_that_replaces_a_table_owns_its_keys(file: Path) -> None:
    found = problems(file, "[resources]\nnice = 1\n", "resources={ nice = 99 }")
    assert found["resources.nice"].source == "--set"


def test_set_reaches_into_arrays_that_exist() -> None:
    data = read_document("xeon-cpu", ["models.1.name=phi4:14b"]).data
    assert [model["name"] for model in data["models"]] == [
        "qwen2.5-coder:7b",
        "phi4:14b",
        "llama3.1:8b",
    ]


@pytest.mark.parametrize("flag", ["foo", "=1", "a..b=1", "threads.count.x=1", "models.9.name=x"])
def test_a_set_that_makes_no_sense_is_told(flag: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("xeon-cpu", [flag])
    assert caught.value.source == "--set"
