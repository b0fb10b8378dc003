"""The use case of `gen doctor`: a Plan and a machine → what is wrong there, the worst first."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

from generator.doctor.checks import CHECKS
from generator.doctor.gather import gather
from generator.doctor.recording import Recording
from generator.doctor.result import WORDS, without_secrets
from generator.errors import HostwrightError
from generator.live.client import checked
from generator.pipeline import plan_of
from generator.profiles.load import read_document
from generator.records import dataclass
from generator.units import Release
from generator.verify.machine import Machine
from generator.verify.verify import captured

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms
    from generator.plan import Plan

PATIENCE: Final = 10.0
_PLAIN: Final = b'schema_version = 1\nname = "here"\n'


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
    plan: Plan | None,
    catalogue: Catalogue,
    *,
    profile: str = "PROFILE",
    release: str | None = None,
    url: str | None = None,
    seconds: float = PATIENCE,
    root: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Diagnosis:
    """Return what is wrong with the server of a Plan, None: whatever runs, and with its machine.

    `profile` is what commands call it, `release` what is judged by where there is no Plan: by
    itself the one that answers. All programs together may take `seconds`, and so may the server;
    `root` is a captured machine, and comes through `stdin` where that is given. Raises
    EnvironmentFailure where nobody can be asked.
    """
    machine = Machine(root, seconds, stdin=stdin)
    return judge(_symptoms(plan, catalogue, machine, profile=profile, release=release, url=url))


def capture(
    plan: Plan | None, catalogue: Catalogue, *, url: str | None = None, seconds: float = PATIENCE
) -> dict[str, bytes]:
    """Return what is asked of this machine, by path and without secrets, for another to replay.

    Raises EnvironmentFailure where nobody can be asked.
    """
    machine = Recording(seconds)
    seen = _symptoms(plan, catalogue, machine, profile="", release=None, url=url)
    standing = plan or plan_of(read_document("here", stdin=_PLAIN))
    there = captured(standing, catalogue, url=seen.url, seconds=seconds)
    return machine.kept(seen, there)


def _symptoms(
    plan: Plan | None,
    catalogue: Catalogue,
    machine: Machine,
    *,
    profile: str,
    release: str | None,
    url: str | None,
) -> Symptoms:
    given = plan is not None
    where = url or machine.url
    if plan is None:
        document = read_document("here", stdin=_PLAIN)
        service = plan_of(document, version=release).service
        where = where or f"http://{service.listen.address}"
        plan = plan_of(document, version=release or _release(machine, where))
    where = where or f"http://{plan.service.listen.address}"
    checked(where)
    return gather(plan.service, machine, catalogue, url=where, profile=profile if given else "")


def _release(machine: Machine, url: str) -> str | None:
    """Return the release that answers; None: none does, or it is one of nobody's."""
    try:
        found = Release.parse(str(machine.api(url)("/api/version").get("version")))
    except (HostwrightError, ValueError):
        return None
    return str(found) if found > Release(0, 0, 0) else None


def judge(symptoms: Symptoms) -> Diagnosis:
    """Return what all checks say of Symptoms. Pure."""
    found = [result for check in CHECKS for result in check(symptoms)]
    clean = (without_secrets(result, symptoms.running.secret) for result in found)
    return Diagnosis(
        url=symptoms.url,
        who=symptoms.seen.who(symptoms.service.product),
        results=tuple(sorted(clean, key=lambda result: WORDS.index(result.word))),
    )
