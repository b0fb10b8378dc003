"""What a Plan wants of a service, in the words of what it is compared with."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.targets.container import guarded, published, variables
from generator.targets.docker import UNSUPPORTED
from generator.units import address
from generator.verify import kubernetes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Limit, Service, Setting
    from generator.verify.observed import Via

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- inside a container
CONTAINERS: Final = frozenset({"docker", "podman", "kubectl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """The variables and limits that a service should have, as one manager hands them over.

    `image` are variables that a container may have besides, for its image brings them. `left_out`
    are limits that the manager has no word for, each with the reason; `published` is
    where a container should be reached, empty: it is none.
    """

    variables: tuple[Setting, ...]
    limits: tuple[Limit, ...]
    image: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[tuple[Limit, str], ...] = ()
    published: str = ""


def intended(service: Service, by: Via | None) -> Intended:
    """Return what the Plan wants of a service that `by` runs; None: nobody knows who does."""
    if by not in CONTAINERS:
        return Intended(variables=service.environment, limits=service.limits)
    out = _unsupported(service, by)
    guards = guarded(service) if by != "kubectl" else ()
    return Intended(
        variables=tuple(variables(service, decrypted=by == "podman")),
        limits=(*(one for one in service.limits if one.name not in out), *guards),
        image={service.listen.variable: address(EVERYWHERE, service.container.port)},
        left_out=tuple((limit, out[limit.name]) for limit in service.limits if limit.name in out),
        published=published(service) if by != "kubectl" else "",
    )


def _unsupported(service: Service, by: Via | None) -> Mapping[str, str]:
    """Return the limits that a manager has no word for, each with the reason."""
    if by == "kubectl":
        names = (limit.name for limit in service.limits)
        return {name: kubernetes.UNSUPPORTED for name in names if name not in kubernetes.HELD}
    return UNSUPPORTED if by == "docker" else {}
