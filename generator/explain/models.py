"""Models of the library: which there are, and the page of each."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.models import plain
from generator.errors import HostwrightError
from generator.explain.page import Grid, Page, Prose, paragraphs, sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.explain.history import Asked
    from generator.explain.page import Block

USES: Final = ("chat", "code", "vision", "embedding", "reasoning", "tools", "audio", "guard")
SURE: Final = {
    "measured": "Its shape was read from its header, and held against llama-quantize or a log.",
    "config": "Its shape is that of the config that its makers published.",
    "agrees": "Its shape is that of its kind; the sizes in the library agree with it.",
    "size": "Of its shape nothing is known, so its cache cannot be counted.",
}
# How a list may be sorted: what is asked of each model, the first one first.
ORDERS: Final[Mapping[str, str]] = {
    "pulls": "the most pulled first",
    "size": "the smallest first",
    "released": "the newest first",
    "name": "by name",
}


def shown_name(model: ModelFact) -> str:
    """The name as people write it: without `:latest`."""
    return model.names[0].removesuffix(":latest")


def gigabytes(size: int) -> str:
    """Return a size as the library shows it: `4.9 GB`, `670 MB`."""
    if size >= 10**9:
        return f"{size / 1e9:.0f} GB" if size >= 10**10 else f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.0f} MB"


def search(
    facts: Facts,
    words: Sequence[str] = (),
    *,
    uses: Sequence[str] = (),
    largest: int | None = None,
    order: str = "pulls",
) -> tuple[ModelFact, ...]:
    """Return the models that have every word in a name, every use, and no more bytes, in order."""
    wanted = [word.casefold() for word in words]
    found = [
        model
        for model in facts.models
        if all(word in _text(model) for word in wanted)
        and set(uses) <= set(model.use)
        and (largest is None or model.file_bytes <= largest)
    ]
    return tuple(sorted(found, key=_order(order, facts)))


def exactly(facts: Facts, words: Sequence[str]) -> ModelFact | None:
    """Return the model that a single word names; None: several have it, or none."""
    if len(words) != 1:
        return None
    model, family = facts.named_model(words[0]), plain(words[0]).partition(":")[0]
    several = sum(known.names[0].partition(":")[0] == family for known in facts.models)
    return model if ":" in words[0] or several == 1 else None


def _text(model: ModelFact) -> str:
    return " ".join((*model.names, *model.use, model.architecture, model.licence)).casefold()


def _order(order: str, facts: Facts) -> Callable[[ModelFact], tuple[object, ...]]:
    if order == "size":
        return attrgetter("file_bytes", "names")
    if order == "released":
        # The newest first, and those without a date last.
        return lambda model: (tuple(-ord(letter) for letter in model.released or " "), model.names)
    if order == "name":
        return attrgetter("names")
    return lambda model: (-facts.pulls(model), model.file_bytes, model.names)


def row(model: ModelFact) -> tuple[str, ...]:
    """Return the line of a model in a list."""
    instead = f"superseded by {model.superseded}" if model.superseded else ""
    size = f"{gigabytes(model.file_bytes)} {model.quantisation}"
    return (shown_name(model), size, ", ".join(model.use), model.released, instead)


def summary(model: ModelFact) -> str:
    """Return what a list says of a model in one line."""
    return f"{gigabytes(model.file_bytes)} at {model.quantisation}; for {', '.join(model.use)}"


def model_page(name: str, wanted: Asked) -> Page:
    """Return the page of a model. Raises HostwrightError where there is none of that name."""
    facts = wanted.facts
    model = facts.named_model(name)
    if model is None:
        raise HostwrightError(f"there is no model `{name}`", hint="`gen models` lists them")
    return Page(
        kind="model",
        name=shown_name(model),
        about="model of the library",
        summary=summary(model),
        blocks=(*_about(model, facts), *_shape(model), _sizes(model, facts)),
        sources=sources_of(model.source),
        facts=as_data(model, facts),
    )


def _about(model: ModelFact, facts: Facts) -> tuple[Block, ...]:
    others = [name for name in model.names[1:] if not name.endswith(":latest")]
    since = first_release(model, facts)
    return paragraphs(
        ("", f"For {', '.join(model.use)}. {gigabytes(model.file_bytes)} at {model.quantisation}."),
        ("superseded", f"by `{model.superseded}`" if model.superseded else ""),
        ("the same", ", ".join(f"`{name}`" for name in others)),
        ("released", model.released),
        ("licence", model.licence),
        ("Ollama", f"from {since} on" if since else ""),
        ("pulled", f"{facts.pulls(model):,} times" if facts.pulls(model) else ""),
    )


def first_release(model: ModelFact, facts: Facts) -> str:
    """Return the first release that loads a model; empty: older than what is known."""
    architecture = facts.architectures.get(model.architecture)
    since = model.since or (architecture.since if architecture else None)
    return str(since) if since else ""


def _shape(model: ModelFact) -> tuple[Block, ...]:
    if not model.layers:
        return (Prose(SURE[model.sure]),)
    parts = [
        f"{model.architecture}, {model.parameters / 1e9:.2f} billion weights",
        f"{model.layers} layers of {model.embedding}",
        f"{model.heads} heads over {model.kv_heads}",
        f"a vocabulary of {model.vocabulary}",
        f"trained for {model.context} tokens",
    ]
    if model.experts:
        parts.insert(2, f"{model.experts_used} of {model.experts} experts for a token")
    if model.window:
        parts.append(f"windows of {model.window} tokens")
    if model.projector:
        parts.append(f"{gigabytes(model.projector)} of the file see or hear")
    return (Prose("; ".join(parts) + ".", "shape"), Prose(SURE[model.sure]))


def _sizes(model: ModelFact, facts: Facts) -> Grid:
    return Grid(
        ("quantisation", "file", "loss", "tag"),
        tuple(
            (
                each["quantisation"],
                gigabytes(each["bytes"]),
                "" if each["loss"] is None else f"{each['loss']:.4f}",
                each["tag"] or "llama-quantize makes it",
            )
            for each in sizes(model, facts)
        ),
    )


def sizes(model: ModelFact, facts: Facts) -> list[dict[str, Any]]:
    """Return each quantisation of a model, the smallest first, with what it costs and its tag.

    `known` says where the size is from: it was `read`, or is `derived` from the tensors; what the
    library shows of it stands beside it. `loss` is the perplexity that Llama 3 8B loses.
    """
    tags, losses = facts.tags(model), {each.name: each.loss for each in facts.quantisations}
    found = [
        {
            "quantisation": kind,
            "bytes": size + model.projector,
            "known": "read" if kind in model.weights else "derived",
            "loss": losses.get(kind),
            "tag": tags[kind].name if kind in tags else _own_tag(model, kind),
            "shown": tags[kind].size if kind in tags else "",
        }
        for kind, size in model.sizes.items()
    ]
    return sorted(found, key=lambda each: (each["bytes"], each["quantisation"]))


def _own_tag(model: ModelFact, kind: str) -> str:
    return shown_name(model) if kind == model.quantisation else ""


def as_data(model: ModelFact, facts: Facts) -> dict[str, object]:
    """Return what programs get of a model."""
    return {
        "names": list(model.names),
        "use": list(model.use),
        "can": list(facts.good_for(model)),
        "bytes": model.file_bytes,
        "quantisation": model.quantisation,
        "parameters": model.parameters,
        "architecture": model.architecture,
        "context": model.context,
        "released": model.released,
        "licence": model.licence,
        "since": first_release(model, facts),
        "superseded": model.superseded,
        "pulls": facts.pulls(model),
        "sure": model.sure,
    }
