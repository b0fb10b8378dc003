"""The registry: adding a target is one module here and one line below."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, Literal, cast

from generator.errors import Finding, NotForEngine, RenderError, quietened
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.plan import Plan, Service
    from generator.targets.base import File, LeftOut, Target


@dataclass(frozen=True, slots=True)
class Entry:
    """What a target gives, and how a fleet deploys it: by modules, as a bundle, or not at all.

    `rootless`: a user applies what it gives where a rootless container is asked for, and not root.
    """

    gives: str
    fleet: Literal["modules", "bundle", ""] = ""
    rootless: bool = False


TARGETS: Final[Mapping[str, Entry]] = {
    "nixos": Entry("one NixOS module that sets upstream options only", "modules"),
    "plan": Entry("the decisions with their reasons, as JSON"),
    "systemd": Entry(
        "ordered drop-ins for the unit that is installed; `--full-unit`: a complete one", "bundle"
    ),
    "compose": Entry("`compose.yaml` for Docker"),
    "quadlet": Entry("units for Podman, rootful or rootless", "bundle", rootless=True),
    "k8s": Entry("manifests for Kubernetes, with a kustomization"),
    "helm": Entry("values for the Helm chart of the engine"),
}
IN_FLEETS: Final = tuple(name for name, entry in TARGETS.items() if entry.fleet)
"""The targets that a host of a fleet can have."""


def load_target(name: str) -> Target:
    """Return the target module `name`, which must be a key of TARGETS."""
    return cast("Target", importlib.import_module(f"generator.targets.{name}"))


def all_files(name: str, plan: Plan) -> tuple[File, ...]:
    """Return all files of the target `name`: what it renders, and what people apply that with."""
    target = load_target(name)
    files = target.render(plan)
    return (*files, *target.install_note(plan, files))


def fitting(names: Iterable[str], plan: Plan) -> list[str]:
    """Return the targets that are meant: of all of them those that have something for the engine.

    One that somebody names is meant, whether it has or not. What a target refuses of a profile is
    an error also where all are asked for: nobody should miss it.
    """
    asked = list(names)
    if set(asked) != {*TARGETS}:
        return asked
    return [name for name in asked if not isinstance(refusal(name, plan), NotForEngine)]


def away(asked: Iterable[str], names: Iterable[str], plan: Plan) -> list[Finding]:
    """Return a Finding for each target that was asked for among all, and is not meant."""
    product = plan.services[0].product
    return [
        Finding(
            rule="HW601",
            severity="info",
            message=f"{name} has nothing for {product}, and is left out",
            where="engine",
            fix=f"-t {name} says why",
        )
        for name in asked
        if name not in names
    ]


def refusal(name: str, plan: Plan) -> RenderError | None:
    """Return why a target cannot print a Plan; None: it can."""
    try:
        load_target(name).render(plan)
    except RenderError as error:
        return error
    return None


def limitations(name: str, plan: Plan) -> tuple[Finding, ...]:
    """Return a Finding, HW601, for each setting that the target `name` leaves out of the Plan.

    One that the profile silences has the reason in it, as those of the Plan itself have.
    """
    found = {
        _lost(name, item, plan.services[0], item.key): None
        for item in load_target(name).LEFT_OUT
        if item.of_host and item.of_host(plan)
    }
    found |= {
        _lost(name, item, service, _where(item, service)): None
        for item in load_target(name).LEFT_OUT
        for service in plan.services
        if item.asked and item.concerns(service)
    }
    return tuple(quietened(finding, plan.silences) for finding in found)


def _where(item: LeftOut, service: Service) -> str:
    """Return the key of a setting of a service, with the table that it is of."""
    return item.key if "." in item.key else f"{service.wanted}.{item.key}"


def _lost(name: str, item: LeftOut, service: Service, where: str) -> Finding:
    return Finding(
        rule="HW601",
        severity=item.severity,
        message=f"{name} leaves out `{item.key.rpartition('.')[2]}`: {item.why}",
        where=where,
        fix=item.fix.format(port=service.listen.port),
    )
