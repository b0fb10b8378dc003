"""Target `systemd`: drop-ins for an installed unit, or a complete unit, and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.template import render_template
from generator.formats.unit import (
    Entry,
    Section,
    environment,
    exec_line,
    specifier_escape,
    tmpfiles_line,
    unit_text,
)
from generator.plan import ADDRESS, Step
from generator.targets.base import NOT_ON_HOSTS, File, LeftOut, modelfiles, placed
from generator.targets.bundle import Bundle, bundle_files, wait_seconds
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
    from collections.abc import Iterable, Sequence

    from generator.plan import Directive, Group, Job, Plan, Service, Setting

UNITS: Final = "etc/systemd/system"
MODELFILE_DIR: Final = "/etc/hostwright"
DROP_INS: Final = ("10-gpu", "20-limits", "30-threads", "40-{}", "50-service", "60-environment")
SYSTEM_FILES: Final = ("modules-load", "sysusers", "tmpfiles")


LEFT_OUT: Final = (
    *NOT_ON_HOSTS,
    LeftOut(
        fields=("Listen.open_firewall",),
        why="each distribution has a firewall of its own",
        key="open_firewall",
        asked=lambda service: service.listen.open_firewall,
        fix="open TCP port {port} in the firewall of the host",
    ),
    LeftOut(
        fields=(
            *("Health.interval_seconds", "Health.timeout_seconds", "Health.retries"),
            *("Health.start_seconds", "Health.startup_seconds", "Health.reason"),
        ),
        why="systemd asks for no health",
    ),
    LeftOut(
        fields=("Devices.driver", "Devices.vendor", "Service.acceleration"),
        why="the driver is the distribution's, and the installed program has every backend",
    ),
    LeftOut(
        fields=("Service.era_since", "Service.era_until"),
        why="a unit does not know the release of the program that is installed",
    ),
    LeftOut(
        fields=(
            *("Host.cpu", "Host.cores", "Host.threads", "Host.memory", "Host.gpus"),
            "Host.driver",
        ),
        why="the header has it in words",
    ),
    LeftOut(
        fields=("Listen.host", "Listen.reason", "Limit.name", "Limit.value", "Model.name"),
        why="written as variables, directives and commands already",
    ),
    LeftOut(
        fields=("Job.name", "Job.programs"),
        why="the unit has a name, and the host its programs",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the unit or its drop-ins, the jobs and what they need, as they lie under `/`."""
    service = plan.service
    server = _full_unit(plan, service) if service.full_unit else _drop_ins(plan, service)
    jobs = tuple(_job(plan, service, job) for job in service.jobs)
    return (*server, *jobs, *modelfiles(service, MODELFILE_DIR[1:]), *_system_files(plan, service))


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
    """Return the README, the two scripts for root that it names, and what these read."""
    service = plan.service
    wait = wait_seconds(service)
    readme = render_template("systemd/README.md.jinja", plan=plan, service=service, wait=wait)
    bundle = bundle_of(service, [file.path for file in files])
    return (File("README.md", readme), *bundle_files(plan, bundle))


def bundle_of(service: Service, files: Iterable[str]) -> Bundle:
    """Return what puts `files` in place."""
    unit = f"{UNITS}/{service.unit}"
    return Bundle(
        files=files,
        jobs=service.jobs,
        server_files=[
            unit,
            *(f"{unit}.d/{drop_in.format(service.engine)}.conf" for drop_in in DROP_INS),
        ],
        units=UNITS,
        modelfiles=MODELFILE_DIR[1:],
        other_files=[f"etc/{kind}.d/hostwright-{service.name}.conf" for kind in SYSTEM_FILES],
        program=service.program,
        user=service.user,
        modules=service.devices.modules if service.devices else (),
    )


def _drop_ins(plan: Plan, service: Service) -> tuple[File, ...]:
    parts: list[tuple[Group | None, list[Entry]]] = [
        ("gpu", [*_device_access(service), *_variables(service.settings("gpu"))]),
        (None, limits_of(service.limits)),
        ("threads", _variables(service.settings("threads"))),
        ("server", _variables(service.settings("server"))),
        ("service", [*_variables(service.settings("service")), *_service(service)]),
        ("environment", _variables(service.settings("environment"))),
    ]
    files = []
    for name, (group, entries) in zip(DROP_INS, parts, strict=True):
        left_out = [o.reason for o in service.omissions if o.group == group]
        sections = [Section("Service", entries)]
        if group == "service" and service.after:
            sections.insert(0, Section("Unit", order(service.after, service.after)))
        if entries or left_out:
            text = unit_text([*plan.header, *left_out], sections)
            files.append(File(f"{UNITS}/{service.unit}.d/{name.format(service.engine)}.conf", text))
    return tuple(files)


def _full_unit(plan: Plan, service: Service) -> tuple[File, ...]:
    before = ("network-online.target", *service.after)
    entries = [
        Entry("Type", "exec"),
        Entry("ExecStart", _exec(service, Step(argv=service.command))),
        Entry("WorkingDirectory", specifier_escape(service.home)),
        *_service(service),
        *_variables(service.environment),
        *limits_of(service.limits),
        *_device_access(service),
        *_directives(service.hardening),
    ]
    sections = [
        Section("Unit", [Entry("Description", service.product), *order(before, before)]),
        Section("Service", entries),
        Section("Install", [Entry("WantedBy", "multi-user.target")]),
    ]
    above = [*plan.header, *(omission.reason for omission in service.omissions)]
    return (File(f"{UNITS}/{service.unit}", unit_text(above, sections)),)


def _variables(settings: Iterable[Setting]) -> list[Entry]:
    return [Entry("Environment", environment(s.name, s.value), s.reason) for s in settings]


def _directives(directives: Iterable[Directive]) -> list[Entry]:
    return [Entry(d.name, specifier_escape(d.value), d.reason) for d in directives]


def _device_access(service: Service) -> list[Entry]:
    return _directives(service.devices.access) if service.devices else []


def _service(service: Service) -> list[Entry]:
    owner = [
        Entry("User", service.user, "Owns the models and the keys."),
        Entry("Group", service.group),
    ]
    owned = owner if service.user else []
    return [*waits(service.devices), *owned, *restarts(service.restart)]


def _exec(service: Service, step: Step) -> str:
    argv = placed(step, service.program, lambda name: f"{MODELFILE_DIR}/{name}")
    return exec_line(argv)


def _job(plan: Plan, service: Service, job: Job) -> File:
    owner = Entry("DynamicUser", "yes", "A client needs no rights.")
    client = [owner, *_client(service, job)]
    text = job_text(plan.header, job, lambda step: _exec(service, step), client=client)
    return File(f"{UNITS}/{job.unit}", text)


def _client(service: Service, job: Job) -> list[Entry]:
    places = {ADDRESS: service.listen.address}
    return [
        Entry("Environment", environment(v.name, places.get(v.value, v.value)), v.reason)
        for v in job.environment
    ]


def _system_files(plan: Plan, service: Service) -> tuple[File, ...]:
    """Return what loads modules, makes directories and, for a complete unit, the user."""
    modules = service.devices.modules if service.devices else ()
    return system_files(
        plan,
        ("modules-load", REGISTERS, modules),
        ("tmpfiles", "What the server writes, and nobody else makes.", _directories(service)),
        ("sysusers", "Whom the server runs as.", _users(service)),
    )


def _directories(service: Service) -> list[str]:
    """Return a line for each directory; systemd makes the home of a unit with StateDirectory=."""
    made = any(directive.name == "StateDirectory" for directive in service.hardening)
    # Without a user by name, the home is one that the existing unit's user has.
    home = "" if made or not service.user else service.home
    return [
        tmpfiles_line("d", path, "0750", service.user, service.group)
        for path in dict.fromkeys((home, service.models_dir))
        if path
    ]


def _users(service: Service) -> list[str]:
    if not service.full_unit:
        return []
    user = tmpfiles_line("u", service.user, "-", service.product, service.home)
    if service.group == service.user:
        return [user]
    return [user, tmpfiles_line("m", service.user, service.group)]
