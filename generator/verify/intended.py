"""What a Plan wants of a service, in the words of what it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.targets.compose import UNSUPPORTED
from generator.targets.container import published, variables

if TYPE_CHECKING:
    from generator.plan import Limit, Service, Setting
    from generator.verify.observed import Via

CONTAINERS: Final = frozenset({"docker", "podman"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """The variables and limits that a service should have, as one manager hands them over.

    `left_out` are limits that the manager has no word for, each with the reason; `published` is
    where a container should be reached, empty: it is none.
    """

    variables: tuple[Setting, ...]
    limits: tuple[Limit, ...]
    left_out: tuple[tuple[Limit, str], ...] = ()
    published: str = ""


def intended(service: Service, by: Via | None) -> Intended:
    """Return what the Plan wants of a service that `by` runs; None: nobody knows who does."""
    if by not in CONTAINERS:
        return Intended(variables=service.environment, limits=service.limits)
    out = UNSUPPORTED if by == "docker" else {}
    return Intended(
        variables=tuple(variables(service, decrypted=by == "podman")),
        limits=tuple(limit for limit in service.limits if limit.name not in out),
        left_out=tuple((limit, out[limit.name]) for limit in service.limits if limit.name in out),
        published=published(service),
    )
