"""Ask a llama-server what it makes of its variables, and print it as the Catalogue has it.

    python -m tools.probe_runner LLAMA_SERVER > generator/catalogue/data/runner.toml

LLAMA_SERVER is the program of the release that is looked at, or one built of llama.cpp's source: no
GPU and no model is needed. It is started once for each of its variables and each of PROBES, and for
each word that its help has beside a variable that does not take any text. It reads all variables
before it looks for the model, which is not there: whether it comes that far is what counts. A few
minutes.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROBES: Final = ("", "maybe", "0", "8", "1.5", "on", "auto")
"""Nothing, a word, a number that may be too small, a number, a fraction, a switch, a choice."""
SECONDS: Final = 60
WIDTH: Final = 90
_MODEL: Final = "no-such-model.gguf"
_ARGUMENTS: Final = ("--model", _MODEL, "--offline", "--host", "127.0.0.1", "--port", "0")
_OPTION: Final = re.compile(r"\n(?=-\S)")
_VARIABLE: Final = re.compile(r"\(env:\s*(LLAMA_\w+)\)")
_WORD: Final = re.compile(r"[A-Za-z][\w.+-]*")
_HEAD: Final = """\
# What llama-server makes of its variables. Written by `python -m tools.probe_runner`.
#   refuses  which of {probes} end it, for each name
#   takes    words of its help that it takes all the same, where it does not take any text

[meta]
checked = {checked}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of one llama-server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", metavar="LLAMA_SERVER")
    parser.add_argument("--build", default="", help="what it was built of, like b10488")
    parsed = parser.parse_args(arguments)
    options = _known() | variables(_run(parsed.program, {}, "--help"))
    if refuses(parsed.program, "LANG", "C"):
        sys.stderr.write(f"{parsed.program} is no llama-server, or does not start\n")
        return 2
    sys.stdout.write("\n".join(_table(parsed.program, options, parsed.build)))
    return 0


def _known() -> dict[str, frozenset[str]]:
    """Return the names of the Catalogue's newest release, some of which no help has."""
    names = load_catalogue().at("ollama").harmless
    return {name: frozenset() for name in names if name.startswith("LLAMA_ARG_")}


def variables(text: str) -> dict[str, frozenset[str]]:
    """Return the variables of a help text, each with the words of its paragraph."""
    found = ((each, _VARIABLE.search(each)) for each in _OPTION.split(text))
    return {name[1]: frozenset(_WORD.findall(each)) for each, name in found if name}


def refuses(program: str, name: str, value: str) -> bool:
    """Return whether a value ends the program before it looks for its model."""
    return f"loading model '{_MODEL}'" not in _run(program, {name: value}, *_ARGUMENTS)


def _run(program: str, environment: dict[str, str], *arguments: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [program, *arguments],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    return done.stdout + done.stderr


def _table(program: str, options: dict[str, frozenset[str]], build: str) -> Iterator[str]:
    probes = ", ".join(f"`{probe}`" for probe in PROBES)
    readings = sorted((_reading(program, *option), option[0]) for option in options.items())
    yield _HEAD.format(probes=probes, checked=datetime.now(UTC).date())
    for (refused, taken), group in itertools.groupby(readings, key=lambda each: each[0]):
        yield "[[runner_reading]]"
        yield f"refuses = {_array(refused)}"
        if taken:
            yield f"takes = {_array(taken)}"
        yield f"names = {_array([name for _, name in group])}"
        yield f'source = "seen on llama-server {build}"\n'


def _reading(
    program: str, name: str, words: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    refused = tuple(probe for probe in PROBES if refuses(program, name, probe))
    closed = "maybe" in refused
    asked = sorted(words - {*PROBES}) if closed else []
    return refused, tuple(word for word in asked if not refuses(program, name, word))


def _array(values: Sequence[str]) -> str:
    items = [f'"{value}"' for value in values]
    line = f"[{', '.join(items)}]"
    if len(line) <= WIDTH:
        return line
    filled = textwrap.fill(", ".join(items) + ",", WIDTH, break_on_hyphens=False)
    return f"[\n{textwrap.indent(filled, '  ')}\n]"


if __name__ == "__main__":
    sys.exit(main())
