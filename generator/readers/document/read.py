"""Markdown and text: each fence is read as what it is, with its lines; prose is never judged.

A fragment of a file is put into what it is a fragment of: variables of a service, a service of a
compose file, options of NixOS.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines import READ, load_signs
from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, Source, each
from generator.readers.commands.told import Told
from generator.readers.compose import COMPOSE
from generator.readers.document import DOCUMENT, sets_its_own, told_in_prose, told_unfenced
from generator.readers.document.fences import Fence, commands, fences, typed_into_units
from generator.readers.embedded import embedded, with_gaps
from generator.readers.signs import BOM, kind_of, names_an_engine, signs_of
from generator.readers.syntax.calls import calls
from generator.readers.syntax.yaml_tree import Items, Scalar, Table, parse
from generator.view import Container, NotJudged, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMPOSES: Final = re.compile(r"(?m)^[ \t>]*(?:\$ |sudo )?(?:docker|podman)[ -]compose\b.*\bup\b")
_SHELL: Final = frozenset(
    {"bash", "sh", "shell", "zsh", "console", "shell-session", "sh-session", "terminal"}
)
_RECIPES: Final = frozenset({"make", "makefile", "just", "justfile"})
_FRONTS: Final = ("haproxy", "nginx", "caddy")
_KINDS: Final = {
    **dict.fromkeys(("ini", "systemd", "conf", "unit", "toml"),
                    ("systemd", "quadlet", "supervisord", "traefik", *_FRONTS, "environment")),
    **dict.fromkeys(
        ("yaml", "yml"),
        ("steps", "recipes", "kubernetes", "traefik", "litellm", "prometheus", "helm", "compose"),
    ),
    **dict.fromkeys(("env", "dotenv", "properties"), ("environment",)),
    **dict.fromkeys(("dockerfile", "docker", "containerfile"), ("dockerfile",)),
    **dict.fromkeys(("caddyfile", "caddy"), ("caddy",)),
    "haproxy": ("haproxy",),
    "modelfile": ("modelfile",),
    "nginx": ("nginx",),
    "nix": ("nixos",),
    "json": ("kubernetes",),
}  # fmt: skip
_PLAIN: Final = frozenset({"", "text", "txt", "plaintext", "none"})
_TELLING: Final = (
    *(
        "systemd",
        "quadlet",
        "supervisord",
        "kubernetes",
        "compose",
        "traefik",
        "litellm",
        "prometheus",
    ),
    *_FRONTS,
)
_TYPED: Final = re.compile(
    r"(?m)^[ \t]*(?:\$ |sudo |(?:docker|podman) (?:run|exec|create) |export )"
)
_SERVERS: Final = "|".join(" ".join(load_signs(name).command) for name in READ)
_SERVED: Final = re.compile(
    r"(?m)^[ \t]*+(?:\$ )?(?:export |env |sudo )?(?:[A-Z][A-Z0-9_]*+=[^\s=]++[ \t]++){1,20}"
    rf"(?:{_SERVERS})\b"
)
"""What only somebody who types into a shell writes, whatever the language is called."""
_CODE: Final = frozenset(
    {
        *("python", "py", "python3", "pycon", "ipython", "javascript", "js", "jsx", "mjs", "cjs"),
        *("node", "nodejs", "typescript", "ts", "tsx", "vue", "svelte", "go", "golang", "gomod"),
        *("rust", "rs", "ruby", "rb", "java", "kotlin", "kt", "scala", "groovy", "gradle", "cs"),
        *("csharp", "c#", "fsharp", "php", "c", "h", "cpp", "c++", "cc", "objc", "swift", "dart"),
        *("lua", "perl", "r", "julia", "elixir", "erlang", "clojure", "haskell", "ocaml", "zig"),
        *("sql", "html", "css", "scss", "json5", "jsonc", "jsonl", "graphql", "http", "rest"),
        *("lisp", "elisp", "emacs-lisp", "scheme", "vim", "viml", "vimscript", "regex", "curl"),
        *("log", "logs", "output", "out", "stdout", "console-output", "diff", "patch", "csv"),
        *("mermaid", "plantuml", "puml", "dot", "graphviz", "d2", "ascii", "tree", "latex", "tex"),
        *("note", "tip", "warning", "important", "caution", "admonition", "info", "danger", "hint"),
        *("attention", "seealso", "dropdown", "details", "callout", "quote", "example", "tab-item"),
        *("math", "markdown", "md", "mdx", "rst", "email", "chat", "prompt", "gitignore", "proto"),
    }
)
"""Languages of programs, and what is shown and sets nothing."""
_EDITS: Final = ("systemctl", ".service", "Environment")
_DOTENV: Final = frozenset({"env", "dotenv"})
_ASSIGNMENTS: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*|[A-Z][A-Z0-9_]*=[^\n]*)?\n)+")
_DIRECTIVES: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*|[A-Z]\w*[ \t]*=[^\n]*;[^\n]*)?\n)+")
_UNREAD: Final = frozenset(
    {
        *("dockerfile", "docker", "containerfile", "hcl", "terraform", "tf", "plist", "xml"),
        "fish",
    }
)
_WINDOWS: Final = frozenset(
    {"powershell", "ps1", "pwsh", "ps", "posh", "batch", "bat", "cmd", "dosbatch", "winbatch"}
)
_PROMPT: Final = re.compile(r"(?m)^[ \t]*(?:PS )?(?:[A-Za-z]:[^>\n]{0,200})?> ?")
"""The prompt of PowerShell, or of cmd."""
_MODULE: Final = re.compile(r"(?:\s|#[^\n]*\n)*(?:\{|let\b|with\b|import\b|[\w@]+[ \t]*:)")
_SERVICE: Final = re.compile(r"(?m)^[ \t]+image[ \t]*:[ \t]*[\w\"']")
_SECTION: Final = re.compile(r"(?m)^[ \t]*\[")
_MOST: Final = 500  # fences
_UNTOLD: Final = "untold"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of all fences. Raises NeedsMore where none of them could be judged."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    document = _Document(source, context, composed=_COMPOSES.search(source.text) is not None)
    for number, fence in enumerate(fences(source.text.removeprefix(BOM))):
        if number >= _MOST:
            reason, hint = f"there are more than {_MOST} fences in it", "split the document"
            document.gap(fence, reason, hint)
            break
        if not fence.mistake:
            document.take(fence)
    if line := told_unfenced(source.text):
        document.gaps.append(
            NotJudged(file=source.path, line=line, part="a block",
                      reason="code without a fence is not read",
                      hint="put it into a fence, or name the file that is made of it")
        )  # fmt: skip
    if not document.views and document.gaps:
        first = document.gaps[0]
        problem = Problem(f"line {first.line}", first.reason, first.hint, source.path)
        raise NeedsMore(source.path, (problem,))
    if not document.views and (line := told_in_prose(source.text)):
        message = "a table or a sentence sets variables, and neither is read"
        hint = "check by hand what it says, or name the file that is made of it"
        raise NeedsMore(source.path, (Problem(f"line {line}", message, hint, source.path),))
    return with_gaps(document.views, document.gaps)


class _Document:
    """What the fences of one document say."""

    def __init__(self, source: Source, context: Context, *, composed: bool = False) -> None:
        self.file, self.context, self.composed = source.path, context, composed
        self.views: list[View] = []
        self.gaps: list[NotJudged] = []

    def gap(self, fence: Fence, reason: str, hint: str) -> None:
        """Take note of a fence that could not be judged."""
        self.gaps.append(
            NotJudged(file=self.file, line=fence.line, reason=reason, hint=hint, part="a fence")
        )

    def take(self, fence: Fence) -> None:
        """Read one fence in its own language."""
        text, language = fence.text, fence.language
        if self._is_typed(fence):
            for unit, part, line, bare in self._units(text, fence.line):
                head = "[Service]\n" if bare else ""
                name = f"{unit or f'{self.context.engine.name}.service'}.d/override.conf"
                self._embedded(f"{head}{part}\n", name, line - bare, "systemd")
                text = text.replace(part, "\n" * part.count("\n"), 1)
            self._script(fence, commands(text))
        elif language in _WINDOWS:
            self._of_windows(fence)
        elif language in _RECIPES:
            self._script(fence, text)
        elif language == "nix" and not _MODULE.match(text):
            self._module(fence)
        elif (kind := self._kind(fence)) and not (kind == "helm" and _SERVICE.search(text)):
            self._file(fence, kind)
        elif language in {"yaml", "yml"}:
            self._fragment(fence)
        elif language in _PLAIN and _ASSIGNMENTS.fullmatch(text):
            self._script(fence, text)
        else:
            self._other(fence)

    def _other(self, fence: Fence) -> None:
        """Read the calls in code, and say so of a language that sets something and is unknown."""
        if fence.language in _UNREAD:
            self._unread(fence)
            return
        if fence.language not in {*_PLAIN, *_CODE, *_KINDS}:
            self._unread(fence)
        self._code(fence)

    def _is_typed(self, fence: Fence) -> bool:
        """Whether somebody types a fence into a shell, by its language or what stands there."""
        if fence.language in {*_PLAIN, "docker"} and _TYPED.search(fence.text):
            return True
        known = fence.language in {*_CODE, *_KINDS, *_UNREAD, *_WINDOWS, *_RECIPES}
        return fence.language in _SHELL or (not known and bool(_SERVED.search(fence.text)))

    def _units(self, text: str, line: int) -> tuple[tuple[str, str, int, bool], ...]:
        """Return what a fence has somebody type into a unit."""
        edits = any(word in text for word in _EDITS)
        return tuple(typed_into_units(text, line)) if edits else ()

    def _of_windows(self, fence: Fence) -> None:
        """Read a fence of PowerShell or cmd, and say so where it sets nothing in their own way."""
        before = len(self.views)
        self._embedded(_PROMPT.sub("", fence.text), "", fence.line, "windows")
        if len(self.views) == before:
            self._unread(fence)
        self._code(fence)

    def _unread(self, fence: Fence) -> None:
        """Say that a fence sets something and is in a language that nobody reads here."""
        if sets_its_own(fence.text):
            hint = "name the file that is made of it"
            self.gap(fence, f"`{fence.language}` is not read here", hint)

    def _kind(self, fence: Fence) -> str:
        """Return the kind that a fence of this language has by its name or its content."""
        plain = fence.language in _PLAIN
        likely = _KINDS.get(fence.language, _TELLING if plain else ())
        named = kind_of(Source(fence.name, fence.text)) if fence.name else None
        if named in likely:
            return named or ""
        found = (kind for kind in likely if signs_of(kind).by_content(fence.text))
        return next(found, "")

    def _file(self, fence: Fence, kind: str) -> None:
        name = fence.name if kind_of(Source(fence.name, fence.text)) == kind else ""
        served = re.search(r"(?m)^ExecStart=", fence.text) and not names_an_engine(
            "\n".join(re.findall(r"(?m)^ExecStart=.*|^Description=.*", fence.text))
        )
        text, line = fence.text, fence.line
        if kind == "systemd" and not _SECTION.search(text):
            # A few lines of a unit, without what is around them.
            text, line = f"[Service]\n{text}", line - 1
            served = served or "ExecStart=" in text
        if kind == "environment" and fence.language in _DOTENV:
            name = name or ".env"  # Where a comment may stand behind a value.
        self._embedded(text, name or ("other.service" if served else ""), line, kind)

    def _embedded(self, text: str, name: str, line: int, kind: str) -> None:
        views, gaps = embedded(text, name, self.file, line, self.context, kind)
        if kind == "environment":
            views = [part for v in views for part in _alternatives(replace(v, overruled=()))]
            views = [self._filled_in(view) for view in views] if self.composed else views
        self.views += (replace(v, phrases=replace(v.phrases, guide=True)) for v in views)
        self.gaps += gaps

    def _filled_in(self, view: View) -> View:
        """Return variables of a `.env` for Compose: where to listen only fills gaps of its file.

        So does what the release does not read: a name of the file's own.
        """
        facts = self.context.facts(view)

        def fills(name: str) -> bool:
            fact = facts.variable(name)
            return name == self.context.engine.address or (fact is not None and fact.gone)

        found = (replace(v, reach="client") if fills(v.name) else v for v in view.variables)
        return replace(view, variables=tuple(found))

    def _script(self, fence: Fence, text: str) -> None:
        told = Told(self.context, self.file, DOCUMENT, "server", bare=True)
        told.script(text, fence.line)
        self.views += [part for view in told.found() for part in _alternatives(view)]
        self.gaps += told.gaps

    def _code(self, fence: Fence) -> None:
        """Judge the calls of the API and of the program in code of any language."""
        name = self.context.engine.name
        requests, asked = calls(fence.text, self.file, name, self.context.engine.api, fence.line)
        if requests or asked:
            view = self.context.view(
                DOCUMENT,
                self.context.release_for(),
                name=name,
                place=Place(self.file, fence.line),
                requests=requests,
                commands=asked,
            )
            self.views.append(view)

    def _module(self, fence: Fence) -> None:
        """Put options of NixOS, or directives of a service, into a module."""
        name, text = self.context.engine.name, fence.text
        if _DIRECTIVES.fullmatch(text):
            head, tail = f"{{ systemd.services.{name}.serviceConfig = {{", "}; }"
        else:
            head, tail = "{ config, lib, pkgs, ... }: {", "}"
        whole = f"{head}\n{text}\n{tail}\n"
        if names_an_engine(whole):
            self._embedded(whole, "", fence.line - 1, "nixos")

    def _fragment(self, fence: Fence) -> None:
        """Read a part of a compose file: a service without its name, or its variables alone."""
        if not re.search(self.context.engine.mentioned, fence.text):
            return
        try:
            table = parse(Source(self.file, fence.text))
        except ProfileError as error:
            problem = error.problems[0]
            self.gap(fence, problem.message, problem.hint)
            return
        if not isinstance(table, Table):
            return
        inner = [one for one in table.entries.values() if isinstance(one, Table)]
        name = self.context.engine.name
        if "image" in table.entries:
            self._wrapped(fence, ("services:", f"  {name}:"), "    ")
        elif any("image" in one.entries for one in inner):
            self._wrapped(fence, ("services:",), "  ")
        elif "environment" in table.entries:
            self.views.append(self._variables(table, fence))

    def _wrapped(self, fence: Fence, head: tuple[str, ...], indent: str) -> None:
        lines = [f"{indent}{line}" if line else "" for line in fence.text.split("\n")]
        text = "\n".join((*head, *lines))
        self._embedded(text, "compose.yaml", fence.line - len(head), "compose")

    def _variables(self, table: Table, fence: Fence) -> View:
        """Return the variables of a container of which nothing else is told."""
        place = Place(self.file, fence.line)
        box = Container(image="", place=place, digest=True, restart=_UNTOLD)
        return self.context.view(
            replace(COMPOSE, volumes_told=False),
            self.context.release_for(),
            name=self.context.engine.name,
            place=place,
            variables=tuple(_environment(table, fence.line - 1)),
            container=box,
        )


def _environment(table: Table, above: int) -> Iterator[Variable]:
    node = table.get("environment")
    pairs: list[tuple[str, Scalar, str]] = []
    if isinstance(node, Table):
        pairs = [(name, v, v.text) for name, v in node.entries.items() if isinstance(v, Scalar)]
    elif isinstance(node, Items):
        listed = (item for item in node.items if isinstance(item, Scalar) and "=" in item.text)
        pairs = [
            (item.text.partition("=")[0], item, item.text.partition("=")[2]) for item in listed
        ]
    for name, value, text in pairs:
        place = Place(value.place.file, value.place.line + above, f"environment.{name}")
        yield Variable(name=name, value=text, place=place, unresolved="$" in text)


def _alternatives(view: View) -> Iterator[View]:
    """Yield a View for each of several values that a guide offers for one variable."""
    rounds: list[list[Variable]] = []
    count: dict[str, int] = {}
    for variable in view.variables:
        turn = count.get(variable.name, 0)
        count[variable.name] = turn + 1
        if turn >= len(rounds):
            rounds.append([])
        rounds[turn].append(variable)
    first, *others = rounds or [[]]
    yield replace(view, variables=tuple(first))
    for other in others if view.container is None else ():
        yield replace(view, variables=tuple(other), commands=(), requests=(), models=())
