"""Units and their parts, for every target whose server or jobs systemd runs from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.formats.text import comment
from generator.formats.unit import Entry, Section, exec_line, unit_text
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from generator.plan import Devices, Job, Limit, Plan, Restart, Step

REGISTERS: Final = "Registers the devices before the server looks for them."
"""Why the kernel modules of the GPUs are loaded early."""


def order(after: Iterable[str], wants: Iterable[str]) -> list[Entry]:
    """Return what the server is ordered behind."""
    reason = "What the server needs is started before it."
    return [Entry("After", " ".join(after), reason), Entry("Wants", " ".join(wants))]


def limits_of(limits: Iterable[Limit]) -> list[Entry]:
    """Return limits in the words of systemd."""
    return [Entry(limit.directive, limit.written, limit.reason) for limit in limits]


def waits(devices: Devices | None) -> list[Entry]:
    """Return the wait for the GPUs before the server starts."""
    if devices is None or devices.wait is None:
        return []
    return [Entry("ExecStartPre", exec_line(devices.wait.argv), devices.reason)]


def restarts(restart: Restart) -> list[Entry]:
    """Return when the server is started again."""
    return [
        Entry("Restart", restart.policy, restart.reason),
        Entry("RestartSec", str(restart.seconds)),
    ]


def system_files(
    plan: Plan, *files: tuple[Literal["modules-load", "tmpfiles", "sysusers"], str, Sequence[str]]
) -> tuple[File, ...]:
    """Return the files of systemd-modules-load and its kin that have lines: kind, reason, lines."""
    return tuple(
        File(
            f"etc/{kind}.d/hostwright-{plan.service.name}.conf",
            "\n".join([*(c for t in (*plan.header, reason) for c in comment(t)), *lines, ""]),
        )
        for kind, reason, lines in files
        if lines
    )


def job_text(
    header: Sequence[str],
    job: Job,
    command: Callable[[Step], str],
    *,
    client: Sequence[Entry] = (),
    renamed: Mapping[str, str] | None = None,
) -> str:
    """Return the unit of a job; `command` writes a Step as this target runs it.

    `client` is what a unit that asks the server needs for that; `renamed` are units of the order
    that have another name under this manager.
    """
    sections = [
        Section("Unit", _unit(job, renamed or {})),
        Section("Service", [*_commands(job, command, client), *_tries(job)]),
        Section("Install", [Entry("WantedBy", " ".join(job.wanted_by))]),
    ]
    return unit_text(header, sections)


def _unit(job: Job, renamed: Mapping[str, str]) -> list[Entry]:
    order = (
        ("After", job.after),
        ("Before", job.before),
        ("Wants", job.wants),
        ("PartOf", job.part_of),
    )
    return [
        Entry("Description", job.description, job.reason),
        *(Entry(k, " ".join(renamed.get(u, u) for u in units)) for k, units in order if units),
        *([Entry("StopWhenUnneeded", "yes")] if job.stop_when_unneeded else []),
    ]


def _commands(job: Job, command: Callable[[Step], str], client: Sequence[Entry]) -> list[Entry]:
    entries = [Entry("Type", "oneshot")]
    if job.wait:
        wait = Entry("ExecStartPre", command(job.wait), "Waits until the server answers.")
        entries += [*client, wait]
    entries += [Entry("ExecStart", command(step)) for step in job.commands]
    return entries + [Entry("ExecStop", command(step)) for step in job.stop_steps]


def _tries(job: Job) -> list[Entry]:
    entries = []
    if job.remain_after_exit:
        reason = "Active until the host wakes up, and only then runs ExecStop=."
        entries.append(Entry("RemainAfterExit", "yes", reason))
    if job.timeout_seconds:
        bound = "Bounds each command, also the wait for the server."
        entries.append(Entry("TimeoutStartSec", str(job.timeout_seconds), bound))
    if job.retry_seconds:
        entries += [
            Entry("Restart", "on-failure", "Tries again until it has succeeded."),
            Entry("RestartSec", str(job.retry_seconds)),
        ]
    return entries
