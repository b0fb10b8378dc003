"""What `gen check` says of files that a test writes."""

from pathlib import Path

from generator.check.gather import CheckRequest, check
from generator.check.report import Report


def report(folder: Path, files: dict[str, str]) -> Report:
    """Return the Report of a directory with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return check(CheckRequest(paths=[str(folder)]))


def lines(folder: Path, name: str, text: str, **beside: str) -> list[str]:
    """Return `LINE RULE SEVERITY` of each finding of one file; `beside` are others by name."""
    others = {key.replace("__", "."): value for key, value in beside.items()}
    found = report(folder, {name: text, **others}).findings
    return [
        f"{p.place.line} {p.finding.rule} {p.finding.severity}"
        for p in found
        if p.place.file == str(folder / name)
    ]


def of(text: str, rule: str, folder: Path) -> list[str]:
    """Return what one rule says of a file alone, as `lines` does."""
    return [one for one in lines(folder, "llm.yaml", text) if f" {rule} " in one]
