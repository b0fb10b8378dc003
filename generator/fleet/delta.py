"""What one document differs from another in, so that a fleet says what is alike once.

An object is what differs below: by key, or of a list by position. A list of one is what stands
there instead. `hostwright/hosts.nix` of a fleet puts both together again.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

from generator.codec import to_dict


def delta(old: Any, new: Any) -> Any:  # noqa: ANN401 -- data, or records that become such
    """Return the difference, an empty object where there is none."""
    if is_dataclass(old) and type(old) is type(new):
        pairs = [
            (name, getattr(old, name), getattr(new, name)) for name in old.__dataclass_fields__
        ]
    elif isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs = [(key, old[key], new[key]) for key in old]
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        pairs = [(str(at), *both) for at, both in enumerate(zip(old, new, strict=True))]
    else:
        return {} if old == new else [as_data(new)]
    return {key: delta(one, other) for key, one, other in pairs if one != other}


def as_data(value: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds, or records
    """Return a record, or several, as JSON holds them; data as it is."""
    return to_dict(value) if isinstance(value, tuple) or is_dataclass(value) else value
