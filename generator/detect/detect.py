"""The use case of `gen detect`: what was found on a machine → the profile that follows from it.

Shipped profiles, too: which one a machine is like, and what of one would not fit another machine.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from generator.detect.cpu import clean_model
from generator.detect.derive import derive
from generator.detect.profile import SYSTEMS, name_of, profile_text, rounded
from generator.detect.situation import Choice, LeftOut, situation_of
from generator.errors import HostwrightError, split_message
from generator.host import reserve
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.records import dataclass
from generator.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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

    @cached_property
    def like(self) -> str:
        """The shipped profile that is about such a machine; empty: none is."""
        return matching(self.at, (read_document(path.stem).data for path in shipped_profiles()))

    def profile(self, name: str = "", *, extends: str = "") -> str:
        """Return the profile as TOML; `extends` is written into it as it stands."""
        like, name = "" if extends else self.like, name or name_of(self.at)
        return profile_text(self.at, self.derived, name=name, base=extends, like=like)

    def bare(self) -> str:
        """Return a profile as TOML that says what the machine is, and nothing about tuning."""
        return profile_text(self.at, (), name=name_of(self.at))


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


def matching(at: Situation, shipped: Iterable[Mapping[str, Any]]) -> str:
    """Return the name of the shipped profile that is about such a machine; empty: none is.

    They are known to be valid, so that nothing need be checked here. Several servers are a choice,
    and nothing that a machine tells.
    """
    alone = (data for data in shipped if not data.get("instances"))
    return next((data["name"] for data in alone if _alike(at, data["host"])), "")


def _alike(at: Situation, host: Mapping[str, Any]) -> bool:
    """The same GPUs decide; without any, the same processor with the same number of cores."""
    if host["system"] != SYSTEMS.get(at.found.cpu.architecture):
        return False
    gpus, cpu = host.get("gpus", ()), host.get("cpu")
    if gpus or at.gpus:
        asked = sorted(_card(at, gpu["name"]) for gpu in gpus)
        return asked == sorted(_card(at, gpu.name) for gpu in at.gpus)
    if cpu is None or cpu["cores"] != at.found.usable.cores:
        return False
    return clean_model(cpu.get("model", "")).casefold() == at.found.cpu.model.casefold()


def _card(at: Situation, name: str) -> str:
    known = at.facts.card(name)
    return known.name if known else name.casefold()


def fitted(at: Situation, base: Profile, derived: Iterable[Choice | LeftOut]) -> Iterator[Choice]:
    """Yield what must differ from `base` here: what computes, and limits beyond this machine.

    Raises HostwrightError for a profile of GPUs on a machine that has none.
    """
    wants = base.ollama.acceleration or ("cuda" if base.host.gpus else "")
    if at.on_cpu and wants not in {"", "cpu"}:
        raise HostwrightError(
            f"`{base.name}` is for a host with GPUs, and this one has none that can be used",
            hint="leave out --like, or name a profile for CPUs",
        )
    ours = {choice.key: choice for choice in derived if isinstance(choice, Choice)}
    if wants != "cpu":
        yield from _gpus(at, base, ours)
    yield from _limits(at, base, ours)


def _gpus(at: Situation, base: Profile, ours: dict[str, Choice]) -> Iterator[Choice]:
    yield ours["ollama.acceleration"]
    key = "gpu.visible_devices"
    if key in ours:
        yield ours[key]
    elif base.gpu.visible_devices:
        numbers = [gpu.uuid or str(index) for index, gpu in enumerate(at.gpus)]
        yield Choice(key, numbers, "those of this machine.")
    if base.service.resume_fix and at.acceleration != "cuda":
        yield Choice("service.resume_fix", value=False, reason="it is about NVIDIA GPUs.")


def _limits(at: Situation, base: Profile, ours: dict[str, Choice]) -> Iterator[Choice]:
    usable, resources, count = at.found.usable, base.resources, base.threads.count
    if "resources.cpu_quota" in ours:
        yield ours["resources.cpu_quota"]
    bounded = ours.get("threads.count") if at.quota else None
    if bounded is not None:
        if count is None or (isinstance(bounded.value, int) and count > bounded.value):
            yield bounded
    elif count is not None and usable.cores and count > usable.cores:
        reason = f"`{base.name}` has {count}, more than the physical cores here"
        yield ours.get("threads.count") or Choice("threads.count", usable.cores, f"{reason}.")
    quota = resources.cpu_quota or (resources.cpus or 0) * 100
    if quota > usable.threads * 100 > 0 and "resources.cpu_quota" not in ours:
        reason = f"`{base.name}` has {quota}%, more than the CPUs here"
        yield Choice("resources.cpu_quota", f"{usable.threads * 100}%", f"{reason}.")
    most = resources.memory_max
    here = rounded(usable.memory - reserve(usable.memory))
    if isinstance(most, int) and 0 < here < most:
        reason = f"`{base.name}` has {format_size(most)}; this leaves the system its share"
        yield Choice("resources.memory_max", format_size(here), f"{reason}.")
