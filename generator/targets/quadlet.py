"""Target `quadlet`: Podman units, podman-systemd.unit(5), from Podman 5.4 on, and jobs beside them.

A job does its work in the running container, by `podman exec`. Limits stand in `[Service]`: Podman
puts the container into the control group of its unit, and 5.4 has no `Memory=` of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.unit import Entry, Section, exec_line, exec_word, unit_text
from generator.records import dataclass
from generator.targets.base import File, LeftOut, modelfiles
from generator.targets.bundle import Bundle, bundle_files
from generator.targets.container import (
    MODELFILE_DIR,
    NOT_IN_CONTAINERS,
    published,
    variables,
    words,
)
from generator.targets.unit import (
    REGISTERS,
    job_text,
    limits_of,
    order,
    restarts,
    system_files,
    waits,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from generator.plan import Job, Limit, Plan, Service, Step

PODMAN: Final = "/usr/bin/podman"
MODULES: Final = "etc/modules-load.d/hostwright-{}.conf"
# Limits that Podman sets in the container itself: its own defaults would win over the unit's.
IN_CONTAINER: Final = frozenset({"limit_memlock", "tasks_max", "oom_score_adjust"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a manager looks for files: that of the system, or below its home that of a user."""

    quadlets: str
    units: str
    modelfiles: str
    mounted: str
    wanted_by: str


SYSTEM: Final = Places(
    quadlets="etc/containers/systemd",
    units="etc/systemd/system",
    modelfiles="etc/hostwright",
    mounted="/etc/hostwright",
    wanted_by="multi-user.target",
)
USER: Final = Places(
    quadlets=".config/containers/systemd",
    units=".config/systemd/user",
    modelfiles=".config/hostwright",
    mounted="%h/.config/hostwright",
    wanted_by="default.target",
)
# The manager of a user has no such target; Podman brings a unit that waits for it.
_ONLINE: Final = {"network-online.target": "podman-user-wait-network-online.service"}
_NOT_FOR_USERS: Final = {
    "allowed_cpus": "the cpuset controller is not delegated to users",
    "io_weight": "the io controller is not delegated to users",
    "limit_memlock": "a user may not raise a hard limit, and the container would not start",
}
_NOT_BELOW_ZERO: Final = {
    "nice": "a user may only lower a priority",
    "oom_score_adjust": "a user may not protect a process from the OOM killer",
}


def _lost(service: Service, name: str) -> bool:
    """Whether the manager of a user cannot set the limit of that name."""
    limit = service.limit(name)
    if limit is None or not service.container.rootless:
        return False
    return name in _NOT_FOR_USERS or (name in _NOT_BELOW_ZERO and int(limit.value) < 0)


def _asked(name: str) -> Callable[[Service], bool]:
    return lambda service: _lost(service, name)


LEFT_OUT: Final = (
    *NOT_IN_CONTAINERS,
    *(
        LeftOut(
            why=why,
            key=f"resources.{name}",
            asked=_asked(name),
            fix="leave `container.rootless` out",
        )
        for name, why in {**_NOT_FOR_USERS, **_NOT_BELOW_ZERO}.items()
    ),
    LeftOut(
        why="a user may not reload the kernel module of the host",
        key="service.resume_fix",
        asked=lambda service: service.container.rootless and any(j.on_host for j in service.jobs),
        fix="leave `container.rootless` out",
    ),
    LeftOut(
        fields=("Container.restart",),
        why="systemd starts the container again, as `service.restart` says",
    ),
    LeftOut(
        fields=("Job.environment",),
        why="a command in the container has the environment of its image",
    ),
    LeftOut(
        fields=("Job.name", "Job.programs", "Job.tries"),
        why="the unit has a name, systemd counts no tries, and the host has its programs",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the quadlets, the units of the jobs and the Modelfiles, as they lie under `/`.

    Those of a rootless container lie below the home of its user.
    """
    service, places = plan.service, _places(plan.service)
    jobs = (File(f"{places.units}/{j.unit}", _job(plan, service, j)) for j in _jobs(service))
    return (
        *_quadlets(plan, service, places),
        *jobs,
        *modelfiles(service, places.modelfiles),
        *system_files(plan, ("modules-load", REGISTERS, _modules(service))),
    )


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
    """Return the README, the scripts that it names, and what these read."""
    service = plan.service
    places, sudo = _places(service), "" if service.container.rootless else "sudo "
    words = {"plan": plan, "service": service, "places": places, "sudo": sudo}
    readme = render_template("quadlet/README.md.jinja", **words)
    return (File("README.md", readme), *bundle_files(plan, _bundle(service, files)))


def _places(service: Service) -> Places:
    return USER if service.container.rootless else SYSTEM


def _bundle(service: Service, files: Iterable[File]) -> Bundle:
    places, container = _places(service), service.container
    quadlets = [f"{service.name}.container", f"{container.volume}.volume"]
    if container.network:
        quadlets.append(f"{container.network}.network")
    return Bundle(
        files=[file.path for file in files],
        jobs=_jobs(service),
        server_files=[f"{places.quadlets}/{file}" for file in quadlets],
        units=places.units,
        modelfiles=places.modelfiles,
        other_files=[] if container.rootless else [MODULES.format(service.name)],
        modules=_modules(service),
        quadlets=places.quadlets,
        user_scope=container.rootless,
    )


def _quadlets(plan: Plan, service: Service, places: Places) -> tuple[File, ...]:
    container = service.container
    left_out = [omission.reason for omission in service.omissions]
    units = [
        (f"{service.name}.container", [*plan.header, *left_out], _container(service, places)),
        (f"{container.volume}.volume", plan.header, _named("Volume", container.volume)),
    ]
    if container.network:
        network = _named("Network", container.network)
        units.append((f"{container.network}.network", plan.header, network))
    return tuple(File(f"{places.quadlets}/{n}", unit_text(above, s)) for n, above, s in units)


def _named(kind: str, name: str) -> list[Section]:
    return [Section(kind, [Entry(f"{kind}Name", name, "As others know it, without a prefix.")])]


def _container(service: Service, places: Places) -> list[Section]:
    after = () if service.container.rootless else service.after
    name = Entry("Description", service.product)
    return [
        Section("Unit", [name, *(order(after, after) if after else [])]),
        Section("Container", [*_inside(service, places), *_health(service)]),
        Section("Service", _around(service)),
        Section("Install", [Entry("WantedBy", places.wanted_by)]),
    ]


def _inside(service: Service, places: Places) -> list[Entry]:
    container = service.container
    return [
        Entry("Image", _qualified(container.image)),
        Entry("ContainerName", container.name),
        Entry("PublishPort", published(service), service.listen.reason),
        *([Entry("Network", f"{container.network}.network")] if container.network else []),
        *_volumes(service, places),
        *_devices(service),
        *(
            Entry("Environment", exec_word(f"{s.name}={s.value}", s.name), s.reason)
            for s in variables(service)
        ),
        *(_of_podman(limit) for limit in _limits(service) if limit.name in IN_CONTAINER),
    ]


def _qualified(image: str) -> str:
    """Return an image with its registry: Podman asks, or fails, about one without."""
    first, slash, _ = image.partition("/")
    if slash and (first == "localhost" or set(first) & set(".:")):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _volumes(service: Service, places: Places) -> list[Entry]:
    container = service.container
    volumes = [Entry("Volume", f"{container.volume}.volume:{container.home_path}")]
    if service.models_dir:
        reason = "Where models are stored."
        volumes.append(Entry("Volume", _models(service), reason))
    if any(model.modelfile for model in service.models):
        volumes.append(Entry("Volume", f"{places.mounted}:{MODELFILE_DIR}:ro,z"))
    return volumes


def _models(service: Service) -> str:
    """Return the mount of the models; `z` lets SELinux share a directory with the container."""
    path = service.models_dir
    if set(path) & set(":,"):
        raise RenderError(
            f"`{service.engine}.models_dir` is `{path}`, and Podman splits a volume at `:` and `,`",
            hint="choose a directory without them",
        )
    return f"{path}:{service.container.models_path}:z"


def _devices(service: Service) -> list[Entry]:
    devices = service.devices
    if devices is None:
        return []
    if devices.vendor == "nvidia":
        return [Entry("AddDevice", f"nvidia.com/gpu={name}") for name in devices.ids or ("all",)]
    nodes = [Entry("AddDevice", node) for node in devices.nodes]
    if not service.container.rootless:
        return nodes
    return [*nodes, Entry("GroupAdd", "keep-groups", "The groups that may open these devices.")]


def _health(service: Service) -> list[Entry]:
    health = service.health
    command = " ".join(quote(word) for word in words(service, health.step))
    soon = "Asked more often until the first answer, so that a start takes no whole interval."
    return [
        Entry("HealthCmd", command, health.reason),
        Entry("HealthInterval", f"{health.interval_seconds}s"),
        Entry("HealthTimeout", f"{health.timeout_seconds}s"),
        Entry("HealthRetries", str(health.retries)),
        Entry("HealthStartPeriod", f"{health.start_seconds}s"),
        Entry("HealthStartupCmd", command, soon),
        Entry("HealthStartupInterval", f"{health.startup_seconds}s"),
        Entry("Notify", "healthy", "Started when it answers, so that jobs wait for it."),
    ]


def _limits(service: Service) -> list[Limit]:
    return [limit for limit in service.limits if not _lost(service, limit.name)]


def _of_podman(limit: Limit) -> Entry:
    value = -1 if limit.value == "infinity" else limit.value
    if limit.name == "limit_memlock":
        return Entry("Ulimit", f"memlock={value}:{value}", limit.reason)
    if limit.name == "tasks_max":
        return Entry("PidsLimit", str(value), limit.reason)
    return Entry("PodmanArgs", f"--oom-score-adj={value}", limit.reason)


def _around(service: Service) -> list[Entry]:
    made = exec_line(["/bin/mkdir", "-p", service.models_dir])
    mkdir = Entry("ExecStartPre", made, "Podman makes no directory on the host.")
    bound = str(service.container.start_seconds)
    return [
        *waits(service.devices),
        *([mkdir] if service.models_dir else []),
        *limits_of(limit for limit in _limits(service) if limit.name not in IN_CONTAINER),
        Entry("TimeoutStartSec", bound, "A first start pulls the image."),
        *restarts(service.restart),
    ]


def _jobs(service: Service) -> list[Job]:
    """Return the jobs that the manager can do: what touches the host is for root alone."""
    return [job for job in service.jobs if not (job.on_host and service.container.rootless)]


def _job(plan: Plan, service: Service, job: Job) -> str:
    renamed: dict[str, str] = _ONLINE if service.container.rootless else {}
    return job_text(plan.header, job, lambda step: _exec(service, step), renamed=renamed)


def _exec(service: Service, step: Step) -> str:
    """Return a command line: of the host, or of the container that runs the server."""
    inside = [] if step.where == "host" else [PODMAN, "exec", service.container.name]
    return exec_line([*inside, *words(service, step)])


def _modules(service: Service) -> tuple[str, ...]:
    """Return the kernel modules of the GPUs; a user has to leave loading them to root."""
    return service.devices.modules if service.devices and not service.container.rootless else ()
