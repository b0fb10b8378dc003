"""What single commands do beside a server: tunnels to it, programs that its image must have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.commands.words import client_at, program
from generator.readers.syntax.options import Argument, options
from generator.view import EXECUTED, TUNNEL, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.readers.base import Context

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
