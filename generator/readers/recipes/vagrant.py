"""Vagrantfiles: the scripts of their provisioners, which are all that is read of the Ruby."""

from __future__ import annotations

import re
from typing import Final

_BEGINS: Final = re.compile(r"<<[-~]?([\"']?)([A-Z_]\w*+)\1")
_INLINE: Final = re.compile(
    r"\binline(?::|[\"']?[ \t]*=>)[ \t]*+(?:\"([^\"\\#\n]++)\"|'([^'\\\n]++)')"
)


def provisioners(text: str) -> tuple[list[tuple[int, str]], str]:
    """Return the scripts of a Vagrantfile, each with its line, and the Ruby around them.

    They are its here-documents and what `inline:` says in quotes. The Ruby has all lines, those of
    a script and comments empty.
    """
    scripts: list[tuple[int, str]] = []
    around: list[str] = []
    ends, begun, inner = "", 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not ends:
            around.append("" if line.lstrip().startswith("#") else _INLINE.sub("", line))
            found = _INLINE.search(line)
            scripts += [(number, found[1] or found[2])] if found else []
            opened = _BEGINS.search(around[-1])
            ends, begun, inner = (opened[2] if opened else ""), number + 1, []
        else:
            around.append("")
            if line.strip() == ends:
                scripts.append((begun, "\n".join(inner)))
                ends = ""
            inner.append(line)
    scripts += [(begun, "\n".join(inner))] if ends else []
    return scripts, "\n".join(around)
