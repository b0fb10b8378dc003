"""How files of variables say what rules speak of."""

from __future__ import annotations

from typing import Final

from generator.view import Phrases

ENVIRONMENT: Final = Phrases(
    kind="environment",
    assigns=True,
    memlock="add `LimitMEMLOCK=infinity` to [Service]",
)
