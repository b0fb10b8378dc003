"""Captured and reconstructed machines as roots to read.

A `.txt` holds the files of one: `path: content` for one line, `=== path` and the lines below it
for more, `#` for a remark at the top. `@cpus: 64 32 NAME` are so many CPUs on so many cores, and
`@arm: 4 0x41 0xd0b` those of one kind. A `.tar` is what `gen detect --capture` wrote.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from generator.catalogue.catalogue import load_catalogue
from generator.detect.machine import read_machine
from generator.detect.root import Root, open_root
from generator.detect.situation import Situation, situation_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.detect.detected import Detected

FOLDER = Path(__file__).parent / "machines"
RECONSTRUCTED = sorted(path.stem for path in FOLDER.glob("*.txt"))
NAMES = sorted(path.stem for path in FOLDER.iterdir())


class Held(Root):
    """A machine whose files are in memory."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        super().__init__()
        self.files = {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}

    def _bytes(self, path: str) -> bytes | None:
        return self.files.get(path.lstrip("/"))

    def _names(self, path: str) -> Iterable[str]:
        folder = f"{path.strip('/')}/"
        return {k.removeprefix(folder).split("/")[0] for k in self.files if k.startswith(folder)}

    def _present(self, path: str) -> bool:
        return path.lstrip("/") in self.files


def files_of(name: str) -> dict[str, str]:
    """Return the files of a `.txt`."""
    files: dict[str, str] = {}
    path = ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("=== "):
            path = line[4:].strip()
            files[path] = ""
        elif path:
            files[path] += line
        elif line.startswith("@"):
            files |= _processors(line)
        elif not line.startswith("#"):
            # Only the first colon that a space or the end follows: paths have others.
            key, _, content = line.rstrip("\n").partition(": ")
            files[key.removesuffix(":") if not content else key] = content
    return files


def _processors(line: str) -> dict[str, str]:
    """Return the files about CPUs that a line stands for."""
    kind, number, *rest = line.split()
    if kind == "@arm:":
        lines = f"CPU implementer\t: {rest[0]}\nCPU part\t: {rest[1]}\n"
        lines += "Features\t: fp asimd asimdhp asimddp\n"
        cores = int(number)
    else:
        cores, lines = int(rest[0]), f"vendor_id\t: x\nmodel name\t: {' '.join(rest[1:])}\n"
        lines += "flags\t\t: fpu sse4_2 avx avx2 fma f16c\n"
    cpus, files = range(int(number)), {}
    blocks = (f"processor\t: {cpu}\n{lines}" for cpu in cpus)
    for cpu in cpus:
        alike = ",".join(str(other) for other in cpus if other % cores == cpu % cores)
        topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files[f"{topology}/core_cpus_list"] = alike
        files[f"{topology}/physical_package_id"] = "0"
    online = f"0-{len(cpus) - 1}"
    arch = "aarch64" if kind == "@arm:" else "x86_64"
    return files | {
        "proc/cpuinfo": "\n".join(blocks),
        "proc/sys/kernel/arch": arch,
        "sys/devices/system/cpu/online": online,
    }


def root_of(name: str) -> Root:
    archive = FOLDER / f"{name}.tar"
    return open_root(str(archive)) if archive.is_file() else Held(files_of(name))


def machine(name: str) -> Detected:
    return read_machine(root_of(name))


def situation(name: str, release: str | None = None) -> Situation:
    return situation_of(machine(name), load_catalogue(), release)


def tree(name: str, folder: Path) -> Path:
    """Write a machine below `folder`, as somebody copies it by hand."""
    for path, content in files_of(name).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    return folder


def member_names(data: bytes) -> list[str]:
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getnames()


def with_files(name: str, changes: Mapping[str, str | bytes], without: str = "\0") -> Detected:
    """Read a machine with some files changed, and those left out whose path has `without`."""
    kept = {path: text for path, text in files_of(name).items() if without not in path}
    return read_machine(Held({**kept, **changes}))


def warned(found: Detected) -> dict[str, str]:
    return {warning.where: warning.message for warning in found.warnings}
