"""Scripts that look for a model by its name without the tag, and pull it where they find none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.applied import AS
from generator.readers.syntax.blocks import LONGEST
from generator.view import NAMESAKE, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine

_CUT: Final = (
    r"(?:\$\{(?P<bare>\w+)%%?:\*\}"
    r"|\$\(\s*(?:echo|printf\s+\S+)\s+[\"']?\$\{?(?P<said>\w+)\}?[\"']?\s*\|\s*"
    r"(?:cut\s+-d\s*[\"']?:[\"']?\s+-f\s*1"
    r"|awk\s+-F\s*[\"']?:[\"']?\s+[\"']\{\s*print\s+\$1\s*\}[\"'])\s*\))"
)
"""The name of a model without what stands behind its colon."""
_KEPT: Final = re.compile(
    rf"\s*(?:(?:local|readonly|export)\s+)?(\w+)=[\"']?{_CUT}[\"']?\s*(?:$|[#;])"
)
_GREP: Final = r"\|\s*[ef]?grep\s+(?:-\w+\s+){0,3}(?:--\s+)?[\"']?\^?"
_REST: Final = r"(?![\w./-]*[:$]|\[:)"
"""What may stand behind the name: no tag."""
_TAG: Final = "##*:"
"""What is left of a name by which its tag is looked for as well."""
_FAR, _FARTHEST = 12, 200  # lines


def namesakes(texts: Iterable[tuple[int, list[str]]], engine: Engine, file: str) -> Iterator[Line]:
    """Yield the lines by which any tag of a model counts as the one that is pulled otherwise."""
    name = re.escape(engine.name)
    lists = re.compile(
        rf"\b{name}[\"']?\s+(?:list|ls)\b[^;&]*?{_GREP}(?:{_CUT}|\$\{{?(?P<kept>\w+)\}}?){_REST}"
    )
    for first, lines in texts:
        kept: dict[str, str] = {}
        for at, line in enumerate(lines):
            if len(line) > LONGEST or line.lstrip().startswith("#") or _TAG in line:
                continue
            if held := _KEPT.match(line):
                kept[held[1]] = held["bare"] or held["said"]
            found = lists.search(line) if not _WAITS.match(line) else None
            cut = found and (found["bare"] or found["said"])
            whole = cut or (found and kept.get(found["kept"], ""))
            if found and whole and _pulls(lines, at, found.end(), whole, name):
                asked = cut or found["kept"]
                yield Line(section=NAMESAKE, name=asked, value=whole, place=Place(file, first + at))


_WAITS: Final = re.compile(r"\s*(?:while|until)\b")


def _pulls(lines: Sequence[str], at: int, behind: int, whole: str, name: str) -> bool:
    """Whether the script pulls the whole name after that; a function may be asked by another."""
    of_function = whole.isdecimal()
    put_in = r"\w+" if of_function else re.escape(whole)
    pulls = re.compile(
        rf"(?:^|[;&|({{]|\b(?:then|else|do)\b)\s*{AS}(?:if\s+!?\s*)?"
        rf"(?:(?:docker|podman|kubectl)\s[^;&|]*?\s)?(?:\S*/)?{name}\s+pull\s+[\"']?\$\{{?{put_in}\b"
    )
    near = lines[at + 1 : at + (_FARTHEST if of_function else _FAR)]
    texts = (lines[at][behind:], *near)
    return any(len(text) <= LONGEST and pulls.search(text) for text in texts)
