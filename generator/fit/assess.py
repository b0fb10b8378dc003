"""The use case of `gen fit`: a service, its machine and a question → verdicts."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from generator.catalogue.models import split
from generator.errors import Problem, ProfileError, split_message
from generator.fit.calibrate import calibrated
from generator.fit.choose import choices, loads, pick, quantisations, resident
from generator.fit.host import host_of
from generator.fit.kv import PLAIN
from generator.fit.metadata import shape_of_file
from generator.fit.verdict import judge, timed, together
from generator.fit.ways import ways
from generator.live.client import PATIENCE, Server
from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.catalogue.facts import Facts
    from generator.fit.ask import Ask
    from generator.fit.choose import Candidate
    from generator.fit.host import Host
    from generator.fit.measured import Measured
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit, Together
    from generator.fit.ways import Way
    from generator.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about a service; nothing: its own models, and which others fit.

    `models` are names like `llama3.1:8b:Q8_0`, of the Catalogue or of the server at the URL
    `server`; `gguf` is a file. `context`, `slots` and `cache_type` replace what the service sets.
    `disk` is what models are read from: a kind, or bytes per second. `timeout` is how many seconds
    the server has for all its answers. `purpose` is what a model is wanted for, of PURPOSES.
    `quantisations`: of the models every one that is known; `resident` are models that shall stay
    loaded side by side, each at the best quantisation at which all do. `measured` is what
    `gen bench` has measured on this host, and corrects what is estimated for it.
    """

    models: tuple[str, ...] = ()
    gguf: str | None = None
    server: str | None = None
    timeout: float = PATIENCE
    context: int | None = None
    slots: int | None = None
    cache_type: str | None = None
    disk: str | int = ""
    purpose: str = "chat"
    quantisations: bool = False
    resident: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The answer: a verdict for each model, for all side by side, and what else fits.

    `choices` is None where certain models were asked about, `loaded` (name, bytes, bytes on GPUs)
    where no server was. `ways` are what would do for each verdict, where it does not fit; `asks`
    are what was asked for each, with parameters of its own.
    `all_resident`: that they stay loaded side by side is what was asked. `warnings` are sentences
    about models that cannot be judged or loaded.
    """

    ask: Ask
    host: Host
    fits: tuple[ModelFit, ...]
    together: Together | None
    choices: tuple[Candidate, ...] | None
    quantisations: tuple[Candidate, ...]
    ways: tuple[tuple[Way, ...], ...]
    loaded: tuple[tuple[str, int, int], ...] | None
    warnings: tuple[str, ...]
    all_resident: bool = False
    asks: tuple[Ask, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether anything that was asked about does not fit."""
        found = self.together
        over = found is not None and (
            found.word == "does not fit" or (self.all_resident and bool(found.evicting))
        )
        return over or any(fit.word == "does not fit" for fit in self.fits)


def assess(
    view: View,
    own: Iterable[tuple[str, Mapping[str, str]]],
    ask: Ask,
    question: Question | None = None,
) -> Assessment:
    """Return what fits on the machine of a View; `own` are its models with their parameters,
    which hold for them where they are asked about by name, too.

    `ask` is what its service asks of its engine: `load_engine(view.engine).ask_of(view, facts)`.

    Raises ProfileError for a machine without memory and for models that nobody knows, and what
    reading a GGUF file or asking a server raises.
    """
    question = question or Question()
    host = ask.within(replace(host_of(view), disk=question.disk))
    if not host.devices and not host.limit:
        hint = "add `memory` under `[host]`, or --set host.memory=32GiB"
        problem = Problem("host.memory", "nothing says what the host has", hint)
        raise ProfileError(view.place.file, (problem,))
    question = replace(question, resident=_once(question.resident, ask.facts))
    warnings: list[str] = []
    server = None if question.server is None else Server.at(question.server, question.timeout)
    if question.resident:
        ask = replace(ask, loaded=max(ask.loaded, len(question.resident)))
    tuned = {name: _asked(ask.tuned(set_), question) for name, set_ in own}
    ask = _asked(ask, question)
    found = zip_longest(_named(question, ask, server), question.models)
    named = [(shape, tuned.get(name or "", ask)) for shape, name in found if shape is not None]
    host, doubts = calibrated(host, question.measured, [shape for shape, _ in named], ask)
    warnings += doubts
    named += [(shape, ask) for shape in _resident(question, ask, host)]
    shapes = named or _own(tuned, ask, warnings)
    warnings += [
        f"{ask.product} {ask.facts.at} cannot load `{shape.name}` yet"
        for shape, _ in shapes
        if not loads(shape.name, shape.architecture, ask.facts)
    ]
    several = len(shapes) > 1 and ask.loaded > 1
    pairs = [(timed(judge(shape, asked, host), asked, host), asked) for shape, asked in shapes]
    short = [fit.word == "does not fit" for fit, _ in pairs]
    return Assessment(
        ask=ask,
        host=host,
        fits=tuple(fit for fit, _ in pairs),
        together=together([shape for shape, _ in shapes], ask, host) if several else None,
        choices=choices(ask, host, question.purpose) if ask.of_library and not named else None,
        quantisations=_quantised(question, ask, host),
        ways=tuple(
            ways(fit, asked, host) if over and ask.of_library else ()
            for (fit, asked), over in zip(pairs, short, strict=True)
        ),
        loaded=None if server is None else ask.loaded_at(server),
        warnings=tuple(warnings),
        all_resident=bool(question.resident),
        asks=tuple(asked for _, asked in pairs),
    )


def held_on_host(found: Iterable[Assessment]) -> int:
    """Return what several servers hold of the memory of their host at once, in bytes."""
    return sum(_on_host(one) for one in found)


def _on_host(found: Assessment) -> int:
    every = [fit.rooms for fit in found.fits] if found.together is None else [found.together.rooms]
    return max((rooms[-1].need.total for rooms in every), default=0)


def _once(names: Iterable[str], facts: Facts) -> tuple[str, ...]:
    """Return names without those of a file that is named before: a server loads it once."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(facts.file_tags(split(name)[0])[0], name)
    return tuple(found.values())


def _resident(question: Question, ask: Ask, host: Host) -> tuple[Shape, ...]:
    try:
        return resident(question.resident, ask, host)
    except ValueError as error:
        raise _unknown(error, "--together") from None


def _quantised(question: Question, ask: Ask, host: Host) -> tuple[Candidate, ...]:
    try:
        found = [
            quantisations(name, ask, host)
            for name in (question.models if question.quantisations else ())
        ]
    except ValueError as error:
        raise _unknown(error, "--quantisations") from None
    every = (one for each in found for one in each)
    return tuple(replace(one, fit=timed(one.fit, ask, host)) for one in every)


def _unknown(error: ValueError, where: str) -> ProfileError:
    message, hint = split_message(error)
    return ProfileError("the command line", (Problem(where, message, hint),))


def _asked(ask: Ask, question: Question) -> Ask:
    """Return what the service asks for with what the question replaces."""
    # As the key of the profile does: a quantised cache asks for flash attention.
    if (question.cache_type or "f16") not in PLAIN and ask.flash_attention is None:
        ask = replace(ask, flash_attention=True)
    return replace(
        ask,
        context=question.context or ask.context,
        context_told=ask.context_told or question.context is not None,
        slots=question.slots or ask.slots,
        cache_type=question.cache_type or ask.cache_type,
    )


def _own(tuned: Mapping[str, Ask], ask: Ask, warnings: list[str]) -> list[tuple[Shape, Ask]]:
    """Return the service's models, each as it is asked for, and warn of unknown ones."""
    found = []
    for name, asked in tuned.items():
        shape = pick(ask.meant(name), ask.facts)
        if isinstance(shape, Problem):
            warnings.append(f"models: {shape.message}; {shape.hint}")
        else:
            found.append((shape, asked))
    return found


def _named(question: Question, ask: Ask, server: Server | None) -> list[Shape]:
    """Return the models that are asked about. Raises ProfileError with all that is wrong."""
    found = [
        pick(ask.meant(name), ask.facts) if server is None else ask.shape_at(server, name)
        for name in question.models
    ]
    if problems := tuple(each for each in found if isinstance(each, Problem)):
        raise ProfileError("the command line", problems)
    shapes = [each for each in found if not isinstance(each, Problem)]
    if question.gguf:
        shapes.append(shape_of_file(question.gguf, ask.facts))
    return shapes
