"""`modules/secrets.json`: which names of variables say secret, and the credentials of the server.

Of each credential it has what a Plan has of one that a profile names, so that a host may name it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.catalogue.catalogue import load_catalogue
from generator.codec import to_dict
from generator.formats.data import to_json
from generator.resolve.credentials import credential

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts


def files() -> dict[str, str]:
    """Return the file by its path."""
    facts = load_catalogue().at("ollama")
    names = facts.secrets
    data = {
        "endings": names.endings,
        "parts": names.parts,
        "elsewhere": names.elsewhere,
        "stand_ins": names.stand_ins,
        "credentials": _credentials(facts),
    }
    return {"modules/secrets.json": to_json(data)}


def _credentials(facts: Facts) -> dict[str, object]:
    found = {name: credential(known, path="") for name, known in facts.credentials.items()}
    left_out = ("name", "path", "encrypted", "key", "file")
    return {
        name: {key: value for key, value in to_dict(one).items() if key not in left_out}
        for name, one in found.items()
    }
