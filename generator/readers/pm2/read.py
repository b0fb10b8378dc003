"""Files of pm2: the applications that it starts, each with the environment that it gets.

Of JavaScript a plain object is read, as it stands; what a program computes is not.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, Source, each
from generator.readers.beside import dockerfiles_near
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.managed import managed
from generator.readers.pm2 import PM2
from generator.readers.syntax.asking import asked_by
from generator.readers.syntax.jsonc import as_yaml
from generator.readers.syntax.yaml_tree import Items, Scalar, Table, parse
from generator.view import AGAIN, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_HEAD: Final = re.compile(r"(?:\bmodule\.exports[ \t]*=|\bexport[ \t]+default\b)\s*(?=\{)")
_SCRIPT: Final = (".js", ".cjs", ".mjs")
_OPEN: Final = re.compile(r"\$\{|\bprocess\.|\|\||\?\?|\(\)")
_OFF: Final = frozenset({"false", "no", "off"})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of the applications of each file that have to do with an engine.

    Raises NeedsMore for what only a run of the file can tell.
    """
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    top = _top(source)
    listed = top.items("apps") if isinstance(top, Table) else top.items
    inside = any("pm2" in text for text in dockerfiles_near(source.path, context))
    views: list[View] = []
    for app in (one for one in listed if isinstance(one, Table)):
        views += _App(app, source, context).views(inside=inside)
    return views


def _top(source: Source) -> Table | Items:
    """Return the object of a file. Raises NeedsMore where a program makes it."""
    if not source.path.endswith(_SCRIPT):
        found = parse(source)
        return found if isinstance(found, Table | Items) else Table({}, Place(source.path, 1))
    head = _HEAD.search(source.text)
    end = source.text.rfind("}") + 1
    try:
        if head is None:
            raise ProfileError(source.path, ())
        above = source.text.count("\n", 0, head.end())
        text = "\n" * above + as_yaml(source.text[head.end() : end])
        found = parse(replace(source, text=text))
    except ProfileError as error:
        line = error.problems[0].where if error.problems else ""
        message = "is made by a program, of which a plain object alone is read"
        hint = "check what `pm2 prettylist` shows"
        raise NeedsMore(source.path, (Problem(line, message, hint, source.path),)) from None
    return found if isinstance(found, Table | Items) else Table({}, Place(source.path, 1))


class _App:
    """An application: its command, and what it gets."""

    def __init__(self, app: Table, source: Source, context: Context) -> None:
        self.app, self.file, self.engine = app, source.path, context.engine
        self.told = Told(context, source.path, PM2, "client")
        self.command = _command(app)
        script = app.scalar("script")
        if script is not None:
            self.told.script(self.command, script.starts)
        nearer = {variable.name for variable in self.told.variables}
        given = {v.name: v for v in reversed([*self._variables()]) if v.name not in nearer}
        if self.told.served:
            self.told.variables += (replace(v, reach="server") for v in given.values())
        else:
            prefixes = self.engine.prefixes
            self.told.variables += (v for n, v in given.items() if n.startswith(prefixes))

    def _variables(self) -> Iterator[Variable]:
        """Yield its environment, and after it what `--env NAME` puts over that."""
        for key in ("env", *(one for one in self.app.entries if one.startswith("env_"))):
            for name, node in self.app.table(key).entries.items():
                if isinstance(node, Scalar) and node.kind != "null":
                    plain = bool(node.quote) or node.kind in {"int", "bool", "float"}
                    place = Place(self.file, node.place.line, name)
                    untold = not plain or _OPEN.search(node.text) is not None
                    yield Variable(
                        name=name, value=node.text, place=place, reach="client", unresolved=untold
                    )

    def views(self, *, inside: bool) -> Iterator[View]:
        """Yield its Views; `inside`: of a container."""
        name = self.app.text("name") or self.engine.name
        ends = self.app.text("autorestart").lower() in _OFF
        place = self.app.place_of("autorestart")
        for view in with_gaps(self.told.found(), self.told.gaps):
            known = replace(view, name=name, lines=(*view.lines, *self._started_anew(ends=ends)))
            server = self.told.served and view.container is None
            yield managed(known, place, ends=ends, inside=inside) if server else known

    def _started_anew(self, *, ends: bool) -> Iterator[Line]:
        """Yield a command that ends, and that pm2 starts again then."""
        verbs = asked_by(self.command, self.engine.name)
        script = self.app.scalar("script")
        if verbs and script is not None and not ends:
            verb = next(filter(None, verbs))
            yield Line(section=AGAIN, name="pm2", value=verb, place=script.place)


def _command(app: Table) -> str:
    """Return the command of an application as a shell writes it."""
    args = app.get("args")
    listed = args.items if isinstance(args, Items) else ()
    words = [one.text for one in listed if isinstance(one, Scalar)]
    told = args.text if isinstance(args, Scalar) else shlex.join(words)
    return f"{app.text('script')} {told}".strip()
