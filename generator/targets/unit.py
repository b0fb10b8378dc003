"""Units and their parts, for every target whose server or jobs systemd runs from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from generator.formats.text import comment
from generator.formats.unit import Entry, Section, exec_line, specifier_escape, unit_text
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from generator.plan import Credential, Directive, Job, Limit, Plan, Service, Step

Line = tuple[str, Any, str]
"""A directive of a unit, its value, and the reason for that."""
REGISTERS: Final = "Registers the devices before the server looks for them."
"""Why the kernel modules of the GPUs are loaded early."""
SYSTEM_FILE: Final = "etc/{}.d/hostwright-{}.conf"
"""A file of systemd-modules-load or its kin, by its kind and the name of the service."""


def given(*entries: Entry) -> list[Entry]:
    """Return the entries that have a value."""
    return [entry for entry in entries if entry.value]


def order(after: Iterable[str]) -> list[Entry]:
    """Return what the server is ordered behind, if anything."""
    units = " ".join(after)
    reason = "What the server needs is started before it."
    return given(Entry("After", units, reason), Entry("Wants", units))


def limits_of(limits: Iterable[Limit]) -> list[Entry]:
    """Return limits in the words of systemd."""
    return [Entry(limit.directive, limit.written, limit.comment) for limit in limits]


FILES: Final = "Variables that stand in no output; the files must be there when the server starts."
"""Why a unit names files of variables."""


def handed(service: Service, program: Callable[[Step], str]) -> list[Entry]:
    """Return the files of variables and the credentials, with what puts these into place."""
    return [
        *(
            Entry("EnvironmentFile", specifier_escape(path), FILES)
            for path in service.environment_files
        ),
        *(Entry(*credential(one), one.reason) for one in service.credentials),
        *(
            Entry(word, program(step))
            for one in service.credentials
            for word, step in (("ExecStartPre", one.link), ("ExecStopPost", one.unlink))
            if step
        ),
    ]


def credential(one: Credential) -> tuple[str, str]:
    """Return the directive that loads a credential, and its value."""
    return f"LoadCredential{'Encrypted' * one.encrypted}", specifier_escape(
        f"{one.name}:{one.path}"
    )


def started(service: Service, *entries: Entry, again: bool = True) -> list[Entry]:
    """Return the wait for GPUs, `entries`, and, if `again`, when the server is started again."""
    devices, restart = service.devices, service.restart
    wait = exec_line(devices.wait.argv) if devices and devices.wait else ""
    policy = Entry("Restart", restart.policy, restart.reason)
    return [
        *given(Entry("ExecStartPre", wait, devices.reason if devices else "")),
        *entries,
        *([policy, Entry("RestartSec", str(restart.seconds))] if again else []),
    ]


def system_files(
    plan: Plan, *files: tuple[Literal["modules-load", "tmpfiles", "sysusers"], str, Sequence[str]]
) -> tuple[File, ...]:
    """Return the files of systemd-modules-load and its kin that have lines: kind, reason, lines."""
    return tuple(
        File(
            SYSTEM_FILE.format(kind, plan.services[0].engine),
            "\n".join([*(c for t in (*plan.header, reason) for c in comment(t)), *lines, ""]),
        )
        for kind, reason, lines in files
        if lines
    )


def job_file(
    plan: Plan,
    folder: str,
    job: Job,
    command: Callable[[Step], str],
    *,
    client: Sequence[Line] = (),
    sandbox: Iterable[Directive] = (),
    renamed: Mapping[str, str] | None = None,
) -> File:
    """Return the unit of a job; see job_order and job_service."""
    units = {word: " ".join(names) for word, names in job_order(job, renamed or {}).items()}
    wanted = given(Entry("WantedBy", units.pop("WantedBy", "")))
    unit = [
        Entry("Description", job.description, job.reason),
        *(Entry(word, names) for word, names in units.items()),
        *given(Entry("StopWhenUnneeded", "yes" if job.stop_when_unneeded else "")),
    ]
    service = [
        Entry(word, "yes" if value is True else str(value), reason)
        for word, value, reason in job_service(job, command, client, sandbox)
    ]
    sections = [Section("Unit", unit), Section("Service", service)]
    sections += [Section("Install", wanted)] if wanted else []
    return File(f"{folder}/{job.unit}", unit_text(plan.header, sections))


def timers_of(jobs: Iterable[Job]) -> tuple[str, ...]:
    """Return the timers of jobs."""
    return tuple(job.timer for job in jobs if job.calendar)


def timer_files(
    plan: Plan, folder: str, jobs: Iterable[Job], target: str = "timers.target"
) -> tuple[File, ...]:
    """Return the timers of the jobs that have a calendar, in a folder of units.

    They come with the server, too, so that a restart of it by `apply.sh` starts new ones.
    """
    wanted = " ".join([target, *(service.unit for service in plan.services)])
    made = []
    for job in jobs:
        if job.calendar:
            when = [Entry("OnCalendar", one) for one in job.calendar]
            missed = Entry("Persistent", "yes", "What began while the host was off begins at boot.")
            sections = [
                Section("Unit", [Entry("Description", f"When to {job.description.lower()}")]),
                Section("Timer", [*when, missed]),
                Section("Install", [Entry("WantedBy", wanted)]),
            ]
            made.append(File(f"{folder}/{job.timer}", unit_text(plan.header, sections)))
    return tuple(made)


def job_order(job: Job, renamed: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what a job is ordered by; `renamed` are units with another name under a manager."""
    order = {
        "After": job.after,
        "Before": job.before,
        "Wants": job.wants,
        "PartOf": job.part_of,
        "WantedBy": job.wanted_by,
    }
    return {word: [renamed.get(u, u) for u in units] for word, units in order.items() if units}


def job_service(
    job: Job,
    command: Callable[[Step], Any],
    client: Iterable[Line],
    sandbox: Iterable[Directive],
) -> Iterator[Line]:
    """Yield what a job does; `command` writes a Step as this target runs it.

    `client` is what a unit that asks the server needs for that, `sandbox` what it may not do.
    """
    yield "Type", "oneshot", ""
    if job.wait or job.kind == "period":
        yield from client
    if job.wait:
        yield "ExecStartPre", command(job.wait), "Waits until the server answers."
    yield from (("ExecStart", command(step), "") for step in job.commands)
    yield from (("ExecStop", command(step), "") for step in job.stop_steps)
    if job.remain_after_exit:
        reason = "Active until the host wakes up, and only then runs ExecStop=."
        yield "RemainAfterExit", True, reason
    if job.timeout_seconds:
        reason = "Bounds each command, also the wait for the server."
        yield "TimeoutStartSec", job.timeout_seconds, reason
    if job.retry_seconds:
        yield "Restart", "on-failure", "Tries again until it has succeeded."
        yield "RestartSec", job.retry_seconds, ""
    yield from ((one.name, one.value, one.reason) for one in sandbox)
