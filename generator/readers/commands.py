"""What command lines say of an engine: containers, variables, calls of its program, files."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_right
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from generator.readers import container
from generator.readers.applications import of_applications
from generator.readers.apptainer import OF_HOST, environment, image_at
from generator.readers.base import Context, Source, image_name
from generator.readers.embedded import embedded, file_name
from generator.readers.environment.read import SHELL_FILES
from generator.readers.helm.read import views_of_release
from generator.readers.helm.releases import read_from, release_of
from generator.readers.layers import overruled, said
from generator.readers.syntax.applied import (
    asked_at_once,
    directories_of_root,
    served_beside,
    started_in_vain,
)
from generator.readers.syntax.calls import calls
from generator.readers.syntax.options import CLIENTS, Argument, Run, options, run
from generator.readers.syntax.passing import is_removed
from generator.readers.syntax.script import CommandLine, Document, lines
from generator.view import (
    AT_ONCE,
    EXECUTED,
    INSTALLED,
    SECOND,
    TUNNEL,
    UNAPPLIED,
    UNEXPORTED,
    UNSEEN,
    Command,
    Line,
    ModelUse,
    NotJudged,
    Place,
    Reach,
    Variable,
    View,
    each_once,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import Phrases, Request

_SPOKEN: Final = frozenset(
    {"echo", "printf", "grep", "egrep", "man", "which", "command", "alias", "apt", "brew", "cat"}
)
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
_SETS: Final = ["launchctl", "setenv"]
_SETS_FROM: Final = 3
_GAPS: Final = ("$", "{{", "<", "`", "[")
_HELD: Final = re.compile(r"\$\{?(\w+)(?:\[@\])?\}?((?:/[\w.-]+)*)")
_MANAGERS: Final = frozenset({"systemctl", "service", "rc-service", "services"})
_STARTS: Final = frozenset({"start", "restart", "reload-or-restart"})
_SHOWS: Final = re.compile(
    r"(?:sudo )?(?:systemctl (?:\S+ )*(?:show|status)\b|journalctl\b|(?:print)?env$|export -p|"
    r"(?:docker|podman) (?:inspect|logs|exec .* (?:print)?env)\b)"
)
_OF_A_MACHINE: Final = re.compile(
    r"(?:https?://)?(?!localhost\b)[A-Za-z][A-Za-z0-9.-]*(?::\d+)?/?", re.ASCII
)
_NUMBERED: Final = r"(?:[-_](?:\d+|setup|server|service|gpu|cpu|dev|prod))?"
_IN_SHELL: Final = re.compile(r"(?:\S*/)?(?:ba|da)?sh -\w*c (?:until |while |if )?(\w+)")
_TUNNEL: Final = re.compile(
    r"(?:(?:sudo|nohup|exec)\s+){0,3}(?:[^\s/]*/){0,9}"
    r"(ngrok|cloudflared|lt|localtunnel|bore|zrok|tailscale|ssh)\s+"
    r"(?:http|tunnel|--?port|-p|local|share\s+public|funnel|.*-R)\b"
)
_FILTERS: Final = frozenset({"grep", "egrep", "tr", "sed", "awk", "sort", "...", "…"})
_OFTEN: Final = "always"  # what a service of a swarm does unless told otherwise


@dataclasses.dataclass(slots=True)
class Told:
    """What the scripts of a file say, gathered line by line.

    `others`: it runs more than the engine, which gets what is exported as well. `bare`: a variable
    counts without `export`, as in a guide. `login`: a login shell reads it. `written` are the files
    that the scripts make, `values` those of them that a command hands to a chart.
    """

    context: Context
    file: str
    book: Phrases
    reach: Reach = "shell"
    bare: bool = False
    runs: list[Run] = dataclasses.field(default_factory=list)
    variables: list[Variable] = dataclasses.field(default_factory=list)
    commands: list[Command] = dataclasses.field(default_factory=list)
    requests: list[Request] = dataclasses.field(default_factory=list)
    views: list[View] = dataclasses.field(default_factory=list)
    gaps: list[NotJudged] = dataclasses.field(default_factory=list)
    versions: dict[str, Argument] = dataclasses.field(default_factory=dict)
    waiting: list[Line] = dataclasses.field(default_factory=list)
    installed: list[Line] = dataclasses.field(default_factory=list)
    ambient: frozenset[str] = frozenset()
    executed: list[Line] = dataclasses.field(default_factory=list)
    tunnels: list[Line] = dataclasses.field(default_factory=list)
    exports: list[tuple[str, Argument]] = dataclasses.field(default_factory=list)
    exported: set[Place] = dataclasses.field(default_factory=set)
    apart: set[Place] = dataclasses.field(default_factory=set)
    used: set[str] = dataclasses.field(default_factory=set)
    named: frozenset[str] = frozenset()
    tag: str = ""
    loose: list[Line] = dataclasses.field(default_factory=list)
    last: list[Place] = dataclasses.field(default_factory=list)
    profiles: list[View] = dataclasses.field(default_factory=list)
    dashes: list[Line] = dataclasses.field(default_factory=list)
    servers: list[tuple[int, tuple[Place, ...]]] = dataclasses.field(default_factory=list)
    written: dict[str, Document] = dataclasses.field(default_factory=dict)
    values: list[Document] = dataclasses.field(default_factory=list)
    texts: list[tuple[int, list[str]]] = dataclasses.field(default_factory=list)
    others: bool = False
    every: bool = False
    served: bool = False
    managed: bool = False
    login: bool = False
    shown: bool = False

    @property
    def engine(self) -> Engine:
        """The engine that is looked for."""
        return self.context.engine

    def script(self, text: str, first: int = 1) -> None:
        """Take in a script that begins on line `first` of the file."""
        self.versions = {}
        self.named = frozenset(" ".join(_HANDED_ON.findall(text)).split())
        self.texts.append((first, text.split("\n")))
        for line in lines(text, self.file, first):
            self._line(line)
        asked = frozenset(_ASKED_FOR.findall(text))
        for command in re.findall(_SAYS % re.escape(self.engine.name), text):
            self.used.update(_ASKED_FOR.findall(command))
        self.loose = [one for one in self.loose if one.name not in asked]
        self.installed += self.waiting
        self.waiting = []
        self._ends()
        requests, _ = calls(text, self.file, self.engine.name, first)
        self.requests += requests

    def _line(self, line: CommandLine) -> None:
        words = line.words
        if line.listed:
            self._kept(line)
            return
        self._notes([word.text for word in words])
        self._tunnel(words)
        self._executed(words)
        self._installs(line)
        if not words:
            self._export(line)
            self._keeps(line)
            self._assigns(line)
        elif self._of_cluster(line):
            pass
        elif [word.text for word in words[:2]] == _SETS and len(words) > _SETS_FROM:
            # The app of macOS is started by launchd.
            self.variables.append(_variable(words[2].text, words[3], "server"))
        elif words[0].text not in _SPOKEN and (held := image_at(words, self.engine)):
            self._apptainer(line, *held)
        elif started := self._container(words):
            self.runs.append(started)
        elif (command := self._command(words)) is not None:
            self.commands.append(command)
            serves = bool(command.words) and command.words[0][0] == self.engine.command[-1]
            given = (*line.assigned, *_handed(words, self.engine))
            self._serves(line, given, serves=serves)
        else:
            self.others = self.others or not _is_of_scripts(words)
        self._documents(line)

    def _documents(self, line: CommandLine) -> None:
        """Take in the files that a command writes."""
        for document in line.documents:
            if document not in self.values:
                self._writes(document)

    def _writes(self, document: Document) -> None:
        """Take in a file that a script writes."""
        self.written[document.target] = document
        name = file_name(document.target)
        if document.spoken:
            self._spoken(document, name)
            return
        views, gaps = embedded(document.text, name, self.file, document.line, self.context)
        self.views += map(_filled_in, views) if document.expands else views
        self.gaps += gaps

    def _apptainer(self, line: CommandLine, at: int, behind: int | None) -> None:
        """Take in an image that Apptainer runs, which hands on what is exported as well."""
        words = line.words
        self.tag = image_name(words[at].text.partition("://")[2]).tag or self.tag
        plain = None if behind is None else tuple((w.text, w.place) for w in words[behind:])
        asked = self._command(words) if plain is None else Command(plain)
        self.commands += [asked] if asked is not None and asked.words else []
        own_program = plain == ()
        serves = own_program or (asked is not None and asked.words[0][0] == self.engine.command[-1])
        self._serves(line, (*line.assigned, *environment(words[:at])), serves=serves)

    def _serves(
        self, line: CommandLine, given: Iterable[tuple[str, Argument]], *, serves: bool
    ) -> None:
        """Take in what a command of the engine is given, which may be its server."""
        own = [_variable(name, value, "server" if serves else "client") for name, value in given]
        self.variables += own
        if serves:
            self.reach, self.served = "server", True
            self.servers.append((line.words[0].place.line, tuple(one.place for one in own)))

    def _kept(self, line: CommandLine) -> None:
        """Take in what a script keeps for a server that it starts, not for a fork of it."""
        engine = self.engine
        if any(re.fullmatch(engine.of_forks, name) for name, _ in line.assigned):
            return
        ours = ((n, v) for n, v in line.assigned if n.startswith(engine.prefixes))
        # Where a server in a container listens, its ports decide.
        ours = ((n, v) for n, v in ours if n != engine.address)
        self.variables += [_variable(name, value, "server") for name, value in ours]

    def _spoken(self, document: Document, name: str) -> None:
        """Take in a line that is added to a file of variables, or to one of a login shell."""
        plain = PurePosixPath(name).name
        shell = plain in SHELL_FILES or PurePosixPath(name).parent.name == "profile.d"
        if not (shell or plain == "environment" or plain.endswith(".env")):
            return  # Of another file it is a part that tells nothing alone.
        views, gaps = embedded(document.text, name, self.file, document.line, self.context)
        views = [_filled_in(view) for view in views] if document.expands else views
        self.gaps += gaps
        (self.profiles if shell else self.views).extend(views)

    def _export(self, line: CommandLine) -> None:
        """Take in what is set for later commands, not what a command before has printed."""
        handed = [one for one in line.assigned if self._exports(line, one[0])]
        if assigned := line.assigned if self.bare and not self.shown else handed:
            self.exports += assigned
            self.last += (value.place for _, value in assigned)
            self.exported.update(value.place for _, value in handed)

    def _exports(self, line: CommandLine, name: str) -> bool:
        """Whether a variable is exported, where it is set or by its name alone."""
        return line.exported or self.every or name in self.named

    def _keeps(self, line: CommandLine) -> None:
        """Take note of what a login shell sets for itself alone."""
        self.loose += [
            Line(section=UNEXPORTED, name=name, value=value.text, place=value.place)
            for name, value in (line.assigned if self.login else ())
            if name.startswith(self.engine.prefixes) and not self._exports(line, name)
        ]

    def _notes(self, words: Sequence[str]) -> None:
        """Take note of what a command means for the variables around it."""
        if not words:
            return
        if tuple(words[:2]) in _EXPORTING:
            self.every = _EXPORTING[words[0], words[1]]
        if words[0] == "exit":
            self._ends()
        self.last = []
        filters = self.shown and words[0] in _FILTERS
        self.shown = filters or _SHOWS.match(" ".join(words)) is not None
        named = {self.engine.name, f"{self.engine.name}.service"}
        needed = (_MANAGERS, _STARTS, named)
        self.managed = self.managed or all(one & set(words) for one in needed)

    def _tunnel(self, words: Sequence[Argument]) -> None:
        """Take note of what leads to the engine's port from the internet."""
        text = " ".join(word.text for word in words)
        port = self.context.catalogue.at(self.engine.name).image.port
        found = _TUNNEL.match(text)
        if found and re.search(rf"(?<!\d){port}\b", text[found.end() :]):
            place = words[0].place
            self.tunnels.append(Line(section=TUNNEL, name=found[1], value=text, place=place))

    def _assigns(self, line: CommandLine) -> None:
        """Take note of a release that is set for the script alone, not for what it runs."""
        for name, value in line.assigned:
            if name == self.engine.installed and name not in self.ambient:
                self.versions.pop(name, None)
                if not line.exported and not self.every:
                    self.versions[name] = value

    def _installs(self, line: CommandLine) -> None:
        """Take note of a release that is set where the installer does not see it."""
        text = " ".join(word.text for word in line.words)
        for name, value in line.assigned if line.words else ():
            if name == self.engine.installed and line.words[0].text in {"curl", "wget"}:
                self.versions[name] = value
        handed = {name for name, _ in line.assigned} | {text.partition("=")[0].rpartition(" ")[2]}
        self.installed += [one for one in self.waiting if one.name not in handed]
        self.waiting = []
        if re.search(self.engine.installs, text):
            # Behind a pipe the shell may be told.
            self.waiting = [
                Line(section=INSTALLED, name=name, value=value.text, place=value.place)
                for name, value in self.versions.items()
            ]
            self.versions = {}

    def _executed(self, words: Sequence[Argument]) -> None:
        """Take note of what is run in a container of the engine's server."""
        texts = [word.text for word in words]
        at = next((i for i, text in enumerate(texts) if _client(text)), None)
        if at is None or texts[0] in _SPOKEN:
            return
        behind = [text for text in texts[at + 1 :] if text != "compose"]
        if behind[:1] != ["exec"] or any("install" in text for text in texts):
            return
        _, rest = options(words[len(texts) - len(behind) + 1 :])
        if len(rest) > 1 and re.search(rf"(?:^|[-_]){self.engine.name}{_NUMBERED}$", rest[0].text):
            told, line = rest[1:], " ".join(word.text for word in rest[1:])
            shell = _IN_SHELL.match(line)
            name = shell[1] if shell else _program(told[0].text)
            self.executed.append(Line(section=EXECUTED, name=name, value=line, place=told[0].place))

    def _ends(self) -> None:
        """Keep apart what is exported last: nothing that a script has started gets it."""
        self.apart.update(() if self.bare else self.last)
        self.last = []

    def _own(self) -> list[Variable]:
        """Return what is exported, and for whom."""
        written = {v.name for view in self.views for v in view.variables if v.reach == "server"}
        found = []
        facts = self.context.catalogue.at(self.engine.name)
        for name, value in self.exports:
            exported = value.place in self.exported
            reach: Reach = self.reach
            if name in self.used and facts.variable(name) is None:
                reach = "client"  # The script hands it to a command by itself.
            if self.managed and exported and not self.served:
                reach = "shell"
            # What the service has of its own file is exported for the shell alone.
            if (self.served and value.place in self.apart) or (
                reach == "shell" and name in written
            ):
                reach = "client"
            elif reach == "shell" and not (self.managed or self.commands or self.login):
                # Whoever runs the script starts one by it, but for what names another machine.
                other = name == self.engine.address and _OF_A_MACHINE.fullmatch(value.text)
                reach = "client" if other else "server"
            found.append(dataclasses.replace(_variable(name, value, reach), shared=True))
        return found if self.served else list(of_applications(found, self.context))

    def _of_cluster(self, line: CommandLine) -> bool:
        """Take in a command that sets what a cluster runs, and return whether it is one."""
        if self._release(line):
            return True
        gap = _elsewhere(line.words, self.engine)
        self.gaps += [dataclasses.replace(gap, file=self.file)] if gap else []
        return gap is not None

    def _release(self, line: CommandLine) -> bool:
        """Take in what a command gives a chart, and return whether that is all of it."""
        words, before = line.words, len(self.values)
        release = release_of(words, self.engine, lambda name: self._named(name, line))
        if release is None or words[0].text in _SPOKEN:
            return False
        views = views_of_release(release, words[0].place, self.context)
        if not views and not any(self.engine.name in word.text for word in words):
            return False
        handed = self.values[before:]
        self.views = [v for v in self.views if not _stands_in(v, handed)]
        self.views += views
        # A guide has its files elsewhere, or lets somebody write them.
        self.gaps += () if self.bare else release.gaps
        open_ended = any(word.unresolved and "=" in word.text for word in words)
        return bool(views or release.gaps) and not open_ended

    def _named(self, name: str, line: CommandLine) -> Source | None:
        """Return the values that a command names: on disk, or as the script itself has written."""
        document = next(iter(line.documents), None) if name == "-" else self.written.get(name)
        if document is None:
            return read_from(self.file, self.context)(name)
        self.values.append(document)
        return Source(self.file, "\n" * (document.line - 1) + document.text)

    def _container(self, words: Sequence[Argument]) -> Run | None:
        """Return the server that a command line runs in a container."""
        at = next((i for i, word in enumerate(words) if _client(word.text)), None)
        if at is None or words[0].text in _SPOKEN:
            return None
        program = dataclasses.replace(words[at], text=words[at].text.lstrip("@-"))
        strange = [word for word in words[at + 1 :] if word.text.startswith(_LONG_DASHES)]
        found = run([program, *map(_dashed, words[at + 1 :])])
        if found is None:
            return None
        image = image_name(found.image.text).repository
        if not self.engine.is_image(image):
            return None
        self.dashes += (_long_dash(word) for word in strange)
        asked = Command(tuple((word.text, word.place) for word in found.rest))
        own = not any(option.name == "entrypoint" for option in found.options)
        if own and asked.words and asked.words[0][0] in self.engine.verbs:
            self.commands.append(asked)
        return found

    def _called(self, words: Sequence[Argument]) -> list[str]:
        """Return the programs that words are; one in a variable is told by what it is asked."""
        texts = [_program(word.text) for word in words]
        verbs = {self.engine.command[-1], *self.engine.verbs}
        for at, verb in enumerate(texts[1:]):
            held = verb in verbs and _HELD.fullmatch(texts[at])
            named = held and self.engine.name in f"{held[1]}{held[2]}".lower()
            if held and (named or verb == self.engine.command[-1]):
                texts[at] = self.engine.name
        return texts

    def _command(self, words: Sequence[Argument]) -> Command | None:
        texts = self._called(words)
        if self.engine.name not in texts or texts[0] in _SPOKEN:
            return None
        at = [i for i, text in enumerate(texts) if text == self.engine.name]
        # `docker exec NAME PROGRAM pull …`, where both have one name.
        start = next((i for i in reversed(at) if i + 1 not in at), at[-1])
        if start and texts[0] in {"systemctl", "service", "journalctl", "pkill", "killall", "id"}:
            return None
        return (
            Command(tuple((w.text, w.place) for w in words[start + 1 :]))
            if words[start + 1 :]
            else None
        )

    def found(self) -> list[View]:
        """Return the Views of all that was told."""
        models = tuple(_models(self.commands, self.engine))
        told = sorted([*self._own(), *self.variables], key=lambda v: v.place.line)
        variables = tuple(dataclasses.replace(v, shared=v.shared and self.others) for v in told)
        views = [self._in_container(one, models) for one in self.runs]
        beside = (
            *self.tunnels,
            *self.executed,
            *self.installed,
            *self.loose,
            *self._unapplied(),
        )
        if variables or self.commands or self.requests or beside:
            view = self.context.view(
                self.book,
                self.context.release_for(self.tag),
                name=PurePosixPath(self.file).name,
                place=Place(self.file),
                lines=beside,
                variables=variables,
                models=models,
                commands=tuple(self.commands),
                requests=tuple(self.requests),
            )
            views += self._each_server(view)
        return [*views, *self._written(), *self._profiles()]

    def _written(self) -> Iterable[View]:
        """Yield what the scripts write: of a unit also what they make for root around it."""
        texts = [(self.file, first, "\n".join(script)) for first, script in self.texts]
        units = any(view.phrases.unit_file for view in self.views)
        kept = tuple(directories_of_root(texts)) if units else ()
        for view in self.views:
            more = kept if view.phrases.unit_file else ()
            yield dataclasses.replace(view, lines=(*view.lines, *more)) if more else view

    def _unapplied(self) -> Iterable[Line]:
        """Yield the start of a service that runs already, and does not see what was changed."""
        line = started_in_vain(self.texts, self.engine)
        if line:
            place = Place(self.file, line)
            yield Line(section=UNAPPLIED, name=self.engine.name, value="start", place=place)
        servers = [] if self.bare else [line for line, _ in self.servers]
        in_image = self.book.kind == "dockerfile"  # No service runs while one is built.
        if servers and not in_image and (line := served_beside(self.texts, self.engine, servers)):
            place = Place(self.file, line)
            yield Line(section=SECOND, name=self.engine.name, value="serve", place=place)
        for line, verb in asked_at_once(self.texts, self.engine, servers) if servers else ():
            place = Place(self.file, line)
            yield Line(section=AT_ONCE, name=self.engine.name, value=verb, place=place)

    def _each_server(self, view: View) -> Iterable[View]:
        """Yield a View of all that is said, and of each server that has had something else.

        What a later command has in front of it, or is exported later, is not for a server before.
        """
        yield view
        if self.bare or len(self.servers) == 1:
            return  # A guide shows several ways to start one.
        prefixed = {place for _, places in self.servers for place in places}
        for line, own in self.servers[:_MOST]:
            given = [one for one in view.variables if one.place in own]
            before = (v for v in view.variables if v.place not in prefixed)
            had = (*(v for v in before if v.place.line <= line), *given)
            one = dataclasses.replace(view, variables=had)
            names = {v.name for v in had if v.reach == "server"}
            if any(one.variable(name) != view.variable(name) for name in names):
                yield one
        if len(self.servers) > _MOST:
            reason = f"it starts more than {_MOST} servers: variables of later ones are not judged"
            self.gaps.append(NotJudged(file=self.file, reason=reason))

    def _profiles(self) -> Iterable[View]:
        """Yield what is added to files of a login shell: whether a service misses it, is told."""
        facts = self.context.catalogue.at(self.engine.name)
        of_service = {v.name for one in self.views for v in one.variables if v.reach == "server"}
        for view in self.profiles:
            served = {v.name for v in view.variables if facts.variable(v.name)} & of_service
            kept = tuple(v for v in view.variables if v.name not in served)
            book = dataclasses.replace(view.phrases, guide=True)
            manager: Literal["", "system"] = "system" if self.managed else ""
            yield dataclasses.replace(view, phrases=book, manager=manager, variables=kept)

    def _removes(self, name: str, line: int) -> bool:
        """Whether the script that starts a container takes it away again."""
        at = bisect_right(self.texts, line, key=lambda one: one[0])
        first, script = self.texts[at - 1] if at else (0, [])
        return bool(name) and is_removed(script, name, line - first)

    def _in_container(self, held: Run, models: tuple[ModelUse, ...]) -> View:
        options = list(held.options)
        name = next((option.value for option in options if option.name == "name"), "")
        gone = any(option.name == "rm" and option.on for option in options)
        gone = gone or self._removes(name, held.image.place.line)
        restart = _OFTEN if held.swarm else "no" if gone else ""
        box = container.container(held.image.text, held.image.place, options, held.client, restart)
        arguments = container.arguments(options, held.rest)
        command = " ".join(word.text for word in held.rest)
        entry = next((option.value for option in options if option.name == "entrypoint"), "")
        told = [
            Line(section="", name=key, value=value, place=held.image.place)
            for key, value in (("entrypoint", entry), ("command", command))
            if value
        ]
        given = container.variables(options, self.context, {})
        swarm = dataclasses.replace(self.book, publishes_local=False) if held.swarm else self.book
        return self.context.view(
            swarm,
            self.context.release_of(held.image.text),
            name=name or self.engine.name,
            place=held.image.place,
            variables=tuple(variable for variable, _ in given),
            overruled=overruled(said(given), {}),
            not_judged=container.gaps(options, self.context),
            bounds=container.bounds(options),
            lines=(*told, *self.dashes),
            models=models,
            container=dataclasses.replace(box, arguments=arguments),
            acceleration=container.acceleration(box, options),
        )


_MOST: Final = 20  # servers of one script
_LONG_DASHES: Final = ("\u2013", "\u2014")


def _dashed(word: Argument) -> Argument:
    """Return a word with the dashes that were meant: pages make one long one of two."""
    if not word.text.startswith(_LONG_DASHES):
        return word
    name = word.text[1:].lstrip("-\u2013\u2014")
    text = f"{'-' if len(name) < _SHORT else '--'}{name}"
    return dataclasses.replace(word, text=text, unresolved=True)


_SHORT: Final = 3


def _long_dash(word: Argument) -> Line:
    effect = "no option begins with it, and the command ends with an error"
    return Line(section=UNSEEN, name=f"`{word.text[:1]}`", value=effect, place=word.place)


def _filled_in(view: View) -> View:
    """Return a View of which the shell fills in what begins with a dollar sign."""
    variables = (
        dataclasses.replace(v, unresolved=v.unresolved or "$" in v.value) for v in view.variables
    )
    return dataclasses.replace(view, variables=tuple(variables))


def _stands_in(view: View, documents: Iterable[Document]) -> bool:
    """Whether a View is that of values alone which a command hands to a chart."""
    return view.phrases.kind == "helm" and any(
        document.line - 1 <= view.place.line <= document.line + document.text.count("\n")
        for document in documents
    )


def _elsewhere(words: Sequence[Argument], engine: Engine) -> NotJudged | None:
    """Return that a command sets what a cluster runs, of which the file says no more."""
    texts = [word.text for word in words]
    program = next((text for text in texts if _program(text) in _OF_CLUSTERS), "")
    sets = _OF_CLUSTERS.get(_program(program))
    if sets is None or texts[0] in _SPOKEN or not any(engine.name in text for text in texts):
        return None
    told = " ".join(texts[texts.index(program) + 1 :])
    if not sets.search(told):
        return None
    place, hint = words[0].place, "check the manifests that come of it"
    reason = "it sets what runs in a cluster, and not all of it"
    return NotJudged(
        file=place.file, reason=reason, hint=hint, part=_program(program), line=place.line
    )


_OF_CLUSTERS: Final = {
    "helm": re.compile(r"(?:^| )(?:install|upgrade)\b.* --set(?:-\w+)?[ =]"),
    "kubectl": re.compile(r"(?:^| )set env "),
    "oc": re.compile(r"(?:^| )set env "),
}
_HANDED_ON: Final = re.compile(
    r"^[ \t]*(?:export|(?:declare|typeset)[ \t]+-\w*x\w*)[ \t]([^#\n]*)", re.MULTILINE
)
_SAYS: Final = (
    r"(?m)^(?![ \t]*(?:#|echo\b|printf\b|log\b|info\b))[^\n]*\b(?:%s|curl|wget)[ \t]([^\n]*)"
)
"""What a script hands to a program that asks a server."""
_ASKED_FOR: Final = re.compile(r"\$\{?(\w+)")
"""What a shell exports by its name, or uses itself."""
_EXPORTING: Final = {("set", "-a"): True, ("set", "+a"): False}
_HANDED: Final = re.compile(r"(?:--setenv=)?([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)


def _is_of_scripts(words: Sequence[Argument]) -> bool:
    """Whether a command is one that scripts have around a server, or speaks of something."""
    return _program(words[0].text) in _OF_SCRIPTS | _SPOKEN


def _handed(words: Sequence[Argument], engine: Engine) -> Iterable[tuple[str, Argument]]:
    """Yield what `env`, `sudo` or `systemd-run` sets for the program behind it."""
    for word in takewhile(lambda w: _program(w.text) != engine.name, words):
        if found := _HANDED.fullmatch(word.text):
            head = word.text[: found.start(2)]
            yield found[1], dataclasses.replace(word, text=found[2], written=_behind(word, head))


def _behind(word: Argument, head: str) -> Callable[[str], str]:
    return lambda more: word.written(head + more)


def _program(text: str) -> str:
    """Return the name of a program; what has a slash inside is an image or a relative path."""
    name = text.lstrip("@-")
    return PurePosixPath(name).name if name.startswith(("/", "./", "~/")) else name


def _client(text: str) -> bool:
    return text.lstrip("@-").rpartition("/")[2] in CLIENTS


def _variable(name: str, value: Argument, reach: Reach) -> Variable:
    name = OF_HOST.sub("", name)
    place = Place(value.place.file, value.place.line, name)
    gap = value.unresolved or value.text.startswith(_GAPS)
    return Variable(
        name=name,
        value=value.text,
        place=place,
        reach=reach,
        written=value.written(""),
        unresolved=gap,
    )


def _models(commands: Iterable[Command], engine: Engine) -> Iterable[ModelUse]:
    """Return each model that is pulled, created or run, once."""
    found: list[ModelUse] = []
    for command in commands:
        verb, *rest = command.words or (("", Place("")),)
        before = ""
        for word, place in takewhile(lambda w: w[0] != "--", rest):
            if not word.startswith("-") and before not in engine.valued:
                if verb[0] in engine.verbs and not any(gap in word for gap in _GAPS):
                    used = ModelUse(
                        name=word,
                        place=place,
                        warmed=verb[0] == "run",
                        pulled=verb[0] == "pull",
                        made=verb[0] == "create",
                    )
                    found.append(used)
                break
            before = word
    return each_once(found)
