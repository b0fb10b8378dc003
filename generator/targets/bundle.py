"""What puts files in place on a host: scripts that are the same for every one, and their data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.shell import record
from generator.formats.template import shipped_text
from generator.formats.text import comment
from generator.records import dataclass
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.plan import Job, Plan, Service

_JOB_KINDS: Final = ("pull", "create", "warmup", "resume")
# How long apply.sh waits until the server answers, beside the unit's own wait for its GPUs.
WAIT_SECONDS: Final = 60
_LIST: Final = "bundle.conf"
_USER_SCOPE: Final = record("scope", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What `apply.sh` reads beside the Plan's own words; paths are those below `/`.

    `files` and `jobs` are those of this bundle. The next four are all the places where a bundle
    of any profile has files, by what a change of one asks for: `server_files` restart the server,
    a unit of a job in the directory `units` that job, a Modelfile in the directory `modelfiles`
    the jobs that make and load models.

    `program` asks the server for an answer; without one, systemd knows when the server is ready.
    `quadlets` is the directory of files that Podman makes units of; without one, a bundle that has
    no unit of the server has drop-ins for one. With `user_scope` paths are those below the home of
    a user, who applies it.
    """

    files: Iterable[str]
    jobs: Iterable[Job]
    server_files: Iterable[str]
    units: str
    modelfiles: str
    other_files: Iterable[str] = ()
    program: str = ""
    user: str = ""
    modules: Iterable[str] = ()
    quadlets: str = ""
    user_scope: bool = False


def scripts() -> tuple[File, ...]:
    """Return what puts a bundle in place and takes it away: the same files for every host."""
    return tuple(
        File(name, shipped_text(f"bundle/{name}"), executable=True, static=True)
        for name in ("apply.sh", "remove.sh")
    )


def wait_seconds(service: Service) -> int:
    """Return how long `apply.sh` waits for an answer of the server after its start."""
    devices = service.devices
    return WAIT_SECONDS + (devices.wait.seconds if devices and devices.wait else 0)


def bundle_files(plan: Plan, bundle: Bundle) -> tuple[File, ...]:
    """Return the scripts and what they read."""
    return (File(_LIST, "\n".join([*_records(plan, bundle), ""])), *scripts())


def is_of_a_user(files: Iterable[File]) -> bool:
    """Whether a user applies the bundle that these files belong to, and not root."""
    return any(_USER_SCOPE in file.text.split("\n") for file in files if file.path == _LIST)


def _records(plan: Plan, bundle: Bundle) -> Iterator[str]:
    """Yield the lines that apply.sh reads; by the last one, it knows that none is missing."""
    service = plan.service
    for text in (*plan.header, "What apply.sh reads: a word, a tab, and a value as it stands."):
        yield from comment(text)
    if bundle.user_scope:
        yield _USER_SCOPE
    yield record("server", service.unit)
    for word, value in (
        ("program", bundle.program),
        ("user", bundle.user),
        ("product", service.product),
        ("address", service.listen.address),
        ("variable", service.listen.variable),
        ("ask", " ".join(service.health.step.argv[1:])),
        ("generator", bundle.quadlets),
        ("need", "podman" if bundle.quadlets else ""),
    ):
        if value:
            yield record(word, value)
    yield from (record("module", name) for name in bundle.modules)
    yield from (record("file", path) for path in bundle.files)
    for job in bundle.jobs:
        yield record("job", job.unit)
        if service.unit in job.wanted_by:
            yield record("start", job.unit)
        if job.kind in {"create", "warmup"}:
            yield record("create", job.unit)
    yield from (record("server-file", path) for path in bundle.server_files)
    for kind in _JOB_KINDS:
        yield record("job-file", f"{bundle.units}/{service.name}-{kind}.service")
    yield record("model-file", f"{bundle.modelfiles}/Modelfile.*")
    yield from (record("other-file", path) for path in bundle.other_files)
    yield record("wait", str(wait_seconds(service)))
