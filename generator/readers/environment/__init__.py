"""Files of environment variables: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import Final

from generator.engines import READ, load_signs
from generator.readers.signs import Signs
from generator.view import Phrases

_PREFIXES: Final = "|".join(prefix for name in READ for prefix in load_signs(name).prefixes)
_UNSEEN: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff"  # what a page puts into a name

SIGNS: Final = Signs(
    sure=frozenset({".env"}),
    names=r"\.env(?:\..+)?|(?:[\w-]+\.)*env(?:\.(?:example|sample|template|dist|default|local|\w*ollama\w*))*"
    r"|environment(?:\.conf)?",
    # What a unit names by `EnvironmentFile=`, and a script of init sources.
    places=r"(?:^|/)etc/(?:default|sysconfig)/[\w@-]+\Z",
    folders=("environment.d",),
    ours=lambda source: bool(re.search(rf"\b(?:{_PREFIXES})[\w{_UNSEEN}]+[ \t]*[=:]", source.text)),
    content=r"(?m)^[ \t]*+(?:export[ \t]+)?[A-Za-z_]\w*+=",
    referred=True,
)
ENVIRONMENT: Final = Phrases(
    kind="environment",
    assigns=True,
    drops_lines="systemd and container runtimes ignore",
    memlock="add `LimitMEMLOCK=infinity` to [Service]",
)
