"""man/: the manual page of `gen` and of each command, from what `--help` prints."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

import click

from generator.cli import COMMANDS, SECTIONS, gen
from generator.cli.bench_ab import command as ab
from generator.cli.bench_compare import command as compare
from generator.formats import roff

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS: Final = {
    ("bench-compare", "bench compare"): (compare, "Compare two measurements of a server"),
    ("bench-ab", "bench"): (ab, "Compare values of one setting on a running server, in turns"),
}
"""Commands that another becomes by its words: their pages, and how they are called."""
_TITLES: Final = {"Exit codes": "exit status"}
_VARIABLES: Final = (
    "Each option can be set by a variable, `GEN_COMMAND_OPTION`, like `GEN_SHOW_STRICT=1` or "
    "`GEN_RENDER_TARGET=systemd`; of one that is repeated spaces part the values. `GEN_PROFILE`, "
    "`GEN_OLLAMA_VERSION`, `GEN_NIXOS` and `GEN_SET` hold for every command that needs them. What "
    "stands on the command line wins."
)


def files() -> dict[str, str]:
    """Return the pages by their path in the repository."""
    context = click.Context(gen, info_name="gen", **gen.context_settings)
    pages = {"man/gen.1": _page("gen", gen, context, "profiles of inference hosts, made to run")}
    for name, about in COMMANDS.items():
        command = gen.get_command(context, name) or gen
        inner = click.Context(command, info_name=name, parent=context)
        pages[f"man/gen-{name}.1"] = _page(f"gen-{name}", command, inner, about.rstrip("."))
    for (name, words), (command, about) in FORMS.items():
        inner = click.Context(command, info_name=words, parent=context)
        pages[f"man/gen-{name}.1"] = _page(f"gen-{name}", command, inner, about)
    return pages


def _page(name: str, command: click.Command, context: click.Context, about: str) -> str:
    lines = [*roff.head(name, about), *roff.section("synopsis"), *_synopsis(command, context)]
    texts = [*_blocks(command.help or ""), *_blocks(command.epilog or "")]
    lines += roff.section("description")
    for title, block in texts:
        lines += [] if title else roff.paragraph(block)
    lines += [*_commands()] if command is gen else []
    lines += [*roff.section("options"), *roff.items(_options(command, context))]
    for title, block in texts:
        if title:
            lines += [*roff.section(_TITLES.get(title, title)), *_lines(title, block)]
    if command is gen:
        lines += [*roff.section("environment"), *roff.paragraph(_VARIABLES)]
    lines += [*roff.section("see also"), *roff.paragraph(_others(name))]
    return "\n".join(lines) + "\n"


def _synopsis(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"\\fB{roff.escaped(context.command_path)}\\fR {roff.escaped(pieces)}"


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield paragraphs without a title, and with one what `\\b` keeps as it is."""
    for part in re.split(r"\n{2,}", inspect.cleandoc(text)):
        kept, block = part.startswith("\b"), part.removeprefix("\b").strip("\n")
        title, _, rest = block.partition(":")
        if block:
            yield (title, rest.strip("\n")) if kept else ("", block)


def _lines(title: str, block: str) -> Iterator[str]:
    return roff.paragraph(block) if title in _TITLES else roff.verbatim(block.split("\n"))


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    records = (param.get_help_record(context) for param in command.get_params(context))
    yield from (record for record in records if record and record[1])


def _commands() -> Iterator[str]:
    for title, verbs in SECTIONS.items():
        yield from roff.section(title)
        yield from roff.items((f"gen {name}", text) for name, text in verbs.items())


def _others(name: str) -> str:
    forms = [f"gen-{each}" for each, _ in FORMS]
    others = [f"gen-{each}" for each in COMMANDS] if name == "gen" else ["gen"]
    others += forms if name == "gen-bench" else ["gen-bench"] if name in forms else []
    return ", ".join(f"`{each}`(1)" for each in others)
