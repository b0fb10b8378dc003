"""`plan.json`: one that somebody has edited gets the findings that its profile would get."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from generator.codec import AGAIN, from_dict
from generator.errors import HostwrightError, ProfileError
from generator.readers.base import each, refused
from generator.readers.plan.sound import faults
from generator.readers.plan.view import view_of
from generator.view import Bound, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Plan
    from generator.readers.base import Context, Source
    from generator.view import View


Named = TypeVar("Named", Variable, Bound)


def read(sources: Sequence[Source], _: Context) -> tuple[View, ...]:
    """Return a View of each plan; raises ProfileError for one that is broken or of another age."""
    return tuple(each(sources, _view))


def _view(source: Source) -> View:
    plan = replace(_plan(source), source=source.path)
    if problems := tuple(faults(plan)):
        raise ProfileError(source.path, problems)
    view = view_of(plan)
    return replace(
        view,
        variables=tuple(_at_its_line(variable, source) for variable in view.variables),
        bounds=tuple(_at_its_line(bound, source) for bound in view.bounds),
    )


def _plan(source: Source) -> Plan:
    try:
        return from_dict(json.loads(source.text), source.path)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise refused(source.path, where, f"is no JSON: {message}", AGAIN) from None
    except RecursionError:
        raise refused(source.path, "", "is nested too deep for a plan", AGAIN) from None
    except ProfileError:
        raise
    except HostwrightError as error:
        raise refused(source.path, "schema_version", error.message, error.hint) from None


def _at_its_line(item: Named, source: Source) -> Named:
    """Return a variable or limit at the line on which its name stands."""
    name = f'"name": {json.dumps(item.name)}'
    before, found, _ = source.text.partition(name)
    line = before.count("\n") + 1 if found else 0
    return replace(item, place=Place(source.path, line, item.place.key))
