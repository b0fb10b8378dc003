"""The profile of a machine: its facts, its tuning, and the reason of each as a comment."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.detect.situation import Choice, LeftOut, written_gib
from generator.formats.data import Section, to_annotated_toml
from generator.formats.text import Commented
from generator.units import GIB, MIB, format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.detect.detected import Gpu
    from generator.detect.situation import Situation

TABLES: Final = ("ollama", "resources", "threads", "gpu", "service")
_SMALL: Final = 8 * GIB
_MOST_CORES, _MOST_SOCKETS = 4096, 64
SYSTEMS: Final = {"x86_64": "x86_64-linux", "aarch64": "aarch64-linux"}


def profile_text(
    at: Situation, derived: Sequence[Choice | LeftOut], *, name: str, base: str = "", like: str = ""
) -> str:
    """Return the profile as TOML; `base` is what it extends, `like` a shipped one, if one is."""
    top = {
        "schema_version": Commented(1),
        "name": Commented(name),
        "description": Commented(description(at)),
    }
    if base:
        top["extends"] = Commented(base, "What is not set here comes from it.")
    left = [f"{each.key}: {each.reason}" for each in derived if isinstance(each, LeftOut)]
    notes = ("Left out on purpose:", *left) if left else ()
    head = [
        "Written by `gen detect` from this machine; from now on it is yours to edit.",
        f"Values are for Ollama {at.facts.release}. Which models fit: gen fit --profile FILE",
        *([f"This machine is like the shipped profile `{like}`."] if like else []),
        *(f"Not certain: {doubt.where}: {doubt.message}" for doubt in at.found.warnings),
    ]
    sections = [Section((), top), *host_sections(at), *_tuning(derived), Section((), {}, notes)]
    return to_annotated_toml(head, sections)


def description(at: Situation) -> str:
    """Return one line about the machine."""
    cpu, product = at.found.cpu, at.found.product
    machine = " ".join(dict.fromkeys(f"{product.vendor} {product.name}".split()))
    cores = f"{at.found.usable.cores} cores" if at.found.usable.cores else ""
    memory = written_gib(rounded(at.memory)) if at.memory >= MIB else ""
    cards = ", ".join(gpu.name for gpu in at.gpus) or "CPU only"
    parts = (machine, cpu.model, cores, memory, cards)
    return ", ".join(dict.fromkeys(part for part in parts if part))


def name_of(at: Situation) -> str:
    """Return a name for the profile, from the product or the processor; never the host's own."""
    for text in (at.found.product.name, at.found.cpu.model):
        name = "-".join(re.findall(r"[a-z0-9]+", text.casefold()))
        if name:
            return name[:60].rstrip("-")
    return "detected"


def host_sections(at: Situation) -> list[Section]:
    """Return the `[host]` table and those in it."""
    nvidia, unified = at.found.nvidia, any(gpu.unified for gpu in at.gpus)
    modules = nvidia.modules and f"With its {nvidia.modules} kernel modules."
    keys = {
        "system": Commented(SYSTEMS.get(at.found.cpu.architecture)),
        "memory": Commented(at.memory >= MIB and _size(rounded(at.memory)), _memory_note(at)),
        "unified_memory": Commented(unified, "The GPU has no memory of its own."),
        "driver": Commented(at.acceleration == "cuda" and nvidia.driver, modules),
    }
    tables = [(("host",), keys), *((("host", "gpus"), _gpu(gpu)) for gpu in at.gpus)]
    if 0 < at.found.usable.cores <= _MOST_CORES:
        tables.insert(1, (("host", "cpu"), _cpu(at)))
    known = ((path, {key: c for key, c in keys.items() if c.value}) for path, keys in tables)
    return [Section(path, keys, array="gpus" in path) for path, keys in known]


def _memory_note(at: Situation) -> str:
    bound = at.found.bounds.memory
    if bound and bound.value < at.found.memory.total:
        return f"{bound.where} bounds it; the machine has {written_gib(at.found.memory.total)}."
    return "What the system sees, rounded down."


def _cpu(at: Situation) -> dict[str, Commented]:
    cpu, usable = at.found.cpu, at.found.usable
    note = ""
    if usable.threads < cpu.threads:
        note = f"CPUs {at.found.bounds.cpus} of {cpu.threads}, by {at.found.bounds.cpus_where}."
    elif cpu.performance_cores:
        note = f"{cpu.performance_cores} performance and {cpu.efficiency_cores} efficiency cores."
    return {
        "model": Commented(cpu.model),
        "sockets": Commented(min(cpu.sockets, usable.cores, _MOST_SOCKETS)),
        "cores": Commented(usable.cores, note),
        "threads": Commented(usable.threads),
        "features": Commented(list(cpu.features)),
    }


def _gpu(gpu: Gpu) -> dict[str, Commented]:
    guess = "Of such a card; the driver did not report it." if not gpu.exact else ""
    shared = "What it can use of the machine's memory." if gpu.unified else ""
    if gpu.unified and not gpu.exact:
        shared = "Half of the machine's, which its driver lets it use if nobody says otherwise."
    others = "In use now, by a display or other programs, and so not free."
    size = gpu.memory // GIB * GIB if gpu.unified and gpu.memory >= GIB else gpu.memory
    return {
        "name": Commented(gpu.name),
        "memory": Commented(_size(size // MIB * MIB), shared or guess),
        "reserved": Commented(gpu.held >= MIB and _size(gpu.held // MIB * MIB), others),
        "compute_capability": Commented(gpu.compute_capability),
        "pci_id": Commented("" if gpu.vendor == "nvidia" else gpu.pci),
        "uuid": Commented(gpu.uuid),
    }


def _tuning(derived: Iterable[Choice | LeftOut]) -> list[Section]:
    """Return the tables of the choices, in the order of the schema."""
    tables: dict[str, dict[str, Commented]] = {table: {} for table in TABLES}
    for choice in (each for each in derived if isinstance(each, Choice)):
        table, _, key = choice.key.partition(".")
        tables[table][key] = Commented(choice.value, capital(choice.reason))
    return [Section((table,), keys) for table, keys in tables.items() if keys]


def capital(text: str) -> str:
    """Return a reason as a sentence."""
    return text[:1].upper() + text[1:]


def rounded(size: int) -> int:
    """Return the memory rounded down: to GiB, or to 256 MiB where a GiB is much."""
    part = GIB if size >= _SMALL else 256 * MIB if size >= 256 * MIB else MIB
    return size // part * part


def _size(size: int) -> str:
    return f"{format_size(size)}iB"


def host_of(at: Situation) -> dict[str, Any]:
    """Return the `[host]` table as data."""
    host: dict[str, Any] = tomllib.loads(to_annotated_toml((), host_sections(at)))["host"]
    return host
