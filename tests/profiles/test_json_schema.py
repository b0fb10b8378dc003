"""The JSON Schema of profiles."""

from generator.profiles.json_schema import json_schema


def test_the_schema_describes_every_table() -> None:
    tables = json_schema()["$defs"].values()
    assert all(table["description"] for table in tables)
