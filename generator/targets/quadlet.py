"""Target `quadlet`: Podman units, podman-systemd.unit(5), from Podman 5.4 on, and jobs beside them.

A job does its work in the running container, by `podman exec`. Limits stand in `[Service]`: Podman
puts the container into the control group of its unit, and 5.4 has no `Memory=` of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.unit import Entry, Section, exec_line, exec_word, unit_text
from generator.targets.base import (
    NOT_IN_A_CLUSTER,
    File,
    LeftOut,
    Places,
    described,
    modelfiles,
    modules_of,
)
from generator.targets.bundle import Held, bringing, bundle_files
from generator.targets.cache.quadlet import Folders, quadlet_files
from generator.targets.container import (
    MODELFILE_DIR,
    NOT_IN_CONTAINERS,
    READ,
    SHARED,
    arguments,
    build_files,
    cache_volume,
    env_files,
    guarded,
    mounted,
    published,
    variables,
    words,
)
from generator.targets.front import quadlet as front
from generator.targets.monitor import Found, monitor_files
from generator.targets.unit import (
    FILES,
    REGISTERS,
    SYSTEM_FILE,
    credential,
    given,
    job_file,
    limits_of,
    order,
    started,
    system_files,
    timer_files,
    timers_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Directive, Guard, Job, Limit, Plan, Service, Step

PODMAN: Final = "/usr/bin/podman"
# Limits that Podman sets in the container itself: its own defaults would win over the unit's.
IN_CONTAINER: Final = {
    "limit_memlock": ("Ulimit", "memlock={0}:{0}"),
    "tasks_max": ("PidsLimit", "{}"),
    "oom_score_adjust": ("PodmanArgs", "--oom-score-adj={}"),
}


SYSTEM: Final = Places(quadlets="etc/containers/systemd")
USER: Final = Places(
    quadlets=".config/containers/systemd",
    units=".config/systemd/user",
    modelfiles=".config/hostwright",
    of_a_user=True,
)
_OWN_HOME: Final = "Where keys and models are: it is the host's, and is made if it is not there."
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


def _lost(name: str, service: Service) -> bool:
    """Whether the manager of a user cannot set the limit of that name."""
    limit = service.limit(name)
    if limit is None or not service.container.rootless:
        return False
    return name in _NOT_FOR_USERS or (name in _NOT_BELOW_ZERO and int(limit.value) < 0)


LEFT_OUT: Final = (
    *NOT_IN_CONTAINERS,
    NOT_IN_A_CLUSTER,
    *(
        LeftOut(
            why,
            key=f"resources.{name}",
            asked=partial(_lost, name),
            fix="leave `container.rootless` out",
            when="of a rootless container" + (", below 0" if name in _NOT_BELOW_ZERO else ""),
        )
        for name, why in {**_NOT_FOR_USERS, **_NOT_BELOW_ZERO}.items()
    ),
    LeftOut(
        "a user may not reload the kernel module of the host",
        key="service.resume_fix",
        asked=lambda service: (
            service.container.rootless and any(j.kind == "resume" for j in service.jobs)
        ),
        fix="leave `container.rootless` out",
        when="of a rootless container",
    ),
    LeftOut(
        "a user has no say over the share of CPU time of other users",
        key="scale.periods",
        asked=lambda service: service.container.rootless and any(j.calendar for j in service.jobs),
        fix="leave `container.rootless` out",
        when="of a rootless container",
    ),
    LeftOut(
        "the manager of a user decrypts credentials since systemd 256 only",
        key="service.credentials",
        asked=lambda service: (
            service.container.rootless and any(one.encrypted for one in service.credentials)
        ),
        fix="give the file itself and leave `encrypted` out, or leave `container.rootless` out",
        when="that are encrypted, of a rootless container",
    ),
    LeftOut("systemd starts the container again, as `service.restart` says", "Container.restart"),
    LeftOut(
        "for Compose",
        "Container.service Container.project Container.named Container.form Job.guards "
        "Variable.scope",
    ),
    LeftOut("no unit is installed before it", "Restart.installed"),
    LeftOut("a container has a program and a sandbox", "Front.program Front.confined"),
    LeftOut("its containers of a cache are in the network of the host", "Cache.inside"),
    LeftOut("a command in the container has the environment of its image", "Job.environment"),
    LeftOut(
        "the unit has a name, systemd counts no tries, and the host has its programs",
        "Job.name Job.programs Job.tries",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the quadlets, the units of the jobs and the Modelfiles, as they lie under `/`.

    Those of a rootless container lie below the home of its user.
    """
    places = _places(plan.puller)
    renamed = _ONLINE if places.of_a_user else {}
    jobs = (
        job_file(
            plan,
            places.units,
            job,
            partial(_exec, service),
            sandbox=_sandbox(job),
            renamed=renamed,
        )
        for service in plan.services
        for job in _jobs(service)
    )
    needed = dict.fromkeys(name for service in plan.services for name in modules_of(service))
    modules = () if places.of_a_user else tuple(needed)
    return (
        *_quadlets(plan, places),
        *jobs,
        *timer_files(plan, places.units, [j for one in plan.services for j in _jobs(one)]),
        *modelfiles(plan, places.modelfiles),
        *build_files(plan, f"{places.modelfiles}/build"),
        *quadlet_files(plan, _folders(places)),
        *_front(plan, places),
        *system_files(plan, ("modules-load", REGISTERS, modules)),
    )


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
    """Return the README, the scripts that it names, and what these read."""
    service, places = plan.puller, _places(plan.puller)
    sudo = "" if places.of_a_user else "sudo "
    context = {"plan": plan, "service": service, "places": places, "sudo": sudo}
    loaded = SYSTEM_FILE.format("modules-load", service.engine)
    bundle = bundle_files(
        plan,
        places,
        files,
        held=[_held(one) for one in plan.services],
        jobs=[job for one in plan.services for job in _jobs(one)],
        server_files=[
            *(
                f.path
                for f in files
                if f.path.startswith(places.quadlets) and not front.is_of(plan, f)
            ),
            f"{places.modelfiles}/build/Dockerfile",
            *_single(plan, places),
        ],
        other_files=[] if places.of_a_user else [loaded],
        beside=timers_of(job for service in plan.services for job in _jobs(service)),
        front=front.front_words(plan),
    )
    found = [
        Found(
            service=one.name,
            manager="podman",
            unit=one.unit,
            container=one.container.name,
            of_a_user=one.container.rootless,
            models=one.container.models_path,
        )
        for one in plan.services
    ]
    readme = render_template("quadlet/README.md.jinja", **context)
    return (File("README.md", readme), *bundle, *monitor_files(plan, found))


def _single(plan: Plan, places: Places) -> list[str]:
    """Return the file of the one server that this host may have had before several."""
    several = len(plan.services) > 1
    return [f"{places.quadlets}/{plan.puller.engine}.container"] if several else []


def _held(service: Service) -> Held:
    """Return what Podman holds of the service, and systemd around it."""
    return Held(
        manager="podman",
        unit=service.unit,
        container=service.container.name,
        of_a_user=service.container.rootless,
        published=published(service),
        variables=tuple(variables(service, decrypted=_decrypts(service))),
        limits=(*_limits(service), *guarded(service)),
        jobs=bringing(service),
    )


def _folders(places: Places) -> Folders:
    """Return where what runs beside the server goes."""
    return Folders(
        quadlets=places.quadlets,
        files=places.modelfiles,
        mounted=f"{'%h' if places.of_a_user else ''}/{places.modelfiles}",
        target="default.target" if places.of_a_user else "multi-user.target",
    )


def _front(plan: Plan, places: Places) -> tuple[File, ...]:
    folders = _folders(places)
    return front.quadlet_files(
        plan,
        quadlets=folders.quadlets,
        folder=folders.files,
        mounted=folders.mounted,
        target=folders.target,
    )


def _places(service: Service) -> Places:
    return USER if service.container.rootless else SYSTEM


def _quadlets(plan: Plan, places: Places) -> tuple[File, ...]:
    container = plan.puller.container
    named = [
        ("volume", "" if container.home_dir else container.volume),
        *(("volume", cache_volume(service)) for service in plan.services),
        ("network", container.network),
    ]
    return (
        *(_server(plan, service, places) for service in plan.services),
        *(
            File(f"{places.quadlets}/{name}.{kind}", _named(plan, kind.capitalize(), name))
            for kind, name in named
            if name
        ),
        *_build(plan, places),
    )


def _server(plan: Plan, service: Service, places: Places) -> File:
    """Return the quadlet of a server; Podman names the unit as the file."""
    above = [*plan.header, *(omission.reason for omission in service.omissions)]
    text = unit_text(above, _container(plan, service, places))
    return File(f"{places.quadlets}/{service.unit.removesuffix('.service')}.container", text)


def _build(plan: Plan, places: Places) -> tuple[File, ...]:
    """Return the unit that builds the image, where one is built."""
    service = plan.puller
    if service.build is None:
        return ()
    folder = f"{'%h' if places.of_a_user else ''}/{places.modelfiles}/build"
    entries = [
        Entry("ImageTag", service.build.image, service.build.reason),
        Entry("File", f"{folder}/Dockerfile"),
        Entry("SetWorkingDirectory", folder),
    ]
    bound = Entry("TimeoutStartSec", "infinity", "A build takes as long as it takes.")
    sections = [Section("Build", entries), Section("Service", [bound])]
    return (File(f"{places.quadlets}/{service.engine}.build", unit_text(plan.header, sections)),)


def _named(plan: Plan, kind: str, name: str) -> str:
    entry = Entry(f"{kind}Name", name, "As others know it, without a prefix.")
    return unit_text(plan.header, [Section(kind, [entry])])


def _container(plan: Plan, service: Service, places: Places) -> list[Section]:
    name = Entry("Description", described(plan, service))
    target = "default.target" if places.of_a_user else "multi-user.target"
    after = tuple(filter(None, [service.puller])) if places.of_a_user else service.after
    return [
        Section("Unit", [name, *order(after)]),
        Section("Container", [*_inside(plan, service, places), *_health(service)]),
        Section("Service", _around(plan, service)),
        Section("Install", [Entry("WantedBy", target)]),
    ]


def _inside(plan: Plan, service: Service, places: Places) -> list[Entry]:
    container = service.container
    network = f"{container.network}.network" if container.network else ""
    return [
        Entry("Image", f"{service.engine}.build" if service.build else _qualified(container.image)),
        Entry("ContainerName", container.name),
        Entry("PublishPort", published(service), service.listen.comment),
        *given(Entry("Network", network)),
        *_told(service),
        *_volumes(plan, service, places),
        *(entry for guard in container.guards for entry in _guard(guard)),
        *_devices(service),
        *(
            Entry("Environment", exec_word(f"{v.name}={v.value}", v.name), v.reason)
            for v in container.variables
        ),
        *(
            Entry("Environment", exec_word(f"{s.name}={s.value}", s.name), s.comment)
            for s in variables(service, decrypted=_decrypts(service))
        ),
        *(Entry("EnvironmentFile", path, FILES) for path in env_files(service)),
        *(_of_podman(limit) for limit in _limits(service) if limit.name in IN_CONTAINER),
    ]


def _told(service: Service) -> list[Entry]:
    """Return what is said to the program of the image, and how much memory its processes share."""
    told = arguments(service)
    line = " ".join(exec_word(word, each.name) for each in told for word in each.words)
    reasons = tuple(f"{each.name}: {each.reason}" for each in told if each.reason)
    size = service.container.shm_size
    return given(
        Entry("Exec", line, reasons),
        Entry("ShmSize", f"{size // 2**20}m" if size else "", SHARED),
    )


def _qualified(image: str) -> str:
    """Return an image with its registry: Podman asks, or fails, about one without."""
    first, slash, _ = image.partition("/")
    if slash and (first == "localhost" or set(first) & set(".:")):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _volumes(plan: Plan, service: Service, places: Places) -> list[Entry]:
    container, reads = service.container, bool(service.puller)
    folder = f"{'%h' if places.of_a_user else ''}/{places.modelfiles}"
    created = any(job.kind == "create" for job in service.jobs)
    why = READ if reads else _OWN_HOME if container.home_dir else ""
    return given(
        Entry("Volume", _home(service, reads=reads), why),
        Entry("Volume", service.cache and f"{cache_volume(service)}.volume:{service.cache}"),
        Entry("Volume", _models(plan.puller, reads=reads), "Where models are stored."),
        Entry("Volume", f"{folder}:{MODELFILE_DIR}:ro,z" if created else ""),
        *(
            Entry("Volume", f"%t/credentials/{service.unit}/{one.name}:{path}:ro", one.reason)
            for one, path in mounted(service, decrypted=_decrypts(service))
        ),
    )


def _guard(guard: Guard) -> list[Entry]:
    """Return the lines of a guard; Podman bounds processes by itself, and has a /tmp of its own."""
    match guard.name:
        case "no_new_privileges":
            lines = [("NoNewPrivileges", "true")]
        case "cap_drop":
            lines = [("DropCapability", " ".join(guard.values).lower())]
        case "cap_add":
            lines = [("AddCapability", " ".join(f"CAP_{name}" for name in guard.values))]
        case "read_only":
            lines = [("ReadOnly", "true")]
        case "tmpfs":
            lines = [("Tmpfs", path) for path in guard.values]
        case "pids_limit":
            lines = [("PidsLimit", guard.values[0])]
        case _:
            lines = [
                ("User", guard.values[0].partition(":")[0]),
                ("Group", guard.values[0].partition(":")[2]),
            ]
    reasons = [guard.reason, *[""] * len(lines)]
    return [Entry(word, value, why) for (word, value), why in zip(lines, reasons, strict=False)]


def _decrypts(service: Service) -> bool:
    """Return whether the manager decrypts credentials: that of a user does since systemd 256."""
    return not service.container.rootless


def _home(service: Service, *, reads: bool) -> str:
    """Return the mount of keys and models."""
    container = service.container
    if not container.home_dir:
        return f"{container.volume}.volume:{container.home_path}{':ro' if reads else ''}"
    return _bind(container.home_dir, container.home_path, "container.home_dir", reads=reads)


def _models(puller: Service, *, reads: bool) -> str:
    """Return the mount of the models, which `puller` writes."""
    key = f"{puller.wanted}.models_dir"
    return _bind(puller.models_dir, puller.container.models_path, key, reads=reads)


def _bind(path: str, target: str, key: str, *, reads: bool) -> str:
    """Return the mount of a directory; `z` lets SELinux share it with the container."""
    if set(path) & set(":,"):
        raise RenderError(
            f"`{key}` is `{path}`, and Podman splits a volume at `:` and `,`",
            hint="choose a directory without them",
            where=key,
        )
    return f"{path}:{target}:{'ro,' if reads else ''}z" if path else ""


def _devices(service: Service) -> list[Entry]:
    devices = service.devices
    if devices is None:
        return []
    if devices.vendor == "nvidia":
        return [Entry("AddDevice", f"nvidia.com/gpu={name}") for name in devices.ids or ("all",)]
    groups = "keep-groups" if service.container.rootless else ""
    return [
        *(Entry("AddDevice", node) for node in devices.nodes),
        *given(Entry("GroupAdd", groups, "The groups that may open these devices.")),
    ]


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
    return [limit for limit in service.limits if not _lost(limit.name, service)]


def _of_podman(limit: Limit) -> Entry:
    key, written = IN_CONTAINER[limit.name]
    value = -1 if limit.value == "infinity" else limit.value
    return Entry(key, written.format(value), limit.comment)


def _around(plan: Plan, service: Service) -> list[Entry]:
    folders = [path for path in (service.container.home_dir, plan.puller.models_dir) if path]
    bound = str(service.container.start_seconds)
    mkdir = exec_line(["/bin/mkdir", "-p", *folders]) if folders else ""
    return started(
        service,
        *(Entry(*credential(one)) for one, _ in mounted(service, decrypted=_decrypts(service))),
        *given(Entry("ExecStartPre", mkdir, "Podman makes no directory on the host.")),
        *limits_of(limit for limit in _limits(service) if limit.name not in IN_CONTAINER),
        Entry("TimeoutStartSec", bound, "A first start pulls the image."),
    )


def _jobs(service: Service) -> list[Job]:
    """Return the jobs that the manager can do: what touches the host is for root alone."""
    return [job for job in service.jobs if not (job.on_host and service.container.rootless)]


def _sandbox(job: Job) -> tuple[Directive, ...]:
    """Return what a job may not do: one that asks Podman needs what Podman does."""
    alone = all(step.where == "host" for step in (*job.steps, *job.stop_steps))
    return job.sandbox if alone else ()


def _exec(service: Service, step: Step) -> str:
    """Return a command line: of the host, or of the container that runs the server."""
    inside = [] if step.where == "host" else [PODMAN, "exec", service.container.name]
    return exec_line([*inside, *words(service, step)])
