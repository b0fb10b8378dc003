"""Target `systemd`: drop-ins for an installed unit, or a complete unit, and jobs."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import NotForEngine
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
from generator.targets.base import (
    NOT_ON_HOSTS,
    File,
    LeftOut,
    Places,
    described,
    modelfiles,
    modules_of,
    placed,
)
from generator.targets.bundle import bundle_files, held_by_unit, wait_seconds
from generator.targets.cache.units import unit_files, units_of
from generator.targets.front import units as front
from generator.targets.monitor import Found, monitor_files
from generator.targets.unit import (
    REGISTERS,
    SYSTEM_FILE,
    given,
    handed,
    job_file,
    limits_of,
    order,
    started,
    system_files,
    timer_files,
    timers_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from generator.plan import Directive, Group, Job, Plan, Service, Setting
    from generator.targets.unit import Line

PLACES: Final = Places()
WRITES: Final = "What the server writes, and nobody else makes."
# Source: manifest/paths.go@v0.32.15 (BlobsPath and Path, each with os.MkdirAll).
_STORE: Final = ("blobs", "manifests")
_OF_PERSON: Final = re.compile(r"/home/([^/]+)/.")
DROP_INS: Final = ("10-gpu", "20-limits", "30-threads", "40-{}", "50-service", "60-environment")


LEFT_OUT: Final = (
    *NOT_ON_HOSTS,
    LeftOut(
        "each distribution has a firewall of its own",
        "Listen.open_firewall",
        key="open_firewall",
        asked=lambda service: service.listen.open_firewall,
        fix="open TCP port {port} in the firewall of the host",
    ),
    LeftOut(
        "systemd asks for no health",
        "Health.interval_seconds Health.timeout_seconds Health.retries Health.start_seconds "
        "Health.startup_seconds Health.reason",
    ),
    LeftOut(
        "the driver is the distribution's, and the installed program has every backend",
        "Devices.driver Devices.vendor Service.acceleration",
    ),
    LeftOut(
        "the header has it in words",
        "Host.cpu Host.cores Host.threads Host.memory Host.gpus Host.driver",
    ),
    LeftOut(
        "written as variables, directives and commands already",
        "Listen.reason Listen.silences Limit.name",
    ),
    LeftOut(
        "the program is the one that is installed, and the official one has neither",
        "Build.blas Build.edits Build.flags Build.packages Build.provides Build.image Build.reads "
        "Build.sources Build.tag Build.base Build.tools Build.commands Build.made Build.place "
        "Build.replaced Build.since Build.reason",
        key="build",
        asked=lambda service: service.build,
        fix="build it with these flags and name it in `service.binary`, or use another target",
    ),
    LeftOut("the host has its programs", "Job.programs"),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the unit or its drop-ins, the jobs and what they need, as they lie under `/`."""
    every = plan.services
    servers = (file for service in every for file in _server(plan, service))
    jobs = (
        job_file(
            plan,
            PLACES.units,
            job,
            partial(_exec, service),
            client=_client(service, job),
            sandbox=job.sandbox,
        )
        for service in every
        for job in service.jobs
    )
    made = system_files(
        plan,
        ("modules-load", REGISTERS, _lines(every, modules_of)),
        (
            "tmpfiles",
            "What the server writes, and nobody else makes.",
            _lines(every, _directories_of(plan)),
        ),
        ("sysusers", "Whom the server runs as.", _users(plan.puller)),
    )
    return (
        *servers,
        *jobs,
        *timer_files(plan, PLACES.units, [job for one in every for job in one.jobs]),
        *modelfiles(plan, PLACES.modelfiles),
        *unit_files(plan, PLACES.units, PLACES.modelfiles),
        *front.unit_files(plan, PLACES.units, PLACES.modelfiles),
        *made,
    )


def _server(plan: Plan, service: Service) -> tuple[File, ...]:
    if service.arguments and not service.full_unit:
        raise NotForEngine(
            f"no installer makes a unit of {service.product}, to which drop-ins could be added",
            hint="use a target for containers, or write service.full_unit = true, and where its "
            "program is in service.binary",
            where="service.full_unit",
        )
    return _full_unit(plan, service) if service.full_unit else _drop_ins(plan, service)


def _lines(services: Iterable[Service], of: Callable[[Service], Sequence[str]]) -> list[str]:
    """Return lines of a file that is for all services, each once."""
    return list(dict.fromkeys(line for service in services for line in of(service)))


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
    """Return the README, the scripts for root that it names, and what these read."""
    service = plan.puller
    wait = max(map(wait_seconds, plan.services))
    readme = render_template("systemd/README.md.jinja", plan=plan, service=service, wait=wait)
    unit = f"{PLACES.units}/{service.engine}.service"
    kinds = ("modules-load", "sysusers", "tmpfiles")
    bundle = bundle_files(
        plan,
        PLACES,
        files,
        held=[held_by_unit(one) for one in plan.services],
        jobs=[job for one in plan.services for job in one.jobs],
        server_files=[unit, *(f"{unit}.d/{n.format(service.engine)}.conf" for n in DROP_INS)],
        other_files=[SYSTEM_FILE.format(kind, service.engine) for kind in kinds],
        beside=(*timers_of(j for one in plan.services for j in one.jobs), *units_of(plan)),
        front=front.front_words(plan),
    )
    found = [
        Found(service=one.name, manager="systemd", unit=one.unit, models=_models_of(one))
        for one in plan.services
    ]
    return (File("README.md", readme), *bundle, *monitor_files(plan, found))


def _models_of(service: Service) -> str:
    """Return where the server has its models, as far as that is known."""
    below = f"{service.home}/{service.models_below}" if service.home else service.installed_models
    return service.models_dir or below


def _drop_ins(plan: Plan, service: Service) -> tuple[File, ...]:
    parts: list[tuple[Group | None, list[Entry]]] = [
        ("gpu", [*_device_access(service), *_variables(service.settings("gpu"))]),
        (None, limits_of(service.limits)),
        ("threads", _variables(service.settings("threads"))),
        ("server", _variables(service.settings("server"))),
        ("service", [*_variables(service.settings("service")), *_run(service)]),
        ("environment", [*_variables(service.settings("environment")), *_handed(service)]),
    ]
    files = []
    for name, (group, entries) in zip(DROP_INS, parts, strict=True):
        left_out = [o.reason for o in service.omissions if o.group == group]
        sections = [Section("Service", entries)]
        if group == "service" and service.after:
            sections.insert(0, Section("Unit", order(service.after)))
        if entries or left_out:
            text = unit_text([*plan.header, *left_out], sections)
            path = f"{PLACES.units}/{service.unit}.d/{name.format(service.engine)}.conf"
            files.append(File(path, text))
    return tuple(files)


def _full_unit(plan: Plan, service: Service) -> tuple[File, ...]:
    before = ("network-online.target", *service.after)
    told = [word for each in service.arguments for word in each.words]
    reasons = tuple(f"{one.name}: {one.reason}" for one in service.arguments if one.reason)
    entries = [
        Entry("Type", "exec"),
        Entry("ExecStart", _exec(service, Step(argv=(*service.command, *told))), reasons),
        Entry("WorkingDirectory", specifier_escape(service.home)),
        *_run(service),
        *_variables(service.environment),
        *_handed(service),
        *limits_of(service.limits),
        *_device_access(service),
        *_directives(service.hardening),
    ]
    sections = [
        Section("Unit", [Entry("Description", described(plan, service)), *order(before)]),
        Section("Service", entries),
        Section("Install", [Entry("WantedBy", "multi-user.target")]),
    ]
    above = [*plan.header, *(omission.reason for omission in service.omissions)]
    return (File(f"{PLACES.units}/{service.unit}", unit_text(above, sections)),)


def _variables(settings: Iterable[Setting]) -> list[Entry]:
    return [Entry("Environment", environment(s.name, s.value), s.comment) for s in settings]


def _directives(directives: Iterable[Directive]) -> list[Entry]:
    return [Entry(d.name, specifier_escape(d.value), d.reason) for d in directives]


def _device_access(service: Service) -> list[Entry]:
    access = _directives(service.devices.access) if service.devices else []
    return [*access, *given(Entry("CacheDirectory", service.cache_name))]


def _handed(service: Service) -> list[Entry]:
    return handed(service, lambda step: exec_line(step.argv))


def _run(service: Service) -> list[Entry]:
    owner = Entry("User", service.user, "Owns the models and the keys.")
    # A drop-in repeats nothing of the unit that it is for.
    again = service.full_unit or not service.restart.installed
    owned = [owner, Entry("Group", service.group)] if service.user else []
    return started(service, *owned, again=again)


def _exec(service: Service, step: Step) -> str:
    folder = f"/{PLACES.modelfiles}"
    return exec_line(placed(step, service.program, lambda name: f"{folder}/{name}"))


def _client(service: Service, job: Job) -> list[Line]:
    places = {ADDRESS: service.listen.address}
    return [
        *([] if job.on_host else [("DynamicUser", "yes", "A client needs no rights.")]),
        *(
            ("Environment", environment(v.name, places.get(v.value, v.value)), v.reason)
            for v in job.environment
        ),
    ]


def _directories_of(plan: Plan) -> Callable[[Service], list[str]]:
    """Return what makes the directories of a server, and of the one that pulls those of the store.

    Each server makes them when it starts, and ends where it cannot: the others only read there.
    """
    writer = plan.puller
    store = [f"{_models_of(writer)}/{name}" for name in _STORE] if len(plan.services) > 1 else []
    home = [] if writer.models_dir else [writer.home]
    shared = [*home, *store] if store else []
    return lambda service: _directories(service, shared if service is writer else [])


def _directories(service: Service, more: Iterable[str]) -> list[str]:
    """Return a line for each directory; systemd makes the home of a unit with StateDirectory=.

    So has what is above one in a directory that is not root's: systemd-tmpfiles would make it
    root's, and then not go through it.
    """
    made = any(directive.name == "StateDirectory" for directive in service.hardening)
    # Without a user by name, the home is one that the existing unit's user has.
    home = "" if made or not service.user else service.home
    own = [path for path in dict.fromkeys((home, service.models_dir, *more)) if path]
    every = dict.fromkeys(up for path in own for up in (*map(str, _above(path)), path))
    lines = ((path, _owner(service, path, own)) for path in every)
    return [tmpfiles_line("d", path, *owner) for path, owner in lines if owner]


def _above(path: str) -> list[PurePosixPath]:
    return [*PurePosixPath(path).parents][::-1]


def _owner(service: Service, path: str, own: Sequence[str]) -> tuple[str, ...]:
    """Return the mode and owner of a directory; nothing for one that is root's."""
    installed = service.installed_models.removesuffix(f"/{service.models_below}")
    homes = {*own, service.home, installed} - {""}
    if path in own or any(PurePosixPath(home) in _above(path) for home in homes):
        return ("0750", service.user, service.group)
    person = _OF_PERSON.match(path)
    return ("0755", person[1], "-") if person else ()


def _users(service: Service) -> list[str]:
    if not service.full_unit:
        return []
    user = tmpfiles_line("u", service.user, "-", service.product, service.home)
    if service.group == service.user:
        return [user]
    return [user, tmpfiles_line("m", service.user, service.group)]
