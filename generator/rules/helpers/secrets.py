"""Values that are no secret where one would be: what a guide or a client has in its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts

# What a guide writes for whoever follows it to replace.
_TO_REPLACE: Final = re.compile(
    r"(?:your|my)[-_ ]|(?:change|replace|insert|enter|put|add)[-_ ]?(?:me|this|it|here|your)\b"
    r"|(?:example|placeholder|todo|xxx+)\b"
    r"|(?:no|none|not|dummy|fake|unused|ignored|anything|whatever)\b",
    re.IGNORECASE,
)


def stands_in(text: str, facts: Facts) -> bool:
    """Return whether a value is there to be replaced, or because a client insists on one."""
    bare = text.strip("\"' ")
    return _TO_REPLACE.match(bare) is not None or bare.lower() in {"", *facts.secrets.stand_ins}
