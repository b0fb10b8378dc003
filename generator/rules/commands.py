"""HW528: commands that are written for a shell, and get none."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.rule import Hit, Hits, Rule
from generator.view import PREFIXES, UNSHELLED

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Line, View

_COMMANDS: Final = frozenset({"ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition"})
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=.*", re.ASCII | re.DOTALL)
_BUILTINS: Final = frozenset({"cd", "export", "source", ".", "set", "exec", "eval", "ulimit"})
_SIGNS: Final = re.compile(r"&&|\|\|?|&|[0-9]?>{1,2}.*|&>.*|<.*")
_IN_FRONT: Final = "take the `&` out, and write `exec` before the program"
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh"})
_LONGEST: Final = 4000
_STORE: Final = "/nix/store/"
_WHOLE: Final = ("/", "%", "…")
"""Beginnings of a whole path: that of a package, of which only Nix knows where it lies, is `…`."""


@Rule(
    id="HW528",
    severity="error",
    title="a command that is written for a shell",
    why="systemd starts programs itself. Of a command it knows the words alone: an assignment or "
    "`cd` before it is taken for the program, `>` and `&&` are handed over as words, and a path "
    "that begins with `./`, `~` or a variable makes it refuse the unit. A shell that is told so "
    "does it all, but must not put the server into the background: where it ends, all ends. The "
    "module `command` of Ansible starts a program in the same way, and so do `nohup`, `timeout` "
    "and `exec` in a script: an assignment stands before them, or behind `env`.",
    bad="ExecStart=OLLAMA_HOST=0.0.0.0 ./ollama serve > /var/log/ollama.log",
    good="Environment=OLLAMA_HOST=0.0.0.0\nExecStart=/usr/local/bin/ollama serve",
    source="systemd.service(5), COMMAND LINES; systemd-analyze verify; "
    "ansible.builtin.command: use ansible.builtin.shell for `<`, `>`, `|` and `&&`",
)
def shell_command(view: View, _: Facts) -> Hits:
    for line in view.lines_in(UNSHELLED):
        message, fix = _without_a_shell(line)
        yield Hit(message=message, place=line.place, fix=fix)
    if not view.phrases.directives:
        return
    for line in view.lines_named(*_COMMANDS):
        if view.phrases.section(line) == "Service":
            left = line.name == "ExecStart" and _leaves(line.value) and _is_simple(view)
            message, fix = (_ENDS, _IN_FRONT) if left else _fault(line)
            if message:
                yield Hit(message=message, place=line.place, fix=fix)


def _without_a_shell(line: Line) -> tuple[str, str]:
    """Return what a module of Ansible, or a program of a script, makes of a word for a shell."""
    if "=" not in line.name:
        runs = f"`{line.value}` starts the program without a shell"
        return (
            f"{runs}, which gets `{line.name}` as a word",
            "write `ansible.builtin.shell`, with `set -o pipefail` in bash for a pipe",
        )
    module = line.value.rpartition(".")[2] == "command"
    return (
        f"`{line.value}` knows no shell: it takes `{line.name}` for the program",
        "write `environment:` for it" if module else f"write it before `{line.value}`",
    )


_ENDS: Final = (
    "the shell puts its command into the background and ends: systemd takes that for the end of "
    "the service, and kills what is left of it"
)


def _leaves(text: str) -> bool:
    """Return whether a shell is told to put its last command into the background."""
    words = _words(text.lstrip(PREFIXES)) if len(text) <= _LONGEST else []
    shell = words and PurePosixPath(words[0]).name in _SHELLS and "-c" in words[1:3]
    told = words[-1].rstrip(" ;") if shell else ""
    return told.endswith("&") and not told.endswith("&&") and "wait" not in told


def _is_simple(view: View) -> bool:
    """Return whether the first process of a service is the service, for systemd."""
    return sandbox.last(view, "Type", "simple") in {"simple", "exec", "idle"} and not view.adds


def _fault(line: Line) -> tuple[str, str]:
    """Return what systemd makes of a command, and what to write; empty: it starts it."""
    text = line.value.lstrip(PREFIXES)
    failing = "-" in line.value.removesuffix(text)  # Then a failure is nothing.
    if not text or failing or len(text) > _LONGEST:
        return "", ""
    words = _words(text)
    program = words[0] if words else ""
    program = PurePosixPath(program).name if program.startswith(_STORE) else program
    shown = program if len(program) < 40 else f"{program[:40]}…"  # noqa: PLR2004
    if _ASSIGNED.fullmatch(program):
        return (
            f"systemd is no shell: it takes `{shown}` for the program, and finds none",
            f"write `Environment={shown}` on a line of its own",
        )
    if program in _BUILTINS:
        fix = "write `WorkingDirectory=`" if program == "cd" else "write what it does as directives"
        return f"`{program}` is a word of the shell, and no program that systemd can start", (
            f"{fix}, or start `/bin/sh -c '…'`"
        )
    if "/" in program and not program.startswith(_WHOLE):
        return (
            f"`{shown}` is neither a name nor an absolute path: systemd refuses the unit",
            f"write the whole path, like `/usr/local/bin/{PurePosixPath(program).name}`",
        )
    sign = next((word for word in words[1:] if _SIGNS.fullmatch(word)), "")
    if sign:
        return (
            f"systemd is no shell: `{program}` gets `{sign}` as a word",
            "write `StandardOutput=append:…` for a file, and a line for each command"
            if ">" in sign
            else "write a line for each command, or start `/bin/sh -c '…'`",
        )
    return "", ""


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
