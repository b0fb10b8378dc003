"""What a page is asked for: the Facts, and whether it is about their release alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.catalogue.catalogue import load_catalogue
from generator.errors import HostwrightError, split_message
from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts


@dataclass(frozen=True, slots=True)
class Asked:
    """The Facts of a release; `alone`: without what holds for other releases."""

    facts: Facts
    alone: bool = False


def asked(version: str | None = None) -> Asked:
    """Return the Facts of a release alone; None: of the newest, with the history.

    Raises HostwrightError for what is no release.
    """
    catalogue = load_catalogue()
    try:
        release = catalogue.release(version)
    except ValueError as error:
        message, hint = split_message(error)
        raise HostwrightError(message, hint=hint) from None
    return Asked(catalogue.at("ollama", release), version is not None)
