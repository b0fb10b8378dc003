"""Loops of a shell over words that the script itself tells: a command for each of them."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.syntax.options import Argument

_MOST: Final = 100
"""How many words of a loop are gone through, and how many commands one becomes at most."""
_HEAD: Final = 3  # `for NAME in`


@dataclasses.dataclass(slots=True)
class Loops:
    """The loops that a command stands in, each with its variable and what that goes through."""

    open: list[tuple[str, Sequence[Argument]]] = field(default_factory=list)

    def follow(self, words: Sequence[Argument], *, asks: bool) -> str:
        """Take note of a loop that begins or ends with a command; return its variable.

        `asks`: it goes on as long as a command says, and has no words.
        """
        first = words[0].text if words else ""
        if asks:
            self.open.append(("", ()))
        elif first == "done" and self.open:
            self.open.pop()
        elif first == "for":
            told = len(words) > _HEAD and words[2].text == "in"
            name = words[1].text if told else ""
            self.open.append((name, words[_HEAD:][:_MOST] if told else ()))
            return name
        return ""

    def unrolled(self, words: Sequence[Argument]) -> Iterator[list[Argument]]:
        """Yield a command once for each word of the loops that it uses the variables of."""
        found = [list(words)]
        for name, values in self.open:
            used = re.compile(rf"\$(?:{name}\b|\{{{name}\}})") if name and values else None
            if used is not None and any(used.search(word.text) for word in words):
                each = ((one, value) for one in found for value in values)
                found = [[_put(w, used, value) for w in one] for one, value in each][:_MOST]
        yield from found


def _put(word: Argument, used: re.Pattern[str], value: Argument) -> Argument:
    """Return a word with a value put in: a Finding points at the value if it is all of the word."""
    if not used.search(word.text):
        return word
    text = used.sub(lambda _: value.text, word.text)
    unknown = value.unresolved or "$" in text
    place = value.place if used.fullmatch(word.text) else word.place
    return replace(value, text=text, written=lambda _: "", unresolved=unknown, place=place)
