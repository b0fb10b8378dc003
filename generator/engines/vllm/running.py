"""What is so of a vLLM of one release; a running one tells nothing that could be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from generator.errors import HostwrightError

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts


class RunningVllm:
    """The Running of a release: its variables. Whoever asks a server is refused."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def agrees(self, name: str, value: str, told: str) -> bool:  # noqa: ARG002 -- of every Running
        """Return whether a value is the same text."""
        return value == told

    def meaning(self, name: str, value: str) -> str:  # noqa: ARG002 -- of every Running
        """Return a value as it stands."""
        return value

    def default(self, name: str) -> str | None:
        """Return what it takes that is not told a variable; None: the name is none of its."""
        known = self._facts.variable(name)
        return known.default or "" if known else None

    def unread(self, name: str) -> str:
        """Return nothing: which variables it does not read is not known."""
        del name
        return ""

    def secret(self, name: str) -> bool:
        """Return whether a variable holds a secret, by its name."""
        return self._facts.secrets.has(name)

    def of_runner(self, name: str) -> bool:
        """Return false: one program reads them all."""
        del name
        return False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- any other of Running
        if name.startswith("_"):
            raise AttributeError(name)
        return self._refuse

    def _refuse(self, *_: object) -> NoReturn:
        raise HostwrightError(
            f"what a running vLLM {self._facts.release} was told is in its command line and not in "
            "its answers, and nothing here compares that",
            hint="gen bench --api openai measures it; its log begins with `non-default args`",
        )
