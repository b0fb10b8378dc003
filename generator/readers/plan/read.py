"""`plan.json`: one that somebody has edited gets the findings that its profile would get."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from generator.codec import AGAIN, from_dict
from generator.engines import ENGINES
from generator.errors import Problem, ProfileError
from generator.formats.modelfile import is_printable
from generator.readers.base import Context, Source, each, refused
from generator.readers.plan import is_plan
from generator.readers.plan.view import view_of
from generator.units import MODEL_NAME
from generator.view import Bound, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.plan import Plan, Service

Named = TypeVar("Named", Variable, Bound)
_ONE: Final = "name a file that `gen plan PROFILE` has written"
_PATH: Final = r"/[^\s%\"'\\]*"
_NO_PATH: Final = "no absolute path without spaces, quotes, `%` and `\\`"
_WORD: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NO_NAME: Final = "no plain name"
_NO_MODEL: Final = "no name of a model"
_MODELFILES: Final = ("head", "lever", "threads", "tail")
_WHOLE: Final = r"\d{1,19}"
_LIMITS: Final = {
    "cpu_quota": r"[1-9]\d{0,9}",
    **dict.fromkeys(
        ("memory_max", "memory_high", "memory_swap_max", "limit_memlock", "tasks_max"),
        rf"{_WHOLE}|infinity",
    ),
    "cpu_weight": r"\d{1,5}",
    "io_weight": r"\d{1,5}",
    "nice": r"-?\d{1,2}",
    "oom_score_adjust": r"-?\d{1,4}",
}
_ENGINES: Final = "|".join(re.escape(name) for name in ENGINES)


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


Value = tuple[str, object, str, str]


def faults(plan: Plan) -> Iterator[Problem]:
    """Yield a Problem for each value that a unit could not carry as it is meant."""
    for where, value, pattern, fault in _values(plan):
        if not re.fullmatch(pattern, str(value), re.ASCII):
            yield Problem(where, f"`{value}` is {fault}", AGAIN)


def _values(plan: Plan) -> Iterator[Value]:
    """Yield where a value stands, the value, what it has to look like, and what it is if not."""
    yield "host.system", plan.host.system, "(x86_64|aarch64)-linux", "no system known here"
    for place, gpu in enumerate(plan.host.gpus):
        yield f"host.gpus.{place}.memory", gpu.memory, _WHOLE, "no number of bytes"
    service, here = plan.service, "services.0"
    for place, limit in enumerate(service.limits):
        pattern = _LIMITS.get(limit.name, ".*")
        yield f"{here}.limits.{place}.value", limit.value, pattern, f"no {limit.name}"
    yield f"{here}.engine", service.engine, _ENGINES, "no engine known here"
    release = r"\d{1,6}(\.\d{1,6}){1,2}(-rc\d{1,6})?"
    yield f"{here}.release", service.release, release, "no release"
    yield f"{here}.program", service.program, _PATH, _NO_PATH
    yield f"{here}.home", service.home, f"({_PATH})?", _NO_PATH
    for place, unit in enumerate(service.after):
        yield f"{here}.after.{place}", unit, r"[A-Za-z0-9:_.@-]+", "no name of a unit"
    yield f"{here}.restart.seconds", service.restart.seconds, r"\d{1,9}", "no number of seconds"
    for place, setting in enumerate(service.environment):
        if setting.group == "threads":
            where = f"{here}.environment.{place}.value"
            yield where, setting.value, r"[1-9]\d{0,8}", "no number of threads"
    yield from _models(service, here)
    for place, directive in enumerate(service.devices.access if service.devices else ()):
        yield f"{here}.devices.access.{place}.name", directive.name, _WORD, _NO_NAME
    for place, module in enumerate(service.devices.modules if service.devices else ()):
        yield f"{here}.devices.modules.{place}", module, _WORD, _NO_NAME


def _models(service: Service, here: str) -> Iterator[Value]:
    for place, model in enumerate(service.models):
        at, file = f"{here}.models.{place}", model.modelfile
        yield f"{at}.name", model.name, MODEL_NAME, _NO_MODEL
        yield f"{at}.serve_as", model.serve_as, f"({MODEL_NAME})?", _NO_MODEL
        if file is not None and not is_printable(file.text):
            parts = (part for part in _MODELFILES if not is_printable(getattr(file, part)))
            where = f"{at}.modelfile.{next(parts, 'head')}"
            yield (
                where,
                "this",
                "",
                "no text that a Modelfile can carry: it has invisible characters",
            )
    for place, job in enumerate(service.jobs):
        for number, name in enumerate(job.models):
            yield f"{here}.jobs.{place}.models.{number}", name, MODEL_NAME, _NO_MODEL
