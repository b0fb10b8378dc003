"""Options of somebody's own module for the engine, `my.services.ollama`, where it is not at hand.

What it makes of them nobody knows here; but variables and models have the names of the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.nixos import CONTAINER
from generator.readers.nixos.evaluate import Definition, Definitions
from generator.readers.nixos.release import channel_of, of_package
from generator.readers.syntax.words import expand
from generator.view import ModelUse, NotJudged, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source
    from generator.units import Release

_VARIABLES: Final = "environmentVariables"
_MODELS: Final = "loadModels"
_LIKE: Final = frozenset({_VARIABLES, _MODELS, "acceleration", "modelsDir", "rocmOverrideGfx"})
"""Options that few modules but those of the engine have."""
_OTHERS: Final = frozenset({"options", "users", "containers", "virtualisation", "launchd"})
_HINT: Final = "name the module that declares these options as well"


def wrappers(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield a View of each set of options that is called like the engine, and like its own."""
    engine = context.engine.name
    known = {("services", engine), ("systemd", "services", engine)}
    named: dict[tuple[str, ...], list[Definition]] = {}
    for one in found:
        steps = [n for n, step in enumerate(one.path[:-1]) if step == engine and n]
        base = one.path[: steps[0] + 1] if steps else ()
        if base and base not in known and base[0] not in _OTHERS:
            named.setdefault(base, []).append(one)
    for base, own in named.items():
        if any(d.path[len(base)] in _LIKE for d in own):
            yield _Wrapper(source, own, base).view(context)


class _Wrapper(Definitions):
    def __init__(self, source: Source, own: list[Definition], base: tuple[str, ...]) -> None:
        super().__init__(source, own)
        self.base = base

    def view(self, context: Context) -> View:
        """Return what is said of it; that the rest is another module's is named."""
        first = min(d.line for d in self.found)
        name = ".".join(self.base)
        reason = "a module of somebody's own, which is not at hand, makes the service of it"
        gap = NotJudged(file=self.source.path, line=first, part=name, reason=reason, hint=_HINT)
        return context.view(
            CONTAINER,
            self._release(context),
            name=name,
            place=Place(self.source.path, first),
            adds=True,
            variables=tuple(self._variables()),
            models=tuple(self._models()),
            not_judged=(gap,),
        )

    def _release(self, context: Context) -> tuple[Release, bool]:
        package = next((d for d in self.found if d.path == (*self.base, "package")), None)
        text = self.text(package) if package else ""
        return of_package(text, channel_of(self.source, (), context), context)

    def _variables(self) -> Iterator[Variable]:
        for found in self.found:
            if found.path[len(self.base) : -1] == (_VARIABLES,):
                value = found.value if isinstance(found.value, str) else ""
                expanded = expand(value, self.base[-1])
                unknown = found.unresolved or expanded is None or expanded.unresolved
                yield Variable(
                    name=found.path[-1],
                    value=expanded.text if expanded else value,
                    place=self.place(found),
                    written=self.written(found, value),
                    unresolved=unknown or not isinstance(found.value, str),
                )

    def _models(self) -> Iterator[ModelUse]:
        for found in self.found:
            if found.path[len(self.base) :] == (_MODELS,) and isinstance(found.value, list):
                for name in filter(lambda item: isinstance(item, str), found.value):
                    yield ModelUse(name=name, place=self.place_of(found, name), pulled=True)
