from collections.abc import Sequence

from generator.readers.base import Context, Source
from generator.view import Place, Variable, View
from tests.readers.toy import TOY


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    return tuple(_view(source, context) for source in sources)


def _view(source: Source, context: Context) -> View:
    lines = [line.split() for line in source.text.splitlines()]
    return context.view(
        TOY,
        context.release_for(),
        name="toy",
        place=Place(source.path),
        variables=tuple(
            Variable(name=words[1], value=words[2], place=Place(source.path, at, words[1]))
            for at, words in enumerate(lines, 1)
        ),
    )
