"""The profile of a machine: its facts, its tuning, and the reason of each as a comment."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.detect.by_memory import written_gib
from generator.detect.situation import Choice, LeftOut
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
    at: Situation,
    derived: Sequence[Choice | LeftOut],
    *,
    name: str,
    base: str = "",
    matches: str = "",
) -> str:
    """Return the profile as TOML; `base` is the profile that it extends."""
    extends = {"extends": Commented(base, "What is not set here comes from it.")} if base else {}
    top = Section(
        (),
        {
            "schema_version": Commented(1),
            "name": Commented(name),
            "description": Commented(description(at)),
            **extends,
        },
    )
    sections = [top, *host_sections(at), *_tuning(derived), *_left(derived)]
    return to_annotated_toml(_head(at, matches), sections)


def _head(at: Situation, matches: str) -> list[str]:
    lines = [
        "Written by `gen detect` from this machine; from now on it is yours to edit.",
        f"Values are for Ollama {at.facts.release}. Which models fit: gen fit --profile FILE",
    ]
    if matches:
        lines.append(f"This machine is like the shipped profile `{matches}`.")
    lines += [f"Not certain: {w.where}: {w.message}" for w in at.found.warnings]
    return lines


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
    found, usable = at.found, at.found.usable
    keys: dict[str, Commented] = {}
    if system := SYSTEMS.get(found.cpu.architecture):
        keys["system"] = Commented(system)
    if usable.memory >= MIB:
        keys["memory"] = Commented(_size(rounded(usable.memory)), _memory_note(at))
    if any(gpu.unified for gpu in at.gpus):
        keys["unified_memory"] = Commented(value=True, comment="The GPU has no memory of its own.")
    if at.acceleration == "cuda" and found.nvidia.driver:
        modules = f"{found.nvidia.modules} kernel modules" if found.nvidia.modules else ""
        keys["driver"] = Commented(found.nvidia.driver, modules and f"With its {modules}.")
    gpus = [Section(("host", "gpus"), _gpu(gpu), array=True) for gpu in at.gpus]
    return [Section(("host",), keys), *_cpu(at), *gpus]


def _memory_note(at: Situation) -> str:
    bound = at.found.bounds.memory
    if bound and bound.value < at.found.memory.total:
        return f"{bound.where} bounds it; the machine has {written_gib(at.found.memory.total)}."
    return "What the system sees, rounded down."


def _cpu(at: Situation) -> list[Section]:
    cpu, usable = at.found.cpu, at.found.usable
    if not 0 < usable.cores <= _MOST_CORES:
        return []
    note = f"CPUs {at.found.bounds.cpus} of {cpu.threads}, by {at.found.bounds.cpus_where}."
    keys = {
        "model": Commented(cpu.model),
        "sockets": Commented(min(cpu.sockets, usable.cores, _MOST_SOCKETS)),
        "cores": Commented(usable.cores, note if usable.threads < cpu.threads else _kinds(at)),
        "threads": Commented(usable.threads),
        "features": Commented(list(cpu.features)),
    }
    return [Section(("host", "cpu"), {k: v for k, v in keys.items() if v.value})]


def _kinds(at: Situation) -> str:
    cpu = at.found.cpu
    if not cpu.performance_cores:
        return ""
    return f"{cpu.performance_cores} performance and {cpu.efficiency_cores} efficiency cores."


def _gpu(gpu: Gpu) -> dict[str, Commented]:
    guess = "By its name; the driver did not report it." if not gpu.exact else ""
    shared = "What it can use of the machine's memory." if gpu.unified else ""
    size = gpu.memory // GIB * GIB if gpu.unified and gpu.memory >= GIB else gpu.memory
    keys = {
        "name": Commented(gpu.name),
        "memory": Commented(_size(size // MIB * MIB), shared or guess),
        "compute_capability": Commented(gpu.compute_capability),
        "uuid": Commented(gpu.uuid),
    }
    return {key: entry for key, entry in keys.items() if entry.value}


def _tuning(derived: Iterable[Choice | LeftOut]) -> list[Section]:
    """Return the tables of the choices, in the order of the schema."""
    tables: dict[str, dict[str, Commented]] = {table: {} for table in TABLES}
    for choice in derived:
        if not isinstance(choice, Choice):
            continue
        table, _, key = choice.key.partition(".")
        tables[table][key] = Commented(choice.value, capital(choice.reason))
    return [Section((table,), keys) for table, keys in tables.items() if keys]


def _left(derived: Iterable[Choice | LeftOut]) -> list[Section]:
    notes = [f"{left.key}: {left.reason}" for left in derived if isinstance(left, LeftOut)]
    return [Section((), {}, notes=("Left out on purpose:", *notes))] if notes else []


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
