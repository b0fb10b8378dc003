"""`gen fit`."""

from __future__ import annotations

import dataclasses
import os
import stat
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.machine_option import (
    Machine,
    disk_meant,
    machine_document,
    machine_options,
    with_used,
)
from generator.cli.options import (
    Misuse,
    filled_option,
    html_option,
    instance_option,
    json_option,
    profile_if_named,
    release_option,
    seconds_of,
    set_option,
)
from generator.cli.streams import STDIO, keyed, print_json
from generator.cli.talk import coloured, printable, say, visible, word
from generator.engines import ENGINES
from generator.errors import HostwrightError
from generator.fit.ask import UNBOUNDED
from generator.fit.purposes import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.fit.assess import Assessment, Question
    from generator.fit.choose import Candidate
    from generator.fit.measured import Measured
    from generator.fit.verdict import ModelFit, Room
    from generator.fit.ways import Way
    from generator.plan import Plan
    from generator.profiles.document import Document

EXAMPLES: Final = """
\b
Examples:
  gen fit                                   what fits on this machine
  gen fit --gpu "RTX 4090" -m qwen3:30b     on a machine with such a card
  gen fit --like dgx-spark --ram 64GiB
  gen fit xeon-cpu                          its models, and what else fits
  gen fit xeon-cpu --model llama3.1:8b
  gen fit dual-pascal --model llama3.1:8b:Q8_0 --context 16384
  gen fit dgx-spark --model gpt-oss:120b --parallel 4 --json
  gen fit ./my-host.toml --gguf ./model.gguf
  gen fit dgx-spark --server http://spark:11434 --model mine
  gen fit dgx-spark --engine vllm            what one server of vLLM holds
  gen fit --html fit.html                   a page to look at

\b
Exit codes: 0 it fits; 1 it does not; 2 bad usage, profile or input; 3 the
environment failed (server unreachable, file cannot be read).
"""
LAYERS: Final = "gpu.layers"
KV_TYPES: Final = click.Choice(
    ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
)


@click.command(name="fit", epilog=EXAMPLES)
@profile_if_named
@machine_options
@click.option(
    "-m", "--model", "models", multiple=True, metavar="M[:QUANT]",
    help="A model of the library, like llama3.1:8b:Q5_K_M; repeatable.",
)  # fmt: skip
@click.option(
    "--for", "purpose", type=click.Choice(PURPOSES), default=PURPOSES[0],
    help="What a model is wanted for, where none is named.  [default: chat]",
)  # fmt: skip
@click.option("--all", "every", is_flag=True, help="All models that fit, not the first ten.")
@click.option(
    "--quantisations",
    is_flag=True,
    help="Of each --model every quantisation: size, loss, what fits, how fast.",
)
@filled_option(
    "--together",
    metavar="A,B,…",
    example="qwen3:8b,nomic-embed-text",
    text="Models that shall stay loaded side by side, each at the best quantisation.",
)
@click.option(
    "--engine", type=click.Choice([*ENGINES]), help="The server.  [default: as the profile says]"
)
@click.option("--context", type=click.IntRange(4, 1 << 24), help="Tokens of context per slot.")
@click.option("--parallel", "slots", type=click.IntRange(1, 256), help="Request slots per model.")
@click.option("--kv-cache-type", "cache_type", type=KV_TYPES, help="Element type of the KV cache.")
@filled_option(
    "--gguf",
    metavar="FILE",
    example="model.gguf",
    text="The exact shape, from the header of a GGUF file.",
)
@filled_option(
    "--server",
    metavar="URL",
    example="http://host:11434",
    text="The exact shapes, from an Ollama server.",
)
@filled_option(
    "--timeout",
    metavar="TIME",
    example="10s",
    text="How long the server has for all its answers.  [default: 10s]",
)
@click.option(
    "--no-measured",
    "unmeasured",
    is_flag=True,
    help="Estimates alone, without what `gen bench --remember` keeps beside the profile.",
)
@filled_option(
    "--vram-used",
    metavar="SIZE,...",
    example="1GiB,0",
    text="What others hold of each card, in the profile's order; wins over its `reserved`.",
)
@filled_option(
    "--disk",
    metavar="DISK",
    example="nvme",
    text="What models are read from: nvme, ssd, hdd, network, or a rate like 500MB/s.",
)
@release_option("Release or line that runs, like 0.32.  [default: newest known]")
@set_option
@instance_option
@html_option
@json_option
def command(
    profile: str | None,
    machine: Machine,
    version: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
    every: bool,
    vram_used: str | None,
    html: str | None,
    unmeasured: bool,
    engine: str | None,
    **asked: Any,  # noqa: ANN401 -- a Question, with what it is about
) -> None:
    """What fits: weights, KV cache and buffers on each device of a host.

    The host is that of a profile; without one it is this machine, or what --gpu and the like say.
    Also what Ollama's scheduler will do, the largest context and the most slots. Without --model,
    --gguf or --server: the profile's own models, and which others fit.
    """
    if machine.assumed and profile is None:
        say(f"{word('warning')} {machine.assumed}")
    overrides = (*overrides, *([f"engine={engine}"] if engine else []))
    asked["disk"] = _disk(asked["disk"]) or disk_meant(profile, machine)
    document = with_used(machine_document(profile, machine, overrides), vram_used)
    asked["measured"] = () if unmeasured or profile is None else _measured(profile)
    question = _question(profile, **asked)
    plan = _plan(document, version, question)
    name = plan.service.name if html is not None else ""
    each = {part.services[0].name: assess_plan(part, question) for part in plan.parts}
    if html is not None:
        from generator.cli.fit_page import as_page
        from generator.cli.writing import write_page

        write_page(as_page(each[name], every=every), html)
    for warning in dict.fromkeys(warning for found in each.values() for warning in found.warnings):
        say(f"{word('warning')} {visible(warning)}")
    if html != STDIO:
        _print_all(each, plan.host.memory, every=every, as_json=as_json)
    short = any(found.fails for found in each.values()) or _is_short(each, plan.host.memory)
    click.get_current_context().exit(1 if short else 0)


def _is_short(each: Mapping[str, Assessment], memory: int) -> bool:
    """Return whether the host has too little memory for all servers together."""
    from generator.fit.assess import held_on_host

    return len(each) > 1 and 0 < memory < held_on_host(each.values())


def _print_all(each: Mapping[str, Assessment], memory: int, *, every: bool, as_json: bool) -> None:
    """Print what fits of each server, under its name where there are several, and of all."""
    from generator.cli.fit_text import of_all_text
    from generator.fit.assess import held_on_host

    if as_json and len(each) > 1:
        print_json(
            services=[{"service": name} | _data(found) for name, found in each.items()],
            host={"needed": held_on_host(each.values()), "memory": memory or None},
        )
        return
    for number, (name, found) in enumerate(each.items()):
        if as_json:
            print_json(**_data(found))
            continue
        if len(each) > 1:
            click.echo(f"{chr(10) * bool(number)}── {name}")
        print_assessment(found, every=every)
    if len(each) > 1 and not as_json and (needed := held_on_host(each.values())):
        click.echo(f"\n── all servers\n{of_all_text(needed, memory)}")


def _question(
    profile: str | None,
    *,
    gguf: str | None,
    together: str | None,
    timeout: str | None,
    **asked: Any,  # noqa: ANN401
) -> Question:
    from generator.fit.assess import Question

    if asked["quantisations"] and (not asked["models"] or asked["server"]):
        hint = "name a model of the library"
        raise Misuse("--quantisations needs --model", hint, where="--quantisations")
    asked["resident"] = tuple(name.strip() for name in together.split(",")) if together else ()
    if timeout is not None and not asked["server"]:
        raise Misuse("--timeout is about a server", "name it by --server", where="--timeout")

    if asked["server"] and gguf:
        raise Misuse("--gguf and --server are two sources", "name one of them", where="--gguf")
    if asked["server"] and not asked["models"]:
        raise Misuse("--server needs --model", "name a model that the server has", where="--server")
    if gguf == profile == STDIO:
        raise Misuse("`-` stands twice for stdin", "name a file in one place", where="--gguf")
    if timeout is not None:
        asked["timeout"] = seconds_of(timeout, "--timeout")
    return Question(gguf=_redirected() if gguf == STDIO else gguf, **asked)


def _measured(profile: str) -> tuple[Measured, ...]:
    """Return what `gen bench` keeps beside a profile."""
    if profile == STDIO:
        return ()
    from generator.bench.remembered import remembered, remembered_beside

    return remembered(remembered_beside(profile))


def _disk(text: str | None) -> str | int:
    from generator.fit.load_time import KINDS, disk_of

    try:
        return disk_of(text) if text else ""
    except ValueError as error:
        kinds = ", ".join(KINDS)
        raise Misuse(str(error), f"write {kinds}, or 500MB/s", where="--disk") from None


def _redirected() -> str:
    """Return the path of a file that stdin is: its header says where to read on, a pipe cannot."""
    if not stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
        raise HostwrightError(
            "a GGUF file cannot be read from a pipe", hint="name it, or write --gguf - < FILE"
        )
    return "/dev/stdin"


def _plan(document: Document, release: str | None, question: Question) -> Plan:
    """Return the Plan of a profile; what is not carried over is said."""
    from generator.pipeline import plan_of

    plan = plan_of(document, version=release)
    for warning in dict.fromkeys(w for part in plan.parts for w in _not_carried(part, question)):
        say(f"{word('warning')} {visible(warning)}")
    return plan


def assess_document(document: Document, release: str | None, question: Question) -> Assessment:
    """Return what fits on the host of a profile; what is not carried over is said."""
    return assess_plan(_plan(document, release, question), question)


def assess_plan(plan: Plan, question: Question) -> Assessment:
    """Return what fits on the host of a Plan."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.engines import load_engine
    from generator.fit.assess import assess
    from generator.readers.plan.view import loading_view

    models = plan.service.models
    own = [(model.name, {p.name: p.value for p in model.parameters}) for model in models]
    view = loading_view(plan)
    facts = load_catalogue().at(view.engine, view.release)
    return assess(view, own, load_engine(view.engine).ask_of(view, facts), question)


def _not_carried(plan: Plan, question: Question) -> Iterator[str]:
    """Yield why the number of layers of a profile has no effect on what is asked about."""
    models = plan.service.models
    carriers = [m.name for m in models if any(p.key == LAYERS for p in m.parameters)]
    others = [name for name in question.models if name not in carriers]
    if carriers and others:
        some = ", ".join(f"`{name}`" for name in others)
        yield f"{LAYERS}: in this release a model carries it, and {some} is none of the profile's"
    yield from (f"{f.where}: {f.message}" for f in plan.remarks if f.where == LAYERS)


def print_assessment(found: Assessment, *, every: bool) -> None:
    """Print what fits, for people; `every`: all models that do."""
    from generator.cli.fit_text import (
        MOST,
        choices_text,
        context_text,
        loaded_text,
        model_text,
        quantisations_text,
        together_text,
        ways_text,
    )

    parts = []
    for fit, ways in zip(found.fits, found.ways, strict=True):
        if not found.quantisations:
            parts.append(model_text(fit, found.ask, found.host))
            parts += [ways_text(ways)] if ways else []
    if found.quantisations:
        parts.append(quantisations_text(found.quantisations))
    if found.together and (len(found.together.loaded) > 1 or found.together.evicting):
        parts.append(together_text(found.together))
    if found.choices is not None:
        most = len(found.choices) if every else MOST
        parts.append(choices_text(found.choices, most))
        if not found.ask.context_told:
            parts.append(context_text(found.ask))
    if found.loaded is not None:
        parts.append(loaded_text(found.loaded))
    click.echo(printable("\n\n".join(parts)), color=coloured())


def _data(found: Assessment) -> dict[str, object]:
    """Return the verdicts as JSON has them; sizes are bytes."""
    together = found.together
    return {
        "release": str(found.ask.facts.at),
        "models": [model_data(fit) for fit in found.fits],
        "together": together
        and {
            "loaded": together.loaded,
            "evicting": together.evicting,
            "verdict": together.word,
            "rooms": [_room(room) for room in together.rooms],
        },
        "choices": [_choice(choice) for choice in found.choices or ()],
        "quantisations": [_choice(choice) for choice in found.quantisations],
        "ways": [[_way(way) for way in several] for several in found.ways],
        "loaded": found.loaded and keyed(("model", "size", "on_gpus"), found.loaded),
        "warnings": found.warnings,
    }


def model_data(fit: ModelFit) -> dict[str, object]:
    """Return a verdict as JSON carries it."""
    shape = fit.shape
    return {
        "model": shape.name,
        "quantisation": shape.quantisation,
        "architecture": shape.architecture,
        "load": fit.load,
        "verdict": fit.word,
        "why": fit.why,
        "placement": fit.placement,
        "rooms": [_room(room) for room in fit.rooms],
        "largest_context": fit.largest_context,
        "context_split": fit.context_split,
        "most_slots": fit.most_slots,
        "kv_is_upper_bound": shape.cache_bound,
        "remarks": list(shape.remarks),
        "source": shape.source,
        "speed": fit.speed,
        "load_time": fit.load_time,
        "corrected": fit.corrected,
    }


def _choice(choice: Candidate) -> dict[str, object]:
    return {
        **model_data(choice.fit),
        "best": choice.best,
        "recommended": choice.recommended,
        "loss": choice.loss,
        "why": choice.why or choice.advice,
    }


def _way(way: Way) -> dict[str, object]:
    changed = ("quantisation", "cache_type", "slots", "context", "gpu", "beside", "memory", "loss")
    return {**{name: getattr(way, name) for name in changed}, "fit": model_data(way.fit)}


def _room(room: Room) -> dict[str, object]:
    return {
        "name": room.name,
        **dataclasses.asdict(room.need),
        "needed": room.need.total,
        "memory": room.total,
        "reserved": room.reserved,
        "left": room.left if room.total else None,
        "limit": room.limit_name,
        "may_grow_by": room.grows if room.grows < UNBOUNDED else None,
        "verdict": room.word,
    }
