"""The unit of a job, for every target whose jobs systemd runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.formats.unit import Entry, Section, unit_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.plan import Job, Step


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
