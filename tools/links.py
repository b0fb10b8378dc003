"""Sources as Markdown links: a file at a release, an issue, a manual page; others stay text."""

from __future__ import annotations

import re
from typing import Final

from generator.formats.markdown import markdown

_REPOSITORIES: Final = {
    "ollama": "ollama/ollama",
    "ollama-python": "ollama/ollama-python",
    "nixpkgs": "NixOS/nixpkgs",
    "nixos-hardware": "NixOS/nixos-hardware",
}
_LINES: Final = r"(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?"
_SOURCE: Final = re.compile(
    r"llama\.cpp (?P<cpp>[\w./-]+)@(?P<commit>[0-9a-f]{7,40})"
    rf"|(?P<path>[\w./+-]+)@(?P<tag>v\d[\w.]*){_LINES}"
    rf"|(?P<project>{'|'.join(_REPOSITORIES)})#(?P<issue>\d+)"
    r"|(?P<manual>systemd\.[\w-]+)\(\d\)"
    r"|(?P<docker>docs\.docker\.com/[\w./-]+)"
)


def linked(source: str) -> str:
    """Return a source as Markdown."""
    done, parts = 0, []
    for found in _SOURCE.finditer(source):
        parts += [markdown(source[done : found.start()]), f"[{markdown(found[0])}]({_url(found)})"]
        done = found.end()
    return "".join([*parts, markdown(source[done:])])


def _url(found: re.Match[str]) -> str:
    if found["cpp"]:
        return f"https://github.com/ggml-org/llama.cpp/blob/{found['commit']}/{found['cpp']}"
    if found["manual"]:
        return f"https://www.freedesktop.org/software/systemd/man/latest/{found['manual']}.html"
    if found["docker"]:
        return f"https://{found['docker']}"
    if found["issue"]:
        return f"https://github.com/{_REPOSITORIES[found['project']]}/issues/{found['issue']}"
    span = f"#L{found['first']}" if found["first"] else ""
    end = f"-L{found['last']}" if found["last"] else ""
    return f"https://github.com/ollama/ollama/blob/{found['tag']}/{found['path']}{span}{end}"
