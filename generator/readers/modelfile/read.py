'''Modelfiles: the model that one is made of, and its parameters.

There are no escapes: a value is bare, `"…"` or `"""…"""`, and the last two end where a line ends
with the quotes. A `#` begins a comment where a line begins, and nowhere else. Source:
parser/parser.go@v0.32.15, ParseFile.
'''

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source, each, refused
from generator.readers.modelfile import MODELFILE
from generator.readers.signs import BOM
from generator.view import UNSEEN, Line, ModelUse, Place, View, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TRIPLE: Final = '"""'
_COMMANDS: Final = frozenset(
    {
        *("from", "parameter", "system", "template", "license", "adapter", "message"),
        *("draft", "renderer", "parser", "requires"),
    }
)
_FILE: Final = re.compile(r"[./~].*|.*\.(?:gguf|bin|safetensors)|.*[${<].*", re.I | re.S)


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file. Raises ProfileError for what `ollama create` refuses to read."""
    return tuple(each(sources, lambda source: _view(source, context)))


def _view(source: Source, context: Context) -> View:
    said = list(_lines(source))
    base = next((line for line in said if line.name == "FROM"), None)
    if base is None:
        hint = "begin with `FROM` and a model or a file"
        raise refused(source.path, "", "there is no FROM in this Modelfile", hint)
    named = () if _FILE.fullmatch(base.value) else (ModelUse(name=base.value, place=base.place),)
    return context.view(
        MODELFILE,
        context.release_for(),
        name=posixpath.basename(source.path),
        place=Place(source.path),
        lines=(*(line for line in said if line.section), *_unseen(source)),
        models=named,
    )


def _printed(text: str) -> str:
    """Return what the parser keeps of a text."""
    if text.isascii():
        return text
    return "".join(c for c in text if c.isprintable() or c in "\t\r\n")


def _unseen(source: Source) -> Iterator[Line]:
    """Yield the characters that the parser drops, each once a line, in a section of their own."""
    for number, text in enumerate(source.text.removeprefix(BOM).split("\n"), 1):
        for name in () if text.isascii() else unseen(text):
            place = Place(source.path, number)
            effect = "nobody sees it, and the parser drops it"
            yield Line(section=UNSEEN, name=name, value=effect, place=place)


def _lines(source: Source) -> Iterator[Line]:
    """Yield FROM, and each parameter in the section PARAMETER."""
    lines, at = _printed(source.text).split("\n"), 0
    while at < len(lines):
        text, number = lines[at].strip(), at + 1
        at += 1
        if not text or text.startswith("#"):
            continue
        word, *behind = re.split(r"[ \t]+", text, maxsplit=1)
        word, rest = word.lower(), behind[0] if behind else ""
        if word not in _COMMANDS:
            hint = 'a value of several lines stands between `"""` and `"""`'
            message = f"`{word[:40]}` is no command of a Modelfile"
            raise refused(source.path, f"line {number}", message, hint)
        value = rest.partition(" ")[2].strip() if word in {"message", "parameter"} else rest
        quote = next((sign for sign in (_TRIPLE, '"') if value.startswith(sign)), "")
        closed = not quote or (len(value) >= 2 * len(quote) and value.endswith(quote))
        while not closed and at < len(lines):
            closed = lines[at].rstrip().endswith(quote)
            at += 1
        place = Place(source.path, number)
        if word == "from":
            yield Line(section="", name="FROM", value=rest.strip('"'), place=place)
        elif word == "parameter":
            name = rest.partition(" ")[0]
            key = Place(source.path, number, f"PARAMETER.{name}")
            yield Line(section="PARAMETER", name=name, value=value.strip('"'), place=key)
