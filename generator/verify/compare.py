"""The Plan against what was seen: a row for each setting, and what is there besides. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.verify import served
from generator.verify.intended import intended
from generator.verify.limits import left_out, limit_row
from generator.verify.loads import loads
from generator.verify.rows import NOTHING, hidden
from generator.verify.variables import strays, variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Running
    from generator.plan import Service
    from generator.verify.observed import Observed
    from generator.verify.rows import Row
    from generator.verify.served import Extra


NOTHING_SEEN: Final = "nobody tells of any setting what is in effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A row for each setting, the models that nobody asks for, and what to know besides."""

    rows: tuple[Row, ...]
    extras: tuple[Extra, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether anything is not as the Plan wants it."""
        return any(row.fails for row in self.rows)

    @property
    def judged(self) -> bool:
        """Whether anything that the Plan wants was seen, as it wants it or otherwise."""
        return any(row.verdict != "unknown" and not row.stray for row in self.rows)

    def silence(self, seen: Observed) -> str:
        """Return why the server cannot be asked; empty: it can, or something is known of it."""
        return seen.unanswered or ("" if self.judged else NOTHING_SEEN)

    def code(self, seen: Observed) -> int:
        """Return the exit code: nothing at odds, drift, or nobody to ask."""
        return 1 if self.fails else 3 if self.silence(seen) else 0


def compare(service: Service, seen: Observed, running: Running) -> Comparison:
    """Return what of a service is as the Plan wants it."""
    wanted = intended(service, seen.held.by if seen.held else None)
    rows = [variable(setting, seen, running) for setting in wanted.variables]
    rows += strays(wanted, seen, running)
    rows = [hidden(row) if running.secret(row.setting) else row for row in rows]
    rows += [limit_row(limit, seen) for limit in wanted.limits]
    rows += [left_out(limit, why) for limit, why in wanted.left_out]
    rows += served.published(wanted.published, seen)
    rows += served.acceleration(service, seen)
    if seen.unanswered:
        rows.append(served.unanswered(seen))
    if seen.answers is None:
        return Comparison(rows=tuple(rows), remarks=tuple(_remarks(seen)))
    rows.append(served.release(service, seen.answers))
    models = [
        served.model(model, seen.answers, running.download(model.name)) for model in service.models
    ]
    extra = served.extras(service, seen.answers)
    remarks = [*_remarks(seen)]
    if seen.room is not None and any(row.held == NOTHING for row in models):
        remarks.append(served.room(seen.room, served.pulled(service, seen.answers, running)))
    return Comparison(
        rows=(*rows, *models, *loads(service, seen, running)), extras=extra, remarks=tuple(remarks)
    )


def _remarks(seen: Observed) -> Iterator[str]:
    """Yield what was seen and is no setting: waiting for CPU time, and programs of models."""
    if seen.process is None:
        return
    throttled, periods = seen.process.throttled
    if throttled:
        yield f"it waited for CPU time in {throttled} of {periods} periods"
    yield from (f"it runs {' '.join(child.command)}" for child in seen.process.children)
