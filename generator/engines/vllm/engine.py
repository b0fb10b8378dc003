"""vLLM as an Engine: its server, and how its decisions are put together.

Its arguments and variables are in data/vllm.toml, as the sources of its releases have them. It was
not run here: the wheels are gigabytes, and want a card.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from generator.engines.base import Asked, Decided, Gateway, Meant, Server, Told
from generator.errors import Finding, Problem
from generator.plan import PROGRAM, Argument, Health, Model, Omission, Setting, Step

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.engines.base import Case, Offer, Running
    from generator.fit.ask import Ask
    from generator.plan import Service
    from generator.profiles.schema import Profile
    from generator.view import View

CACHE: Final = "/var/cache/vllm"
"""Where it keeps what it compiles for a model, which takes minutes."""
# The whole of an image of 10 GB and 16 GB of weights over a line of 50 Mbit/s.
_FIRST_START: Final = 7200
_SHARED: Final = 4 << 30
_ASKS: Final = (
    "import sys, urllib.request as web; sys.exit(web.urlopen(sys.argv[1], timeout=5).status != 200)"
)
SERVER: Final = Server(
    product="vLLM",
    log_line="non-default args",
    models_below=".cache/huggingface",
    installed_models="",
    unit="vllm.service",
    command=(PROGRAM, "serve"),
    health=Health(
        step=Step(argv=("python3", "-c", _ASKS, "http://127.0.0.1:8000/health")),
        interval_seconds=30,
        timeout_seconds=10,
        retries=3,
        start_seconds=1800,
        startup_seconds=10,
        reason="It answers once the model is loaded; a first start downloads it before.",
    ),
    told=Told(
        alive="/version",
        says="version",
        own="/metrics",
        load=("vllm:num_requests_running", "vllm:num_requests_waiting"),
    ),
    program="vllm",
    user="vllm",
    home="/var/lib/vllm",
    address="--host",
    litellm=Gateway(chat="hosted_vllm", embedding="hosted_vllm"),
    binary="/opt/vllm/bin/vllm",
    first_start_seconds=_FIRST_START,
    shm_size=_SHARED,
    read_only=False,
    table="ollama",
    one_store=False,
    writes=(".config", ".triton"),
    kserve=True,
)


def asked(profile: Profile) -> Asked:
    """Return what the table `[ollama]`, which is the intent, asks of any engine."""
    table = profile.ollama
    return Asked(
        version=profile.vllm.version,
        acceleration=table.acceleration,
        host=table.host,
        port=table.port,
        open_firewall=table.open_firewall,
        models_dir=table.models_dir or "",
        locked="",
    )


def decide(case: Case) -> Decided:
    """Return arguments, variables and the model for the case."""
    from generator.engines.vllm.arguments import arguments, moved, parallel
    from generator.engines.vllm.gate import faults
    from generator.engines.vllm.lost import lost
    from generator.engines.vllm.models import models
    from generator.engines.vllm.variables import variables

    chosen = [*faults(case), *models(case), *arguments(case), *variables(case), *lost(case)]
    return Decided(
        environment=tuple(one for one in chosen if isinstance(one, Setting)),
        arguments=tuple(one for one in chosen if isinstance(one, Argument)),
        omissions=tuple(one for one in chosen if isinstance(one, Omission)),
        cache=CACHE,
        gpus=parallel(case)[0],
        shared=moved(case),
        models=tuple(one for one in chosen if isinstance(one, Model)),
        jobs=(),
        offered=(),
        findings=tuple(one for one in chosen if isinstance(one, Finding)),
        problems=tuple(one for one in chosen if isinstance(one, Problem)),
    )


def offer(service: Service, facts: Facts) -> Offer:
    """Return what a front needs to know of a server."""
    from generator.engines.vllm import front

    return front.offer(service, facts)


def meant(name: str, value: str, facts: Facts) -> Meant:  # noqa: ARG001 -- of every engine
    """Return what a profile says for a variable of a server: files of vLLM are not imported."""
    return Meant(why="is of vLLM, whose files are not imported", fix=f"write it as vllm.env.{name}")


def ask_of(view: View, facts: Facts) -> Ask:
    """Return what the service of a View asks for."""
    from generator.engines.vllm.scheduler import ask_of as asked_of

    return asked_of(view, facts)


def turn(load: tuple[str, ...], unload: tuple[str, ...]) -> None:
    """Return nothing: a server has the model that it has started with."""


def running(facts: Facts) -> Running:
    """Return what is so of a vLLM of a release; a running one is not compared."""
    from generator.engines.vllm.running import RunningVllm

    return cast("Running", RunningVllm(facts))
