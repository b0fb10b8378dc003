"""Manifests of Kubernetes: names, quantities, documents, and text that the kubelet expands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.errors import RenderError
from generator.formats.text import comment, refuse_nul
from generator.formats.yaml import to_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A StatefulSet labels its pods with its name and the hash of a revision: 63 less `-` and ten.
_LONGEST: Final = 52
_NAME: Final = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_BINARY: Final = (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))


def object_name(text: str, where: str) -> str:
    """Return the name of an object, which the DNS knows as well; raises RenderError for none."""
    name = re.sub(r"[^a-z0-9-]", "-", text.lower()).strip("-")
    if _NAME.fullmatch(name) and len(name) <= _LONGEST:
        return name
    raise RenderError(
        f"`{where}` is `{text}`, of which no name of Kubernetes can be made",
        hint=f"write a letter first, and {_LONGEST} characters at most",
        where=where,
    )


def data_key(text: str) -> str:
    """Return text as a key of a ConfigMap or a Secret, in which few characters stand."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)


def literal(text: str, where: str) -> str:
    """Return text for `env`, `command` or `args`, in which the kubelet puts variables in place.

    `$(NAME)` is a variable there, and `$$` a `$`. Probes and hooks it runs as they are. Raises
    RenderError naming `where` for what no manifest carries.
    """
    return refuse_nul(text, where).replace("$", "$$")


def cpus(thousandths: int) -> str:
    """Return a quantity of CPUs, like `20` or `1500m`."""
    whole, rest = divmod(thousandths, 1000)
    return f"{thousandths}m" if rest else str(whole)


def size(count: int) -> str:
    """Return a quantity of bytes, like `20Gi`."""
    unit, factor = next(
        ((unit, factor) for unit, factor in _BINARY if count % factor == 0), ("", 1)
    )
    return f"{count // factor}{unit}"


def documents(above: Sequence[str], objects: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as the documents of a file, with comments at its head."""
    head = "".join(f"{line}\n" for text in above for line in comment(text))
    return head + "---\n".join(to_yaml(one) for one in objects)
