"""Options of `docker run` and `podman run`, and the container that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.units import GO_FALSE

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
        *("replace", "rm", "rmi", "rootfs", "sig-proxy", "tls-verify", "tty", "use-api-socket"),
    }
)
CLIENTS: Final = frozenset({"docker", "podman"})
"""Programs that have a container run by somebody else."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A word of a command and its place.

    `written` returns how the rest behind a head is written in the file, empty where one cannot
    say. `unresolved`: only the host can tell all of the text.
    """

    text: str
    place: Place
    written: Callable[[str], str]
    unresolved: bool = False


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
    """A `run` command of one of the CLIENTS: its options and the image."""

    client: str
    options: tuple[Option, ...]
    image: Argument


def run(arguments: Sequence[Argument]) -> Run | None:
    """Return the container that a command line runs; None: it runs none."""
    texts = [argument.text for argument in arguments]
    client = texts[0].rpartition("/")[2] if texts else ""
    if client not in CLIENTS or "run" not in texts:
        return None
    found, rest = options(arguments[texts.index("run") + 1 :])
    return Run(client, tuple(found), rest[0]) if rest else None


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
