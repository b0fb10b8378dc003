"""The jobs beside the server: models to pull and to create, warm-up, and what a suspend needs."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from generator.engines.base import Turn
from generator.engines.ollama.answers import ANSWERS
from generator.errors import Problem
from generator.meaning import parse_go_duration
from generator.plan import ADDRESS, MODEL, MODELFILES, MODELS, PROGRAM, Job, Step, Variable, shell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.engines.base import Case
    from generator.plan import Devices, Model
    from generator.profiles.schema import Profile

RETRY_SECONDS: Final = 30
TRIES: Final = 5
# $1 is the ollama program, $2 a model. A registry out of reach fails nothing that is there, and a
# restart downloads nothing new.
FETCH: Final = '"$1" show "$2" >/dev/null 2>&1 || "$1" pull "$2"'
# Without a prompt and a terminal `run` only loads; before a model is there it would pull. With a
# prompt it ends after the first character of the answer, for nobody reads on.
RUN: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: '"$ollama" run "$model" </dev/null',
        1: '{ [ "$("$ollama" run "$model" . </dev/null | head -c 1 | wc -c)" -eq 1 ]; }',
    }
)
# $1 is the ollama program, the others are models. One command for all of them, because systemd
# bounds each command on its own. /proc/uptime is a clock that nobody sets, in hundredths of a
# second; `ps` tells the context. What `run` shows meanwhile is for a terminal, so that of it only
# the error is told.
LOAD: Final = (
    "ollama=$1; shift; for model; do "
    'until "$ollama" show "$model" >/dev/null 2>&1; do sleep 5; done; '
    'echo "$model: loading"; read -r from _ </proc/uptime; '
    "if told=$({run} 2>&1 >/dev/null); then read -r to _ </proc/uptime; "
    'echo "$model: loaded, load_duration '
    '$(((${{to%.*}}${{to#*.}} - ${{from%.*}}${{from#*.}}) * 10)) ms"; "$ollama" ps "$model" || :; '
    'else echo "$model: cannot load: ${{told#*Error: }}"; fi; done'
)
# Of one that is not loaded, or not there, nothing is to be done.
UNLOAD: Final = 'ollama=$1; shift; for model; do "$ollama" stop "$model" || :; done'
# Remembers over a suspend whether the server ran, so that one that was stopped stays stopped.
BEFORE_SLEEP: Final = (
    "if systemctl --quiet is-active ollama.service; then touch /run/ollama-resume; "
    "systemctl stop ollama.service; fi"
)
AFTER_SLEEP: Final = (
    "modprobe --remove nvidia_uvm; modprobe nvidia_uvm; if [ -e /run/ollama-resume ]; then "
    "rm /run/ollama-resume; systemctl --no-block start ollama.service; fi"
)
# The same for whoever asks again where it fails: $1 is the ollama program, the others are models.
LOADED: Final = "ollama=$1; shift; for model; do {run} >/dev/null || exit 1; done"
# The same for several servers, whose units are the arguments: the module is in use by all of them.
BEFORE_SLEEP_OF_ALL: Final = (
    'for unit; do if systemctl --quiet is-active "$unit"; then touch "/run/resume-$unit"; '
    'systemctl stop "$unit"; fi; done'
)
AFTER_SLEEP_OF_ALL: Final = (
    "modprobe --remove nvidia_uvm; modprobe nvidia_uvm; "
    'for unit; do if [ -e "/run/resume-$unit" ]; then rm "/run/resume-$unit"; '
    'systemctl --no-block start "$unit"; fi; done'
)
_CLIENT: Final = (
    Variable(
        name="HOME",
        value="/tmp",  # noqa: S108 -- private to the job
        reason="The client makes a key there; the directory is private.",
    ),
    Variable(name="OLLAMA_HOST", value=ADDRESS),
)


def jobs(case: Case, models: tuple[Model, ...]) -> tuple[Job, ...]:
    """Return the jobs, in the order in which they run."""
    profile = case.profile
    created = tuple(model for model in models if model.serve_as)
    found = [_pull(case, models)] if models else []
    found += [_create(case, created, found)] if created else []
    warm = _warm_models(profile, models)
    found += [_warmup(case, warm, found)] if warm else []
    found += [_resume(case)] if profile.service.resume_fix else []
    return tuple(found)


def turn(load: tuple[str, ...], unload: tuple[str, ...]) -> Turn:
    """Return how models take the place of others, once the server answers."""
    steps = [shell(ANSWERS, PROGRAM)]
    steps += [shell(UNLOAD, PROGRAM, *unload)] if unload else []
    steps += [shell(LOAD.format(run=RUN[0]), PROGRAM, *load)] if load else []
    return Turn(tuple(steps), _CLIENT)


def faults(profile: Profile, devices: Devices | None) -> Iterator[Problem]:
    """Yield what no job can do."""
    if warms(profile) and not profile.models:
        yield Problem("warmup.enable", "there is no model to load", "add a `[[models]]` table")
    if profile.service.resume_fix and (devices is None or devices.vendor != "nvidia"):
        message = "is about NVIDIA GPUs, and this profile uses none"
        yield Problem("service.resume_fix", message, "remove it")


def offered(case: Case, asked: tuple[Job, ...]) -> tuple[Job, ...]:
    """Return the jobs for models that the profile does not name, ready for a host that does."""
    kinds = {job.kind for job in asked}
    found = [] if "pull" in kinds else [_pull(case, ())]
    if "warmup" not in kinds:
        before = [job for job in (*found, *asked) if job.kind in {"pull", "create"}]
        found.append(_warmup(case, (), before))
    return tuple(found)


def _pull(case: Case, models: tuple[Model, ...]) -> Job:
    return _client(
        case,
        "pull",
        description="Pull the models of this host",
        reason="Downloads what is missing; it does not load anything.",
        steps=(shell(FETCH, PROGRAM, MODEL),),
        models=tuple(dict.fromkeys(model.name for model in models)),
        after=(case.unit, "network-online.target"),
        wants=("network-online.target",),
    )


def _create(case: Case, models: tuple[Model, ...], before: list[Job]) -> Job:
    return _client(
        case,
        "create",
        description="Create the tuned models of this host",
        reason="Parameters that no environment variable sets live in the model.",
        steps=tuple(
            Step(argv=(PROGRAM, "create", one.served, "-f", f"{MODELFILES}/{one.modelfile.file}"))
            for one in models
            if one.modelfile
        ),
        models=tuple(model.served for model in models),
        after=(case.unit, *(job.unit for job in before)),
    )


def warms(profile: Profile) -> bool:
    """Return whether the profile wants models loaded after the server has started."""
    if profile.warmup.enable is None:
        return any(model.preload for model in profile.models)
    return profile.warmup.enable


def _warm_models(profile: Profile, models: tuple[Model, ...]) -> tuple[str, ...]:
    if not warms(profile):
        return ()
    pairs = zip(models, profile.models, strict=True)
    preload = tuple(model.served for model, choice in pairs if choice.preload)
    main = tuple(model.served for model in models if model.role == "main")
    return preload or main[:1] or tuple(model.served for model in models[:1])


def _warmup(case: Case, models: tuple[str, ...], before: list[Job]) -> Job:
    tokens = _tokens(case)
    first = " A token of each has the driver compile kernels now." if tokens else ""
    return _client(
        case,
        "warmup",
        description="Load models into memory",
        reason="The first request finds the model loaded; a failure here leaves the server alone."
        + first,
        steps=(shell(LOAD.format(run=RUN[tokens]), PROGRAM, MODELS),),
        models=models,
        tokens=tokens,
        probe=shell(LOADED.format(run=RUN[tokens]), PROGRAM, MODELS),
        timeout_seconds=-(-parse_go_duration(case.profile.warmup.timeout) // 10**9),
        after=(case.unit, *(job.unit for job in before)),
    )


def _tokens(case: Case) -> int:
    """Return how many tokens a model computes after loading: those that compile its kernels."""
    asked = case.profile.warmup.tokens
    return int(case.compiles) if asked is None else asked


def _client(case: Case, kind: Any, **fields: Any) -> Job:  # noqa: ANN401 -- the fields of a Job
    """Return a job that talks to the server, each time after the server has started."""
    name = f"{case.stem}-{kind}"
    return Job(
        kind=kind,
        name=name,
        unit=f"{name}.service",
        wait=shell(ANSWERS, PROGRAM),
        environment=_CLIENT,
        retry_seconds=RETRY_SECONDS,
        tries=TRIES,
        part_of=(case.unit,),
        wanted_by=(case.unit,),
        **fields,
    )


def _resume(case: Case) -> Job:
    before, after = shell(BEFORE_SLEEP, where="host"), shell(AFTER_SLEEP, where="host")
    if len(case.units) > 1:
        before = shell(BEFORE_SLEEP_OF_ALL, *case.units, where="host")
        after = shell(AFTER_SLEEP_OF_ALL, *case.units, where="host")
    return Job(
        kind="resume",
        name="ollama-resume",
        unit="ollama-resume.service",
        description="Reload the NVIDIA memory module around a suspend",
        reason="After a resume the server would find no GPU and compute on the CPU (ollama#5464).",
        steps=(before,),
        stop_steps=(after,),
        programs=("modprobe",),
        before=("sleep.target",),
        wanted_by=("sleep.target",),
        remain_after_exit=True,
        stop_when_unneeded=True,
    )
