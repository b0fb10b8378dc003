"""What the schema takes and refuses, value by value."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from generator.profiles.schema import Profile


def parsed(table: str, key: str, value: object) -> object:
    data = {"schema_version": 1, "name": "x", table: {key: value}}
    return getattr(getattr(Profile.model_validate(data, strict=False), table), key)


@pytest.mark.parametrize(
    ("table", "key", "value", "result"),
    [
        ("resources", "memory_max", "20G", 21474836480),
        ("resources", "memory_max", "infinity", "infinity"),
        ("resources", "memory_swap_max", 0, 0),
        ("resources", "cpu_quota", "2000%", 2000),
        ("resources", "allowed_cpus", "0-3,8", "0-3,8"),
        ("ollama", "keep_alive", -1, "-1"),
        (
            "ollama",
            "origins",
            ["*", "https://app.lan", "app://x"],
            ("*", "https://app.lan", "app://x"),
        ),
        ("ollama", "host", "::1", "::1"),
        ("ollama", "host", "my-host.lan", "my-host.lan"),
        ("ollama", "models_dir", "/models/", "/models"),
        ("gpu", "visible_devices", [0, "GPU-abc"], ("0", "GPU-abc")),
        ("gpu", "layers", "fit", "fit"),
    ],
)
def test_taken(table: str, key: str, value: object, result: object) -> None:
    assert parsed(table, key, value) == result


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("resources", "memory_max", "-5"),
        ("resources", "memory_max", -5),
        ("resources", "memory_max", 0),
        ("resources", "limit_memlock", -7),
        ("resources", "tasks_max", -4),
        ("resources", "allowed_cpus", "5-2"),
        ("container", "image", "localhost:5000/ollama:1"),
        ("container", "image", "ollama/ollama:0.32"),
        ("resources", "cpu_quota", "0%"),
        ("ollama", "origins", ["example.com"]),
        ("ollama", "host", "999.1.1.1"),
        ("ollama", "host", ":"),
        ("ollama", "host", "[::1]"),
        ("ollama", "host", "127.0.0.1:11434"),
        ("ollama", "models_dir", "/"),
        ("ollama", "models_dir", "/home"),
        ("ollama", "models_dir", "relative"),
        ("ollama", "port", 0),
        ("gpu", "visible_devices", [True]),
    ],
)
def test_refused(table: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        parsed(table, key, value)


def test_one_validator_is_built_for_all_tables() -> None:
    code = (
        "from generator.profiles.load import load_profile; "
        "from generator.profiles.schema import Table; load_profile('dual-pascal'); "
        "print(*(m.__name__ for m in Table.__subclasses__() if m.__pydantic_complete__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "Profile\n"


@pytest.mark.parametrize(
    ("reserved", "taken"), [("9MiB", True), ("0", True), ("8GiB", True), ("9GiB", False)]
)
def test_no_more_is_reserved_than_a_card_has(reserved: str, taken: bool) -> None:
    card = {"name": "X", "memory": "8GiB", "reserved": reserved}
    if taken:
        assert parsed("host", "gpus", [card])
        return
    with pytest.raises(ValidationError, match="reserved is more than memory"):
        parsed("host", "gpus", [card])
