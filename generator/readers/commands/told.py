"""What the scripts of a file say, gathered line by line."""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_right
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.applications import of_applications
from generator.readers.apptainer import environment, image_at
from generator.readers.base import Context, image_name
from generator.readers.clients import clients_alone, with_clients
from generator.readers.commands import beside
from generator.readers.commands.alone import Alone
from generator.readers.commands.clouds import deployed
from generator.readers.commands.containers import asked_of_image, asking, named, started, view_of
from generator.readers.commands.documents import Documents
from generator.readers.commands.enables import Enables
from generator.readers.commands.exports import Around, Exports
from generator.readers.commands.functions import Functions, called, functions
from generator.readers.commands.in_front import InFront
from generator.readers.commands.kept import kept_by_scripts
from generator.readers.commands.opened import opened_to_all
from generator.readers.commands.releases import Releases
from generator.readers.commands.servers import servers_in
from generator.readers.commands.words import (
    SPOKEN,
    asked,
    client_at,
    handed,
    has_long_dash,
    is_of_scripts,
    long_dash,
    models,
    perhaps,
    taken_for_a_program,
    variable,
)
from generator.readers.syntax.applied import (
    asked_before,
    forgiven,
    kept_out,
    piped,
    served_beside,
    started_in_vain,
    with_paths,
)
from generator.readers.syntax.asking import asked_with
from generator.readers.syntax.blocks import LONGEST
from generator.readers.syntax.calls import calls
from generator.readers.syntax.functions import handing_on
from generator.readers.syntax.hasty import asked_at_once, hasty
from generator.readers.syntax.namesakes import namesakes
from generator.readers.syntax.passing import is_removed
from generator.readers.syntax.restarts import (
    cut_off,
    not_read_again,
    only_read_again,
    pulled_too_early,
)
from generator.readers.syntax.script import CommandLine, lines
from generator.readers.syntax.started import started_beside
from generator.readers.windows.read import stored_by
from generator.view import (
    AT_ONCE,
    BEFORE,
    CUT_OFF,
    EARLY,
    FORGIVEN,
    IF_BOOTING,
    LATER,
    MANAGED,
    SECOND,
    SHUT,
    UNAPPLIED,
    UNTIL_REBOOT,
    Command,
    Line,
    NotJudged,
    Place,
    Reach,
    Variable,
    View,
    sometimes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.around import Client
    from generator.readers.syntax.options import Argument, Run
    from generator.view import Phrases, Request


_RUN_IN_ORDER: Final = frozenset({"script", "steps"})
_CHOOSES: Final = re.compile(r"^\s|\|\||&&|;;|\bthen\b|^[\w*|]+\)")
"""What stands where a command is run in some cases alone."""


def goes_on(script: Sequence[str], at: int) -> bool:
    """Return whether a line of a script goes on with the one before it."""
    return at > 0 and script[at - 1].endswith("\\")


_OF_BASH: Final = (".sh", ".bash")


def _torn(place: Place) -> NotJudged:
    reason = "a quote in this command has no partner: a shell runs neither it nor what is behind"
    return NotJudged(
        file=place.file, line=place.line, reason=reason, hint="close it", part="a command"
    )


_SETS: Final = ["launchctl", "setenv"]
_SETS_FROM: Final = 3
_AT_START: Final = re.compile(r"LaunchAgents|LaunchDaemons|@reboot|\.plist|login item|loginhook")
_MOST: Final = 20  # servers of one script
_MOST_CALLED: Final = 1_000  # commands that calls of its functions become


class Told:
    """What the scripts of a file say.

    `reach`: who gets what is exported. `bare`: a variable counts without `export`, as in a guide.
    `login`: a login shell reads the file. `others`: it runs more than the engine, which gets what
    is exported as well. `served`: it starts the server, `kept`: something else of the file has its
    service run. `gaps`: what could not be judged.
    """

    def __init__(
        self,
        context: Context,
        file: str,
        book: Phrases,
        reach: Reach = "shell",
        *,
        bare: bool = False,
        login: bool = False,
    ) -> None:
        self.context, self.file, self.book, self.bare = context, file, book, bare
        self.engine = context.engine
        self.exports = Exports(context, bare, login)
        self.releases = Releases(context.engine)
        self.documents = Documents(context, file, bare)
        self.front = InFront(context, file)
        self.enables = Enables(context, file)
        self.alone = Alone(context.engine)
        self.gaps: list[NotJudged] = self.documents.gaps
        self.variables: list[Variable] = []
        self.commands: list[Command] = []
        self.texts: list[tuple[int, list[str]]] = []
        self.forgiven: list[Line] = []
        self.others = self.served = self.kept = False
        self._reach: Reach = reach
        self._managed = False
        self._tag = ""
        self._runs: list[Run] = []
        self._clients: list[Client] = []
        self._deployed: list[View] = []
        self._requests: list[Request] = []
        self._beside: list[Line] = []
        self._executed: list[Line] = []
        self._perhaps: list[Line] = []
        self._handing: frozenset[str] = frozenset()
        self._dashes: list[Line] = []
        self._forgotten: list[Variable] = []
        self._servers: list[tuple[int, tuple[Place, ...]]] = []
        self.boxes: list[tuple[int, str]] = []
        self._inside = range(0)
        self._functions: Functions = {}
        self._room = _MOST_CALLED

    def script(self, text: str, first: int = 1) -> None:
        """Take in a script that begins on line `first` of the file."""
        self.texts.append((first, text.split("\n")))
        self.releases.begins()
        self.front.begins(text, first)
        self.alone.begins(text, first)
        self.exports.begins(text)
        self._functions |= functions(text, self.engine.name)
        self._handing = handing_on(text)
        for line in lines(text, self.file, first):
            self._line(self._handed_on(line))
        self.releases.ends()
        self.front.ends()
        self.enables.ends(text)
        self.exports.ends(text)
        requests, _ = calls(text, self.file, self.engine.name, self.engine.api, first)
        self._requests += requests

    def _handed_on(self, line: CommandLine) -> CommandLine:
        """Return a command without the function of the script that only hands it on."""
        if line.words and line.words[0].text in self._handing and line.words[1:]:
            return dataclasses.replace(line, words=line.words[1:])
        return line

    def _line(self, line: CommandLine) -> None:
        """Take in a command with what it sets and writes."""
        if line.torn and line.words and self.file.endswith(_OF_BASH) and not self.bare:
            self.gaps.append(_torn(line.words[0].place))
        if line.listed:
            self._kept(line)
            return
        self.releases.runs(line)
        self.enables.takes(line)
        if line.words:
            self.front.takes(line)
            self.alone.takes(line)
            self._notes(line.words)
            self._command(line)
        else:
            self.exports.takes(line)
            self.releases.keeps(line, every=self.exports.every)
        self.documents.writes(line)

    def _notes(self, words: Sequence[Argument]) -> None:
        """Take note of what a command means for what stands around it."""
        self.exports.passes([word.text for word in words])
        self._managed = self._managed or beside.manages(words, self.engine.name)
        self._beside += beside.tunnels(words, self.context)
        self._executed += beside.executed(words, self.context)
        if self.engine.verbs:
            self._executed += opened_to_all(words, self.context)
        if self.engine.verbs and (client := asking(words, self.context)):
            self._clients.append(client)

    def _command(self, line: CommandLine) -> None:
        """Take in a command by the first that it is."""
        words = line.words
        if self.documents.of_cluster(line):
            return
        if self.engine.by_arguments:
            self._starts(line)
            return
        if [word.text for word in words[:2]] == _SETS and len(words) > _SETS_FROM:
            # The app of macOS is started by launchd.
            told = variable(words[2].text, words[3], "server")
            self.variables.append(told)
            self._forgotten += [told] if told.name.startswith(self.engine.prefixes) else []
        elif kept := self._stored(line):
            self.variables += kept
        elif words[0].text not in SPOKEN and (held := image_at(words, self.engine)):
            self._apptainer(line, *held)
        elif box := started(words, self.engine):
            self._container(box, words)
        elif server := deployed(words, self.context):
            self._deployed.append(server)
        elif command := asked(words, self.engine):
            self.commands.append(dataclasses.replace(command, fed=line.fed))
            self.alone.runs(line, command)
            self._perhaps += perhaps(command, words)
            mistaken = list(taken_for_a_program(words))
            self._executed += mistaken
            behind = () if mistaken else handed(words, self.engine)
            given = (*line.assigned, *behind)
            self._serves(line, given, serves=self._is_server(command))
        else:
            made = list(islice(called(words, self._functions), self._room))
            self._room -= len(made)
            asked_by = (asked(one, self.engine) for one in made)
            self.commands += (one for one in asked_by if one is not None and self._fetches(one))
            self.others = self.others or not is_of_scripts(words)

    def _stored(self, line: CommandLine) -> list[Variable]:
        """Return what a command sets for services, or for whatever starts later."""
        name, place = line.words[0].text, line.words[-1].place
        stored = stored_by(name, [word.text for word in line.words[1:]], place)
        return [*beside.given_to_services(line, self.engine), *stored]

    def _fetches(self, command: Command) -> bool:
        return bool(command.words) and command.words[0][0] in self.engine.verbs

    def _starts(self, line: CommandLine) -> None:
        """Take in servers that are told by their arguments alone; of others nothing counts."""
        words = line.words
        if words[0].text in SPOKEN:
            return
        if box := started(words, self.engine):
            self._container(box, words)
        if client_at(words) is not None:
            # What a shell in a container is handed is none of this machine.
            last = max(word.place.line + word.text.count("\n") for word in words)
            self._inside = range(words[0].place.line, last + 1)
        elif words[0].place.line not in self._inside:
            given = (*line.assigned, *handed(words, self.engine))
            for command in servers_in([(word.text, word.place) for word in words], self.engine):
                self.commands.append(command)
                self._serves(line, given, serves=True)

    def _asks_program(self, command: Command | None) -> bool:
        """Whether words are for the program, and not for a script that stands in its place."""
        facts = self.context.catalogue.at(self.engine.name)
        word = command.words[0][0] if command is not None and command.words else ""
        return word in facts.commands or word in facts.no_commands

    def _is_server(self, command: Command) -> bool:
        return bool(command.words) and command.words[0][0] == self.engine.command[-1]

    def _container(self, box: Run, words: Iterable[Argument]) -> None:
        """Take in a server that runs in a container."""
        self._runs.append(box)
        self._dashes += (long_dash(word) for word in words if has_long_dash(word))
        command = asked_of_image(box, self.engine)
        self.commands += [command] if command else []

    def _apptainer(self, line: CommandLine, at: int, behind: int | None) -> None:
        """Take in an image that Apptainer runs, which hands on what is exported as well."""
        words = line.words
        self._tag = image_name(words[at].text.partition("://")[2]).tag or self._tag
        plain = None if behind is None else tuple((w.text, w.place) for w in words[behind:])
        command = asked(words, self.engine) if plain is None else Command(plain)
        self.commands += [command] if command and self._asks_program(command) else []
        own_program = plain is not None and not self._asks_program(command)
        serves = own_program or (command is not None and self._is_server(command))
        if not serves and self._reach == "shell":
            self._reach = "client"  # It has no service of systemd in it.
        self._serves(line, (*line.assigned, *environment(words[:at])), serves=serves)

    def _serves(
        self, line: CommandLine, given: Iterable[tuple[str, Argument]], *, serves: bool
    ) -> None:
        """Take in what a command of the engine is given, which may be its server."""
        own = [variable(name, value, "server" if serves else "client") for name, value in given]
        self.variables += own
        if serves:
            self._reach, self.served = "server", True
            self._servers.append((line.words[0].place.line, tuple(one.place for one in own)))

    def _kept(self, line: CommandLine) -> None:
        """Take in what a script keeps for a server that it starts, not for a fork of it."""
        engine = self.engine
        if any(re.fullmatch(engine.of_forks, name) for name, _ in line.assigned):
            return
        ours = ((n, v) for n, v in line.assigned if n.startswith(engine.prefixes))
        # Where a server in a container listens, its ports decide.
        ours = ((n, v) for n, v in ours if n != engine.address)
        self.variables += [variable(name, value, "server") for name, value in ours]

    def found(self) -> list[View]:
        """Return the Views of all that was told."""
        used = tuple(models(self.commands, self.engine))
        views = [
            view_of(
                *(self._own(box), self.book, self.context, used, self._dashes),
                removed=self._removes(box),
            )
            for box in self._runs
        ]
        views += self._deployed
        lines = (
            *self._beside,
            *self._executed,
            *self._perhaps,
            *self.releases.missed,
            *self.exports.loose,
            *self._in_vain(),
            *self.forgiven,
            *self._until_reboot(),
            *([] if self.bare or self.book.kind == "dockerfile" else self.front.found),
            *self.enables.found,
            *self.alone.found(),
        )
        variables = tuple(self._variables())
        if variables or self.commands or self._requests or lines or self._is_kept():
            view = self.context.view(
                self.book,
                self.context.release_for(self._tag),
                name=PurePosixPath(self.file).name,
                place=Place(self.file),
                lines=lines,
                variables=variables,
                models=used,
                commands=tuple(self.commands),
                requests=tuple(self._requests),
            )
            views += self._each_server(view)
        views += self.documents.found(self.texts, managed=self._managed)
        return self._guarded(self._with_clients([self._when(view) for view in views]))

    def _own(self, box: Run) -> Run:
        """Return a container without what it is handed on that is told where the script sets it."""
        given = {name for name, _ in self.exports.given}
        left = [one for one in box.options if one.name != "env" or one.value not in given]
        return dataclasses.replace(box, options=tuple(left))

    def _when(self, view: View) -> View:
        """Return a View of a container that a part of the script may start, or that ends first."""
        box = view.container
        if box is None or self.book.kind not in _RUN_IN_ORDER:
            return view
        at = bisect_right(self.texts, box.place.line, key=lambda one: one[0])
        first, script = self.texts[at - 1] if at else (1, [""])
        begun = box.place.line - first
        while goes_on(script, begun):
            begun -= 1
        told = " ".join(script[max(begun, 0) : box.place.line - first + 1])
        plain = self.book.kind == "script" and not _CHOOSES.search(told[:LONGEST])
        if box.restart != "no" and plain:
            return view
        return dataclasses.replace(view, lines=(*view.lines, sometimes("if", box.place)))

    def _is_kept(self) -> bool:
        """Whether the scripts install the server, or have its service run: it has its defaults."""
        if self.bare or self.book.kind == "dockerfile" or not self.engine.verbs:
            return False
        return self.kept or kept_by_scripts(self.texts, self.engine)

    def _with_clients(self, views: list[View]) -> list[View]:
        """Return Views with the programs that the scripts run beside servers."""
        if not self._clients:
            return views
        place = Place(self.file)
        alone = [] if views else [clients_alone(self._clients, self.book, self.context, place)]
        return [*with_clients(views, self._clients)] if views else alone

    def _guarded(self, views: list[View]) -> list[View]:
        """Return Views with what of the script keeps others from the port of the server."""
        port = self.context.catalogue.at(self.engine.name).image.port
        at = kept_out(self.texts, port) if views else 0
        if not at:
            return views
        line = Line(section=SHUT, name="firewall", value=str(port), place=Place(self.file, at))
        return [dataclasses.replace(view, lines=(*view.lines, line)) for view in views]

    def _variables(self) -> Iterable[Variable]:
        """Yield all that is set, in the order of the file."""
        around = Around(
            reach=self._reach,
            served=self.served,
            managed=self._managed,
            asks=bool(self.commands),
            written=self.documents.for_servers(),
        )
        own = self.exports.variables(around)
        own = own if self.served else list(of_applications(own, self.context))
        for one in sorted([*own, *self.variables], key=lambda v: v.place.line):
            yield dataclasses.replace(one, shared=one.shared and self.others)

    def _in_vain(self) -> Iterable[Line]:
        """Yield the start of a service that runs already, and does not see what was changed."""
        texts = with_paths(self.texts, self.engine)
        at = started_in_vain(texts, self.engine)
        if at:
            yield self._noted(UNAPPLIED, at, "start")
        elif not self.bare and self.book.kind != "dockerfile":
            yield from self._restarts(texts)
        yield from () if self.bare or self.book.kind == "dockerfile" else self._hasty()
        servers = [] if self.bare else [line for line, _ in self._servers]
        in_image = self.book.kind == "dockerfile"  # No service runs while one is built.
        if servers and not in_image and (at := served_beside(self.texts, self.engine, servers)):
            yield self._noted(SECOND, at, "serve")
        if not (self.bare or in_image) and kept_by_scripts(self.texts, self.engine):
            yield from self._later()
        for at, verb in asked_at_once(self.texts, self.engine, servers) if servers else ():
            yield self._noted(AT_ONCE, at, verb)
        for at, verb, start in asked_before(self.texts, self.engine, servers) if servers else ():
            place = Place(self.file, at)
            yield Line(section=BEFORE, name=verb, value=str(start), place=place)
        yield from asked_with(self.texts, self.engine, self.file)
        yield from namesakes(self.texts, self.engine, self.file)
        for at, what, how in (
            *forgiven(self.texts, self.engine),
            *piped(self.texts, self.engine),
        ):
            yield Line(section=FORGIVEN, name=what, value=how, place=Place(self.file, at))

    def _later(self) -> Iterable[Line]:
        """Yield what is started beside the service that the installer has started."""
        runs = [(box.image.place.line, "run") for box in self._runs]
        begun = started_beside(self.texts, self.engine)
        for at, what in islice(dict.fromkeys((*runs, *self.boxes, *begun)), _MOST):
            if served_beside(self.texts, self.engine, [at]):
                yield Line(section=LATER, name=what, value="", place=Place(self.file, at))

    def _hasty(self) -> Iterable[Line]:
        """Yield what asks the service in the moment after its start."""
        for at, verb, vain in hasty(self.texts, self.engine):
            section = IF_BOOTING if vain else AT_ONCE
            yield Line(section=section, name=MANAGED, value=verb, place=Place(self.file, at))

    def _restarts(self, texts: list[tuple[int, list[str]]]) -> Iterable[Line]:
        """Yield what restarts of the service undo, or come too late for, and what waits for one."""
        if at := only_read_again(texts, self.engine):
            yield self._noted(UNAPPLIED, at, "daemon-reload")
        if at := not_read_again(texts, self.engine):
            yield self._noted(UNAPPLIED, at, "restart")
        for at, names in pulled_too_early(texts, self.engine):
            named = " ".join(sorted(names))
            yield Line(section=EARLY, name=named, value="pull", place=Place(self.file, at))
        for at, end in cut_off(self.texts, self.engine):
            yield self._noted(CUT_OFF, at, str(end))

    def _until_reboot(self) -> Iterable[Line]:
        """Yield the first variable that launchd forgets, unless it is told at each start."""
        kept = any(_AT_START.search(line) for _, script in self.texts for line in script)
        if self._forgotten and not (kept or self.bare or self.book.kind == "launchd"):
            first = self._forgotten[0]
            yield Line(section=UNTIL_REBOOT, name=first.name, value=first.value, place=first.place)

    def _noted(self, section: str, at: int, value: str) -> Line:
        return Line(section=section, name=self.engine.name, value=value, place=Place(self.file, at))

    def _each_server(self, view: View) -> Iterable[View]:
        """Yield a View of all that is said, and of each server that has had something else.

        What a later command has in front of it, or is exported later, is not for a server before.
        """
        if self.engine.by_arguments:
            yield from self._each_by_arguments(view)
            return
        yield view
        if self.bare or len(self._servers) == 1:
            return  # A guide shows several ways to start one.
        prefixed = {place for _, places in self._servers for place in places}
        for line, own in self._servers[:_MOST]:
            given = [one for one in view.variables if one.place in own]
            before = (v for v in view.variables if v.place not in prefixed)
            had = (*(v for v in before if v.place.line <= line), *given)
            one = dataclasses.replace(view, variables=had)
            names = {v.name for v in had if v.reach == "server"}
            if any(one.variable(name) != view.variable(name) for name in names):
                yield one
        if len(self._servers) > _MOST:
            reason = f"it starts more than {_MOST} servers: variables of later ones are not judged"
            self.gaps.append(NotJudged(file=self.file, reason=reason))

    def _each_by_arguments(self, view: View) -> Iterable[View]:
        """Yield a View of each server, with the variables that it gets; without one, of secrets."""
        prefixed = {place for _, places in self._servers for place in places}
        for (line, own), command in list(zip(self._servers, self.commands, strict=True))[:_MOST]:
            had = (v for v in view.variables if v.place.line <= line or v.place in own)
            had = (v for v in had if v.place in own or v.place not in prefixed)
            yield dataclasses.replace(view, commands=(command,), variables=tuple(had))
        ours = tuple(v for v in view.variables if v.name.startswith(self.engine.prefixes))
        if ours and not self._servers:
            yield dataclasses.replace(view, commands=(), variables=ours)

    def _removes(self, box: Run) -> bool:
        """Whether the script that starts a container takes it away again."""
        name, line = named(box), box.image.place.line
        at = bisect_right(self.texts, line, key=lambda one: one[0])
        first, script = self.texts[at - 1] if at else (0, [])
        return bool(name) and is_removed(script, name, line - first)
