"""The use case of `gen verify`: a Plan and a machine → what of the one is true on the other."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from generator.engines import load_engine
from generator.live.client import checked, host_and_port
from generator.units import is_local
from generator.verify.capture import SHELL, script, taken
from generator.verify.cluster import is_of_cluster, kept_of_cluster, look_in_cluster
from generator.verify.compare import compare
from generator.verify.look import look, wait
from generator.verify.machine import Machine
from generator.verify.vitals import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from generator.catalogue.catalogue import Catalogue
    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed, Via
    from generator.verify.vitals import Vitals


def verify(
    plan: Plan,
    catalogue: Catalogue,
    *,
    url: str | None = None,
    seconds: float = 3.0,
    via: Collection[Via] = (),
    patience: float = 0.0,
    root: str | None = None,
    stdin: IO[bytes] | None = None,
) -> tuple[Comparison, Observed]:
    """Return how a Plan compares with what runs, and all that was seen of it.

    `url` is where the server answers, None: where the Plan has it listen; all programs together
    may take `seconds`, and so may the server; `patience` is how long a first answer is waited for.
    `root` is a captured machine, which may come through `stdin`. Raises HostwrightError for a URL
    that is none, and EnvironmentFailure where nobody can be asked.
    """
    machine = Machine(root, seconds, stdin=stdin)
    return of_machine(plan, catalogue, machine, url=url, via=via, patience=patience)


def of_machine(
    plan: Plan,
    catalogue: Catalogue,
    machine: Machine,
    *,
    url: str | None = None,
    via: Collection[Via] = (),
    patience: float = 0.0,
) -> tuple[Comparison, Observed]:
    """Return the same of a machine that is at hand already."""
    service = plan.service
    where = url or machine.url or f"http://{service.listen.address}"
    checked(where)
    running = load_engine(service.engine).running(catalogue.told(service.engine, service.release))
    if patience:
        wait(machine, where, patience)
    if "kubectl" in via or is_of_cluster(machine):
        lines = script_of(plan, catalogue)
        seen = look_in_cluster(service, machine, running, lines, url=url)
        return compare(service, seen, running), seen
    here = url is None or is_local(host_and_port(url)[0])
    seen = look(service, machine, running, catalogue, url=where, via=via, here=here)
    return compare(service, seen, running), seen


def watching(
    plan: Plan,
    catalogue: Catalogue,
    *,
    url: str | None = None,
    seconds: float = 3.0,
    via: Collection[Via] = (),
) -> Callable[[], tuple[Comparison, Observed, Vitals]]:
    """Return what compares this machine each time anew, with how the server does meanwhile."""
    service = plan.service
    facts = catalogue.told(service.engine, service.release)
    before = Watch(load_engine(service.engine).running(facts))

    def again() -> tuple[Comparison, Observed, Vitals]:
        machine = Machine(None, seconds)
        found, seen = of_machine(plan, catalogue, machine, url=url, via=via)
        return found, seen, before.vitals(machine, seen)

    return again


def captured(
    plan: Plan,
    catalogue: Catalogue,
    *,
    url: str | None = None,
    seconds: float = 20.0,
    via: Collection[Via] = (),
) -> dict[str, bytes]:
    """Return what `verify` asks of this machine, by path, for another one to replay.

    `via` kubectl: what it asks of a pod. Raises HostwrightError for a URL that is none, and
    EnvironmentFailure where it cannot be taken.
    """
    if "kubectl" in via:
        service, lines = plan.service, script_of(plan, catalogue)
        secrets = catalogue.told(service.engine, service.release).secrets
        return kept_of_cluster(service, Machine(None, seconds), secrets, lines, url=url)
    return taken(SHELL, script_of(plan, catalogue, url), seconds)


def script_of(plan: Plan, catalogue: Catalogue, url: str | None = None) -> str:
    """Return the script that takes it. Raises HostwrightError for a URL that is none."""
    service = plan.service
    secrets = catalogue.told(service.engine, service.release).secrets
    where = url or f"http://{service.listen.address}"
    checked(where)
    return script(service, secrets, where)
