"""Broken machines as trees, and one on which all is well.

A `.txt` holds the files of one: `=== path` and its lines, where `\\0` stands for that byte.
`@on NAME` is the machine that it differs from, `@without PATH` what begins so and is not there.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "machines"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))


def files_of(name: str) -> dict[str, str]:
    base: dict[str, str] = {}
    own: dict[str, list[str]] = {}
    path = ""
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            path = line.removeprefix("=== ")
            own[path] = []
        elif path:
            own[path].append(line)
        elif line.startswith("@on "):
            base = files_of(line.removeprefix("@on "))
        elif line.startswith("@without "):
            gone = line.removeprefix("@without ")
            base = {key: text for key, text in base.items() if not key.startswith(gone)}
    made = {key: "\n".join(lines) for key, lines in own.items()}
    return base | {key: text.replace("\\0", "\0") for key, text in made.items()}


def tree(name: str, folder: Path) -> str:
    """Write a machine below a folder."""
    for path, text in files_of(name).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n" if text else "", encoding="utf-8")
    return str(folder)
