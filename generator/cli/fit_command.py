"""`gen fit`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import click

from generator.cli.options import json_option, profile_option
from generator.cli.talk import say, word
from generator.errors import Problem, ProfileError

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit
    from generator.plan import Plan
    from generator.profiles.schema import Profile

EXAMPLES: Final = """
\b
Examples:
  gen fit --profile xeon-cpu                  its models, and what else fits
  gen fit --profile xeon-cpu --model llama3.1:8b
  gen fit --profile dual-pascal --model llama3.1:8b:Q8_0 --context 16384
  gen fit --profile dgx-spark --model gpt-oss:120b --parallel 4 --json
  gen fit --profile ./my-host.toml --gguf ./model.gguf
  gen fit --profile dgx-spark --server http://spark:11434 --model mine

\b
Exit codes: 0 it fits; 1 it does not; 2 bad usage, profile or input; 3 the
environment failed (server unreachable, package `gguf` missing).
"""
KV_TYPES: Final = ("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")


@click.command(name="fit", epilog=EXAMPLES)
@profile_option
@click.option(
    "-m", "--model", "models", multiple=True, metavar="M[:QUANT]",
    help="A model of the library, like llama3.1:8b:Q5_K_M; repeatable.",
)  # fmt: skip
@click.option("--context", type=click.IntRange(4, 1 << 24), help="Tokens of context per slot.")
@click.option("--parallel", type=click.IntRange(1, 256), help="Request slots per model.")
@click.option("--kv-cache-type", type=click.Choice(KV_TYPES), help="Element type of the KV cache.")
@click.option("--gguf", metavar="FILE", help="The exact shape, from the header of a GGUF file.")
@click.option("--server", metavar="URL", help="The exact shapes, from an Ollama server.")
@click.option(
    "--ollama-version", metavar="RELEASE",
    help="Release or line that runs, like 0.32.  [default: newest known]",
)  # fmt: skip
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Override a profile value; repeatable.",
)  # fmt: skip
@json_option
@click.pass_context
def command(ctx: click.Context, /, profile: str | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401
    """What fits: weights, KV cache and buffers on each device of a host.

    Also what Ollama's scheduler will do, the largest context and the most slots. Without --model,
    --gguf or --server: the profile's own models, and which others fit.
    """
    if profile is None:
        raise click.UsageError("name a profile: --profile NAME or --profile PATH")
    if options["server"] and options["gguf"]:
        raise click.UsageError("--gguf and --server are two sources: name one of them")
    if options["server"] and not options["models"]:
        raise click.UsageError("--server needs --model: a model that the server has")
    bench = _Bench(profile, options)
    named = bool(options["models"] or options["gguf"])
    shapes = bench.named_shapes() if named else bench.own_shapes()
    _tell_age(bench, shapes)
    report = _Report(bench, shapes, catalogue_too=not named)
    report.print_json() if as_json else report.print_text()
    ctx.exit(1 if report.fails else 0)


class _Bench:
    """The machine, the service and the Catalogue that a command is about."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        from generator.catalogue.catalogue import load_catalogue
        from generator.fit.ask import ask_of
        from generator.fit.host import host_of
        from generator.resolve.host import host_facts
        from generator.resolve.view import view_of

        self.options = options
        self.plan, profile = _decided(name, options)
        catalogue = load_catalogue()
        view = view_of(self.plan, profile, host_facts(profile.host, catalogue.at("ollama")))
        self.facts: Facts = catalogue.at("ollama", view.release)
        self.host: Host = host_of(view)
        self.ask: Ask = _asked(ask_of(view, self.facts), options)
        if not self.host.devices and not self.host.limit:
            hint = "add `memory` under `[host]`, or --set host.memory=32GiB"
            raise ProfileError(
                self.plan.source, (Problem("host.memory", "nothing says what the host has", hint),)
            )

    def own_shapes(self) -> list[tuple[Shape, Ask]]:
        """Return the profile's models, each with the parameters it sets; unknown ones are told."""
        from generator.fit.pick import pick

        found = []
        for model in self.plan.models:
            shape = pick(model.name, self.facts)
            if isinstance(shape, Problem):
                say(f"{word('warning')} models: {shape.message}")
                continue
            found.append((shape, _tuned(self.ask, {p.name: p.value for p in model.parameters})))
        return found

    def named_shapes(self) -> list[tuple[Shape, Ask]]:
        """Return the models of the command line. Raises ProfileError with all that is wrong."""
        from generator.fit.pick import pick

        shapes: list[Shape] = []
        problems: list[Problem] = []
        for name in self.options["models"]:
            if self.options["server"]:
                from generator.fit.server import shape_of_server

                shapes.append(shape_of_server(self.options["server"], name, self.facts))
                continue
            found = pick(name, self.facts)
            problems.append(found) if isinstance(found, Problem) else shapes.append(found)
        if problems:
            raise ProfileError("the command line", tuple(problems))
        if self.options["gguf"]:
            from generator.fit.header import shape_of_file

            shapes.append(shape_of_file(self.options["gguf"], self.facts))
        return [(shape, self.ask) for shape in shapes]


def _decided(name: str, options: dict[str, Any]) -> tuple[Plan, Profile]:
    from generator.pipeline import plan_of
    from generator.profiles.load import load_profile

    version, overrides = options["ollama_version"], options["overrides"]
    if version == "":
        raise click.UsageError("--ollama-version names no release: write one, like 0.32")
    return plan_of(name, overrides, version=version), load_profile(name, overrides)


def _tell_age(bench: _Bench, shapes: list[tuple[Shape, Ask]]) -> None:
    """Tell of models that are younger than the release."""
    from generator.fit.pick import loads

    release = bench.ask.release
    for shape, _ in shapes:
        if not loads(shape.name, shape.architecture, bench.facts):
            say(f"{word('warning')} Ollama {release} cannot load `{shape.name}` yet")


def _asked(ask: Ask, options: dict[str, Any]) -> Ask:
    from generator.fit.kv import PLAIN

    quantised = (options["kv_cache_type"] or "f16") not in PLAIN
    changes = {
        "context": options["context"],
        "slots": options["parallel"],
        "cache_type": options["kv_cache_type"],
        # As the key of the profile does: a quantised cache asks for flash attention.
        "flash_attention": True if quantised and ask.flash_attention is None else None,
    }
    return dataclasses.replace(ask, **{k: v for k, v in changes.items() if v is not None})


def _tuned(ask: Ask, parameters: dict[str, str]) -> Ask:
    """Return the ask of a model whose Modelfile sets `num_ctx` or `num_gpu`."""
    context, layers = parameters.get("num_ctx", ""), parameters.get("num_gpu", "")
    if context.isdigit() and int(context):
        ask = dataclasses.replace(ask, context=int(context))
    return dataclasses.replace(ask, layers=int(layers)) if layers.isdigit() else ask


class _Report:
    """The verdicts, and how they are told."""

    def __init__(
        self, bench: _Bench, shapes: list[tuple[Shape, Ask]], *, catalogue_too: bool
    ) -> None:
        from generator.fit.choose import choices
        from generator.fit.together import together
        from generator.fit.verdict import judge, single_slot

        self.bench = bench
        self.fits: list[ModelFit] = [
            judge(shape, ask, bench.host, slots_max=single_slot(shape.name, bench.facts))
            for shape, ask in shapes
        ]
        several = len(shapes) > 1 and bench.ask.loaded > 1
        self.together = (
            together([shape for shape, _ in shapes], bench.ask, bench.host) if several else None
        )
        self.choices = choices(bench.ask, bench.host, bench.facts) if catalogue_too else ()
        self.listed = catalogue_too

    @property
    def fails(self) -> bool:
        """Whether anything that was asked about does not fit."""
        over = self.together is not None and self.together.word == "does not fit"
        return over or any(fit.word == "does not fit" for fit in self.fits)

    def print_text(self) -> None:
        from generator.cli.fit_text import choices_text, loaded_text, model_text, together_text

        parts = [model_text(fit, self.bench.ask, self.bench.host) for fit in self.fits]
        if self.together and (len(self.together.loaded) > 1 or self.together.evicting):
            parts.append(together_text(self.together))
        if self.listed:
            parts.append(choices_text(self.choices))
        if self.bench.options["server"]:
            from generator.fit.server import loaded

            parts.append(loaded_text(loaded(self.bench.options["server"])))
        click.echo("\n\n".join(parts))

    def print_json(self) -> None:
        from generator.cli.fit_text import as_data, together_data
        from generator.formats.data import to_json

        document = {
            "schema_version": 1,
            "release": str(self.bench.ask.release),
            "models": [as_data(fit) for fit in self.fits],
            "together": together_data(self.together) if self.together else None,
            "choices": [
                {
                    **as_data(choice.fit),
                    "best": choice.best,
                    "recommended": choice.recommended,
                    "why": choice.why or choice.advice,
                }
                for choice in self.choices
            ],
        }
        click.echo(to_json(document), nl=False)
