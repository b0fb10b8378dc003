"""The use case of `gen detect`: what was found on a machine → the profile that follows from it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from generator.detect.derive import derive
from generator.detect.match import fitted, matching
from generator.detect.profile import name_of, profile_text
from generator.detect.situation import Choice, LeftOut, situation_of
from generator.errors import HostwrightError, split_message
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.detect.detected import Detected
    from generator.detect.situation import Situation
    from generator.profiles.schema import Profile


@dataclass(frozen=True)
class Detection:
    """A machine, and what its profile says: `derived` holds values and keys left out, in order."""

    at: Situation
    derived: tuple[Choice | LeftOut, ...]

    @property
    def tuning(self) -> tuple[Choice, ...]:
        """The values, each with its reason."""
        return tuple(each for each in self.derived if isinstance(each, Choice))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The keys that somebody else decides better."""
        return tuple(each for each in self.derived if isinstance(each, LeftOut))

    @property
    def release_known(self) -> bool:
        """Whether the facts cover the release that the profile is for."""
        return self.at.facts.known

    @cached_property
    def like(self) -> str:
        """The shipped profile that is about such a machine; empty: none is."""
        return matching(self.at, (read_document(path.stem).data for path in shipped_profiles()))

    def profile(self, name: str = "", *, extends: str = "") -> str:
        """Return the profile as TOML; `extends` is written into it as it stands."""
        matches = "" if extends else self.like
        name = name or name_of(self.at)
        return profile_text(self.at, self.derived, name=name, base=extends, matches=matches)


def detect(
    found: Detected,
    catalogue: Catalogue,
    *,
    release: str | None = None,
    base: Profile | None = None,
) -> Detection:
    """Return what follows from the facts of a machine, as `read_machine` or `read_facter` found it.

    With `base` only what must differ from that profile here. Raises HostwrightError for a release
    that there is not, and for a profile of GPUs on a machine that has none.
    """
    try:
        at = situation_of(found, catalogue, release)
    except ValueError as error:
        message, hint = split_message(error)
        raise HostwrightError(f"--ollama-version: {message}", hint=hint) from None
    derived = derive(at)
    return Detection(at, derived if base is None else tuple(fitted(at, base, derived)))
