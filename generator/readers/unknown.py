"""Variables whose values nobody knows here: they are named as not judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.engines.signs import Signs as Engine
    from generator.view import Variable, View

_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW", re.IGNORECASE)
_OPEN: Final = re.compile(r"(?:docker\.io/)?(?:\$\{\w+\}|\$\w|\{\{)(?!.*:-)")
_HINT: Final = "check the file in which the value stands, or what is made of this one"


def unknown_values(view: View, facts: Facts, engine: Engine) -> Iterator[NotJudged]:
    """Yield the variables of the engine that somebody else gives their values, a part each file.

    What a guide leaves open is for its reader to fill in, and a secret is nobody's to judge.
    A variable that its reader has named already is not named again.
    """
    found: dict[str, list[Variable]] = {}
    named = " ".join(gap.part for gap in view.not_judged)
    for one in () if view.phrases.guide or view.phrases.keyed else view.served:
        ours = one.name.startswith(engine.prefixes) and facts.variable(one.name) is not None
        if one.unresolved and ours and one.name not in named and not _SECRET.search(one.name):
            found.setdefault(one.place.file, []).append(one)
    box = view.container
    if box is not None and not view.phrases.guide and _OPEN.match(box.image):
        reason = "which image it is, and so what is in it, is told elsewhere"
        where = box.of_image
        yield NotJudged(
            file=where.file, line=where.line, reason=reason, hint=_HINT, part="the image"
        )
    for file, several in found.items():
        names = list(dict.fromkeys(one.name for one in several))
        yield NotJudged(
            file=file,
            line=min(one.place.line for one in several),
            reason=_reason(names),
            hint=_HINT,
            part="values",
        )


def _reason(names: list[str]) -> str:
    *most, last = names
    if not most:
        return f"the value of {last} is told elsewhere"
    return f"the values of {', '.join(most)} and {last} are told elsewhere"
