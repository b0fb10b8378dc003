"""Target `systemd`: drop-ins for an existing `ollama.service`, or a complete unit, and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.modelfile import modelfile
from generator.formats.template import render_template
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
from generator.plan import MODELFILES, OLLAMA
from generator.targets.base import SERVER_ANSWERS, File, address, header, service_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.errors import Finding
    from generator.plan import Limit, Plan, Setting, Step, Unit

UNITS: Final = "etc/systemd/system"
MODELFILE_DIR: Final = "/etc/hostwright"


def render(plan: Plan) -> tuple[File, ...]:
    """Return the unit or its drop-ins, the jobs and what they need, as they lie under `/`."""
    server = _full_unit(plan) if plan.service.full_unit else _drop_ins(plan)
    jobs = tuple(_job(plan, unit) for unit in plan.units)
    return (*server, *jobs, *_modelfiles(plan), *_system_files(plan))


def install_note(plan: Plan) -> tuple[File, ...]:
    """Return the README: three commands for root."""
    text = render_template(
        "systemd/README.md.jinja",
        plan=plan,
        paths=[f"/{file.path}" for file in render(plan)],
        jobs=[f"{unit.name}.service" for unit in plan.units],
    )
    return (File("README.md", text),)


def limitations(plan: Plan) -> tuple[Finding, ...]:  # noqa: ARG001 -- the Target contract
    """Return nothing: systemd has a word for every setting."""
    return ()


def _drop_ins(plan: Plan) -> tuple[File, ...]:
    service = [
        ("10-gpu", "gpu", [*_device_access(plan), *_variables(plan.settings("gpu"))]),
        ("20-limits", "", _limits(plan.limits)),
        ("30-threads", "threads", _variables(plan.settings("threads"))),
        ("40-ollama", "ollama", [*_listen(plan), *_variables(plan.settings("ollama"))]),
        ("50-service", "", _service(plan)),
        ("60-environment", "environment", _variables(plan.settings("environment"))),
    ]
    files = []
    for name, group, entries in service:
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
        Entry("Environment", environment("HOME", service.home)),
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
    return [Entry("After", " ".join(after)), Entry("Wants", " ".join(wants))]


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
    first, *rest = [f"char-{name} rw" for name in plan.devices.allow]
    policy = Entry("DevicePolicy", "closed", "Of all devices, the server sees the GPUs only.")
    return [policy, Entry("DeviceAllow", first), *(Entry("DeviceAllow", item) for item in rest)]


def _service(plan: Plan) -> list[Entry]:
    service, devices = plan.service, plan.devices
    entries = []
    if devices and devices.wait:
        entries.append(Entry("ExecStartPre", _exec(plan, devices.wait), devices.reason))
    if service.user:
        entries += [Entry("User", service.user), Entry("Group", service.group)]
    return [
        *entries,
        Entry("Restart", service.restart, service.restart_reason),
        Entry("RestartSec", str(service.restart_seconds)),
    ]


def _exec(plan: Plan, step: Step) -> str:
    argv = [
        arg.replace(OLLAMA, plan.service.binary).replace(MODELFILES, MODELFILE_DIR)
        for arg in step.argv
    ]
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
        entries += [Entry("DynamicUser", "yes"), *_client(plan)]
    entries += [Entry("ExecStart", _exec(plan, step)) for step in unit.steps]
    entries += [Entry("ExecStop", _exec(plan, step)) for step in unit.stop_steps]
    if unit.remain_after_exit:
        entries.append(Entry("RemainAfterExit", "yes"))
    if unit.timeout_seconds:
        entries.append(Entry("TimeoutStartSec", str(unit.timeout_seconds)))
    if unit.retry_seconds:
        entries += [
            Entry("Restart", "on-failure"),
            Entry("RestartSec", str(unit.retry_seconds)),
        ]
    return entries


def _client(plan: Plan) -> list[Entry]:
    wait = _exec(plan, SERVER_ANSWERS)
    where = address(plan.listen.host, plan.listen.port)
    return [
        Entry("Environment", environment("HOME", "/tmp")),  # noqa: S108 -- private to the job
        Entry("Environment", environment("OLLAMA_HOST", where)),
        Entry("ExecStartPre", wait),
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
    """Return what loads modules, makes the models directory and, for a complete unit, the user."""
    service = plan.service
    files = []
    if plan.devices and plan.devices.modules:
        line = "\n".join(plan.devices.modules)
        files.append(("etc/modules-load.d/hostwright-ollama.conf", line))
    if plan.models_dir:
        line = tmpfiles_line("d", plan.models_dir, "0750", service.user, service.group)
        files.append(("etc/tmpfiles.d/hostwright-ollama.conf", line))
    if service.full_unit:
        line = tmpfiles_line("u", service.user, "-", "Ollama", service.home)
        files.append(("etc/sysusers.d/hostwright-ollama.conf", line))
    above = [line for text in header(plan) for line in comment(text)]
    return tuple(File(path, "\n".join([*above, line, ""])) for path, line in files)
