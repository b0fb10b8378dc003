"""What keeps servers and jobs from more than their work, in containers and in units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.plan import MODELFILES, Directive, Guard, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.base import Case
    from generator.plan import Job
    from generator.profiles.schema import ContainerChoice, Profile

# As many as systemd gives a service of a host of 32768: a server with its models has hundreds.
TASKS: Final = 4096
"""Processes and threads of a container that nobody bounds otherwise."""
_TASKS_OF_A_CLIENT: Final = "512"
_NOBODY: Final = "65534:65534"
_HOME_OF_A_USER: Final = "/home/server"
_OTHERS: Final = "DAC_OVERRIDE"
_PRIVILEGES: Final = "Nothing in it gains rights by starting a program."
_DROPPED: Final = "It has none of the rights that root has over others."
_KEPT: Final = "As the profile asks."
_FILES: Final = "What is mounted from the host may be another user's."
_MEMORY: Final = "Vulkan tells how much memory of a GPU is free to those who have this alone."
_READ_ONLY: Final = "Nothing of the image is changed: it writes"
_BOUND: Final = "Processes and threads together: far more than it needs."
_USER: Final = "The profile asks for it; the directory on the host is theirs."
_HOME: Final = "That of the image is open to root alone."
_CLIENT: Final = "A client needs no rights."
_SCRATCH: Final = ("/tmp",)  # noqa: S108 -- of the container
_CACHES: Final = ("/.cache", "/.nv")
"""Where drivers of GPUs keep what they compile, below the home."""

_OF_A_CLIENT: Final = (
    ("CapabilityBoundingSet", "", "It talks to the server, and needs nothing else of the host."),
    ("LockPersonality", "yes", ""),
    ("MemoryDenyWriteExecute", "yes", ""),
    ("PrivateDevices", "yes", ""),
    ("ProtectClock", "yes", ""),
    ("ProtectControlGroups", "yes", ""),
    ("ProtectHostname", "yes", ""),
    ("ProtectKernelLogs", "yes", ""),
    ("ProtectKernelModules", "yes", ""),
    ("ProtectKernelTunables", "yes", ""),
    ("ProtectProc", "invisible", ""),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX", ""),
    ("RestrictNamespaces", "yes", ""),
    ("RestrictRealtime", "yes", ""),
    ("SystemCallArchitectures", "native", ""),
    ("SystemCallFilter", "@system-service", ""),
    ("UMask", "0077", ""),
)
_OF_THE_HOST: Final = (
    (
        "CapabilityBoundingSet",
        "CAP_SYS_ADMIN CAP_SYS_MODULE CAP_MKNOD",
        "It loads a kernel module and has systemd stop and start the server, and no more.",
    ),
    ("LockPersonality", "yes", ""),
    ("MemoryDenyWriteExecute", "yes", ""),
    ("NoNewPrivileges", "yes", ""),
    ("PrivateTmp", "yes", ""),
    ("ProtectClock", "yes", ""),
    ("ProtectControlGroups", "yes", ""),
    ("ProtectHome", "yes", ""),
    ("ProtectHostname", "yes", ""),
    ("ProtectKernelLogs", "yes", ""),
    ("ProtectSystem", "strict", ""),
    ("ReadWritePaths", "/run", "It remembers over the suspend whether the server ran."),
    ("RestrictAddressFamilies", "AF_UNIX", ""),
    ("RestrictNamespaces", "yes", ""),
    ("RestrictRealtime", "yes", ""),
    ("RestrictSUIDSGID", "yes", ""),
    ("SystemCallArchitectures", "native", ""),
    ("SystemCallFilter", "@system-service @module", ""),
    ("UMask", "0077", ""),
)
_OF_A_PERIOD: Final = (
    ("CapabilityBoundingSet", "CAP_SYS_ADMIN", "Who has it may set properties of a unit."),
    ("LockPersonality", "yes", ""),
    ("MemoryDenyWriteExecute", "yes", ""),
    ("NoNewPrivileges", "yes", ""),
    ("PrivateTmp", "yes", ""),
    ("ProtectClock", "yes", ""),
    ("ProtectControlGroups", "yes", ""),
    ("ProtectHome", "yes", ""),
    ("ProtectHostname", "yes", ""),
    ("ProtectKernelLogs", "yes", ""),
    ("ProtectKernelModules", "yes", ""),
    ("ProtectKernelTunables", "yes", ""),
    ("ProtectSystem", "full", "It remembers in /var which part of the day it is."),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX", ""),
    ("RestrictNamespaces", "yes", ""),
    ("RestrictRealtime", "yes", ""),
    ("RestrictSUIDSGID", "yes", ""),
    ("SystemCallArchitectures", "native", ""),
    ("SystemCallFilter", "@system-service", ""),
    ("UMask", "0077", ""),
)


def home_in(choice: ContainerChoice, home_path: str) -> str:
    """Return where keys and models lie in the container, if they lie at `home_path` for root."""
    below = home_path.rpartition("/")[2]
    return f"{_HOME_OF_A_USER}/{below}" if choice.user else home_path


def variables(choice: ContainerChoice) -> tuple[Variable, ...]:
    """Return what tells a server that is not root where its home is."""
    if not choice.user:
        return ()
    return (Variable(name="HOME", value=_HOME_OF_A_USER, reason=_HOME),)


def guards(case: Case, *, home: str, mounts: bool, read_only: bool) -> tuple[Guard, ...]:
    """Return those of a server whose home is `home`; `mounts`: files of the host are mounted.

    `read_only`: the image is not changed.
    """
    profile, choice = case.profile, case.profile.container
    needs = [(_OTHERS, _FILES)] if mounts and not choice.user else []
    needs += [("PERFMON", _MEMORY)] if case.acceleration == "vulkan" else []
    own = "" if profile.resources.tasks_max is not None else str(TASKS)
    writes = (*_SCRATCH, *(f"{home}{path}" for path in _CACHES if case.devices))
    choice = choice.model_copy(update={"read_only": read_only})
    return tuple(_guards(choice, needs=needs, tasks=own, writes=writes, user=choice.user or ""))


def guarded(jobs: Iterable[Job], profile: Profile) -> tuple[Job, ...]:
    """Return jobs with what keeps them from more than their work."""
    return tuple(
        replace(job, guards=_of_job(job, profile.container), sandbox=_sandbox(job, profile))
        for job in jobs
    )


def faults(case: Case, *, cached: bool) -> Iterator[Problem]:
    """Yield what a user in a container cannot have; `cached`: there is a volume for a cache."""
    choice, devices = case.profile.container, case.devices
    if not choice.user:
        return
    why = ""
    if choice.rootless:
        why, hint = "is somebody else than who runs Podman", "leave it or `container.rootless` out"
    elif choice.compose == "override":
        why, hint = "is for the file to say that mounts their directory", "write it there"
    elif choice.home_dir is None:
        why = "owns no volume: those are root's"
        hint = "name a directory of that user by `container.home_dir`"
    elif devices and devices.vendor != "nvidia":
        why, hint = "is in none of the groups that may open the GPUs", "leave it out"
    elif cached:
        why, hint = "owns no volume: that of compiled kernels is root's", "leave it out"
    if why:
        yield Problem("container.user", f"`{choice.user}` {why}", hint)


def _of_job(job: Job, choice: ContainerChoice) -> tuple[Guard, ...]:
    if job.on_host:
        return ()
    mounts = any(word.startswith(MODELFILES) for step in job.steps for word in step.argv)
    needs, user = ([(_OTHERS, _FILES)], "") if mounts else ([], _NOBODY)
    tasks, writes = _TASKS_OF_A_CLIENT, _SCRATCH
    return tuple(_guards(choice, needs=needs, tasks=tasks, writes=writes, user=user, job=True))


def _guards(
    choice: ContainerChoice,
    *,
    needs: list[tuple[str, str]],
    tasks: str,
    writes: tuple[str, ...],
    user: str,
    job: bool = False,
) -> Iterator[Guard]:
    """Yield what the profile does not turn off."""
    if user:
        yield Guard(name="user", values=(user,), reason=_CLIENT if job else _USER)
    if choice.no_new_privileges:
        yield Guard(name="no_new_privileges", reason=_PRIVILEGES)
    if choice.capabilities != "default":
        yield Guard(name="cap_drop", values=("ALL",), reason=_DROPPED)
        asked = () if job else choice.capabilities
        kept = dict(needs) | {name: _KEPT for name in asked if name not in dict(needs)}
        if kept:
            reasons = " ".join(dict.fromkeys(kept.values()))
            yield Guard(name="cap_add", values=tuple(kept), reason=reasons)
    if choice.read_only:
        where = "here alone," if job else "to its volumes, and here"
        reason = f"{_READ_ONLY} {where} as long as it runs."
        yield Guard(name="read_only", reason=reason)
        yield Guard(name="tmpfs", values=writes, reason="")
    if tasks:
        yield Guard(name="pids_limit", values=(tasks,), reason=_BOUND)


def _sandbox(job: Job, profile: Profile) -> tuple[Directive, ...]:
    choice = profile.service
    if not choice.sandbox_jobs:
        return ()
    lines: Iterable[tuple[str, str, str]] = _OF_THE_HOST if job.on_host else _OF_A_CLIENT
    lines = _OF_A_PERIOD if job.kind == "period" else lines
    return tuple(Directive(name=name, value=value, reason=why) for name, value, why in lines)
