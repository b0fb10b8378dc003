"""Options of `docker run` and `podman run`, and the container that they describe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.meaning import GO_FALSE
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.view import Place

_SHORT: Final = {
    "a": "attach", "c": "cpu-shares", "e": "env", "h": "hostname", "l": "label", "m": "memory",
    "p": "publish", "u": "user", "v": "volume", "w": "workdir",
}  # fmt: skip
_SHORT_SWITCHES: Final = "ditPq"
_SWITCHES: Final = frozenset(
    {
        *("detach", "disable-content-trust", "env-host", "help", "http-proxy", "init"),
        *("interactive", "no-healthcheck", "no-hostname", "no-hosts", "oom-kill-disable"),
        *("passwd", "privileged", "publish-all", "quiet", "read-only", "read-only-tmpfs"),
        *("debug", "remote", "replace", "rm", "rmi", "rootfs", "sig-proxy", "tls", "tls-verify"),
        *("tlsverify", "tty", "use-api-socket", "with-registry-auth"),
    }
)
_SWARM: Final = {"limit-cpu": "cpus", "limit-memory": "memory", "restart-condition": "restart"}
CLIENTS: Final = frozenset({"docker", "nerdctl", "podman"})
"""Programs that have a container run by somebody else."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A word of a command and its place.

    `written` returns how the rest behind a head is written in the file, empty where one cannot
    say. `unresolved`: only the host can tell all of the text. `also`: what else the variable may
    be that it is, each where the script says so. `listed`: it is from an array, to which branches
    of the script may add one each.
    """

    text: str
    place: Place
    written: Callable[[str], str]
    unresolved: bool = False
    also: tuple[Argument, ...] = ()
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option under its long name; `head` is what stands before its value in the argument."""

    name: str
    value: str
    argument: Argument
    head: str = ""

    @property
    def on(self) -> bool:
        """Whether a switch is on: `--privileged`, not `--privileged=false`."""
        return self.value not in GO_FALSE

    def written(self, head: str = "") -> str:
        """Return how the value, or the rest of it behind `head`, is written."""
        return self.argument.written(self.head + head)


@dataclass(frozen=True, slots=True)
class Run:
    """A `run` or `create` of one of the CLIENTS: its options, the image, and what follows it.

    `swarm`: it is a `service create`, whose options have other names.
    """

    client: str
    options: tuple[Option, ...]
    image: Argument
    rest: tuple[Argument, ...] = ()
    swarm: bool = False


def run(arguments: Sequence[Argument]) -> Run | None:
    """Return the container that a command line runs or creates; None: it does neither."""
    client = arguments[0].text.rpartition("/")[2] if arguments else ""
    if client not in CLIENTS:
        return None
    words = options(arguments[1:])[1]
    swarm = bool(words) and words[0].text == "service"
    words = words[1:] if words and words[0].text in {"container", "service"} else words
    if not words or words[0].text not in ({"create"} if swarm else {"create", "run"}):
        return None
    found, rest = options(words[1:])
    # `$OPTIONS` before the image are options that the script does not tell.
    while len(rest) > 1 and rest[0].unresolved and rest[0].text.startswith("$"):
        more, rest = options(rest[1:])
        found += more
    if not rest:
        return None
    named = [_as_run(option) if swarm else option for option in found]
    return Run(client, tuple(named), rest[0], tuple(rest[1:]), swarm)


def _as_run(option: Option) -> Option:
    """Return an option of `docker service create` as `docker run` calls it."""
    value = option.value
    if option.name == "publish" and "=" in value:
        parts = dict(part.partition("=")[::2] for part in value.split(","))
        value = ":".join(p for n in ("published", "target") if (p := parts.get(n, "")))
    return replace(option, name=_SWARM.get(option.name, option.name), value=value)


def options(arguments: Sequence[Argument]) -> tuple[list[Option], Sequence[Argument]]:
    """Return the options at the start of a command line, and what stands behind them."""
    found: list[Option] = []
    at = 0
    while at < len(arguments) and arguments[at].text.startswith("-"):
        if arguments[at].text == "--":
            return found, arguments[at + 1 :]
        more = arguments[at + 1] if at + 1 < len(arguments) else None
        read = list(_long(arguments[at], more) or _short(arguments[at], more))
        found += read
        at += 2 if any(option.argument is more for option in read) else 1
    return found, arguments[at:]


def _long(argument: Argument, more: Argument | None) -> list[Option]:
    text = argument.text
    if not text.startswith("--"):
        return []
    name, equals, value = text[2:].partition("=")
    name = "network" if name == "net" else name
    if equals or name in _SWITCHES:
        return [Option(name, value if equals else "true", argument, text[: len(text) - len(value)])]
    return [Option(name, more.text, more)] if more else []


def _short(argument: Argument, more: Argument | None) -> Iterator[Option]:
    """Yield the options of a cluster like `-dit` or `-p8080:80`."""
    for at, letter in enumerate(argument.text[1:], 1):
        if letter in _SHORT_SWITCHES:
            continue
        value = argument.text[at + 1 :]
        name = _SHORT.get(letter, letter)
        if value:
            head = argument.text[: at + 1] + ("=" if value.startswith("=") else "")
            yield Option(name, value.removeprefix("="), argument, head)
        elif more:
            yield Option(name, more.text, more)
        return
