"""What single words of a command line are: programs, variables that are handed on, models."""

from __future__ import annotations

import dataclasses
import re
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.apptainer import OF_HOST
from generator.readers.syntax.options import CLIENTS, Argument, options
from generator.view import (
    PERHAPS,
    UNSEEN,
    UNSHELLED,
    Command,
    Line,
    ModelUse,
    NotJudged,
    Place,
    Variable,
    each_once,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import Reach

SPOKEN: Final = frozenset(
    {"echo", "printf", "grep", "egrep", "man", "which", "command", "alias", "apt", "brew", "cat"}
)
"""Programs that speak of a command which stands behind them, and do not run it."""
_OF_SCRIPTS: Final = frozenset(
    {
        *(":", "[", "[[", "test", "true", "false", "set", "cd", "sleep", "wait", "exit", "trap"),
        *("mkdir", "chmod", "chown", "rm", "cp", "mv", "ln", "touch", "tee", "kill", "pkill"),
        *("killall", "pgrep", "curl", "wget", "export", "unset", "source", ".", "env", "sh"),
        *("apt-get", "dnf", "pacman", "systemctl", "service", "journalctl", "launchctl", "sudo"),
        *("sysctl", "nvidia-smi", "swapoff", "ulimit", "return", "shift", "local", "read", "id"),
        *("docker", "podman", "tail", "head", "sed", "awk", "jq", "date", "hostname", "nproc"),
    }
)
"""What scripts do around a server, and that reads no variables of theirs."""
_ABOUT_SERVICES: Final = frozenset(
    {
        *("systemctl", "service", "rc-service", "journalctl", "pkill", "killall", "id"),
        *("mkdir", "cd", "rm", "cp", "mv", "ln", "touch", "tar", "rsync", "scp", "chown", "chmod"),
        *("useradd", "usermod", "groupadd", "apt-get", "dnf", "yum", "apk", "pacman", "snap"),
    }
)
"""Programs to which it is the name of a service, a user, a package or a directory."""
_GAPS: Final = ("$", "{{", "<", "`", "[")
_HELD: Final = re.compile(r"\$\{?(\w+)(?:\[@\])?\}?((?:/[\w.-]+)*)")
_OF_USER: Final = frozenset({"-u", "-g", "-U", "--user", "--group"})
"""Options of `sudo` behind which the name of a user stands, which may be that of the program."""
_HANDED: Final = re.compile(r"(?:--setenv=|-E)?([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)
_SETTERS: Final = frozenset({"-e", "--env", "-E", "--setenv"})
"""Options that set a variable for the program behind them."""
_SWITCHES: Final = re.compile(
    r"-|--|-[AbEHikn0]+|-[ug]\w+|--ignore-environment|--preserve-env|--set-home"
    r"|--non-interactive|--background|--login|--\S+=.*",
    re.ASCII | re.DOTALL,
)
"""Options of `env` and `sudo`, behind which an assignment may stand: none is their value."""
_RUN_NEXT: Final = frozenset(
    {"nohup", "setsid", "exec", "nice", "ionice", "timeout", "stdbuf", "taskset", "numactl"}
)
"""Programs that run what stands behind them, and know no assignment there, as `env` does."""
_TIME: Final = re.compile(r"[\d.]+[smhd]?|0x[0-9a-f]+|[\d,-]+", re.ASCII)
_PROPERTY: Final = re.compile(r"(?:-p|--property=)?Environment=(.*)", re.DOTALL)
_PROPERTIES: Final = frozenset({"-p", "--property"})
_OF_CLUSTERS: Final = {
    "helm": re.compile(r"(?:^| )(?:install|upgrade)\b.* --set(?:-\w+)?[ =]"),
    "kubectl": re.compile(r"(?:^| )set env "),
    "oc": re.compile(r"(?:^| )set env "),
}
_LONG_DASHES: Final = ("\u2013", "\u2014")
_SHORT: Final = 3


def program(text: str) -> str:
    """Return the name of a program; what has a slash inside is an image or a relative path."""
    name = text.lstrip("@-")
    return PurePosixPath(name).name if name.startswith(("/", "./", "~/")) else name


def client_at(words: Sequence[Argument]) -> int | None:
    """Return which word is a program that has a container run, where the line runs one."""
    if not words or words[0].text in SPOKEN:
        return None
    names = (word.text.lstrip("@-").rpartition("/")[2] for word in words)
    return next((at for at, name in enumerate(names) if name in CLIENTS), None)


def is_of_scripts(words: Sequence[Argument]) -> bool:
    """Whether a command is one that scripts have around a server, or speaks of something."""
    return program(words[0].text) in _OF_SCRIPTS | SPOKEN


def variable(name: str, value: Argument, reach: Reach) -> Variable:
    """Return a variable as a command line sets it."""
    name = OF_HOST.sub("", name)
    return Variable(
        name=name,
        value=value.text,
        place=Place(value.place.file, value.place.line, name),
        reach=reach,
        written=value.written(""),
        unresolved=value.unresolved or value.text.startswith(_GAPS),
    )


def handed(words: Sequence[Argument], engine: Engine) -> Iterable[tuple[str, Argument]]:
    """Yield what `env`, `sudo` or `systemd-run` sets for the program behind it."""
    befores = ("", *(word.text for word in words))
    named = {n for n, text in enumerate(befores[:-1]) if text in _OF_USER}
    ends = (n for n, w in enumerate(words) if n not in named and program(w.text) == engine.name)
    as_unit = any(program(word.text) == "systemd-run" for word in words)
    for before, word in zip(befores, words[: next(ends, len(words))], strict=False):
        if as_unit and _is_property(before, word.text):
            yield from _of_property(word)
        elif (found := _HANDED.fullmatch(word.text)) and not _takes_a_value(before):
            head = word.text[: found.start(2)]
            yield found[1], dataclasses.replace(word, text=found[2], written=_behind(word, head))


def taken_for_a_program(words: Sequence[Argument]) -> Iterator[Line]:
    """Yield an assignment that the program before it takes for a program: only a shell sets it."""
    runs = ""
    for word in words:
        name = program(word.text)
        if name in _RUN_NEXT:
            runs = name
        elif not runs or not (word.text.startswith("-") or _TIME.fullmatch(word.text)):
            if runs and _HANDED.fullmatch(word.text) and not word.text.startswith("-"):
                yield Line(section=UNSHELLED, name=word.text, value=runs, place=word.place)
            elif name == "sudo":
                continue
            return


def _takes_a_value(option: str) -> bool:
    """Whether a word is an option whose value is what follows, and that sets no variable."""
    return option.startswith("-") and option not in _SETTERS and not _SWITCHES.fullmatch(option)


def _is_property(before: str, text: str) -> bool:
    """Whether a word is, or has, a property that `systemd-run` gives to its unit."""
    return before in _PROPERTIES or text.startswith(("-p", "--property="))


def _of_property(word: Argument) -> Iterable[tuple[str, Argument]]:
    """Yield what the property `Environment=` sets: several variables, as in a unit."""
    found = _PROPERTY.fullmatch(word.text)
    if found is None:
        return
    from generator.readers.syntax import unit  # Few scripts make units of commands.

    told = unit.one_line(word.place.file, "", "Environment", found[1], word.place.line)
    for one in unit.variables(told, ""):
        head = f"{word.text[: found.start(1)]}{one.name}="
        alone = word.text == f"{head}{one.value}"
        written = _behind(word, head) if alone else _untold
        untold = word.unresolved or one.unresolved
        value = dataclasses.replace(word, text=one.value, written=written, unresolved=untold)
        yield one.name, value


def _untold(_: str) -> str:
    return ""


def _behind(word: Argument, head: str) -> Callable[[str], str]:
    return lambda more: word.written(head + more)


def asked(words: Sequence[Argument], engine: Engine) -> Command | None:
    """Return what a command line asks the engine's program, where it runs it."""
    texts = programs(words, engine)
    if engine.name not in texts or texts[0] in SPOKEN:
        return None
    behind = _executed(words)
    named = (i for i, text in enumerate(texts) if text == engine.name and i >= behind)
    at = [i for i in named if not _is_a_name(words, i)]
    if not at:
        return None  # It is the name of a container, in which another program runs.
    verbs = {engine.command[-1], *engine.verbs}
    said = (i for i in at if texts[i + 1 : i + 2] and texts[i + 1] in verbs)
    start = next(said, next((i for i in reversed(at) if i + 1 not in at), at[-1]))
    own = start and texts[0].endswith(_OWN) and texts[0] not in {"env", "sudo"}
    first = texts[: min(start, _SHORT)] if texts[0] == "sudo" else texts[:1]
    if own or (start and not _ABOUT_SERVICES.isdisjoint(first)):
        return None
    rest = tuple((word.text, word.place) for word in words[start + 1 :])
    return Command(rest) if rest else None


_OF_NAMES: Final = frozenset(
    {
        *("-n", "--namespace", "-p", "--project-name", "--profile", "--name", "--context"),
        *("-l", "--selector", "--network", "--service", "--release", "--stack", "--group"),
    }
)
"""Options of Docker, kubectl, Helm and their like that take a name."""


def _is_a_name(words: Sequence[Argument], at: int) -> bool:
    """Whether a word is a name that an option takes: `kubectl -n ollama get pods`."""
    bare = at > 1 and words[at - 1].text == "-n" and program(words[at - 2].text) == "sudo"
    path = "/" in words[at].text
    return at > 0 and words[at - 1].text in _OF_NAMES and not bare and not path


def _executed(words: Sequence[Argument]) -> int:
    """Return where the command begins that is run in a container that is there; 0: none is."""
    client = client_at(words)
    texts = [word.text for word in words[client + 1 :][:_NEAR]] if client is not None else []
    if client is None or "exec" not in texts or "run" in texts[: texts.index("exec")]:
        return 0
    _, rest = options(words[client + texts.index("exec") + 2 :])
    behind = rest[1] if len(rest) > 1 else None
    return next((at for at, word in enumerate(words) if word is behind), len(words))


_OWN: Final = (".sh", ".bash", ".py", ".ps1")
"""How scripts end that are given the name of a program as a word."""
_NEAR: Final = 10  # words between a client and what it is to do


def programs(words: Sequence[Argument], engine: Engine) -> list[str]:
    """Return the programs that words are; one in a variable is told by what it is asked.

    A server that is told by its arguments alone has a name in that of its variable.
    """
    texts = [program(word.text) for word in words]
    verbs = {engine.command[-1], *engine.verbs}
    for at, verb in enumerate(texts[1:]):
        held = verb in verbs and _HELD.fullmatch(texts[at])
        whole = rf"(?<![a-z]){engine.name}"
        named = held and re.search(whole, f"{held[1]}{held[2]}".lower())
        # A path behind the variable ends in the name of the program.
        other = held and (held[2] or engine.name in held[1].lower()) and not named
        if (
            held
            and not other
            and (named or (verb == engine.command[-1] and not engine.by_arguments))
        ):
            texts[at] = engine.name
    return texts


def elsewhere(words: Sequence[Argument], engine: Engine) -> NotJudged | None:
    """Return that a command sets what a cluster runs, of which the file says no more."""
    texts = [word.text for word in words]
    name = next((text for text in texts if program(text) in _OF_CLUSTERS), "")
    sets = _OF_CLUSTERS.get(program(name))
    if sets is None or texts[0] in SPOKEN or not any(engine.name in text for text in texts):
        return None
    if not sets.search(" ".join(texts[texts.index(name) + 1 :])):
        return None
    place, hint = words[0].place, "check the manifests that come of it"
    reason = "it sets what runs in a cluster, and not all of it"
    return NotJudged(file=place.file, reason=reason, hint=hint, part=program(name), line=place.line)


def dashed(word: Argument) -> Argument:
    """Return a word with the dashes that were meant: pages make one long one of two."""
    if not has_long_dash(word):
        return word
    name = word.text[1:].lstrip("-\u2013\u2014")
    text = f"{'-' if len(name) < _SHORT else '--'}{name}"
    return dataclasses.replace(word, text=text, unresolved=True)


def has_long_dash(word: Argument) -> bool:
    """Whether a word begins with a dash of typography, which no program takes for an option."""
    return word.text.startswith(_LONG_DASHES)


def long_dash(word: Argument) -> Line:
    """Return the remark on an option that begins with a dash of typography."""
    effect = "no option begins with it, and the command ends with an error"
    return Line(section=UNSEEN, name=f"`{word.text[:1]}`", value=effect, place=word.place)


def perhaps(command: Command, words: Sequence[Argument]) -> Iterable[Line]:
    """Yield what else a command may pull, where its model is a variable that is set in branches."""
    if command.words[0][0] == "pull":
        for word in words[len(words) - len(command.words) + 1 :]:
            for other in word.also if len(word.also) > 1 else ():
                if other.text:
                    yield Line(section=PERHAPS, name="pull", value=other.text, place=other.place)


def models(commands: Iterable[Command], engine: Engine) -> Iterable[ModelUse]:
    """Return each model that is pulled, created or run, once."""
    return each_once([used for command in commands for used in _model(command, engine)])


def _model(command: Command, engine: Engine) -> Iterable[ModelUse]:
    """Yield the model that a command names: its first word that is neither option nor value."""
    verb, *rest = command.words or (("", Place("")),)
    before = ""
    for word, place in takewhile(lambda w: w[0] != "--", rest):
        if not word.startswith("-") and before not in engine.valued:
            named = word != engine.name and not any(gap in word for gap in _GAPS)
            if verb[0] in engine.verbs and named:
                yield ModelUse(
                    name=word,
                    place=place,
                    warmed=verb[0] == "run",
                    pulled=verb[0] == "pull",
                    made=verb[0] == "create",
                )
            return
        before = word
