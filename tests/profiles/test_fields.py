"""The kinds of value of a profile: what looks like one and is none."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from generator.profiles import fields

# A kind, and values of it.
DIGITS: list[tuple[str, str]] = [
    ("CpuList", "0-3"),
    ("DeviceId", "0"),
    ("ComputeCapability", "6.1"),
    ("DriverVersion", "580.65.06"),
    ("RuleId", "HW201"),
    ("GoDuration", "5m"),
    ("GoDuration", "300"),
    ("Timeout", "5m"),
    ("Address", "fe80::1%eth0"),
    ("Size", "20G"),
    ("Quota", "400%"),
    ("ReleaseText", "0.32.15"),
    ("ModelName", "qwen3:8b"),
    ("ImageName", "registry.lan:5000/ollama"),
    ("Name", "host3"),
    ("Word", "user3"),
    ("Variable", "FOO_3"),
]


def takes(kind: str, text: str) -> bool:
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(fields, kind))
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("kind", "text"), DIGITS)
def test_a_digit_of_another_script_is_none(kind: str, text: str) -> None:
    assert takes(kind, text)
    for at, character in enumerate(text):
        if character.isdigit():
            for zero in ("\u0660", "\u0966", "\uff10"):
                foreign = chr(ord(zero) + int(character))
                assert not takes(kind, text[:at] + foreign + text[at + 1 :])


def test_a_zone_of_an_address_is_of_ascii() -> None:
    assert not takes("Address", "fe80::1%eth\u0660")


@pytest.mark.parametrize("name", ["-h/x", "../u/x", "./x", ".x", "-x", "a/-x", "x:-y", "x\u0660"])
def test_no_model_begins_like_an_option_or_a_path(name: str) -> None:
    assert not takes("ModelName", name)
