"""Facts of graphics cards: by name as drivers and people write it, and by their PCI id.

    cards = load_catalogue().cards
    cards.named("NVIDIA GeForce RTX 4090")   what a driver reports, or a profile says
    cards.find("4090 laptop")                what somebody types; `near` has names for an error
    cards.by_pci("1002:744c", "c8")          what the bus says; AMD tells cards apart by revision

`memory` is in bytes, `bandwidth` in GB/s, `tflops` are dense ones; 0: not known, or there is none.
They are read from a JSON of their own when the first question is asked.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.catalogue.hardware import Capability
from generator.catalogue.records import Bytes, record
from generator.records import dataclass
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Maker = Literal["nvidia", "amd", "intel", "apple"]
_MAKERS: Final = re.compile(
    r"\((?:r|tm|c)\)|\b(?:nvidia|geforce|amd|ati|radeon|intel|apple|graphics)\b"
)
_LAPTOP: Final = re.compile(r"\b(?:laptop gpu|mobile|with max[ -]q design|max[ -]q / mobile)(?!\w)")
_SUFFIX: Final = re.compile(r"(?<=\d)(?=(?:ti|super|xtx?|gre)\b)")
_SIZE: Final = re.compile(r"(\d+) ?gi?b\b")
_JOINED: Final = re.compile(r"(?<=[a-z]{2})(?=\d{4})")  # `rtx4090`
_ALMOST: Final = 0.05  # of memory: a driver keeps some
_NEAR: Final = 0.13  # of memory: 22.5 GiB are sold as 24 GB


_WORDS: Final[tuple[tuple[Maker, re.Pattern[str]], ...]] = (
    (
        "nvidia",
        re.compile(
            r"\b(?:nvidia|geforce|quadro|tesla|jetson|orin|(?:rtx|gtx|titan)(?!\w)|[rg]tx\d)"
        ),
    ),
    ("amd", re.compile(r"\b(?:amd|ati|radeon|instinct|ryzen|firepro|gfx\d+)|\brx ?\d{3,4}\b")),
    ("intel", re.compile(r"\b(?:intel|arc|iris|uhd graphics|hd graphics)\b")),
    ("apple", re.compile(r"\bapple\b")),
)


def maker_of(name: str) -> Maker | Literal[""]:
    """Return whose card it is by a word in its name; empty: no word says so."""
    text = name.casefold()
    return next((maker for maker, words in _WORDS if words.search(text)), "")


@functools.cache
def card_key(name: str) -> str:
    """Return what a card is found by: its name in small letters, without the maker's words."""
    words = _MAKERS.sub(" ", name.casefold().replace("®", " ").replace("™", " "))
    words = _SUFFIX.sub(" ", _LAPTOP.sub(" laptop ", words))
    return " ".join(_SIZE.sub(r"\1gb", words.replace("-", " ")).split())


def _size(key: str) -> int:
    found = _SIZE.search(key)
    return int(found[1]) * GIB if found else 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Card:
    """A graphics card, or what computes in a processor: `unified`, with the machine's memory.

    `memory` is in bytes, as the driver shows it; `other_memory` is sold under the same name and id.
    `bandwidth` is that of its memory in GB/s, `fp32` and `fp16` are dense TFLOPS, `fp16` those of
    its matrix units where it has some. `compute_capability` is NVIDIA's, `target` AMD's. 0, empty:
    not known, or there is none. `advised`: people put it into hosts of models.
    """

    name: str
    aliases: tuple[str, ...] = ()
    vendor: Maker
    memory: Bytes = 0
    other_memory: tuple[Bytes, ...] = ()
    bandwidth: float = 0
    fp32: float = 0
    fp16: float = 0
    compute_capability: Capability = ""
    target: str = ""
    unified: bool = False
    pci: tuple[str, ...] = ()
    advised: bool = False
    source: str = ""

    @property
    def tflops(self) -> float:
        """The dense TFLOPS that matrices are multiplied with, at the better precision."""
        return max(self.fp16, self.fp32)

    def of_size(self, size: int, share: float = 0) -> Card:
        """The card with that much memory, where it is sold with it; else as it is.

        `share` is how much of it may be missing or too much.
        """
        sold = (self.memory, *self.other_memory)
        fits = (each for each in sold if abs(each - size) <= share * size)
        return replace(self, memory=next(fits, self.memory))

    def has(self, size: int, share: float) -> bool:
        """Whether it is sold with about that much memory."""
        return any(abs(each - size) <= share * size for each in (self.memory, *self.other_memory))


class Cards:
    """All cards, by name and by PCI id."""

    def __init__(self, tables: Iterable[Mapping[str, Any]]) -> None:
        self._tables = {table["name"]: table for table in tables}
        self._made: dict[str, Card] = {}

    @functools.cached_property
    def _plain(self) -> Mapping[str, str]:
        """The names in small letters."""
        return {name.casefold(): name for name in self._tables}

    @functools.cached_property
    def _keys(self) -> Mapping[str, str]:
        """The name that a key stands for."""
        named = {card_key(name): name for name in self._tables}
        other = {
            card_key(alias): name
            for name, table in self._tables.items()
            for alias in table.get("aliases", ())
        }
        return named | other

    @functools.cached_property
    def _ids(self) -> Mapping[str, tuple[str, ...]]:
        """The names under a PCI id, with its revision and without."""
        found: dict[str, tuple[str, ...]] = {}
        for name, table in self._tables.items():
            for text in table.get("pci", ()):
                found[text] = (*found.get(text, ()), name)
        return found

    def _card(self, name: str) -> Card:
        if name not in self._made:
            self._made[name] = record(Card, self._tables[name])
        return self._made[name]

    @property
    def all(self) -> tuple[Card, ...]:
        """All cards, in the order of the data: by maker, the older first or last."""
        return tuple(self._card(name) for name in self._tables)

    def named(self, name: str) -> Card | None:
        """The card of that name or alias, with or without its maker's words; None: unknown."""
        key = card_key(name)
        # Most are written as their key; to make those of all cards takes longer than to read them.
        found = self._plain.get(key) or self._keys.get(key)
        return self._card(found) if found else None

    def find(self, text: str) -> Card | None:
        """The card that somebody means: `4090`, `A770 8GB`, `rtx3090ti`; None: none, or several."""
        if exact := self.named(text):
            return exact
        found = self._fitting(text)
        best = {name for length, name in found if length == min(found)[0]}
        if len(best) != 1:
            return None
        card, size = self._card(best.pop()), _size(card_key(text))
        return card.of_size(size, _NEAR) if size else card

    def near(self, text: str) -> tuple[str, ...]:
        """Up to five names that may be meant, the nearest first."""
        from difflib import get_close_matches

        fitting = [name for _, name in sorted(self._fitting(text))]
        close = get_close_matches(card_key(text), self._keys, n=5, cutoff=0.5)
        return tuple(dict.fromkeys((*fitting, *(self._keys[key] for key in close))))[:5]

    def _fitting(self, text: str) -> list[tuple[int, str]]:
        """The cards with all words of a text in a name, and how much more each name says."""
        key = card_key(_JOINED.sub(" ", text.casefold()))
        size, asked = _size(key), {*_SIZE.sub("", key).split()}
        found = []
        for known, name in self._keys.items() if asked else ():
            words = (_SIZE.sub("", known) if size else known).split()
            if asked <= {*words} and (not size or self._card(name).has(size, _NEAR)):
                # `3090` is more of `RTX 3090` than of `3090 Ti`.
                found.append((2 * len(words) + (not known.endswith(key)), name))
        return found

    def by_pci(self, number: str, revision: str = "", memory: int = 0) -> Card | None:
        """The card with an id like `10de:2684`; None: unknown.

        Several with one id that neither `revision` nor `memory` tells apart are one with the names
        of all, and no more memory and speed than each of them has; of an unknown revision it is
        one like them.
        """
        number, revision = number.casefold(), revision.casefold()
        exact = self._ids.get(f"{number}:{revision}") or self._ids.get(number)
        if exact:
            return self._card(exact[0])
        start = f"{number}:"
        under = [names[0] for text, names in self._ids.items() if text.startswith(start)]
        cards = [self._card(name) for name in dict.fromkeys(under)]
        cards = [card for card in cards if memory and card.has(memory, _ALMOST)] or cards
        if revision and cards:
            return replace(_any_of(cards), name=f"like {cards[0].name}")
        return _any_of(cards) if cards else None


def _any_of(cards: list[Card]) -> Card:
    """Return what is true of each of the cards."""
    least: dict[str, float] = {
        name: min(getattr(card, name) for card in cards)
        for name in ("memory", "bandwidth", "fp32", "fp16")
    }
    alike = {card.target for card in cards}
    first, name = cards[0], " / ".join(card.name for card in cards)
    target = first.target if len(alike) == 1 else ""
    return replace(first, name=name, aliases=(), target=target, other_memory=(), **least)  # type: ignore[arg-type]
