"""What a lever does: the estimates of a host before and after it is pulled. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.units import about

if TYPE_CHECKING:
    from generator.advise.standing import Standing
    from generator.fit.speed import Speed
    from generator.fit.verdict import ModelFit

WORDS: Final = ("does not fit", "tight", "fits")
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


def effect(before: Standing, after: Standing) -> Effect | None:
    """Return what a lever does; None: nothing that can be computed."""
    old, new = before.main, after.main
    if old is None or new is None:
        return None
    found = [*_speeds(old.speed, new.speed), *_memory(old, new)]
    return Effect(before=old.word, after=new.word, changes=tuple(found))


def _speeds(old: Speed | None, new: Speed | None) -> list[Change]:
    names = {"decode": "generates", "full": "with a full context", "prompt": "reads prompts at"}
    found = []
    for name, told in names.items():
        first, second = (getattr(speed, name) if speed else None for speed in (old, new))
        if first and second and abs(second.likely / first.likely - 1) > _SAME:
            found.append(Change(
                what=told, before=first.likely, after=second.likely, unit="tokens/s",
            ))  # fmt: skip
    return found


def _memory(old: ModelFit, new: ModelFit) -> list[Change]:
    first, second = (sum(room.need.total for room in fit.rooms) for fit in (old, new))
    if abs(second - first) < _NOTED:
        return []
    return [Change(what="memory", before=first, after=second, unit="bytes")]
