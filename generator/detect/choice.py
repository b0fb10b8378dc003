"""What a rule of derivation returns: a value with its reason, or why there is none."""

from __future__ import annotations

from generator.records import dataclass

Value = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value for a key of the profile, like `ollama.context_length`, and why it is that."""

    key: str
    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """A key that is left out on purpose, and who decides it better."""

    key: str
    reason: str
