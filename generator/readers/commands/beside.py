"""What single commands do beside a server: tunnels to it, programs that its image must have."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.commands.words import client_at, handed, program, variable
from generator.readers.syntax.options import Argument, options
from generator.view import EXECUTED, TUNNEL, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context
    from generator.readers.syntax.script import CommandLine
    from generator.view import Variable

_NUMBERED: Final = r"(?:[-_](?:\d+|setup|server|service|gpu|cpu|dev|prod))?"
_IN_SHELL: Final = re.compile(r"(?:\S*/)?(?:ba|da)?sh -\w*c (?:until |while |if )?(\w+)")
_TUNNEL: Final = re.compile(
    r"(?:(?:sudo|nohup|exec)\s+){0,3}(?:[^\s/]*/){0,9}"
    r"(ngrok|cloudflared|lt|localtunnel|bore|zrok|tailscale|ssh)\s+"
    r"(?:http|tunnel|--?port|-p|local|share\s+public|funnel|.*-R)\b"
)
_MANAGERS: Final = frozenset({"systemctl", "service", "rc-service", "services"})
_STARTS: Final = frozenset({"start", "restart", "reload-or-restart"})


def manages(words: Sequence[Argument], name: str) -> bool:
    """Whether a command has the engine's service started."""
    told = {word.text for word in words}
    return all(one & told for one in (_MANAGERS, _STARTS, {name, f"{name}.service"}))


def given_to_services(line: CommandLine, engine: Engine) -> Iterator[Variable]:
    """Yield what a command sets for services, or seems to.

    `systemctl set-environment` does; what stands in front of `systemctl` stays with that.
    """
    texts = [word.text for word in line.words]
    if "set-environment" in texts:
        for word in line.words[texts.index("set-environment") + 1 :]:
            name, equals, text = word.text.partition("=")
            if equals and name.startswith(engine.prefixes):
                value = replace(word, text=text, written=lambda _: "")
                yield variable(name, value, "server")
    elif manages(line.words, engine.name):
        for name, value in (*line.assigned, *handed(line.words, engine)):
            if name.startswith(engine.prefixes):
                yield variable(name, value, "shell")


def tunnels(words: Sequence[Argument], context: Context) -> Iterable[Line]:
    """Yield what leads to the engine's port from the internet."""
    text = " ".join(word.text for word in words)
    port = context.catalogue.at(context.engine.name).image.port
    found = _TUNNEL.match(text)
    if found and re.search(rf"(?<!\d){port}\b", text[found.end() :]):
        yield Line(section=TUNNEL, name=found[1], value=text, place=words[0].place)


def executed(words: Sequence[Argument], context: Context) -> Iterable[Line]:
    """Yield what is run in a container of the engine's server."""
    at = client_at(words)
    texts = [word.text for word in words]
    if at is None or any("install" in text for text in texts):
        return
    behind = [word for word in words[at + 1 :] if word.text != "compose"]
    if not behind or behind[0].text != "exec":
        return
    _, rest = options(words[len(words) - len(behind) + 1 :])
    if len(rest) > 1 and re.search(rf"(?:^|[-_]){context.engine.name}{_NUMBERED}$", rest[0].text):
        line = " ".join(word.text for word in rest[1:])
        shell = _IN_SHELL.match(line)
        name = shell[1] if shell else program(rest[1].text)
        yield Line(section=EXECUTED, name=name, value=line, place=rest[1].place)
