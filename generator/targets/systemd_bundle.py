"""What goes with the units of the `systemd` target: a README, and scripts for root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import comment
from generator.targets.base import File, address, header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Plan

UNITS: Final = "etc/systemd/system"
MODELFILE_DIR: Final = "/etc/hostwright"
DROP_INS: Final = ("10-gpu", "20-limits", "30-threads", "40-ollama", "50-service", "60-environment")
JOBS: Final = ("ollama-pull", "ollama-create", "ollama-warmup", "ollama-resume")
# Everything that a bundle of any profile can put in place: what an earlier one left behind goes.
PLACES: Final = (
    f"{UNITS}/ollama.service",
    *(f"{UNITS}/ollama.service.d/{name}.conf" for name in DROP_INS),
    *(f"{UNITS}/{job}.service" for job in JOBS),
    *(f"etc/{kind}.d/hostwright-ollama.conf" for kind in ("modules-load", "sysusers", "tmpfiles")),
    f"{MODELFILE_DIR[1:]}/Modelfile.*",
)
# How long apply.sh waits until the server answers, beside the unit's own wait for its GPUs.
WAIT_SECONDS: Final = 60


def bundle_files(plan: Plan, paths: Sequence[str]) -> tuple[File, ...]:
    """Return README.md, apply.sh and remove.sh for a bundle with the files `paths`."""
    context = {
        "plan": plan,
        "above": [line for text in header(plan) for line in comment(text)],
        "paths": [quote(path) for path in paths],
        "jobs": [f"{unit.name}.service" for unit in plan.units],
        "starts": [f"{u.name}.service" for u in plan.units if "ollama.service" in u.wanted_by],
        "modules": [quote(module) for module in plan.devices.modules] if plan.devices else [],
        "program": quote(plan.service.binary),
        "user": quote(plan.service.user),
        "address": quote(address(plan.listen.host, plan.listen.port)),
        "wait": WAIT_SECONDS + _device_seconds(plan),
        "places": PLACES,
        "all_jobs": JOBS,
    }
    return (
        File("README.md", render_template("systemd/README.md.jinja", **context)),
        *(
            File(name, render_template(f"systemd/{name}.jinja", **context), executable=True)
            for name in ("apply.sh", "remove.sh")
        ),
    )


def _device_seconds(plan: Plan) -> int:
    """Return the bound of the wait for the driver: the last argument of its command."""
    wait = plan.devices.wait if plan.devices else None
    return int(wait.argv[-1]) if wait else 0
