"""Scripts: `docker run`, exported variables, calls of the program and files that they write.

A Makefile and a justfile have command lines, too; what is before them on a line does not matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.readers.base import Context, NeedsMore, Source, each, problem_at
from generator.readers.commands import Told
from generator.readers.embedded import with_gaps
from generator.readers.script import SCRIPT
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import Reach, View


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each script: one for each container, and one for what else it says."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _reach(source: Source) -> Reach:
    """Return who gets what is exported: recipes of make and just are clients."""
    recipes = re.search(r"(?:^|/)\.?(?:GNU)?(?:make|just)file$|\.(?:mk|just)$", source.path, re.I)
    return "client" if recipes else "shell"


def _views(source: Source, context: Context) -> tuple[View, ...]:
    told = Told(context, source.path, SCRIPT, _reach(source))
    told.script(source.text)
    found = with_gaps(told.found(), told.gaps)
    if not found and told.gaps:
        gap = told.gaps[0]
        problem = problem_at(Place(gap.file, gap.line), gap.reason, gap.hint)
        raise NeedsMore(source.path, (problem,))
    return found
