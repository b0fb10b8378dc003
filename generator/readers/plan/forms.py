"""What a Plan may hold: the forms that a profile holds its values to, and what goes together."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.codec import AGAIN
from generator.engines import ENGINES, load_signs
from generator.errors import Problem, shortened
from generator.formats.modelfile import is_printable
from generator.plan import PROGRAM
from generator.units import (
    CPU_LIST,
    MODEL_NAME,
    VARIABLE,
    WORD,
    address,
    cpu_list,
    is_address,
    limit_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from generator.plan import Limit, Modelfile, Plan, Service


class _Form(NamedTuple):
    """What a value has to fit, and what it is if it does not."""

    fits: Callable[[Any], object]
    fault: str


def _text(pattern: str, fault: str) -> _Form:
    return _Form(re.compile(pattern, re.ASCII).fullmatch, fault)


def _maybe(form: _Form) -> _Form:
    return _Form(lambda value: value == "" or form.fits(value), form.fault)


def _number(fault: str, least: int, most: int = 2**63 - 1) -> _Form:
    return _Form(lambda value: type(value) is int and least <= value <= most, fault)


def _bound(fault: str, least: int) -> _Form:
    number = _number(fault, least)
    return _Form(lambda value: value == "infinity" or number.fits(value), fault)


_PATH: Final = _text(r"/[^\s%\"'\\]*", "no absolute path without spaces, quotes, `%` and `\\`")
_NAME: Final = _text(WORD, "no plain name")
_OPTION: Final = r"--[a-z][a-z-]*"
_WORDED: Final = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
"""What stands alone on a command line: the name of a repository."""
_VARIABLE: Final = _text(VARIABLE, "no name of a variable")
_MODEL: Final = _text(MODEL_NAME, "no name of a model")
_UNIT: Final = _text(r"[A-Za-z0-9:_.@-]+", "no name of a unit")
_RELEASE: Final = _text(r"\d{1,6}(\.\d{1,6}){1,2}(-rc\d{1,6})?", "no release")
_SECONDS: Final = _number("no number of seconds", 0, 10**9 - 1)
_SOME_SECONDS: Final = _number("no number of seconds above 0", 1, 10**9 - 1)
_ARGV: Final = _Form(lambda words: words and words[0], "no command")

_WHOLE_FIELDS: Final = {"Step.argv": _ARGV, "Service.command": _ARGV}
"""Forms of whole lists."""
_FIELDS: Final = {
    "Plan.name": _NAME,
    "Silence.rule": _text(r"HW\d{3}", "no rule"),
    "Host.system": _text("(x86_64|aarch64)-linux", "no system known here"),
    "Host.cores": _number("no number of cores", 0, 4096),
    "Host.threads": _number("no number of hardware threads", 0, 8192),
    "Host.memory": _number("no number of bytes", 0),
    "Host.driver": _maybe(_text(r"[0-9]{3,4}(\.[0-9]+)*", "no version of a driver")),
    "Gpu.memory": _number("no number of bytes", 0),
    "Gpu.reserved": _number("no number of bytes", 0),
    "Gpu.vendor": _maybe(_text("nvidia|amd|intel", "no maker known here")),
    "Gpu.target": _maybe(_text("gfx[0-9a-f]{3,5}", "no target of AMD's")),
    "Gpu.compute_capability": _maybe(_text(r"\d{1,2}\.\d", "no compute capability")),
    "Service.name": _NAME,
    "Service.engine": _Form(ENGINES.__contains__, "no engine known here"),
    "Service.release": _RELEASE,
    "Service.era_since": _maybe(_RELEASE),
    "Service.era_until": _maybe(_RELEASE),
    "Service.unit": _text(r"[A-Za-z0-9:_.@-]+\.service", "no name of a service's unit"),
    "Service.program": _PATH,
    "Service.home": _maybe(_PATH),
    "Service.models_dir": _maybe(_PATH),
    "Service.threads": _number("no number of threads", 0, 8192),
    "Service.user": _maybe(_NAME),
    "Service.group": _maybe(_NAME),
    "Service.after": _UNIT,
    "Listen.host": _Form(is_address, "no address"),
    "Listen.port": _number("no port: these are 1 to 65535", 1, 65535),
    "Listen.variable": _text(rf"{VARIABLE}|{_OPTION}", "no name of a variable or an option"),
    "Setting.name": _VARIABLE,
    "Argument.name": _text(rf"{_OPTION}|{_WORDED}", "no option, and no name of a repository"),
    "Variable.name": _VARIABLE,
    "Devices.ids": _text(r"[0-9]{1,3}|(?:GPU|MIG)-[0-9A-Za-z/-]+", "no index or UUID of a GPU"),
    "Devices.modules": _NAME,
    "Devices.nodes": _PATH,
    "Directive.name": _NAME,
    "Restart.seconds": _SECONDS,
    "Model.name": _MODEL,
    "Model.serve_as": _maybe(_MODEL),
    "Modelfile.file": _text(r"Modelfile\.[A-Za-z0-9_.=+-]+", "no name of a Modelfile"),
    "Parameter.name": _NAME,
    "Health.interval_seconds": _SOME_SECONDS,
    "Health.timeout_seconds": _SOME_SECONDS,
    "Health.retries": _number("no number of tries above 0", 1, 10**6),
    "Health.start_seconds": _SECONDS,
    "Health.startup_seconds": _SOME_SECONDS,
    "Step.seconds": _SECONDS,
    "Job.name": _NAME,
    "Job.unit": _UNIT,
    "Job.models": _MODEL,
    **dict.fromkeys((f"Job.{x}" for x in ("after", "before", "wants", "part_of")), _UNIT),
    "Job.wanted_by": _UNIT,
    "Job.programs": _NAME,
    "Job.timeout_seconds": _SECONDS,
    "Job.retry_seconds": _SECONDS,
    "Job.tries": _number("no number of tries", 0, 10**6),
    "Container.name": _NAME,
    "Container.volume": _NAME,
    "Container.network": _maybe(_NAME),
    "Container.image": _text(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*", "no image"),
    "Container.restart": _Form(
        ("no", "always", "on-failure", "unless-stopped").__contains__, "no way to restart"
    ),
    "Container.service": _maybe(_NAME),
    "Container.project": _maybe(_text(r"[a-z0-9][a-z0-9_-]*", "no project of Compose")),
    "Container.home_dir": _maybe(_PATH),
    "Guard.values": _text(r"[A-Za-z0-9/._:-]+", "no word of Docker's"),
    "Container.models_path": _PATH,
    "Container.home_path": _PATH,
    "Container.start_seconds": _SECONDS,
    "Container.port": _number("no port: these are 1 to 65535", 1, 65535),
}
_NO_CPUS: Final = "no list of CPUs or nodes"
_CPUS: Final = _Form(
    lambda value: isinstance(value, str) and re.fullmatch(CPU_LIST, value) and cpu_list(value),
    _NO_CPUS,
)
_POLICIES: Final = ("default", "preferred", "bind", "interleave", "local")
_LIMITS: Final = {
    "cpu_quota": _number("no cpu_quota", 1),
    "cpu_weight": _number("no cpu_weight: these are 1 to 10000", 1, 10000),
    "allowed_cpus": _CPUS,
    "memory_max": _bound("no memory_max", 1),
    "memory_high": _bound("no memory_high", 1),
    "memory_swap_max": _bound("no memory_swap_max", 0),
    "numa_policy": _Form(_POLICIES.__contains__, "no numa_policy"),
    "numa_mask": _CPUS,
    "io_weight": _number("no io_weight: these are 1 to 10000", 1, 10000),
    "nice": _number("no nice: these are -20 to 19", -20, 19),
    "tasks_max": _bound("no tasks_max", 1),
    "limit_memlock": _bound("no limit_memlock", 0),
    "oom_score_adjust": _number("no oom_score_adjust: these are -1000 to 1000", -1000, 1000),
}


def faults(plan: Plan) -> Iterator[Problem]:
    """Yield a Problem for each value that a profile could not have led to."""
    yield from _walked(plan, "")
    if 0 < plan.host.threads < plan.host.cores:
        yield _fault("host.threads", plan.host.threads, "fewer than the cores")
    for place, service in enumerate(plan.services):
        yield from _of_service(service, f"services.{place}")
    yield from _twice((service.name for service in plan.services), "services")


def _of_service(service: Service, here: str) -> Iterator[Problem]:
    yield from _listening(service, here)
    if service.engine in ENGINES:
        command = (PROGRAM, *load_signs(service.engine).command[1:])
        if service.command and service.command != command:
            asked = f"not the command of the engine, `{' '.join(command)}`"
            yield _fault(f"{here}.command", " ".join(service.command), asked)
    for place, limit in enumerate(service.limits):
        yield from _limit(limit, f"{here}.limits.{place}")
    for place, setting in enumerate(service.environment):
        if setting.group == "threads" and not re.fullmatch(r"[1-9]\d{0,8}", setting.value):
            yield _fault(f"{here}.environment.{place}.value", setting.value, "no number of threads")
    yield from _twice((s.name for s in service.environment), f"{here}.environment")
    yield from _twice((limit.name for limit in service.limits), f"{here}.limits")
    for place, model in enumerate(service.models):
        if model.modelfile is not None:
            yield from _modelfile(model.modelfile, f"{here}.models.{place}.modelfile")


def _fault(where: str, value: object, fault: str) -> Problem:
    text = str(value)
    shown = text if text.isprintable() else text.encode("unicode_escape").decode()
    about = f"`{shortened(shown)}` is" if text else "is"
    return Problem(where, f"{about} {fault}", AGAIN)


def _walked(record: Any, where: str) -> Iterator[Problem]:  # noqa: ANN401 -- any record of a Plan
    """Yield what is wrong with the values of a record and of those in it, each by itself."""
    for field in dataclasses.fields(record):
        value, key = getattr(record, field.name), f"{type(record).__name__}.{field.name}"
        at = f"{where}.{field.name}" if where else field.name
        whole = _WHOLE_FIELDS.get(key)
        if whole and not whole.fits(value):
            yield _fault(at, " ".join(value), whole.fault)
        many = isinstance(value, tuple)
        for place, part in enumerate(value if many else (value,)):
            yield from _value(part, f"{at}.{place}" if many else at, _FIELDS.get(key))


def _value(value: object, where: str, form: _Form | None) -> Iterator[Problem]:
    if dataclasses.is_dataclass(value):
        yield from _walked(value, where)
    elif form is not None and value is not None:
        if not form.fits(value):
            yield _fault(where, value, form.fault)
    elif isinstance(value, str) and ("\0" in value or _is_half(value)):
        yield _fault(where, value, "no text: it has a NUL, or half of a surrogate pair")


def _is_half(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _listening(service: Service, here: str) -> Iterator[Problem]:
    """Yield where what the server is told is not where it is said to listen."""
    listen = service.listen
    if not is_address(listen.host):
        return
    asked = address(listen.host, listen.port)
    if listen.address != asked:
        fault = f"not `{asked}`, which `host` and `port` ask for"
        yield _fault(f"{here}.listen.address", listen.address, fault)
    for place, setting in enumerate(service.environment):
        if setting.name == listen.variable and setting.value != listen.address:
            fault = f"not `{listen.address}`, where the service is said to listen"
            yield _fault(f"{here}.environment.{place}.value", setting.value, fault)


def _limit(limit: Limit, here: str) -> Iterator[Problem]:
    """Yield what is wrong with a limit, and where its line is not what it asks for."""
    form = _LIMITS.get(limit.name)
    if form is None:
        yield _fault(f"{here}.name", limit.name, "no limit known here")
    elif not form.fits(limit.value):
        yield _fault(f"{here}.value", limit.value, form.fault)
    else:
        directive, written = limit_line(limit.name, limit.value)
        for name, value, asked in (
            ("directive", limit.directive, directive),
            ("written", limit.written, written),
        ):
            if value != asked:
                yield _fault(f"{here}.{name}", value, f"not `{asked}`, which `value` asks for")


def _twice(names: Iterable[str], here: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield _fault(f"{here}.{place}.name", name, "there twice; one of them counts")
        seen.add(name)


def _modelfile(file: Modelfile, here: str) -> Iterator[Problem]:
    if not is_printable(file.text):
        parts = ("head", "lever", "threads", "tail")
        part = next((name for name in parts if not is_printable(getattr(file, name))), "head")
        fault = "no text that a Modelfile can carry: it has invisible characters"
        yield _fault(f"{here}.{part}", "", fault)
