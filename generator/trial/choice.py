"""What is tried: values of a setting, and what each makes of the server or of its requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.bench.measurement import Option
from generator.errors import HostwrightError, Problem, ProfileError
from generator.pipeline import plan_of
from generator.profiles.load import read_document
from generator.records import dataclass
from generator.verify.served import tagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.plan import Model, Plan, Service

MODEL: Final = "model"
OPTIONS: Final = ("num_batch", "num_ctx", "num_gpu", "num_thread")
"""Options of a request for which the server loads a model anew."""
MOST: Final = 64
_LARGEST: Final = 1 << 31
_PART: Final = re.compile(r"""(?:[^,\[\]"']|\[[^\]]*\]|"[^"]*"|'[^']*')+""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the server is started anew with: variables, and limits as systemd writes them.

    None: it is started without. Empty: it is not started anew.
    """

    variables: tuple[tuple[str, str | None], ...] = ()
    limits: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value that is tried, as it was written: the model and options of each request."""

    label: str
    model: str
    options: tuple[Option, ...] = ()
    change: Change = Change()

    @property
    def restarts(self) -> bool:
        """Whether the server is started anew for it."""
        return self.change != Change()


def values_of(text: str) -> list[str]:
    """Return the values of a list with commas, which those in brackets or quotes do not part."""
    parts = [part.strip() for part in _PART.findall(text)]
    return [part for part in parts if part]


def choices(
    key: str,
    values: Sequence[str],
    model: str,
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    stdin: bytes | None = None,
) -> tuple[Choice, ...]:
    """Return the choices of a key: `model`, an option of a request, or a key of the profile.

    Raises HostwrightError for values and keys that cannot be tried, ProfileError for those that
    the profile cannot have.
    """
    if len({*values}) < len(values) or not 1 < len(values) <= MOST:
        raise HostwrightError(
            f"`{key}` needs values to compare", hint=f"two or more, each once, like {key}=a,b"
        )
    if key == MODEL:
        return tuple(Choice(label=value, model=value) for value in values)
    if key in OPTIONS:
        return tuple(_by_option(key, value, model) for value in values)
    if profile is None:
        raise HostwrightError(
            f"`{key}` is no option of a request",
            hint=f"those are {', '.join(OPTIONS)}, and `{MODEL}`; for a key of a profile name one",
        )
    plans = [
        plan_of(read_document(profile, (*overrides, f"{key}={value}"), stdin=stdin))
        for value in values
    ]
    return _by_plan(key, values, model, plans)


def _by_option(key: str, value: str, model: str) -> Choice:
    if not re.fullmatch(r"\d{1,9}", value):
        problem = Problem(key, f"`{value}` is no whole number", f"like {key}=128,256")
        raise ProfileError(key, (problem,))
    return Choice(label=value, model=model, options=(Option(name=key, value=int(value)),))


def _by_plan(
    key: str, values: Sequence[str], model: str, plans: Sequence[Plan]
) -> tuple[Choice, ...]:
    """Return what differs between Plans, for each of them."""
    services = [plan.service for plan in plans]
    places = {(each.listen.host, each.listen.port) for each in services}
    if len(places) > 1:
        raise HostwrightError(
            f"`{key}` moves the server to another address", hint="try another key"
        )
    variables = _differing([{s.name: s.value for s in one.environment} for one in services])
    limits = _differing([{x.directive: x.written for x in one.limits} for one in services])
    options = [*_options(services, model)]
    if not (any(variables) or any(limits) or any(options)):
        raise HostwrightError(
            f"`{key}` changes neither a variable or limit of the server nor an option of {model}",
            hint=f"`gen show --set {key}={values[0]}` shows what it does",
        )
    return tuple(
        Choice(
            label=value,
            model=model,
            options=options[at],
            change=Change(variables=variables[at], limits=limits[at]),
        )
        for at, value in enumerate(values)
    )


def _differing(
    every: Sequence[Mapping[str, str]],
) -> list[tuple[tuple[str, str | None], ...]]:
    """Return of each mapping what is not the same in all; None: it lacks what another has."""
    names = dict.fromkeys(name for one in every for name in one)
    other = [name for name in names if len({one.get(name) for one in every}) > 1]
    return [tuple((name, one.get(name)) for name in other) for one in every]


def _options(services: Sequence[Service], model: str) -> Iterator[tuple[Option, ...]]:
    """Yield for each service the parameters of a model that differ, as options of a request."""
    every = [dict(_numbers(each.models, model)) for each in services]
    names = [name for name in OPTIONS if len({one.get(name) for one in every}) > 1]
    for one in every:
        if any(name not in one for name in names):
            raise HostwrightError(
                f"one of the values leaves {names[0]} of {model} open",
                hint="compare values that all say a number",
            )
        yield tuple(Option(name=name, value=one[name]) for name in names)


def _numbers(models: Sequence[Model], model: str) -> Iterator[tuple[str, int]]:
    for one in models:
        if tagged(model) in {tagged(one.served), tagged(one.name)}:
            for each in one.parameters:
                if each.name in OPTIONS and each.value.isdecimal():
                    yield each.name, min(int(each.value), _LARGEST)
