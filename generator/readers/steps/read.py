"""CI files, cloud-init, Butane and Ansible tasks: the commands that they run, the files that they
write, and the containers that they start.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.readers import container
from generator.readers.base import (
    Context,
    NeedsMore,
    Source,
    each,
    image_name,
    is_variable_of,
)
from generator.readers.clients import client as asks
from generator.readers.clients import client_in, clients_alone, with_clients
from generator.readers.commands.alone import on_their_own
from generator.readers.commands.clouds import deployed, words_of
from generator.readers.commands.kept import kept_by_task
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.pieces import Piece, read_pieces
from generator.readers.signs import names_an_engine
from generator.readers.steps import ANSIBLE, MODELS, PASSING, STEPS, VARIABLES
from generator.readers.steps.ansible import (
    ENTIRE,
    Names,
    done_to_the_service,
    downloads,
    filled,
    handed_over,
    hands_over,
    is_for_a_container,
    is_kept_out,
    is_left_out,
    whole,
)
from generator.readers.steps.changes import put_in
from generator.readers.steps.forgiven import Results, forgiven, streamed
from generator.readers.steps.handlers import Handlers
from generator.readers.steps.packed import PLAIN, unpacked
from generator.readers.steps.unshelled import unshelled
from generator.readers.syntax.applied import while_booting, without_home
from generator.readers.syntax.asking import asked_by_tasks
from generator.readers.syntax.options import Argument, Option, options
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all
from generator.units import EVERYWHERE
from generator.view import Asked, Command, NotJudged, Place, Variable, sometimes

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from generator.around import Client
    from generator.engines.signs import Signs as Engine
    from generator.view import Line, Phrases, View

_SCRIPTS: Final = frozenset(
    {
        *(
            "run",
            "script",
            "before_script",
            "after_script",
            "runcmd",
            "bootcmd",
            "commands",
            "bash",
        ),
        *("shell", "command", "cmd", "ansible.builtin.shell", "ansible.builtin.command"),
    }
)
_CONTAINER: Final = re.compile(r"(?:[a-z]+\.[a-z]+\.)?(docker|podman)_container")
_EXECS: Final = frozenset({"docker_container_exec", "podman_container_exec"})
_OPTIONS: Final = {
    "published_ports": "publish", "ports": "publish", "publish": "publish",
    "volumes": "volume", "volume": "volume", "env_file": "env-file",
    "restart_policy": "restart", "memory": "memory", "cpus": "cpus",
    "network_mode": "network", "network": "network", "privileged": "privileged", "user": "user",
    "runtime": "runtime", "devices": "device", "device": "device", "gpus": "gpus",
    "capabilities": "cap-add", "cap_add": "cap-add", "healthcheck": "health-cmd",
    "memory_swap": "memory-swap", "cpuset_cpus": "cpuset-cpus", "entrypoint": "entrypoint",
    "tmpfs": "tmpfs", "ulimits": "ulimit", "read_only": "read-only",
}  # fmt: skip
_SWITCHES: Final = frozenset({"privileged", "read_only"})
_CHANGES: Final = re.compile(r"(?:[a-z]+\.[a-z]+\.)?(?:lineinfile|blockinfile|replace|ini_file)")
_ITEM: Final = re.compile(r"\{\{\s*item(?:\.name)?\s*\}\}")
_GONE: Final = frozenset({"absent", "stopped"})
_DEEPEST: Final = 40
_FAR: Final = 20  # lines between two options
_RUNNER: Final = re.compile(r"(?m)^[ \t]+runs-on[ \t]*:[ \t]*(\S.*)$")
_HOSTED: Final = re.compile(r"[\"']?(?:ubuntu|windows|macos)-[\w.-]+[\"']?\s*(?:#.*)?$")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each file. Raises ProfileError for what is no YAML."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _is_hosted(text: str) -> bool:
    """Whether every job of a workflow runs on a machine that is made for it, and goes with it.

    One that is computed is as the others are.
    """
    runners = [_chosen(found[1], text) for found in _RUNNER.finditer(text)]
    told = [one for one in runners if not one.startswith("${{")]
    return bool(told) and all(_HOSTED.match(one) for one in told)


def _chosen(runner: str, text: str) -> str:
    """Return a runner, or the first one that a matrix chooses from where it begins with that."""
    named = _MATRIX.match(runner)
    found = named and re.search(rf"(?m)^[ \t]+{named[1]}[ \t]*:[ \t]*\[([^,\]\n]+)", text)
    return found[1].strip() if found else runner


_MATRIX: Final = re.compile(r"\$\{\{\s*matrix\.(\w+)\s*\}\}")


def _views(source: Source, context: Context) -> tuple[View, ...]:
    steps = _Steps(source, context)
    for document in parse_all(source):
        steps.visit(document)
    steps.read_pieces()
    views = [*steps.views, *steps.told.found()]
    if steps.clients and not views:
        place = steps.clients[0].container.place
        views = [clients_alone(steps.clients, STEPS, context, place)]
    elif views:
        views = [*with_clients(views, steps.clients)]
    if _AT_BOOT.match(source.text):
        views = [without_home(while_booting(view)) for view in views]
    if not views and steps.told.gaps:
        gap = steps.told.gaps[0]
        where = f"line {gap.line}"
        raise NeedsMore(source.path, (Problem(where, gap.reason, gap.hint, source.path),))
    if not views and _ROLES.search(source.text):
        reason = "it names roles or other files alone, which are judged where they are at hand"
        hint = "check the tasks of those"
        raise NeedsMore(source.path, (Problem("", reason, hint, source.path),))
    return with_gaps(views, steps.told.gaps)


_ROLES: Final = re.compile(
    r"(?m)^[ \t]*(?:- )?(?:roles|(?:ansible\.builtin\.)?(?:import|include)_(?:role|tasks|playbook))"
    r"[ \t]*:"
)
_AT_BOOT: Final = re.compile(r"\A(?:## template: jinja\s*\n)?#cloud-config\b")


class _Steps:
    """One pass over a file; nodes that aliases share are read once."""

    def __init__(self, source: Source, context: Context) -> None:
        self.file, self.text, self.context = source.path, source.text, context
        book = PASSING if _is_hosted(source.text) else STEPS
        self.told = Told(context, source.path, book, "client")
        self.views: list[View] = []
        self.pieces: list[Piece] = []
        self.clients: list[Client] = []
        self.seen: set[int] = set()
        self.started: set[int] = set()
        self.handlers = Handlers(source.path, context)
        self.names = Names(source.path, context)
        self.top: Node | None = None
        self.around: list[Table] = []
        self.given: dict[int, tuple[Container[str], list[Variable]]] = {}

    def visit(self, node: Node, depth: int = 0) -> None:
        """Take in a node and what is below it."""
        if isinstance(node, Scalar) or id(node) in self.seen or depth > _DEEPEST:
            return
        self.seen.add(id(node))
        self.top = node if not depth else self.top
        if isinstance(node, Items):
            for item in node.items:
                self.visit(item, depth + 1)
            return
        self._file(node)
        done = done_to_the_service(node, self.around, self.handlers, self.names)
        self.told.texts += ((line, [command]) for line, command in done)
        self._detached(node)
        self._fetched(node)
        server = deployed(words_of(node), self.context)
        self.views += [server] if server else []
        self._uses(node)
        self.around.append(node)
        before = len(self.told.commands)
        for key, value in node.entries.items():
            if _CHANGES.fullmatch(key) and isinstance(value, Table):
                self._change(key, value, node)
            elif started := _CONTAINER.fullmatch(key):
                self._task(value, started[1])
            elif (
                self._of_a_role(key, value)
                or self._handed(key, value)
                or self._executed(key, value)
            ):
                continue
            elif key == "services" or (key == "docker" and isinstance(value, Items)):
                self._services(value, node if key == "services" else None)
            elif key in {*_SCRIPTS, "argv"} and not isinstance(value, Table):
                alone = key == "argv" and isinstance(value, Items)
                self._script(_one_command(value) if alone else value)
            else:
                self.visit(value, depth + 1)
        self._looped(node, before)
        commands, engine = self.told.commands[before:], self.context.engine.name
        self.told.forgiven += forgiven(node, commands, lambda: self._results, engine)
        self.told.forgiven += _asked_by(node, commands)
        self.told.forgiven += unshelled(node, engine)
        self.told.forgiven += streamed(node, self.text)
        self.around.pop()

    def _fetched(self, task: Table) -> None:
        """Take note of what a task fetches, which may not be there any more, or installs."""
        engine = self.context.engine
        for address in downloads(task):
            text = self._filled(address.text)
            self.told.releases.fetches(text, address.place)
            self.told.kept = self.told.kept or re.search(engine.installs, text) is not None
        self.told.kept = self.told.kept or kept_by_task(task, engine, self._filled)

    @functools.cached_property
    def _results(self) -> Results:
        return Results(self.text)

    def _handed(self, module: str, task: Node) -> bool:
        """Take in what a task hands to another program, and return whether there is something."""
        if not (hands_over(module) and isinstance(task, Table)):
            return False
        views, gaps = handed_over(module, task, self.text, self.file, self.context)
        self.views += views
        self.told.gaps += gaps
        return bool(views or gaps)

    def _executed(self, module: str, task: Node) -> bool:
        """Take in what a task runs in a container, and return whether it does."""
        if module.rpartition(".")[2] not in _EXECS or not isinstance(task, Table):
            return False
        words = task.get("argv")
        self._script(_one_command(words) if words else task.get("command") or task)
        return True

    def _uses(self, step: Table) -> None:
        """Take note of an action that may read what its job sets: of GitHub's own, none does."""
        action = step.text("uses")
        own = action.startswith("actions/") or names_an_engine(action)
        self.told.others = self.told.others or bool(action and not own)

    def _looped(self, task: Table, before: int) -> None:
        """Take in what a task does for each item of its loop: the models of a list."""
        told = self.told.commands[before:]
        if any(_ITEM.fullmatch(word) for command in told for word, _ in command.words):
            for key in ("loop", "with_items"):
                listed = task.get(key)
                if isinstance(listed, Items):
                    self._listed(listed)

    def _of_a_role(self, key: str, value: Node) -> bool:
        """Take in a variable by which people tell a role of the engine what to do."""
        if MODELS.fullmatch(key) and isinstance(value, Items):
            self._listed(value)
            return True
        name = self._meant(key, value.text) if isinstance(value, Scalar) else ""
        given = Table({name: value}, value.place) if name else value
        if not name and not (VARIABLES.fullmatch(key) and isinstance(value, Table)):
            return False
        if is_for_a_container(key, self.file, self.context):
            return True  # It is judged with the task that starts that.
        # The role puts them into the unit of the server.
        for one in _variables(Table({"env": given}, value.place), strict=False):
            written = "" if name else one.written
            self.told.variables.append(replace(one, reach="server", written=written))
        return True

    def _meant(self, key: str, value: str) -> str:
        """Return the variable of the server that one of a role is named after; empty: none.

        The name of the address may be that of a host to ask.
        """
        engine = self.context.engine
        if not key.startswith(f"{engine.name}_"):
            return ""
        facts = self.context.catalogue.at(engine.name, self.context.release_for()[0])
        fact = facts.variable(key.upper())
        served = fact is not None and fact.works and fact.scope != "client"
        asked = key.upper() == engine.address and not value.startswith((*EVERYWHERE, "*"))
        if not served or asked:
            return ""
        if is_left_out(key, self.file, self.context) or is_kept_out(
            key, value, self.file, self.context
        ):
            return ""  # Nothing of the role hands it on.
        if re.search(rf"\b{key.upper()}=\{{\{{\s{{0,9}}{key}\b", self.text):
            return ""  # It is judged where the file writes it.
        return key.upper()

    def _listed(self, models: Items) -> None:
        """Take a list of models for what it is there for: each of them is pulled."""
        for node in models.items:
            name = node if isinstance(node, Scalar) else _pulled(node)
            if isinstance(name, Scalar) and "{{" not in name.text:
                words = ("pull", name.place), (name.text, name.place)
                self.told.commands.append(Command(words))

    def _script(self, node: Node) -> None:
        """Read a script, and what its job sets for a server that it starts."""
        told = self.told
        commands, variables, exports = (
            len(told.commands),
            len(told.variables),
            len(told.exports.given),
        )
        self._lines_of(node)
        if any(_serves(one, self.context.engine) for one in told.commands[commands:]):
            own = {v.name for v in told.variables[variables:]}
            own |= {name for name, _ in told.exports.given[exports:]}
            self._hand_down([own])

    def _hand_down(self, nearer: list[Container[str]]) -> None:
        """Give a server what its step, job and file set, each once: the nearest counts."""
        for box in reversed(self.around):
            if id(box) not in self.given:
                boxes = (box, box.table("container"))
                found = {v.name: v for one in boxes for v in _variables(one, strict=False)}
                self.given[id(box)] = found.keys(), list(found.values())
            names, left = self.given[id(box)]
            hidden = {v.name for v in left if any(v.name in each for each in nearer)}
            self.told.variables += [
                replace(v, reach="server", shared=True) for v in left if v.name not in hidden
            ]
            self.given[id(box)] = names, [v for v in left if v.name in hidden]
            nearer.append(names)

    def _lines_of(self, node: Node) -> None:
        if isinstance(node, Scalar):
            self.told.script(node.text, node.starts)
            return
        every = node.items if isinstance(node, Items) else ()
        told = [(one.text, one.starts) for one in every if isinstance(one, Scalar)]
        self.told.front.one_by_one(told)
        for item in every:
            if isinstance(item, Scalar):
                self.told.script(item.text, item.starts)
            elif isinstance(item, Items):
                words = [word.text for word in item.items if isinstance(word, Scalar)]
                self.told.script(shlex.join(words), item.place.line)

    def _file(self, table: Table) -> None:
        """Take in a file that a step writes, unpacked where it says how."""
        content, path = table.scalar("content"), table.text("path") or table.text("dest")
        if content is None:  # A file, a unit or a drop-in of Butane.
            content = table.scalar("contents") or table.scalar("contents", "inline")
            path = path or self._unit(table.text("name"))
        if content is None or not path:
            return
        encoding, line = table.text("encoding").lower(), content.starts
        packed = encoding not in PLAIN
        plain = self._filled(content.text)
        written = unpacked(content.text, encoding) if packed else plain
        if written is None:
            self._unread(path, encoding, line)
            return
        self.pieces.append(Piece(path, written, line, packed=packed))

    def read_pieces(self) -> None:
        """Read the files that all steps write."""
        for _, views, gaps in read_pieces(self.pieces, self.file, self.context):
            self.views += on_their_own(views)
            self.told.gaps += gaps

    def _unit(self, name: str) -> str:
        """Return where a unit of Butane is put, or a drop-in of the unit around it."""
        unit = next((above for one in reversed(self.around) if (above := one.text("name"))), "")
        drop_in = f"{unit}.d/" if unit and name.endswith(".conf") else ""
        return f"/etc/systemd/system/{drop_in}{name}" if name else ""

    def _unread(self, path: str, encoding: str, line: int) -> None:
        """Name a file that is packed in a way that nobody reads here."""
        if names_an_engine(path):
            self._gap(f"nothing unpacks `{encoding}` here", path, line)

    def _change(self, module: str, given: Table, task: Table) -> None:
        """Read what a task puts into a file, and name the file, which is not here."""
        path = next((text for key in ("path", "dest") if (text := given.text(key))), "")
        written = " ".join(given.text(key) for key in ("line", "block", "value", "replace"))
        if given.text("state") in _GONE:
            return
        if names_an_engine(f"{path} {written}"):
            line = task.place_of(module).line
            self._gap("it changes a part of a file that is not here", f"{module}: {path}", line)
        for one in put_in(module, given, task, self._filled):
            self.told.documents.takes(one)

    def _filled(self, text: str) -> str:
        return self.names.put_in(text, self.around)

    def _gap(self, reason: str, part: str, line: int) -> None:
        hint = "check the file itself"
        self.told.gaps.append(
            NotJudged(file=self.file, reason=reason, hint=hint, part=part, line=line)
        )

    def _of_resources(self, named: Iterable[tuple[str, Node]]) -> bool:
        """Take in services that name containers of `resources`, as Azure Pipelines has them."""
        listed = self.top.items("resources", "containers") if isinstance(self.top, Table) else ()
        boxes = {one.text("container"): one for one in listed if isinstance(one, Table)}
        used = [boxes.get(node.text) for _, node in named if isinstance(node, Scalar)]
        for box in (one for one in used if one is not None and id(one) not in self.started):
            self.started.add(id(box))
            image, name = box.scalar("image"), box.text("container")
            if image is not None and self._is_ours(image.text, name):
                given = box.scalar("options")
                told = list(_given(given, self.text)) if given else []
                self._view(box, image, told, PASSING, name)
        return any(one is not None for one in used)

    def _detached(self, step: Table) -> None:
        """Read a step that is a service: Woodpecker and Drone leave it running."""
        image, on = step.scalar("image"), step.scalar("detach")
        if image and on and on.is_true and not step.get("commands"):
            name = step.text("name")
            if self._is_ours(image.text, name):
                self._view(step, image, [], PASSING, name)

    def _services(self, node: Node, job: Table | None) -> None:
        """Read the containers that a job has beside it.

        GitLab lists them, and hands them the variables of the file and of `job` as well; CircleCI
        does not.
        """
        named = node.entries.items() if isinstance(node, Table) else ()
        listed = node.items if isinstance(node, Items) else ()
        if self._of_resources(named):
            return
        top = self.top if job is not None and listed else None
        around = [one for one in (top, job) if isinstance(one, Table)] if listed else []
        for name, box in (*named, *(("", item) for item in listed)):
            image = box if isinstance(box, Scalar) else None
            if isinstance(box, Table):
                image = box.scalar("image") or box.scalar("name")
            if image is not None and self._is_ours(image.text, name):
                given = box.scalar("options") if isinstance(box, Table) else None
                told = list(_given(given, self.text)) if given else []
                asked = Asked(by="the job", port="", place=image.place) if job is not None else None
                self._view(box, image, told, PASSING, name, around=around, asked=asked)

    def _chosen(self) -> str:
        """Return what decides whether a task is run, or where: one of several plays, too."""
        plays = self.top.items if isinstance(self.top, Items) else ()
        several = sum(isinstance(one, Table) and "hosts" in one.entries for one in plays) > 1
        said = (key for one in self.around for key in _CHOOSES if key in one.entries)
        return next(said, "hosts" if several else "")

    def _is_ours(self, image: str, name: str) -> bool:
        engine = self.context.engine
        known = engine.is_image(image_name(image).repository)
        return (
            known or ("{{" in image and name == engine.name) or is_variable_of(engine.name, image)
        )

    def _task(self, node: Node, client: str) -> None:
        """Read a task of Ansible that starts a container."""
        node = whole(node, self.file, self.around, self.context)
        node = filled(node, self.names.around(self.around))
        image = node.scalar("image") if isinstance(node, Table) else None
        if not isinstance(node, Table) or image is None or node.text("state") in _GONE:
            return
        if self._is_ours(image.text, node.text("name")):
            self._view(node, image, list(_options(node)), ANSIBLE, node.text("name"), client)
        elif known := client_in(image.text, self.context):
            self._asks(known, node, image, client)

    def _asks(self, known: str, task: Table, image: Scalar, client: str) -> None:
        """Take in a program that asks servers, where a task starts its container."""
        told = list(_options(task))
        held = container.container(image.text, image.place, told, client, "")
        variables = _variables(task, strict=client == "docker")
        gaps = (*container.gaps(told, self.context), *_not_written_out([task]))
        self.clients.append(asks(known, held, variables, gaps))

    def _view(
        self,
        box: Node,
        image: Scalar,
        told: list[Option],
        book: Phrases,
        name: str,
        client: str = "docker",
        around: Sequence[Table] = (),
        asked: Asked | None = None,
    ) -> None:
        held = container.container(image.text, image.place, told, client, "")
        given = container.variables(told, self.context, {})
        # The module of Ansible for Docker; a service of a job has no options.
        strict = client == "docker" and book is ANSIBLE
        boxes = [*around, *([box] if isinstance(box, Table) else [])]
        every = {v.name: v for one in boxes for v in _variables(one, strict=strict)}
        # Around a service it is the address for clients.
        address = every.get(self.context.engine.address)
        if address and around and address.place not in set(_places(box)):
            del every[address.name]
        own = tuple(every.values())
        if "{{" in image.text:
            held = replace(held, digest=True)
        held = replace(held, asked=(asked,) if asked else ())
        if isinstance(box, Table):
            entry = [o for o in told if o.name == "entrypoint"] or list(_entry(box))
            words = _words(box, "command")
            held = replace(
                held,
                arguments=container.arguments(entry, words),
                program=container.program(entry, words),
            )
        chosen = self._chosen() if book is ANSIBLE else ""
        if book is ANSIBLE and not chosen:
            self.told.boxes.append((image.place.line, "run"))
            self.told.texts.append((image.place.line, [f"{client} run"]))
        self.views.append(
            self.context.view(
                book,
                self.context.release_of(image.text),
                name=name or self.context.engine.name,
                place=Place(self.file, box.place.line),
                variables=(*(variable for variable, _ in given), *own),
                bounds=container.bounds(told),
                lines=(sometimes(chosen, image.place),) if chosen else (),
                container=held,
                acceleration=container.acceleration(held, told),
                not_judged=(*container.gaps(told, self.context), *_not_written_out(boxes)),
            )
        )


_CHOOSES: Final = ("when", "loop", "with_items", "with_dict", "tags", "delegate_to")


def _one_command(words: Node) -> Node:
    """Return a list of the words of one command as a list of commands."""
    return Items((words,), words.place)


def _pulled(node: Node) -> Scalar | None:
    """Return the model that an item of a list needs: one that is made of another needs that."""
    if not isinstance(node, Table):
        return None
    base = node.scalar("base") or node.scalar("from")
    made = {"template", "modelfile", "system", "parameters", "file"} & node.entries.keys()
    return base or (None if made else node.scalar("name") or node.scalar("model"))


def _serves(command: Command, engine: Engine) -> bool:
    """Whether a call of the program starts the server."""
    return bool(command.words) and command.words[0][0] == engine.command[-1]


def _options(task: Table) -> Iterator[Option]:
    """Yield the options of `docker run` that say the same."""
    for key, name in _OPTIONS.items():
        untold = key in _LISTS and _is_untold(task.get(key))
        if untold and name == "volume":
            # Where it is mounted nobody knows.
            yield Option(name, "$", Argument("$", task.place_of(key), lambda _: ""))
        for node in () if untold else task.items(key):
            if isinstance(node, Scalar) and (key not in _SWITCHES or node.is_true):
                yield _option(name, node)
            elif key == "healthcheck" and isinstance(node, Table):
                yield from _probe(node)
    for mount in (one for one in task.items("mounts") if isinstance(one, Table)):
        target, kind = mount.text("target"), mount.text("type")
        text = f"{mount.text('source')}:{target}" if "source" in mount.entries else target
        if target and kind != "tmpfs":
            yield Option("volume", text, Argument(text, mount.place, lambda _: ""))
    for request in task.items("device_requests"):
        ids = request.items("device_ids") if isinstance(request, Table) else ()
        listed = ",".join(one.text for one in ids if isinstance(one, Scalar))
        text = f"device={listed}" if listed else "all"
        yield Option("gpus", text, Argument(text, request.place, lambda _: ""))


_LISTS: Final = frozenset({"published_ports", "ports", "publish", "volumes", "volume"})


def _is_untold(node: Node | None) -> bool:
    """Whether a list is put in by a variable, and nobody tells of which entries."""
    return isinstance(node, Scalar) and ENTIRE.fullmatch(node.text.strip()) is not None


def _entry(box: Table) -> Iterator[Option]:
    """Yield the words of the entry point that a service of a job has."""
    for word in _words(box, "entrypoint"):
        yield Option("entrypoint", word.text, word)


def _words(box: Table, key: str) -> list[Argument]:
    """Return the words of a command, which is a list or a line; of an open one nothing."""
    node = box.get(key)
    words = [one for one in box.items(key) if isinstance(one, Scalar)]
    if any("{{" in one.text for one in words):
        return []
    if isinstance(node, Scalar):
        try:
            words = [replace(node, text=text) for text in shlex.split(node.text)]
        except ValueError:
            words = []
    return [Argument(one.text, one.place, lambda _: "") for one in words]


def _places(box: Node) -> Iterator[Place]:
    for variable in _variables(box, strict=False) if isinstance(box, Table) else ():
        yield variable.place


def _given(node: Scalar, text: str) -> Iterator[Option]:
    """Yield the options of `docker create` that a service of a workflow is started with.

    `text` is that of the file, in which they may stand on several lines.
    """
    try:
        words = shlex.split(node.text)
    except ValueError:
        words = node.text.split()
    placed = _placed(words, node, text)
    gaps = (Argument(word, place, lambda _: "", "{{" in word) for word, place in placed)
    yield from options(list(gaps))[0]


def _placed(words: Sequence[str], node: Scalar, text: str) -> Iterator[tuple[str, Place]]:
    """Yield words, each with the line on which it begins where they stand in a block."""
    lines, at = text.split("\n"), node.starts
    for word in words:
        near = range(at, min(at + _FAR, len(lines) + 1) if node.block else at)
        at = next((line for line in near if word.split(" ")[0] in lines[line - 1]), at)
        yield word, replace(node.place, line=at)


def _option(name: str, node: Scalar) -> Option:
    gap = "{{" in node.text
    return Option(name, node.text, Argument(node.text, node.place, lambda _: "", gap))


def _probe(check: Table) -> Iterator[Option]:
    words = [word.text for word in check.items("test") if isinstance(word, Scalar)]
    if words:
        text = words[-1] if words[0] == "CMD-SHELL" else json.dumps(words)
        yield Option("health-cmd", text, Argument(text, check.place, lambda _: ""))


def _not_written_out(boxes: Sequence[Table]) -> Iterator[NotJudged]:
    """Yield what of a container a variable stands for, all of it at once."""
    for box in boxes:
        for key in (*_ENVIRONMENT, *sorted(_LISTS)):
            told = box.scalar(key)
            if told is not None and "{{" in told.text and (key in _ENVIRONMENT or _is_untold(told)):
                yield NotJudged(
                    file=told.place.file,
                    line=told.place.line,
                    reason=f"`{told.text}` is not written out here",
                    hint="check what it stands for",
                    part=f"`{key}`",
                    variables=key in _ENVIRONMENT,
                )


_SHELLS: Final = re.compile(r"(?:ansible\.builtin\.)?(?:shell|command|raw|script)")


def _asked_by(task: Table, commands: Sequence[Command]) -> Iterator[Line]:
    """Yield what a task of Ansible, which has its command in a module, sets for a client."""
    if "environment" in task.entries and any(_SHELLS.fullmatch(key) for key in task.entries):
        own = Table({"environment": task.table("environment")}, task.place)
        yield from asked_by_tasks(commands, _variables(own, strict=False))


_ENVIRONMENT: Final = ("env", "environment", "variables")


def _variables(box: Table, *, strict: bool) -> Iterator[Variable]:
    """Yield the variables of a container; `strict`: nothing but text is taken."""
    for key in _ENVIRONMENT:
        for name, node in box.table(key).entries.items():
            # GitLab lets a variable have a description.
            value = node.scalar("value") if isinstance(node, Table) else node
            if not isinstance(value, Scalar):
                continue
            odd = strict and value.kind not in {"str", "null"}
            spelt = f"{value.quote}{value.replaceable}{value.quote}" if value.replaceable else ""
            yield Variable(
                name=name,
                value=value.text,
                place=replace(value.place, key=f"env.{name}"),
                written=spelt,
                unresolved="{{" in value.text or "$" in value.text,
                refused="it is a number or a switch" if odd else "",
            )
