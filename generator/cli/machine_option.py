"""Which machine is meant: that of a profile, this one, one like it, or one that is described."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from generator.cli.options import Misuse, document_of, filled_option
from generator.errors import split_message
from generator.host import shared_memory
from generator.records import dataclass
from generator.units import MIB, parse_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.catalogue.cards import Card
    from generator.profiles.document import Document

    Command = TypeVar("Command", bound=Callable[..., Any])

HERE: Final = "this machine"
DESCRIBED: Final = "the machine that is described"
MEMORY: Final = "32GiB"
"""What a machine has of which nothing but a card is said."""
CORES: Final = 8
MOST: Final = 64
"""Cards in one host."""
LEAST: Final = 64 * MIB
"""The smallest size that anything runs in."""
NO_GPU: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the command line says of a machine; a size of `vram` is of the card in its place."""

    like: str | None = None
    gpus: tuple[str, ...] = ()
    vram: tuple[int, ...] = ()
    ram: int = 0
    cores: int = 0
    cpu: str = ""

    @property
    def altered(self) -> bool:
        """Whether anything of it is not as it is; a processor is only called by its name."""
        return bool(self.described or self.ram or self.cores)

    @property
    def described(self) -> bool:
        """Whether it is none that is there, as its cards are told, so that it is one everywhere."""
        return self.like is None and bool(self.gpus or self.vram)

    @property
    def assumed(self) -> str:
        """A sentence about what nobody said of a machine that is described; empty: all is said."""
        taken = {"--ram": MEMORY} if not self.ram else {}
        taken |= {"--cores": f"{CORES} cores"} if not self.cores else {}
        if not self.described or not taken:
            return ""
        return f"{' and '.join(taken.values())} are taken, as {' and '.join(taken)} say nothing"


def machine_options(command: Command) -> Command:
    """Add the options that describe a machine; the command gets them as `machine`."""

    @click.option(
        "--gpu", "gpus", multiple=True, metavar="CARD",
        help="A card it has, like `RTX 4090` or `2x A100 80GB`; repeatable; none: no GPU.",
    )  # fmt: skip
    @filled_option("--vram", metavar="SIZE,…", example="24GiB,24GiB", text="Memory of each card.")
    @filled_option("--ram", metavar="SIZE", example="64GiB", text="Memory of the host.")
    @click.option("--cores", type=click.IntRange(1, 4096), help="Physical cores of the host.")
    @filled_option("--cpu", metavar="NAME", example="Ryzen 9 7950X", text="Processor of the host.")
    @click.option("--like", metavar="PROFILE", help="The machine of a profile, without its tuning.")
    @functools.wraps(command)
    def with_machine(
        *,
        gpus: tuple[str, ...],
        vram: str | None,
        ram: str | None,
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        machine = Machine(
            like=options.pop("like"),
            gpus=tuple(_each(gpus)),
            vram=tuple(_size(text, "--vram") for text in vram.split(",")) if vram else (),
            ram=_size(ram, "--ram") if ram else 0,
            cores=options.pop("cores") or 0,
            cpu=options.pop("cpu") or "",
        )
        return command(machine=machine, **options)

    return with_machine  # type: ignore[return-value] # click hands over keywords only


def machine_document(
    profile: str | None, machine: Machine, overrides: tuple[str, ...] = ()
) -> Document:
    """Read the profile that is named, or make that of the machine that is meant.

    Without a profile it is this machine: tuned as `gen detect` would, or not at all where the
    command line says something of it. Where that tells cards it is not this machine at all.
    """
    if profile is not None and machine.like is not None:
        hint = "leave one of them out: --like takes the machine of a profile without its tuning"
        raise Misuse("a profile is named, and --like names another", hint, where="--like")
    flags = (*_flags(machine), *overrides)
    if profile is not None:
        return document_of(profile, flags)
    from generator.profiles.load import read_document

    if machine.described:
        return read_document(DESCRIBED, flags, stdin=_PLAIN.encode())
    text = _alike(machine.like) if machine.like else _here(bare=machine.altered)
    return read_document(machine.like or HERE, flags, stdin=text.encode())


_NOTHING: Final = 'schema_version = 1\nname = "described"\n'
_PLAIN: Final = f"""schema_version = 1
name = "described"
host.memory = "{MEMORY}"
host.cpu = {{ cores = {CORES}, threads = {CORES} }}
"""


def with_used(document: Document, sizes: str | None) -> Document:
    """Return the profile with what others hold of each card, of which `sizes` has as many or fewer.

    Raises Misuse for more sizes than there are cards, and for one that is none or too large.
    """
    if not sizes:
        return document
    from generator.profiles.load import overlaid

    where, texts = "--vram-used", [text.strip() for text in sizes.split(",")]
    host = document.data.get("host")
    found = host.get("gpus") if isinstance(host, dict) else None
    cards = found if isinstance(found, list) else []
    if len(texts) > len(cards):
        message = f"{where} has {len(texts)} sizes for {len(cards)} cards"
        raise Misuse(message, "write one for each card of the machine, 0: none", where=where)
    used = [_size(text or "0", where, least=0) for text in texts]
    for text, size, card in zip(texts, used, cards, strict=False):
        if isinstance(card, dict) and size > _memory(card):
            message = f"{where}: `{text}` is more than {card.get('name', 'the card')} has"
            raise Misuse(message, "it is the part of its memory that others hold", where=where)
    told = [dict(card) for card in cards]
    for card, size in zip(told, used, strict=False):
        card["reserved"] = size
    return overlaid(document, {"host": {"gpus": told}}, where)


def _memory(card: Mapping[str, Any]) -> float:
    """Return the bytes of a card of a profile; a size that is none is reported with the profile."""
    try:
        return parse_size(str(card.get("memory", "")))
    except ValueError:
        return float("inf")


def _here(*, bare: bool, root: str | None = None) -> str:
    """Return the profile of this machine, or the one below `root`; `bare`: without tuning."""
    from generator.catalogue.catalogue import load_catalogue
    from generator.detect.detect import detect
    from generator.detect.machine import read_machine
    from generator.detect.root import open_root

    detection = detect(read_machine(open_root(root)), load_catalogue())
    return detection.bare() if bare else detection.profile()


def described_host(machine: Machine, *, here: bool, root: str | None) -> dict[str, Any]:
    """Return the `[host]` table of the machine that is meant, as data; empty: nobody says.

    `here` is this machine, or with `root` the one whose files are below it.
    """
    from generator.profiles.load import read_document

    flags = tuple(_flags(machine))
    if not (here or flags or machine.like):
        return {}
    text = _alike(machine.like) if machine.like else _NOTHING
    text = _here(bare=True, root=root) if here else text
    host: dict[str, Any] = read_document(HERE, flags, stdin=text.encode()).data.get("host", {})
    return host


def disk_meant(profile: str | None, machine: Machine) -> str:
    """Return the kind of disk under the models of the machine that is meant; empty: unknown."""
    if profile is not None or machine.like is not None or machine.described:
        return ""
    from generator.detect.disk import read_disk
    from generator.detect.root import open_root

    return read_disk(open_root(None)).kind


def _alike(like: str) -> str:
    from generator.formats.data import to_toml

    data = document_of(like).data
    return to_toml({key: data[key] for key in ("schema_version", "name", "host") if key in data})


def _flags(machine: Machine) -> Iterator[str]:
    """Yield what `--set` would say of the machine."""
    if machine.ram:
        yield f'host.memory="{machine.ram}"'
    if machine.cores:
        yield f"host.cpu.cores={machine.cores}"
        yield f"host.cpu.threads={machine.cores}"
    if machine.cpu:
        yield f"host.cpu.model={_quoted(machine.cpu)}"
    if machine.gpus == (NO_GPU,):
        if machine.vram:
            message = "--vram: no card is there that has it, as --gpu none says"
            raise Misuse(message, "leave one of both out", where="--vram")
        yield "host.gpus=[]"
    elif machine.gpus or machine.vram:
        cards = [*_cards(machine)]
        if _unified(machine):
            yield "host.unified_memory=true"
        yield f"host.gpus=[{', '.join(map(_inline, cards))}]"


def _inline(card: Mapping[str, str | int]) -> str:
    return f"{{{', '.join(f'{key} = {_quoted(value)}' for key, value in card.items())}}}"


def _quoted(value: str | int) -> str:
    from json import dumps

    return dumps(value)


def _cards(machine: Machine) -> Iterator[dict[str, str | int]]:
    """Yield the cards by what a profile says of one. Raises Misuse for one that nobody knows."""
    from generator.catalogue.catalogue import load_catalogue

    known = load_catalogue().cards
    if machine.gpus and len(machine.vram) > len(machine.gpus):
        message = f"--vram has {len(machine.vram)} sizes for {len(machine.gpus)} cards"
        raise Misuse(message, "write one for each --gpu", where="--vram")
    sizes = (*machine.vram, *(0 for _ in machine.gpus[len(machine.vram) :]))
    names = machine.gpus or tuple(f"GPU {at}" for at in range(len(machine.vram)))
    for name, size in zip(names, sizes, strict=True):
        card = known.find(name)
        if card is None and not size:
            near = ", ".join(f"`{each}`" for each in known.near(name))
            hint = f"did you mean {near}?" if near else "or give its memory by --vram"
            raise Misuse(f"--gpu: no card is known as `{name}`", hint, where="--gpu")
        told: dict[str, str | int] = {"name": card.name if card else name}
        told["memory"] = str(size or (_own_memory(card, machine.ram) if card else 0))
        if card and card.compute_capability:
            told["compute_capability"] = card.compute_capability
        yield told


def _unified(machine: Machine) -> bool:
    """Whether a card of it computes with the machine's memory, of which it has no size told."""
    from generator.catalogue.catalogue import load_catalogue

    known = [load_catalogue().cards.find(name) for name in machine.gpus]
    return any(card is not None and card.unified for card in known)


def _own_memory(card: Card, ram: int) -> int:
    """Return the bytes that a card has, or may take of the machine's. Raises Misuse: unknown."""
    if card.memory:
        return card.memory
    if not ram:
        message = f"`{card.name}` has no memory of its own, but some of the machine's"
        raise Misuse(message, "say how much that has: --ram 32GiB", where="--gpu")
    return shared_memory(ram, metal=card.vendor == "apple")


def _each(gpus: tuple[str, ...]) -> Iterator[str]:
    """Yield each card by its name; `2x RTX 3090` are two."""
    for text in gpus:
        count, times, name = text.replace("×", "x ", 1).partition("x ")
        several = times and count.strip().isascii() and count.strip().isdecimal()
        number = min(int(count.strip()[:9]), MOST + 1) if several else 1
        if not 0 < number <= MOST:
            message = (
                f"--gpu: `{count.strip()[:9]}` cards are {'none' if not number else 'too many'}"
            )
            raise Misuse(message, f"from 1 to {MOST}, as in 2x RTX 3090", where="--gpu")
        yield from [name.strip() if several else text.strip()] * number


def _size(text: str, where: str, *, least: int = LEAST) -> int:
    try:
        size = parse_size(text.strip())
    except ValueError as error:
        message, hint = split_message(error)
        raise Misuse(f"{where}: {message}", hint, where=where) from None
    if size < least:
        raise Misuse(f"{where}: `{text}` is too little", "write a size like 24GiB", where=where)
    return size
