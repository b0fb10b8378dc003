"""Ollama as an Engine: its server, and how its decisions are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.base import Asked, Decided, Gateway, Server, Told
from generator.engines.ollama.answers import GATE, GATE_SECONDS
from generator.engines.ollama.api import METRICS, TAGS, VERSION
from generator.engines.ollama.loads import RUNNER
from generator.errors import Finding, Problem
from generator.meaning import parse_go_duration
from generator.plan import PROGRAM, Api, Health, Model, Omission, Parameter, Setting, Step, shell

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.engines.base import Case, Meant, Offer, Running, Turn
    from generator.fit.ask import Ask
    from generator.plan import Service
    from generator.profiles.schema import Profile
    from generator.view import View

SERVER: Final = Server(
    product="Ollama",
    log_line="server config",
    models_below=".ollama/models",
    installed_models="/usr/share/ollama/.ollama/models",
    installed_restart=("always", 3),
    unit="ollama.service",
    command=(PROGRAM, "serve"),
    health=Health(
        step=Step(argv=(PROGRAM, "list")),
        gate=shell(GATE, PROGRAM, seconds=GATE_SECONDS),
        interval_seconds=30,
        timeout_seconds=10,
        retries=3,
        start_seconds=30,
        startup_seconds=2,
        reason="The image has no curl; the program itself asks the server, and loads no model.",
    ),
    api=Api(release=VERSION, models=TAGS),
    told=Told(
        alive=VERSION,
        says="version",
        loaded="/api/ps",
        installed=TAGS,
        show="/api/show",
        runner=RUNNER,
        metrics="/metrics",
        variable=METRICS,
    ),
    program="ollama",
    user="ollama",
    home="/var/lib/ollama",
    address="OLLAMA_HOST",
    litellm=Gateway(chat="ollama_chat", embedding="ollama", path=""),
)


def asked(profile: Profile) -> Asked:
    """Return what the table `[ollama]` asks of any engine."""
    table, name = profile.ollama, "LLAMA_ARG_MLOCK"
    locked = f"{name} locks the model in memory, which needs this." if name in table.env else ""
    return Asked(
        version=table.version,
        acceleration=table.acceleration,
        host=table.host,
        port=table.port,
        open_firewall=table.open_firewall,
        models_dir=table.models_dir or "",
        locked=locked,
        kept=table.keep_alive is not None and parse_go_duration(table.keep_alive) < 0,
    )


def decide(case: Case) -> Decided:
    """Return variables, models and jobs for the case."""
    # Who asks for the scheduler alone does not load them.
    from generator.engines.ollama import build, compute, context, jobs, models, variables
    from generator.engines.ollama.decision import doubled, environment, only
    from generator.engines.ollama.reading import read_as
    from generator.engines.ollama.rules.helpers.values import PREFIX

    built, faulty = build.decide(case)
    chosen = [
        *compute.gpus(case),
        *build.variables(case, built),
        *compute.threads(case),
        *variables.decide(case),
    ]
    chosen += context.decide(case, only(Setting, chosen))
    chosen += models.decide(case, only(Parameter, chosen))
    served = only(Model, chosen)
    beside = jobs.jobs(case, served)
    faults = (
        *faulty,
        *doubled(chosen),
        *models.faults(served),
        *jobs.faults(case.profile, case.devices),
    )
    every = (*variables.connection(case), *environment(chosen))
    settings = tuple(read_as(setting, case.facts) for setting in every)
    return Decided(
        environment=settings,
        build=built,
        cache=next(
            (s.value for s in settings if s.name == compute.CACHE and s.source == "derived"), ""
        ),
        runner=RUNNER if any(s.name.startswith(PREFIX) for s in settings) else "",
        omissions=only(Omission, chosen),
        models=served,
        jobs=beside,
        offered=jobs.offered(case, beside),
        findings=only(Finding, chosen),
        problems=(*only(Problem, chosen), *faults),
    )


def meant(name: str, value: str, facts: Facts) -> Meant:
    """Return what a profile says for a variable of a server."""
    # Only an import asks.
    from generator.engines.ollama import meant as inverse

    return inverse.meant(name, value, facts)


def ask_of(view: View, facts: Facts) -> Ask:
    """Return what the service of a View asks of the scheduler."""
    from generator.engines.ollama.scheduler import ask

    return ask.ask_of(view, facts)


def turn(load: tuple[str, ...], unload: tuple[str, ...]) -> Turn:
    """Return how models take the place of others."""
    from generator.engines.ollama import jobs

    return jobs.turn(load, unload)


def running(facts: Facts) -> Running:
    """Return what is so of a running Ollama of a release."""
    from generator.engines.ollama.running import RunningOllama

    return RunningOllama(facts)


def offer(service: Service, facts: Facts) -> Offer:
    """Return what a front needs to know of a server."""
    from generator.engines.ollama import front

    return front.offer(service, facts)
