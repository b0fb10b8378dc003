"""Servers that a command line has a cloud run: `gcloud run deploy`, `az containerapp create`."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.helm.read import quantity
from generator.readers.syntax.options import Argument
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import INGRESS, Asked, Bound, Container, Line, Phrases, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context
    from generator.view import View

_NAMED: Final = {"run": "*.run.app", "cloud": "*.azurecontainerapps.io"}
_RUN: Final = re.compile(r"gcloud (?:(?:alpha|beta) )?run (?:deploy|services update)\b")
_APP: Final = re.compile(r"az containerapp (?:create|update|up)\b")
_PORT: Final = "8080"  # What Cloud Run asks at where nobody says another one.
_PAIR: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_VARIABLES: Final = frozenset({"set-env-vars", "update-env-vars", "env-vars", "set-env-var"})
BOOK: Final = Phrases(
    kind="cloud",
    string='"{}"',
    devices_told=False,
    read_by="the script goes to version control",
    keep_in="a secret of the cloud",
    keep_volume="mount one, or build the models into the image",
    no_swap="",
)
Flags = dict[str, list[Argument]]


def deployed(words: Sequence[Argument], context: Context) -> View | None:
    """Return the View of a server that a command line has a cloud run; None: it is none."""
    line = " ".join(word.text for word in words[:6])
    way = "run" if _RUN.match(line) else "cloud" if _APP.match(line) else ""
    flags = _flags(words) if way else {}
    image = _one(flags, "image")
    if image is None:
        return None
    variables = list(_variables(flags))
    name = image_name(image.text)
    if not context.engine.is_image(name.repository) and not _are_of_a_server(variables, context):
        return None
    return context.view(
        BOOK,
        context.release_of(image.text),
        name=context.engine.name,
        place=image.place,
        variables=tuple(variables),
        bounds=tuple(_bounds(flags)),
        container=Container(
            image=image.text,
            place=image.place,
            tag=name.tag,
            digest=name.digest or "$" in image.text or "{{" in image.text,
            gpu_access="reservation" if "gpu" in flags else "",
            mounts=tuple(_mounts(flags)),
            restart="always",
            exposed=tuple(_exposed(flags, way)),
            asked=tuple(_asked(flags, way, image.place)),
        ),
    )


def _flags(words: Sequence[Argument]) -> Flags:
    """Return each flag with the words behind it, or behind its equal sign."""
    found: Flags = {}
    open_: list[Argument] = []
    for word in words:
        if word.text.startswith("--"):
            name, equals, value = word.text[2:].partition("=")
            told = found.setdefault(name, [word])
            if equals:
                told.append(dataclasses.replace(word, text=value, written=lambda _: ""))
            open_ = [] if equals else told
        elif word.text.startswith("-"):
            open_ = []
        else:
            open_.append(word)
    return found


def _one(flags: Flags, name: str) -> Argument | None:
    return next(iter(flags.get(name, ())[1:]), None)


def _variables(flags: Flags) -> Iterator[Variable]:
    for name in sorted(_VARIABLES & flags.keys()):
        for word in flags[name][1:]:
            for pair in _pairs(word.text) if name != "env-vars" else [word.text]:
                if found := _PAIR.fullmatch(pair.strip()):
                    value = found[2]
                    yield Variable(
                        name=found[1],
                        value=value,
                        place=dataclasses.replace(word.place, key=found[1]),
                        unresolved="$" in value or value.startswith("secretref:"),
                    )


def _pairs(text: str) -> list[str]:
    """Return the pairs of a list, which may name what parts them: `^@^A=1@B=2`."""
    told = re.match(r"\^(.)\^", text)
    return text[3:].split(told[1]) if told else text.split(",")


def _are_of_a_server(variables: Sequence[Variable], context: Context) -> bool:
    """Return whether variables are such that no client of the engine reads."""
    engine = context.engine
    asks = (v.name == engine.address and "://" in v.value for v in variables)
    if any(asks) or any(re.fullmatch(engine.application, v.name) for v in variables):
        return False
    facts = context.catalogue.at(engine.name, context.release_for()[0])
    known = (facts.variable(v.name) for v in variables if v.name != engine.address)
    return any(fact is not None and fact.works and fact.scope == "server" for fact in known)


def _bounds(flags: Flags) -> Iterator[Bound]:
    word = _one(flags, "memory")
    if word is not None:
        with contextlib.suppress(ValueError):
            yield Bound(name="memory_max", value=int(quantity(word.text)), place=word.place)


def _mounts(flags: Flags) -> Iterator[tuple[str, Place]]:
    for word in flags.get("add-volume-mount", ())[1:]:
        told = dict(part.partition("=")[::2] for part in word.text.split(","))
        if path := told.get("mount-path"):
            yield f"{told.get('volume', '')}:{path}", word.place


def _exposed(flags: Flags, way: str) -> Iterator[Line]:
    """Yield the name under which anybody reaches it."""
    ingress = _one(flags, "ingress")
    if ingress is not None and ingress.text.startswith("internal"):
        return
    opens = flags.get("allow-unauthenticated" if way == "run" else "ingress", ())
    for word in opens[-1:]:
        yield Line(section=INGRESS, name=way, value=_NAMED[way], place=word.place)


def _asked(flags: Flags, way: str, place: Place) -> Iterator[Asked]:
    """Yield the port at which the cloud hands requests on."""
    port = _one(flags, "port" if way == "run" else "target-port")
    if port is not None:
        yield Asked(by="the cloud", port=port.text, place=port.place)
    elif way == "run":
        yield Asked(by="Cloud Run", port=_PORT, place=place)


_TOOL: Final = re.compile(r"gcloud|\S*/(?:cloud-builders/gcloud|cloud-sdk)(?::\S*)?")
_ACTION: Final = re.compile(r"google-github-actions/deploy-cloudrun(?:@\S*)?")


def words_of(step: Table) -> list[Argument]:
    """Return the command line that a step of Cloud Build or an action of Google's amounts to."""
    given = step.items("args")
    told = step.scalar("entrypoint") or step.scalar("name")
    if given and told is not None and _TOOL.fullmatch(told.text):
        said = [told.place, *(one.place for one in given)]
        texts = ["gcloud", *(one.text if isinstance(one, Scalar) else "" for one in given)]
        return [_word(*one) for one in zip(texts, said, strict=True)]
    return list(_of_action(step.table("with"))) if _ACTION.fullmatch(step.text("uses")) else []


def _of_action(given: Table) -> Iterator[Argument]:
    for text in ("gcloud", "run", "deploy"):
        yield _word(text, given.place)
    for key, flag in (("image", "--image"), ("env_vars", "--set-env-vars")):
        node = given.scalar(key)
        for at, line in enumerate(node.text.split("\n") if node else ()):
            if node and line.strip():
                yield from (_word(flag, node.place), _word(line.strip(), _below(node, at)))
    if flags := given.scalar("flags"):
        for text in flags.text.split():
            yield _word(text, flags.place)


def _below(node: Scalar, lines: int) -> Place:
    return dataclasses.replace(node.place, line=node.starts + lines)


def _word(text: str, place: Place) -> Argument:
    return Argument(text, place, lambda _: "", "{{" in text or "$" in text)
