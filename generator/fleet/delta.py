"""What one document of data differs from another in, so that a fleet says what is alike once.

An object is what differs below: by key, or of a list by position. A list of one is what stands
there instead. `hostwright/hosts.nix` of a fleet puts both together again.
"""

from __future__ import annotations

from typing import Any


def delta(old: Any, new: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """Return the difference, an empty object where there is none."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs = [(key, old[key], new[key]) for key in old]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(str(at), *both) for at, both in enumerate(zip(old, new, strict=True))]
    else:
        return {} if old == new else [new]
    return {key: delta(one, other) for key, one, other in pairs if one != other}


def patched(old: Any, change: Any) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """Return what `change` is the difference to: `patched(a, delta(a, b)) == b`."""
    if isinstance(change, list):
        return change[0]
    if isinstance(old, list):
        return [patched(item, change.get(str(at), {})) for at, item in enumerate(old)]
    if isinstance(old, dict):
        return {key: patched(item, change.get(key, {})) for key, item in old.items()}
    return old
