"""Files as text, checked: which rules say something of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from generator.check.gather import CheckRequest, check
from generator.check.report import Report

Text = dict[str, str]
Cases = dict[str, tuple[tuple[Text, ...], tuple[Text, ...]]]
"""By rule: what it catches, and what it leaves alone."""
T = TypeVar("T")


def checked(folder: Path, files: Text, **asked: object) -> Report:
    """Write the files below a folder and check them, each named."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    paths = [str(folder / name) for name in files]
    return check(CheckRequest(paths=paths, **asked))  # type: ignore[arg-type]


def told(folder: Path, files: Text, **asked: object) -> set[str]:
    """Return the ids of the rules that have something to say."""
    return {placed.finding.rule for placed in checked(folder, files, **asked).findings}


def sides(
    cases: Mapping[str, tuple[tuple[T, ...], tuple[T, ...]]],
) -> list[tuple[str, T, bool]]:
    """Return each case with its rule, and whether that has something to say of it."""
    return [
        (rule, case, caught)
        for rule, both in cases.items()
        for caught, side in zip((True, False), both, strict=True)
        for case in side
    ]


def messages(folder: Path, files: Text, rule: str) -> list[str]:
    """Return what one rule says, each with what to do."""
    found = checked(folder, files).findings
    return [f"{p.finding.message}; {p.finding.fix}" for p in found if p.finding.rule == rule]


def unit(*lines: str) -> Text:
    """Return a unit that starts the server, with further lines of [Service]."""
    start = () if any(line.startswith("ExecStart=") for line in lines) else (START,)
    text = "\n".join(("[Unit]", "Description=x", "[Service]", *start, *lines, ""))
    return {"ollama.service": text}


START = "ExecStart=/usr/local/bin/ollama serve"


def manager(receivers: str, head: str = "route: {receiver: a}\n") -> Text:
    """Return a configuration of Alertmanager with these receivers."""
    return {"alertmanager.yml": f"{head}receivers:\n{receivers}"}


def service(*lines: str, top: str = "") -> Text:
    """Return a compose file with the server, and further lines of its service."""
    own = "".join(f"    {line}\n" for line in lines)
    image = "    image: ollama/ollama:0.32.15\n    restart: always\n"
    return {"compose.yaml": f"services:\n  ollama:\n{image}{own}{top}"}


def pod(*lines: str, spec: str = "", more: str = "") -> Text:
    """Return a manifest of a pod with the server, and further lines of its container."""
    own = "".join(f"      {line}\n" for line in lines)
    return {
        "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: ollama, labels: {app: ollama}}\n"
        f"spec:\n{spec}  containers:\n    - name: ollama\n"
        f"      image: ollama/ollama:0.32.15\n{own}{more}"
    }
