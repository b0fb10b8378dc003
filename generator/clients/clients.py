"""What clients have to know of a server: its address, a model for each role, what loads it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines import load_engine
from generator.errors import HostwrightError, Problem
from generator.fit.choose import pick
from generator.live.client import checked, host_and_port
from generator.readers.plan.view import loading_view
from generator.records import dataclass
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.fit.ask import Ask
    from generator.plan import Model, Plan, Service

ROLES: Final = ("main", "research", "fallback", "embedding")
_CHATS: Final = ROLES[:3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The model of a role, under the name that clients ask for.

    `context` are the tokens of one request, its answer included, and `answer` those that a client
    may ask for in one: half of them, as the other half is the question.
    """

    role: str
    model: str
    context: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """An option that loads a model anew where a request has another value than `loaded`.

    `loaded` is empty where the server decides the value itself.
    """

    model: str
    option: str
    loaded: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """All that clients have to know; `url` is without a path."""

    url: str
    uses: tuple[Use, ...]
    reloads: tuple[Reload, ...]
    remarks: tuple[str, ...]

    @property
    def alike(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Each option and value that models are loaded with, and the models; alike ones once."""
        found: dict[tuple[str, str], list[str]] = {}
        for each in self.reloads:
            found.setdefault((each.option, each.loaded), []).append(each.model)
        return tuple((*key, tuple(models)) for key, models in found.items())

    def of(self, role: str) -> Use | None:
        """Return the Use of a role; a role of chats that no model has is that of the main one."""
        by_role = {use.role: use for use in self.uses}
        other = next((by_role[each] for each in _CHATS if each in by_role), None)
        return by_role.get(role, other if role in _CHATS else None)


def clients_of(plan: Plan, catalogue: Catalogue, *, url: str = "") -> Clients:
    """Return what clients have to know of the service of a Plan.

    `url` is where they reach it (empty: where clients on the host do). Raises HostwrightError for a
    URL that is none, and where no model is there to be asked.
    """
    service = plan.service
    view = loading_view(plan)
    facts = catalogue.at(view.engine, view.release)
    ask = load_engine(view.engine).ask_of(view, facts)
    if not any(model.role in _CHATS for model in service.models):
        raise HostwrightError(
            f"{plan.name} names no model that a client could chat with",
            hint="add one: [[models]], name and role = main, research or fallback",
        )
    chosen = _by_role(service.models)
    uses = tuple(_use(role, model, ask) for role, model in chosen.items())
    base = checked(url or service.listen.address).rstrip("/")
    return Clients(
        url=base,
        uses=uses,
        reloads=tuple(
            found for model in {m.served: m for m in chosen.values()}.values()
            for found in _reloads(model, ask)
        ),
        remarks=tuple(_remarks(service, chosen, ask, base)),
    )  # fmt: skip


def _by_role(models: Sequence[Model]) -> dict[str, Model]:
    """Return the first model of each role, in the order of ROLES."""
    found = {role: [model for model in models if model.role == role] for role in ROLES}
    return {role: models[0] for role, models in found.items() if models}


def _use(role: str, model: Model, ask: Ask) -> Use:
    context = _context(model, ask)
    return Use(role=role, model=model.served, context=context, answer=max(context // 2, 1))


def _context(model: Model, ask: Ask) -> int:
    """Return the context that a request gets: never above what the model was trained for."""
    own = ask.granted(model.name).tuned({each.name: each.value for each in model.parameters})
    shape = pick(ask.meant(model.name), ask.facts)
    trained = 0 if isinstance(shape, Problem) else shape.context
    return min(own.context, trained or own.context)


def _reloads(model: Model, ask: Ask) -> Iterator[Reload]:
    written = {each.name: each.value for each in model.parameters}
    for option in ask.facts.options.values():
        if option.known and option.reload:
            yield Reload(
                model=model.served,
                option=option.name,
                loaded=_loaded(option.name, written, option.default, _context(model, ask)),
                effect=option.effect,
            )


def _loaded(name: str, written: Mapping[str, str], default: str | None, context: int) -> str:
    """Return the value that a model is loaded with; empty: left to the server.

    -1 and 0 stand for its own choice of layers and threads.
    """
    if name == "num_ctx":
        return str(context)
    return written.get(name, "" if default in {None, "-1", "0"} else str(default))


def _remarks(service: Service, chosen: Mapping[str, Model], ask: Ask, url: str) -> Iterator[str]:
    names = {model.served for model in chosen.values()}
    if 0 < ask.loaded < len(names):
        yield (
            f"{len(names)} models have roles and {ask.loaded} stays loaded: a client that changes "
            f"the role waits for a load; `gen fit` tells whether more fit"
        )
    host, _ = host_and_port(url)
    if is_local(service.listen.host) and not is_local(host):
        yield (
            f"the server listens on {service.listen.host} alone, and does not answer at {url}: "
            f"set {service.engine}.host, or put a proxy in front"
        )
    if missing := [role for role in _CHATS if role not in chosen]:
        yield f"no model has the role {' or '.join(missing)}: the main one stands in"
