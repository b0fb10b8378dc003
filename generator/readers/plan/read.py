"""`plan.json`: one that somebody has edited gets the findings that its profile would get."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from generator.codec import AGAIN, from_dict
from generator.errors import ProfileError, Silence
from generator.readers.base import Context, Source, each, refused
from generator.readers.plan import is_plan
from generator.readers.plan.forms import faults
from generator.readers.plan.view import view_of
from generator.view import Bound, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Plan

Named = TypeVar("Named", Variable, Bound)
_SAID: Final = "`gen` has said so of the profile"
_ONE: Final = "name a file that `gen plan PROFILE` has written"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each plan; raises ProfileError for one that is broken or of another age."""
    return tuple(_told(view, context) for view in each(sources, _view))


def _told(view: View, context: Context) -> View:
    """Return the View for the release and the machine that the user names beside the file."""
    release = context.release or view.release
    return replace(view, release=release, host=context.host if context.host.threads else view.host)


def _view(source: Source) -> View:
    plan = _plan(source)
    if problems := tuple(faults(plan)):
        raise ProfileError(source.path, problems)
    view = view_of(replace(plan, source=source.path))
    # What `gen` has remarked on the profile it need not say again of what it has made of it.
    told = dict.fromkeys(f.rule for f in plan.findings if f.severity == "info" and not f.ignored)
    return replace(
        view,
        silences=(*view.silences, *(Silence(rule=rule, reason=_SAID) for rule in told)),
        variables=tuple(_at_its_line(variable, source) for variable in view.variables),
        bounds=tuple(_at_its_line(bound, source) for bound in view.bounds),
    )


def _plan(source: Source) -> Plan:
    try:
        data = json.loads(source.text)
    except ValueError as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise refused(source.path, where, f"is no JSON: {message}", AGAIN) from None
    except RecursionError:
        raise refused(source.path, "", "is nested too deep for a plan", AGAIN) from None
    if not is_plan(source.text):
        raise refused(source.path, "", "is no plan: it lacks the keys of one", _ONE)
    return from_dict(data, source.path)


def _at_its_line(item: Named, source: Source) -> Named:
    """Return a variable or limit at the line on which its name stands."""
    name = f'"name": {json.dumps(item.name)}'
    before, found, _ = source.text.partition(name)
    line = before.count("\n") + 1 if found else 0
    return replace(item, place=Place(source.path, line, item.place.key))
