"""The use case of `gen doctor`: a Plan and a machine → what is wrong there, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.doctor.checks import CHECKS
from generator.doctor.gather import gather
from generator.doctor.redact import without_secrets
from generator.doctor.result import WORDS
from generator.errors import HostwrightError
from generator.records import dataclass
from generator.units import Release
from generator.verify.machine import Machine

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms
    from generator.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What every check has said, the worst first, and who was looked at."""

    url: str
    who: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def fails(self) -> bool:
        """Whether anything keeps the server from its work."""
        return any(result.word == "fault" for result in self.results)


def doctor(
    plan: Plan,
    catalogue: Catalogue,
    *,
    url: str | None = None,
    seconds: float = 10.0,
    root: str | None = None,
    profile: str = "",
) -> Diagnosis:
    """Return what is wrong with the server of a Plan, and its machine.

    `profile` is what its user calls the Plan; empty: it stands for whatever runs here. All
    programs together may take `seconds`, and so may the server; `root` is a captured machine.
    Raises EnvironmentFailure where nobody can be asked.
    """
    service = plan.service
    where = url or f"http://{service.listen.address}"
    symptoms = gather(service, Machine(root, seconds), catalogue, url=where, profile=profile)
    return judge(symptoms)


def release_at(url: str, root: str | None, seconds: float) -> str | None:
    """Return the release that answers at a URL; None: none does, or it is one of nobody's."""
    try:
        told = Machine(root, seconds).api(url)("/api/version").get("version")
        release = Release.parse(str(told))
    except (HostwrightError, ValueError):
        return None
    return str(release) if release > Release(0, 0, 0) else None


def judge(symptoms: Symptoms) -> Diagnosis:
    """Return what all checks say of Symptoms. Pure."""
    found = [result for check in CHECKS for result in check(symptoms)]
    clean = (without_secrets(result, symptoms.running.secret) for result in found)
    return Diagnosis(
        url=symptoms.url,
        who=symptoms.seen.who(symptoms.service.product),
        results=tuple(sorted(clean, key=lambda result: WORDS.index(result.word))),
    )
