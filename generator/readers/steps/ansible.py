"""Tasks of Ansible: what their templates stand for, and the projects and charts they hand over."""

from __future__ import annotations

import functools
import posixpath
import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source
from generator.readers.beside import missing
from generator.readers.embedded import embedded
from generator.readers.helm.merge import all_of
from generator.readers.helm.read import views_of_release
from generator.readers.helm.releases import Release, is_chart_of, read_from, values_in
from generator.readers.steps.handlers import SERVICES, Handlers
from generator.readers.syntax.restarts import DETACHED, FLUSHED, NOTIFIED, UNREAD
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import NotJudged, View

_GAP: Final = re.compile(
    r"\{\{-?\s{0,9}(\w[\w.]*)\s{0,9}"
    r"(?:\|\s{0,9}(?:default|d)\(\s{0,9}(?:'([^']*)'|\"([^\"]*)\"|(\d+))[^()]{0,99}\)\s{0,9})?"
    r"(?:\|\s{0,9}(?:string|int|bool|lower|trim)\s{0,9})?-?\}\}"
)
_DEFAULTS: Final = ("defaults/main.yml", "defaults/main.yaml")
_OWN: Final = ("vars/main.yml", "vars/main.yaml")
_INVENTORIES: Final = tuple(
    posixpath.join(place, part)
    for place in ("", "inventory", "inventories", "playbooks")
    for part in ("group_vars", "group_vars/all", "host_vars")
)
_HANDS: Final = {
    "docker_compose_v2": ("compose", "compose.yaml"),
    "docker_compose": ("compose", "compose.yaml"),
    "k8s": ("kubernetes", "manifest.yaml"),
}
"""Modules to which a `definition` is handed, with the kind of it."""
_DEEPEST: Final = 20
_NESTED: Final = 4


class Names:
    """The variables that the tasks of a file see; what several of them see is read once."""

    def __init__(self, file: str, context: Context) -> None:
        self.file, self.context = file, context
        self._seen: dict[tuple[int, ...], dict[str, str]] = {}
        self._of_one_line: dict[tuple[int, ...], dict[str, str]] = {}

    def around(self, tables: Sequence[Table]) -> Mapping[str, str]:
        """Return the variables that a task sees: those of its role, below those of its play."""
        key = _scopes(tables)
        if key not in self._seen:
            found = dict(self._of_role)
            for table in tables:
                found |= _scalars(table.table("vars"))
            self._seen[key] = found
        return self._seen[key]

    def put_in(self, text: str, tables: Sequence[Table]) -> str:
        """Return a text that a task writes with the variables put in that have one line."""
        if "{{" not in text or len(text) > _LONGEST:
            return text
        key = _scopes(tables)
        if key not in self._of_one_line:
            names = self.around(tables).items()
            self._of_one_line[key] = {name: told for name, told in names if "\n" not in told}
        return _put_in(text, self._of_one_line[key])

    @functools.cached_property
    def _of_role(self) -> dict[str, str]:
        return _names_of_role(self.file, self.context)


def _scopes(tables: Sequence[Table]) -> tuple[int, ...]:
    return tuple(id(table) for table in tables if "vars" in table.entries)


def _names_of_role(file: str, context: Context) -> dict[str, str]:
    """Return the variables of a role, and of the groups and hosts around it."""
    defaults, own = (dict(_of_role(file, names, context)) for names in (_DEFAULTS, _OWN))
    found = defaults | own
    for name, value in of_inventory(file, context).items():
        if name in own or value is None:
            # Of several groups with values of their own nobody knows which one is meant.
            found = found if name in own else {n: v for n, v in found.items() if n != name}
        else:
            found[name] = value
    return found


def _of_role(file: str, names: Sequence[str], context: Context) -> Iterator[tuple[str, str]]:
    for name in names:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), "..", name))
        text = context.read(path)
        yield from _scalars(values_in(Source(path, text)) if text is not None else None).items()


def whole(task: Node, file: str, around: Sequence[Table], context: Context) -> Node:
    """Return a task with the lists and mappings that it names by one variable each."""
    if not isinstance(task, Table):
        return task
    named = {
        key: found[1]
        for key, node in task.entries.items()
        if isinstance(node, Scalar) and (found := ENTIRE.fullmatch(node.text.strip()))
    }
    trees = [*_trees(file, around, context)] if named else []
    told = {key: _told_by(trees, name) for key, name in named.items()}
    entries = {key: told.get(key) or node for key, node in task.entries.items()}
    return replace(task, entries=entries)


ENTIRE: Final = re.compile(
    r"\{\{-?\s{0,9}(\w+)\s{0,9}(?:\|\s{0,9}(?:default|d)\([^()]{0,99}\)\s{0,9})?-?\}\}"
)
"""A value that is one variable."""


def _told_by(trees: Sequence[Table], name: str) -> Node | None:
    """Return a list or a mapping by the first that has the name; None: it is told by nobody."""
    found = next((tree.entries[name] for tree in trees if name in tree.entries), None)
    return found if isinstance(found, Items | Table) else None


def _trees(file: str, around: Sequence[Table], context: Context) -> Iterator[Table]:
    """Yield what has variables for a task, the nearest first."""
    yield from (table.table("vars") for table in reversed(around))
    paths = [posixpath.join(posixpath.dirname(file), "..", name) for name in (*_OWN, *_DEFAULTS)]
    told = [(context.read(posixpath.normpath(path)), posixpath.normpath(path)) for path in paths]
    inventory = list(_inventory(posixpath.dirname(file), context))
    own, defaults = told[: len(_OWN)], told[len(_OWN) :]
    for text, path in (*own, *(inventory if len(inventory) == 1 else ()), *defaults):
        table = values_in(Source(path, text)) if text is not None else None
        if table is not None:
            yield table


def is_for_a_container(name: str, file: str, context: Context) -> bool:
    """Return whether a variable of a role is what one of its tasks gives to a container."""
    folder, kind = posixpath.split(posixpath.dirname(file))
    listed = context.listed(posixpath.join(folder, "tasks", "x")) if kind in _OF_ROLES else ()
    texts = [context.read(path) or "" for path in listed[:_MOST_PARTS]]
    given = re.compile(rf"(?m)^[ \t]+env(?:ironment)?[ \t]*:[^\n]*\b{re.escape(name)}\b")
    return any("_container" in text and given.search(text) for text in texts)


_OF_ROLES: Final = frozenset({"defaults", "vars"})


def of_inventory(file: str, context: Context) -> dict[str, str | None]:
    """Return what the variables of groups and hosts say around a role or a play.

    None stands for what two of them say in different ways.
    """
    found: dict[str, str | None] = {}
    for text, path in _inventory(posixpath.dirname(file), context):
        for name, value in _scalars(values_in(Source(path, text))).items():
            found[name] = value if found.get(name, value) == value else None
    return found


def _inventory(folder: str, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the files of groups and hosts, below the folder of roles, or beside the play."""
    role = posixpath.dirname(folder)
    in_role = posixpath.basename(posixpath.dirname(role)) == "roles"
    top = posixpath.dirname(posixpath.dirname(role)) if in_role else folder
    several = (top,) if in_role else (top, posixpath.join(top, ".."))
    left = _MOST_PARTS
    for place, inside in ((top, inside) for top in several for inside in _INVENTORIES):
        listed = context.listed(posixpath.normpath(posixpath.join(place, inside, "x")))
        for path in (one for one in listed if one.endswith((".yml", ".yaml"))):
            text = context.read(path) if left > 0 else None
            left -= 1
            if text is not None:
                yield text, path


def values_around(file: str, context: Context) -> dict[str, str]:
    """Return the variables of a role that are told in full, for a template of it."""
    names = _names_of_role(file, context)
    filled_in = {name: _put_in(text, names) for name, text in names.items()}
    return {n: text for n, text in filled_in.items() if not {"{", "\n"} & {*text}}


def is_left_out(name: str, file: str, context: Context) -> bool:
    """Return whether a variable of a role is in none of its templates and tasks, if it has some."""
    folder, kind = posixpath.split(posixpath.dirname(file))
    if kind not in {"defaults", "vars"}:
        return False
    listed = [one for part in _PARTS for one in context.listed(posixpath.join(folder, part, "x"))]
    texts = [context.read(path) or "" for path in listed[:_MOST_PARTS]]
    word = re.compile(rf"\b{re.escape(name)}\b")
    made = any(path.endswith((".j2", ".jinja2", ".tmpl")) for path in listed)
    return made and len(listed) <= _MOST_PARTS and not any(map(word.search, texts))


def is_kept_out(name: str, value: str, file: str, context: Context) -> bool:
    """Return whether a template of the role prints a variable only where it has another value."""
    role = posixpath.join("roles", context.engine.name)
    above = posixpath.dirname(posixpath.dirname(file))
    places = (above, *(posixpath.join(above, up, role) for up in ("", "..")))
    folders = (posixpath.normpath(posixpath.join(one, "templates", "x")) for one in places)
    listed = [path for folder in folders for path in context.listed(folder)][:_MOST_PARTS]
    unless = re.compile(
        rf"\{{%[-+]?\s{{0,9}}if\s{{1,9}}{re.escape(name)}\s{{0,9}}!=\s{{0,9}}"
        rf"(['\"]?){re.escape(value)}\1\s{{0,9}}[-+]?%\}}"
    )
    return bool(value) and any(unless.search(context.read(path) or "") for path in listed)


_PARTS: Final = ("templates", "tasks", "handlers", "vars", "files", "meta")
_MOST_PARTS: Final = 60


def _scalars(table: Table | None, depth: int = 0) -> dict[str, str]:
    """Return the texts of a mapping; one inside of another has a name with dots."""
    entries = table.entries.items() if table is not None else ()
    found = {name: one.text for name, one in entries if isinstance(one, Scalar)}
    inner = (item for item in entries if isinstance(item[1], Table) and depth < _NESTED)
    for outer, one in inner:
        told = _scalars(one, depth + 1) if isinstance(one, Table) else {}
        found |= {f"{outer}.{name}": text for name, text in told.items()}
    return found


def filled(node: Node, names: Mapping[str, str], depth: int = 0) -> Node:
    """Return a node with the variables put in that are told; others stay as they are."""
    if depth > _DEEPEST:
        return node
    if isinstance(node, Scalar):
        text = _put_in(node.text, names) if "{{" in node.text else node.text
        return node if text == node.text else replace(node, text=text, written="")
    if isinstance(node, Items):
        return replace(node, items=tuple(filled(one, names, depth + 1) for one in node.items))
    entries = {key: filled(one, names, depth + 1) for key, one in node.entries.items()}
    return replace(node, entries=entries)


def _put_in(text: str, names: Mapping[str, str]) -> str:
    for _ in range(_NESTED):
        before = text
        text = _GAP.sub(lambda found: _meant(found, names), text)
        if text == before or len(text) > _LONGEST:
            break
    return text


_LONGEST: Final = 10_000


def _meant(found: re.Match[str], names: Mapping[str, str]) -> str:
    defaults = [one for one in found.group(2, 3, 4) if one is not None]
    return names.get(found[1], "".join(defaults) if defaults else found[0])


def done_to_the_service(
    task: Table, around: Sequence[Table], handlers: Handlers, names: Names
) -> Iterator[tuple[int, str]]:
    """Yield the command that a task amounts to for the unit of an engine, and its line.

    What notifies a handler waits for its restart, and is left to that.
    """
    engine = handlers.context.engine
    if task.text("poll") == "0" and task.get("async"):
        yield task.place.line, DETACHED
    for module, given in task.entries.items():
        name = module.rpartition(".")[2]
        if name == "meta" and isinstance(given, Scalar) and given.text == FLUSHED:
            yield given.place.line, FLUSHED
        if isinstance(given, Table):
            if name in _WRITES:
                yield from _written(task, given, around, handlers, names)
            elif name in SERVICES:
                yield from _managed(given, engine)
            yield from _run(name, given, engine)


def _written(
    task: Table, given: Table, around: Sequence[Table], handlers: Handlers, names: Names
) -> Iterator[tuple[int, str]]:
    """Yield the command that a change of the unit amounts to, and what of the server it sets."""
    engine = handlers.context.engine
    unit, dest = f"/etc/systemd/system/{engine.name}.service", given.text("dest")
    dest = dest or given.text("path")
    if dest.startswith(unit):
        verb = NOTIFIED if handlers.may_restart(task, around) else "tee"
        text = " ".join(given.text(key) for key in ("content", "block", "line", "value"))
        plain = names.put_in(text, around)
        yield given.place.line, f"{verb} {dest} {' '.join(_SETS.findall(plain)[:_MOST_SET])}"
        if verb == NOTIFIED and handlers.of_role_restart_alone(task, engine.name):
            yield task.place_of("notify").line, UNREAD


def _managed(given: Table, engine: Engine) -> Iterator[tuple[int, str]]:
    """Yield what a task does to the service, or has systemd read its files again."""
    ours = given.text("name").removesuffix(".service") == engine.name
    verb = _VERBS.get(given.text("state")) if ours else None
    again = given.scalar("daemon_reload")
    if again is not None and again.is_true:
        yield again.place.line, "systemctl daemon-reload"
    if verb is not None:
        yield given.place_of("state").line, f"systemctl {verb} {engine.name}"


def _run(name: str, given: Table, engine: Engine) -> Iterator[tuple[int, str]]:
    line = given.place.line
    if name == "async_status":
        yield line, "wait"
    if name == "get_url" and re.search(engine.installer, given.text("url")):
        yield line, f"curl {given.text('url')}"
    if name == "ufw" and given.text("rule"):
        source = given.text("from_ip") or given.text("from") or given.text("src") or "any"
        port = given.text("port") or given.text("to_port")
        yield line, f"ufw {given.text('rule')} from {source} to any port {port}"
    if name == "reboot":
        yield line, name


def downloads(task: Table) -> Iterator[Scalar]:
    """Yield the addresses from which a task fetches a file."""
    for module, given in task.entries.items():
        key = _FETCHES.get(module.rpartition(".")[2])
        address = given.scalar(key) if key and isinstance(given, Table) else None
        if address is not None and ("{{" in address.text or "://" in address.text):
            yield address


_FETCHES: Final = {"get_url": "url", "unarchive": "src"}
_SETS: Final = re.compile(r"Environment=[\"']?[A-Z][A-Z0-9_]*=[^\s\"']*")
_MOST_SET: Final = 20
_WRITES: Final = frozenset({"copy", "template", "blockinfile", "lineinfile", "ini_file"})
_VERBS: Final = {"started": "start", "restarted": "restart", "stopped": "stop"}


def handed_over(
    module: str, task: Table, text: str, file: str, context: Context
) -> tuple[list[View], list[NotJudged]]:
    """Return what a task hands to another program: a project, manifests, or a release of a chart.

    `text` is that of the file.
    """
    name = module.rpartition(".")[2]
    if name == "helm":
        release = _release(task, file, context)
        return views_of_release(release, task.place, context), list(release.gaps)
    definition = task.get("definition")
    if name not in _HANDS or not isinstance(definition, Table):
        return [], []
    kind, called = _HANDS[name]
    line = definition.place.line
    if line == task.place_of("definition").line:
        return [], []  # In braces, in which nobody writes a project.
    return embedded(_block(text, line), called, file, line, context, kind)


def _block(text: str, line: int) -> str:
    """Return the lines from one on that are indented as far, without that indentation."""
    lines = text.split("\n")[line - 1 :]
    indent = len(lines[0]) - len(lines[0].lstrip())
    found: list[str] = []
    for one in lines:
        if one.strip() and len(one) - len(one.lstrip()) < indent:
            break
        found.append(one)
    return textwrap.dedent("\n".join(found)) + "\n"


def _release(task: Table, file: str, context: Context) -> Release:
    several: list[Table] = []
    gaps: list[NotJudged] = []
    for node in (one for one in task.items("values_files") if isinstance(one, Scalar)):
        source = read_from(file, context)(node.text)
        values = values_in(source) if source else None
        several += [values] if values is not None else []
        gaps += [missing(node.text, node.place)] if values is None else []
    for key in ("values", "release_values"):
        found = task.get(key)
        several += [found] if isinstance(found, Table) else []
    repository = bool(task.text("chart_repo_url"))
    ours = is_chart_of(context.engine.name, task.text("chart_ref"), repository=repository)
    return Release(all_of(several), tuple(gaps), ours)


def hands_over(module: str) -> bool:
    """Return whether a module takes a project, manifests or a chart."""
    return module.rpartition(".")[2] in {*_HANDS, "helm"}
