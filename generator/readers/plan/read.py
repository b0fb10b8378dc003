"""`plan.json`: one that somebody has edited gets the findings that its profile would get."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from generator.codec import AGAIN, from_dict
from generator.errors import ProfileError, Silence
from generator.readers.base import Context, Source, each, refused
from generator.readers.plan import is_plan
from generator.readers.plan.forms import faults
from generator.readers.plan.view import views_of
from generator.view import Bound, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Plan

Named = TypeVar("Named", Variable, Bound)
_SAID: Final = "`gen` has said so of the profile"
_ONE: Final = "name a file that `gen plan PROFILE` has written"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each plan; raises ProfileError for one that is broken or outdated."""
    return tuple(_told(view, context) for views in each(sources, _views) for view in views)


def _told(view: View, context: Context) -> View:
    """Return the View for the release and the machine that the user names beside the file."""
    named = context.release if view.engine == context.catalogue.engine else None
    release = named or view.release
    return replace(view, release=release, host=context.host if context.host.threads else view.host)


def _views(source: Source) -> tuple[View, ...]:
    plan = _plan(source)
    if problems := tuple(faults(plan)):
        raise ProfileError(source.path, problems)
    views = views_of(replace(plan, source=source.path))
    # What `gen` has remarked on the profile it need not say again of what it has made of it.
    told = dict.fromkeys(f.rule for f in plan.findings if f.severity == "info" and not f.ignored)
    return tuple(
        replace(
            view,
            silences=(*view.silences, *(Silence(rule=rule, reason=_SAID) for rule in told)),
            variables=tuple(_at_its_line(each, source, number) for each in view.variables),
            bounds=tuple(_at_its_line(each, source, number) for each in view.bounds),
        )
        for number, view in enumerate(views)
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


def _at_its_line(item: Named, source: Source, number: int) -> Named:
    """Return a variable or limit of a service at the line on which its name stands."""
    name = f'"name": {json.dumps(item.name)}'
    starts = [found.start() for found in re.finditer(r'"engine"\s*:', source.text)]
    place = source.text.find(name, starts[number] if number < len(starts) else 0)
    line = source.text.count("\n", 0, place) + 1 if place >= 0 else 0
    return replace(item, place=Place(source.path, line, item.place.key))
