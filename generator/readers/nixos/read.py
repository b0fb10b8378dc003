"""NixOS modules, evaluated by Nix with stand-ins for nixpkgs: the engine's service, its containers.

The evaluation is pure and bounded: no store, no network, no file but the module.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.errors import Problem
from generator.readers.base import Context, NeedsMore, Source, each
from generator.readers.commands.words import models
from generator.readers.embedded import with_gaps
from generator.readers.nixos import HOME_MODULE, MODULE, UNIT
from generator.readers.nixos.agents import agents
from generator.readers.nixos.asking import asking
from generator.readers.nixos.containers import containers, handed_on, is_arion
from generator.readers.nixos.directives import Directives
from generator.readers.nixos.evaluate import (
    Definition,
    Definitions,
    Function,
    in_force,
    unit_text,
)
from generator.readers.nixos.fronts import fronts
from generator.readers.nixos.installed import installed
from generator.readers.nixos.jobs import jobs
from generator.readers.nixos.modules import (
    DARWIN,
    HINT,
    MOUNTS,
    Module,
    is_of_home,
    modules,
    neighbours,
    said_literally,
)
from generator.readers.nixos.release import channel_of, of_package
from generator.readers.nixos.scripts import Started, started
from generator.readers.nixos.unmade import unmade
from generator.readers.nixos.unstarted import unstarted
from generator.readers.nixos.wrappers import wrappers
from generator.readers.syntax import unit
from generator.readers.syntax.nix import UNKNOWN, run
from generator.readers.syntax.storage import network
from generator.readers.syntax.words import expand
from generator.units import takes_port
from generator.view import (
    OTHERWISE,
    SOCKET,
    Line,
    ModelUse,
    Place,
    Setting,
    Variable,
    View,
    Volume,
    each_once,
    sometimes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.units import Release

_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?(?:-rc\d+)?", re.ASCII)
_DISABLED: Final = re.compile(r"\bdisabledModules\s{0,9}=\s{0,9}\[[^\]]{0,400}?([\w-]{1,80}\.nix)")
_KIND: Final = re.compile(r"\bollama-(cpu|cuda|rocm|vulkan)\b")
_IN_TEXT: Final = re.compile(r"(?<!')\$\{\s{0,9}$|\"\s{0,9}\+\s{0,9}$")
_NEAR: Final = 20  # characters around an expression
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_NAMES: Final = re.compile(r"[A-Za-z_][\w'-]*", re.ASCII)
_TOLERANT: Final = re.compile(r"[\w-]|\s{0,20}or\b|\s{0,20}$")
_SCRIPTS: Final = {
    "script": "ExecStart",
    "preStart": "ExecStartPre",
    "postStart": "ExecStartPost",
    "preStop": "ExecStop",
    "postStop": "ExecStopPost",
    "reload": "ExecReload",
}
"""Options with lines of a shell, and the commands that NixOS makes of them."""
_CONTAINERS: Final = ("virtualisation", "oci-containers", "containers")
PLAIN: Final = 100
"""The priority of a definition without mkDefault and mkForce."""


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of what each module says of the service, and of each container of Ollama.

    Raises ProfileError for what Nix or NixOS would refuse and what needs more than stand-ins,
    EnvironmentFailure where Nix is not there.
    """
    views = each(sources, lambda source: _views(source, context))
    return tuple(view for several in views for view in several)


def _views(source: Source, context: Context) -> list[View]:
    """Return the services, and the containers beside them. Raises as `read`."""
    written, gaps = installed(source, context)
    before, unread = fronts(source, context)
    found = modules(source, context)
    several = sum(not module.otherwise for module in found) > 1  # They may be of several hosts.
    views: list[View] = []
    for module in found:
        own = _of(module, source, context)
        reason = OTHERWISE if module.otherwise else "module" if several else ""
        views += [_on_condition(view, reason) for view in own] if reason else own
    literally = in_force(said_literally(source))
    views += wrappers(source, literally, context)
    named = {view.place for view in views}
    views += [v for v in handed_on(source, literally, context) if v.place not in named]
    views += jobs(source, context)
    if views and (idle := tuple(unstarted(source, context))):
        views[0] = replace(views[0], lines=(*views[0].lines, *idle))
    programs = [*asking(source, context, [*views, *written])]
    if views or written or before or programs:
        return [*with_gaps((*views, *written, *before, *programs), [*gaps, *unread])]
    raise NeedsMore(source.path, (_nothing(source, context),))


def _on_condition(view: View, reason: str) -> View:
    return replace(view, lines=(*view.lines, sometimes(reason, view.place)))


def _nothing(source: Source, context: Context) -> Problem:
    """Return why nothing is judged of a module: it says nothing, or Nix does not tell what."""
    said = next((d for d in said_literally(source) if _is_hidden(d, context)), None)
    if said is None:
        message = f"this module says nothing of services.{context.engine.name}"
        return Problem("", message, "name the module that sets it", source.path)
    path = ".".join(said.path)
    message = f"`{path}` is computed, or depends on a condition, and could not be judged"
    return Problem(f"line {said.line}", message, HINT, source.path)


def _is_hidden(found: Definition, context: Context) -> bool:
    """Return whether a definition is of the service, or of containers that something makes."""
    of_service = found.path[:2] == ("services", context.engine.name)
    return of_service or (found.unresolved and found.path == _CONTAINERS)


def _of(module: Module, source: Source, context: Context) -> Iterator[View]:
    """Yield the Views of one module of a file; what was not judged goes with the first."""
    beside = [*agents(source, in_force(module.found), context)]
    if module.is_for(DARWIN, source.path) and not beside:
        message = "this module is one of nix-darwin, which is not read here"
        hint = "check the environment of the launchd agent by hand"
        raise NeedsMore(source.path, (Problem("", message, hint, source.path),))
    service = _Module(source, context, module)
    others = [_Module(source, context, module, name) for name in _named(module, context)]
    boxes = [*containers(source, in_force(module.found), context), *beside]
    boxes += [other.view() for other in others if other.serves]
    of_service = [service] if service.is_there else []
    if of_service and all(map(_is_made_elsewhere, service.own)) and not boxes:
        raise module.nothing_known(source)
    views = [*(each.view() for each in of_service), *boxes]
    for number, view in enumerate(views):
        yield view if number else replace(view, not_judged=(*view.not_judged, *module.gaps))


def _is_made_elsewhere(found: Definition) -> bool:
    """Return whether nobody knows a value here, or knows a package where options belong.

    The name of a variable can be judged without its value.
    """
    whole = found.path[-2:-1] == ("services",) and isinstance(found.value, dict)
    named = found.path[-2:-1] == ("environmentVariables",)
    return (found.unresolved and not named) or (whole and bool(found.value))


def _named(module: Module, context: Context) -> list[str]:
    """Return the names of the units of a module, but for that of the engine."""
    paths = (d.path for d in module.found if d.path[:2] == ("systemd", "services"))
    return list(dict.fromkeys(path[2] for path in paths if path[2] != context.engine.name))


class _Module(Definitions):
    """What a module says of the service, or of another unit that runs the server."""

    def __init__(self, source: Source, context: Context, module: Module, name: str = "") -> None:
        self.context, self.engine = context, context.engine
        # No module has options for a unit of another name.
        self.options = ("services", "" if name else self.engine.name)
        name = name or self.engine.name
        self.unit = ("systemd", "services", name)
        self.socket = ("systemd", "sockets", name)
        self.config = (*self.unit, "serviceConfig")
        self.service = f"{name}.service"
        self.own = [d for d in module.found if self._is_own(d)]
        alone = module.where or not self.own or not self.options[1]
        others = [] if alone else [*neighbours(source, context)]
        found = [d for d in module.found if not self._is_of_another(d)]
        super().__init__(source, in_force([*found, *others]))
        self.mounts = [d for d in self.found if d.path[:1] == MOUNTS]
        mounts = {d.path for d in self.mounts}
        self.found = [d for d in self.found if not is_arion(d.path) and d.path not in mounts]
        self.home, self.declared = is_of_home(source, module), module.declared
        certain = (d for d in self.found if d.path[:-1] == self.options and not d.maybe)
        # Home Manager has a module of its own, for the same packages.
        named = () if self.home else {d.path[-1] for d in certain}
        self.channel = channel_of(source, named, context)

    def _is_own(self, found: Definition) -> bool:
        of_options = found.path[:2] == self.options and not is_arion(found.path)
        return of_options or found.path[:3] in {self.unit, self.socket}

    def _is_of_another(self, found: Definition) -> bool:
        unit = found.path[:2] == self.unit[:2] and found.path[:3] != self.unit
        return unit or (not self.options[1] and found.path[:2] == ("services", self.engine.name))

    @property
    def serves(self) -> bool:
        """Whether the unit runs the server."""
        return self._start() is not None

    @property
    def is_there(self) -> bool:
        """Whether the module says something of the service."""
        return bool(self.own)

    def view(self) -> View:
        first = min((d.line for d in self.found if not d.file), default=0)
        lines = (*self.lines(), *self._scripts(), *self._asked_for(), *self._sockets())
        lines += tuple(unmade(self, self.options, self.context)) if self._is_of_nixos() else ()
        start, told = self._definition("enable") or self._start(), self._directives
        commands = (*told.commands(self.engine), *self._started.commands)
        whole = not (self._by_hand and self._is_open)
        return self.context.view(
            HOME_MODULE if self.home else UNIT if self._by_hand else MODULE,
            self._release(),
            name=".".join(self.options if self.options[1] else self.unit),
            place=Place(self.source.path, first),
            variables=tuple(self._variables()),
            bounds=tuple(told.bounds(self.context.host)),
            lines=lines,
            unread=tuple(told.unread(self.context.host)),
            commands=commands,
            models=each_once([*self._models(), *models(commands, self.engine)]),
            acceleration=self._acceleration(),
            starts=self.place(start) if start and start.value is not False and whole else None,
            adds=not whole,
            manager="user" if self.home else "system",
            settings=tuple(self._settings()),
            channel=self.channel.name if self.channel.told and not self.home else "",
            volumes=tuple(self._volumes()),
            more_variables=any(line.name == "EnvironmentFile" for line in lines),
        )

    @property
    def _directives(self) -> Directives:
        own = [d for d in self.found if d.path[:-1] == self.config]
        return Directives(self, own, self.service)

    @functools.cached_property
    def _started(self) -> Started:
        script = next((d for d in self.found if d.path == (*self.unit, "script")), None)
        return started(self.source, script, self.context)

    def _scripts(self) -> Iterator[Line]:
        """Yield the commands that run the scripts of the unit."""
        section = ".".join(self.config)
        for found in self.found:
            name = _SCRIPTS.get(found.path[-1]) if found.path[:-1] == self.unit else None
            if name and isinstance(found.value, str):
                place = self.place(found)
                yield Line(section=section, name=name, value=run(found.value), place=place)

    def _sockets(self) -> Iterator[Line]:
        """Yield the addresses at which systemd listens in place of the server."""
        keys = {("listenStreams",), ("socketConfig", "ListenStream")}
        for found in self.found:
            if found.path[:3] == self.socket and found.path[3:] in keys:
                told = found.value if isinstance(found.value, list) else [found.value]
                for one in told:
                    if isinstance(one, str | int):
                        yield Line(
                            section=SOCKET,
                            name=found.path[-1],
                            value=str(one),
                            place=self.place(found),
                        )

    def _asked_for(self) -> Iterator[Line]:
        """Yield the options of the service that the text reads through `config`.

        `value` is what a text is made of that takes one in as it is.
        """
        if not self._is_of_nixos() or self._looks_first:
            return
        asked = re.compile(rf"(?<![\w.'-])config\.services\.{self.engine.name}\.([\w-]+)")
        for number, text in enumerate(self.texts, 1):
            for found in asked.finditer(_COMMENT.sub("", text)):
                place = Place(self.source.path, number)
                if not _TOLERANT.match(text, found.end()):
                    before = text[max(0, found.start() - _NEAR) : found.start()]
                    behind = text[found.end() : found.end() + _NEAR].lstrip()[:1]
                    whole = _IN_TEXT.search(before) and behind in {"}", ";"}
                    told = found[0] if whole else ""
                    yield Line(section="config", name=found[1], value=told, place=place)

    @property
    def _looks_first(self) -> bool:
        """Whether the file asks which options of the service there are."""
        return f"options.services.{self.engine.name}" in self.source.text

    def _volumes(self) -> Iterator[Volume]:
        """Yield what is mounted; a dynamic user's directory is a link into `private`."""
        for found in self.mounts:
            target = found.path[1] if len(found.path) > 1 else ""
            if found.path[2:] == ("fsType",):
                path = target.replace("/var/lib/private/", "/var/lib/", 1)
                kind = network(str(found.value or ""))
                yield Volume(target=path, place=self.place(found), network=kind)

    def _is_of_nixos(self) -> bool:
        """Return whether the options are those of the release of NixOS that runs."""
        return not self.home and f"{self.engine.name}.nix" not in _DISABLED.findall(
            self.source.text
        )

    def _definition(self, option: str) -> Definition | None:
        return next((d for d in self.found if d.path == (*self.options, option)), None)

    @property
    def _by_hand(self) -> bool:
        """Whether somebody writes the unit, without the module for the service."""
        of_options = any(d.path[:2] == self.options for d in self.found)
        return self._start() is not None and not of_options

    @property
    def _is_open(self) -> bool:
        """Whether something that is not known here says more of how the unit runs."""
        return any(d.unresolved and d.path in {self.unit, self.config} for d in self.found)

    def _start(self) -> Definition | None:
        """Return the command of a unit, where it runs the server."""
        starts = {(*self.config, "ExecStart"), (*self.unit, "script")}
        found = (d for d in self.found if d.path in starts)
        return next((d for d in found if self.engine.command[-1] in str(d.value)), None)

    def _release(self) -> tuple[Release, bool]:
        """Return the release of the package: the one of NixOS, unless it comes from elsewhere."""
        package = self._definition("package")
        value = package.value if package else None
        version = value.get("version", "") if isinstance(value, dict) else ""
        if _VERSION.fullmatch(version):
            return self.context.release_for(version)
        return of_package(self.text(package) if package else "", self.channel, self.context)

    def _settings(self) -> Iterator[Setting]:
        """Yield what the options say; the module of Home Manager has the same type of variables."""
        for setting in self._every_setting():
            name = setting.name.removeprefix("environmentVariables.")
            same = name not in {setting.name, *self.engine.nixos_overwritten}
            if self._is_of_nixos() or (self.home and same and not setting.within):
                yield setting

    def _every_setting(self) -> Iterator[Setting]:
        above: dict[tuple[str, ...], Literal["", "environment", "serviceConfig"]] = {
            self.options: "",
            (*self.unit, "environment"): "environment",
            self.config: "serviceConfig",
        }
        for found in self.found:
            for path, within in above.items():
                name = found.path[len(path) :]
                whole = not name and not within and not isinstance(found.value, dict)
                ours = found.path[: len(path)] == path and (name or whole)
                if ours and (*name, "")[0] not in self.declared:
                    strength = (found.priority < PLAIN) - (found.priority > PLAIN)
                    yield Setting(
                        name=".".join(name),
                        value=found.value,
                        place=self.place(found),
                        within=within,
                        strength=strength,
                        unresolved=found.unresolved,
                        maybe=found.maybe,
                        chosen=bool(name) and self._is_chosen(found, name[0]),
                    )

    def _is_chosen(self, found: Definition, name: str) -> bool:
        """Whether the name of an option is written nowhere, as the file looks which there are."""
        line = self.texts[found.line - 1] if 0 < found.line <= len(self.texts) else ""
        return self._looks_first and name not in _NAMES.findall(line.partition("=")[0])

    def _variables(self) -> Iterator[Variable]:
        """Yield the variables in the order of the unit: what is forced beats the module."""
        yield from self._of_options()
        yield from self._listen()
        for found in self.found:
            weak = found.priority >= PLAIN and found.path[-1] in self.engine.nixos_overwritten
            weak = weak and not self._by_hand
            if found.path[:-1] == (*self.unit, "environment") and not weak:
                yield from self._variable(found, found.path[-1])
        for found in self.found:
            if found.path == (*self.config, "Environment"):
                for text, one in zip(
                    found.values, self._directives.assignments(found), strict=True
                ):
                    place = self.place_of(found, str(text))
                    for variable in unit.variables(one, self.service):
                        yield replace(variable, place=place)
        yield from self._started.variables

    def _of_options(self) -> Iterator[Variable]:
        for found in self.found:
            name, above = found.path[-1], found.path[:-1]
            if above == (*self.options, "environmentVariables"):
                # The module sets some itself, over what these say.
                if name not in self.engine.nixos_overwritten:
                    yield from self._variable(found, name)
            elif above == self.options and name in self.engine.nixos_variables:
                yield from self._variable(found, self.engine.nixos_variables[name])

    def _variable(self, found: Definition, name: str) -> Iterator[Variable]:
        """Yield a variable, also of a type that NixOS does not take (HW533): else is wrong as well.

        A number or a switch is what it will be in quotes; of a list or a function nobody knows.
        """
        value = found.value
        strange = isinstance(value, list | Function)
        if found.unresolved or strange:
            value = value if isinstance(value, str) else UNKNOWN
        elif value is None:
            return
        elif not isinstance(value, str):
            value = unit_text(value)
        expanded = expand(value, self.service)
        yield Variable(
            name=name,
            value=expanded.text if expanded else value,
            place=self.place(found),
            written=self.written(found, value),
            unresolved=found.unresolved or strange or expanded is None or expanded.unresolved,
        )

    def _listen(self) -> Iterator[Variable]:
        """Yield the address, which the module puts together from two options."""
        keys = [(*self.options, "host"), (*self.options, "port")]
        told = [d for d in self.found if d.path in keys and not isinstance(d.value, Function)]
        if not told or not takes_port(str(self.value(*keys[0]) or "")):
            return
        parts = zip(keys, self.engine.nixos_address, strict=True)
        said = {d.path: d.value for d in reversed(told)}
        text = ":".join(str(said.get(key) or default) for key, default in parts)
        expanded = expand(text, self.service)
        first = next((d for d in told if d.path == keys[0]), told[0])
        yield Variable(
            name=self.engine.address,
            value=expanded.text if expanded else text,
            place=self.place(first),
            written=self.written(first, str(first.value)),
            unresolved=any(d.unresolved for d in told),
        )

    def _models(self) -> Iterator[ModelUse]:
        for found in self.found:
            if found.path == (*self.options, "loadModels") and isinstance(found.value, list):
                for name in filter(lambda item: isinstance(item, str), found.value):
                    place = self.place_of(found, name)
                    yield ModelUse(name=name, place=place, pulled=True)

    def _acceleration(self) -> str:
        option = self.value(*self.options, "acceleration")
        if option is False:
            return "cpu"
        package = self._definition("package")
        value = package.value if package else None
        name = value.get("package", "") if isinstance(value, dict) else ""
        kinds = {name.partition("-")[2]}
        if package and not name:
            # Something else makes it; its name tells.
            kinds = {found[1] for found in _KIND.finditer(self.text(package))}
        kind = option if isinstance(option, str) else kinds.pop() if len(kinds) == 1 else ""
        return kind if kind in {"cpu", "cuda", "rocm", "vulkan"} else ""
