"""What goes with the units of the `systemd` target: a README, scripts for root and their data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.shell import record
from generator.formats.template import render_template, shipped_text
from generator.formats.text import comment
from generator.targets.base import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.plan import Plan

UNITS: Final = "etc/systemd/system"
MODELFILE_DIR: Final = "/etc/hostwright"
DROP_INS: Final = ("10-gpu", "20-limits", "30-threads", "40-{}", "50-service", "60-environment")
# How long apply.sh waits until the server answers, beside the unit's own wait for its GPUs.
WAIT_SECONDS: Final = 60


def scripts() -> tuple[File, ...]:
    """Return what puts a bundle in place and takes it away: the same files for every host."""
    return tuple(
        File(name, shipped_text(f"systemd/{name}"), executable=True, static=True)
        for name in ("apply.sh", "remove.sh")
    )


def bundle_files(plan: Plan, paths: Sequence[str]) -> tuple[File, ...]:
    """Return README.md, the scripts and what they read, for a bundle with the files `paths`."""
    service = plan.service
    devices = service.devices
    wait = WAIT_SECONDS + (devices.wait.seconds if devices and devices.wait else 0)
    readme = render_template("systemd/README.md.jinja", plan=plan, service=service, wait=wait)
    return (
        File("README.md", readme),
        File("bundle.conf", "\n".join([*_records(plan, paths, wait), ""])),
        *scripts(),
    )


def _records(plan: Plan, paths: Sequence[str], wait: int) -> Iterator[str]:
    """Yield the lines that apply.sh reads; by the last one, it knows that none is missing."""
    service = plan.service
    for text in (*plan.header, "What apply.sh reads: a word, a tab, and a value as it stands."):
        yield from comment(text)
    yield record("server", service.unit)
    yield record("program", service.program)
    if service.user:
        yield record("user", service.user)
    yield record("address", service.listen.address)
    yield from (record("module", x) for x in (service.devices.modules if service.devices else ()))
    yield from (record("file", path) for path in paths)
    yield from (record("job", job.unit) for job in service.jobs)
    yield from (record("start", x.unit) for x in service.jobs if service.unit in x.wanted_by)
    yield record("wait", str(wait))
