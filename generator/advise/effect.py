"""What a lever does: the estimates of a host before and after it is pulled. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.advise.standing import Standing
    from generator.fit.speed import Speed
    from generator.fit.verdict import ModelFit

WORDS: Final = ("does not fit", "tight", "fits")
SPEEDS: Final = {
    "decode": "generates",
    "full": "with a full context",
    "prompt": "reads prompts at",
}
_SAME: Final = 0.02
_NOTED: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A number before and after; `unit` is `tokens/s`, `bytes` or `s`."""

    what: str
    before: float
    after: float
    unit: str

    @property
    def share(self) -> float:
        """How much more it is, of what it was."""
        return self.after / self.before - 1 if self.before else 0.0

    @property
    def text(self) -> str:
        """The change in words."""
        if self.unit == "bytes":
            return f"{self.what} {about(int(self.before))} → {about(int(self.after))}"
        before, after = (f"{float(f'{each:.3g}'):g}" for each in (self.before, self.after))
        return f"{self.what} {before} → {after} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What changes for the main model: how it fits, its speeds, and the memory that it takes."""

    before: str
    after: str
    changes: tuple[Change, ...]

    @property
    def better(self) -> tuple[Change, ...]:
        """What is gained: more tokens per second, or less memory."""
        return tuple(one for one in self.changes if _gains(one))

    @property
    def worse(self) -> tuple[Change, ...]:
        """What is lost."""
        return tuple(one for one in self.changes if not _gains(one))

    @property
    def fits_better(self) -> int:
        """By how many words the verdict is better; below 0: worse."""
        return WORDS.index(self.after) - WORDS.index(self.before)


def _gains(one: Change) -> bool:
    return (one.after < one.before) is (one.unit == "bytes")


def scale_of(estimated: Standing, corrected: Standing) -> dict[str, float]:
    """Return how often as fast the main model was measured as it is estimated, by kind of speed."""
    first, second = (one.main.speed if one.main else None for one in (estimated, corrected))
    pairs = {name: _likely(first, second, name) for name in SPEEDS}
    return {name: new / old for name, (old, new) in pairs.items() if old and new and old != new}


def _likely(old: Speed | None, new: Speed | None, name: str) -> tuple[float, float]:
    first, second = (getattr(speed, name) if speed else None for speed in (old, new))
    return (first.likely if first else 0.0, second.likely if second else 0.0)


def effect(before: Standing, after: Standing, scale: Mapping[str, float]) -> Effect | None:
    """Return what a lever does; None: nothing that can be computed.

    `scale` is what was measured as a share of the estimate: what is changed was not measured, so
    that both estimates are taken as far off as the one of which that is known.
    """
    old, new = before.main, after.main
    if old is None or new is None:
        return None
    found = [*_speeds(old.speed, new.speed, scale), *_memory(old, new)]
    return Effect(before=old.word, after=new.word, changes=tuple(found))


def _speeds(old: Speed | None, new: Speed | None, scale: Mapping[str, float]) -> Iterator[Change]:
    for name, told in SPEEDS.items():
        first, second = _likely(old, new, name)
        if first and second and abs(second / first - 1) > _SAME:
            times = scale.get(name, 1.0)
            yield Change(what=told, before=first * times, after=second * times, unit="tokens/s")


def _memory(old: ModelFit, new: ModelFit) -> list[Change]:
    first, second = (sum(room.need.total for room in fit.rooms) for fit in (old, new))
    if abs(second - first) < _NOTED:
        return []
    return [Change(what="memory", before=first, after=second, unit="bytes")]
