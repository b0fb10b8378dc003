"""Target `systemd`: drop-ins for an existing `ollama.service`, or a complete unit, and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Finding
from generator.formats.modelfile import modelfile
from generator.formats.text import comment
from generator.formats.unit import (
    Entry,
    Section,
    environment,
    exec_line,
    specifier_escape,
    tmpfiles_line,
    unit_text,
)
from generator.targets.base import SERVER_ANSWERS, File, address, header, placed, service_line
from generator.targets.systemd_bundle import DROP_INS, MODELFILE_DIR, UNITS, bundle_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.plan import Limit, Plan, Setting, Step, Unit


def render(plan: Plan) -> tuple[File, ...]:
    """Return the unit or its drop-ins, the jobs and what they need, as they lie under `/`."""
    server = _full_unit(plan) if plan.service.full_unit else _drop_ins(plan)
    jobs = tuple(_job(plan, unit) for unit in plan.units)
    return (*server, *jobs, *_modelfiles(plan), *_system_files(plan))


def install_note(plan: Plan) -> tuple[File, ...]:
    """Return the README, and the two scripts for root that it names."""
    return bundle_files(plan, [file.path for file in render(plan)])


def limitations(plan: Plan) -> tuple[Finding, ...]:
    """Return a Finding for the firewall; systemd has a word for every other setting."""
    if not plan.listen.open_firewall:
        return ()
    finding = Finding(
        rule="HW601",
        severity="warning",
        message="systemd leaves out `open_firewall`: each distribution has a firewall of its own",
        where="ollama.open_firewall",
        fix=f"open TCP port {plan.listen.port} in the firewall of the host",
    )
    return (finding,)


def _drop_ins(plan: Plan) -> tuple[File, ...]:
    service = [
        ("gpu", [*_device_access(plan), *_variables(plan.settings("gpu"))]),
        ("", _limits(plan.limits)),
        ("threads", _variables(plan.settings("threads"))),
        ("ollama", [*_listen(plan), *_variables(plan.settings("ollama"))]),
        ("", [*_home(plan), *_service(plan)]),
        ("environment", _variables(plan.settings("environment"))),
    ]
    files = []
    for name, (group, entries) in zip(DROP_INS, service, strict=True):
        left_out = [o.comment for o in plan.omissions if o.group == group]
        sections = [Section("Service", entries)]
        if name == "50-service" and plan.service.after:
            sections.insert(0, Section("Unit", _order(plan.service.after, plan.service.after)))
        if entries or left_out:
            text = unit_text([*header(plan), *left_out], sections)
            files.append(File(f"{UNITS}/ollama.service.d/{name}.conf", text))
    return tuple(files)


def _full_unit(plan: Plan) -> tuple[File, ...]:
    service = plan.service
    after = ("network-online.target", *service.after)
    wants = ("network-online.target", *service.after)
    entries = [
        Entry("Type", "exec"),
        Entry("ExecStart", exec_line([service.binary, "serve"])),
        Entry("WorkingDirectory", specifier_escape(service.home)),
        *_home(plan),
        *_service(plan),
        *_listen(plan),
        *_variables(plan.environment),
        *_limits(plan.limits),
        *_device_access(plan),
        *(Entry(h.name, specifier_escape(h.value), h.reason) for h in service.hardening),
    ]
    sections = [
        Section("Unit", [Entry("Description", "Ollama"), *_order(after, wants)]),
        Section("Service", entries),
        Section("Install", [Entry("WantedBy", "multi-user.target")]),
    ]
    above = [*header(plan), *(omission.comment for omission in plan.omissions)]
    return (File(f"{UNITS}/ollama.service", unit_text(above, sections)),)


def _order(after: Iterable[str], wants: Iterable[str]) -> list[Entry]:
    reason = "What the server needs is started before it."
    return [Entry("After", " ".join(after), reason), Entry("Wants", " ".join(wants))]


def _home(plan: Plan) -> list[Entry]:
    home = plan.service.home
    reason = "Where the server keeps its keys."
    return [Entry("Environment", environment("HOME", home), reason)] if home else []


def _listen(plan: Plan) -> list[Entry]:
    where = address(plan.listen.host, plan.listen.port)
    entries = [Entry("Environment", environment("OLLAMA_HOST", where), plan.listen.reason)]
    if plan.models_dir:
        models = environment("OLLAMA_MODELS", plan.models_dir)
        entries.append(Entry("Environment", models, "Where models are stored."))
    return entries


def _variables(settings: Iterable[Setting]) -> list[Entry]:
    return [Entry("Environment", environment(s.name, s.value), s.comment) for s in settings]


def _limits(limits: Iterable[Limit]) -> list[Entry]:
    return [Entry(*service_line(limit)) for limit in limits]


def _device_access(plan: Plan) -> list[Entry]:
    if plan.devices is None:
        return []
    first, *rest = [f"char-{name} rwm" for name in plan.devices.allow]
    policy = Entry("DevicePolicy", "closed", "Of all devices, the server sees the GPUs only.")
    return [policy, Entry("DeviceAllow", first), *(Entry("DeviceAllow", item) for item in rest)]


def _service(plan: Plan) -> list[Entry]:
    service, devices = plan.service, plan.devices
    entries = []
    if devices and devices.wait:
        entries.append(Entry("ExecStartPre", _exec(plan, devices.wait), devices.reason))
    if service.user:
        owner = Entry("User", service.user, "Owns the models and the keys.")
        entries += [owner, Entry("Group", service.group)]
    return [
        *entries,
        Entry("Restart", service.restart, service.restart_reason),
        Entry("RestartSec", str(service.restart_seconds)),
    ]


def _exec(plan: Plan, step: Step) -> str:
    argv = placed(step, plan.service.binary, lambda name: f"{MODELFILE_DIR}/{name}")
    return exec_line(argv, prefix="-" if step.may_fail else "")


def _job(plan: Plan, unit: Unit) -> File:
    order = [
        Entry(key, " ".join(units))
        for key, units in (
            ("After", unit.after),
            ("Before", unit.before),
            ("Wants", unit.wants),
            ("PartOf", unit.part_of),
        )
        if units
    ]
    if unit.stop_when_unneeded:
        order.append(Entry("StopWhenUnneeded", "yes"))
    sections = [
        Section("Unit", [Entry("Description", unit.description, unit.reason), *order]),
        Section("Service", _job_service(plan, unit)),
        Section("Install", [Entry("WantedBy", " ".join(unit.wanted_by))]),
    ]
    return File(f"{UNITS}/{unit.name}.service", unit_text(header(plan), sections))


def _job_service(plan: Plan, unit: Unit) -> list[Entry]:
    entries = [Entry("Type", "oneshot")]
    if unit.waits_for_server:
        entries += [Entry("DynamicUser", "yes", "A client needs no rights."), *_client(plan)]
    entries += [Entry("ExecStart", _exec(plan, step)) for step in unit.steps]
    entries += [Entry("ExecStop", _exec(plan, step)) for step in unit.stop_steps]
    if unit.remain_after_exit:
        entries.append(
            Entry(
                "RemainAfterExit",
                "yes",
                "Active until the host wakes up, and only then runs ExecStop=.",
            )
        )
    if unit.timeout_seconds:
        bound = "Bounds each command, also the wait for the server."
        entries.append(Entry("TimeoutStartSec", str(unit.timeout_seconds), bound))
    if unit.retry_seconds:
        entries += [
            Entry("Restart", "on-failure", "Tries again until it has succeeded."),
            Entry("RestartSec", str(unit.retry_seconds)),
        ]
    return entries


def _client(plan: Plan) -> list[Entry]:
    wait = _exec(plan, SERVER_ANSWERS)
    where = address(plan.listen.host, plan.listen.port)
    home = environment("HOME", "/tmp")  # noqa: S108 -- private to the job
    return [
        Entry("Environment", home, "The client makes a key there; the directory is private."),
        Entry("Environment", environment("OLLAMA_HOST", where)),
        Entry("ExecStartPre", wait, "Waits until the server answers."),
    ]


def _modelfiles(plan: Plan) -> tuple[File, ...]:
    return tuple(
        File(
            f"{MODELFILE_DIR[1:]}/{model.modelfile}",
            modelfile(model.name, model.lines, header(plan)),
        )
        for model in plan.models
        if model.serve_as
    )


def _system_files(plan: Plan) -> tuple[File, ...]:
    """Return what loads modules, makes directories and, for a complete unit, the user."""
    modules = list(plan.devices.modules) if plan.devices else []
    files = (
        ("modules-load", "Registers the devices before the server looks for them.", modules),
        ("tmpfiles", "What the server writes, and nobody else makes.", _directories(plan)),
        ("sysusers", "Whom the server runs as.", _users(plan)),
    )
    return tuple(
        File(
            f"etc/{kind}.d/hostwright-ollama.conf",
            "\n".join([*(c for t in (*header(plan), reason) for c in comment(t)), *lines, ""]),
        )
        for kind, reason, lines in files
        if lines
    )


def _directories(plan: Plan) -> list[str]:
    """Return a line for each directory; systemd makes the home of a unit with StateDirectory=."""
    service = plan.service
    made = any(directive.name == "StateDirectory" for directive in service.hardening)
    # Without a user by name, the home is one that the existing unit's user has.
    home = "" if made or not service.user else service.home
    return [
        tmpfiles_line("d", path, "0750", service.user, service.group)
        for path in dict.fromkeys((home, plan.models_dir))
        if path
    ]


def _users(plan: Plan) -> list[str]:
    service = plan.service
    if not service.full_unit:
        return []
    user = tmpfiles_line("u", service.user, "-", "Ollama", service.home)
    if service.group == service.user:
        return [user]
    return [user, tmpfiles_line("m", service.user, service.group)]
