"""How the server runs: its place on the host, its unit, its container."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.plan import Container, Directive, Listen, Restart, Service
from generator.resolve import confine, credentials, kserve, pods
from generator.rules.registry import every_rule
from generator.units import address, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Asked, Case, Decided, Server
    from generator.errors import Finding
    from generator.plan import Devices, Limit
    from generator.profiles.schema import Profile, ServiceChoice

RESTART_REASONS: Final = {
    "always": "However the server ends, it comes back.",
    "on-failure": "The server comes back after a failure.",
    "no": "A server that ends stays down.",
}
# An image of 3 GB over a line of 30 Mbit/s.
FIRST_START_SECONDS: Final = 900
# What each line keeps from the server, which needs none of it.
_SANDBOX: Final = (
    ("NoNewPrivileges", "yes", "No program that it starts gains rights."),
    ("CapabilityBoundingSet", "", "None of the rights of root."),
    ("LockPersonality", "yes", "No other kind of execution domain."),
    ("PrivateTmp", "yes", "A /tmp of its own."),
    ("ProtectClock", "yes", "It sets no clock."),
    ("ProtectControlGroups", "yes", "It moves no limits, its own included."),
    ("ProtectHome", "yes", "The files of people are not there."),
    ("ProtectHostname", "yes", "It renames no host."),
    ("ProtectKernelLogs", "yes", "It reads no log of the kernel."),
    ("ProtectKernelModules", "yes", "It loads no driver."),
    ("ProtectKernelTunables", "yes", "It changes nothing below /proc/sys and /sys."),
    ("ProtectProc", "invisible", "It sees no process of others."),
    ("ProtectSystem", "strict", "It writes where ReadWritePaths= says, and nowhere else."),
    ("RemoveIPC", "yes", "Nothing of it stays in memory when it has ended."),
    (
        "RestrictAddressFamilies",
        "AF_INET AF_INET6 AF_UNIX",
        "The network and local sockets.",
    ),
    ("RestrictNamespaces", "yes", "It makes no containers."),
    ("RestrictRealtime", "yes", "It takes no CPU from the rest for good."),
    ("RestrictSUIDSGID", "yes", "It leaves no file behind that gives rights."),
    ("SystemCallArchitectures", "native", "System calls of this architecture alone."),
    ("SystemCallFilter", "@system-service @resources", "System calls that services need, ..."),
    ("SystemCallFilter", "~@privileged", "... and none that only root has a use for."),
    ("UMask", "0077", "Nobody else reads what it writes."),
)
_UNDO: Final = (
    "A sandbox from here on. To undo a line, give it its default in `systemctl edit {unit}`, as "
    "ProtectHome=no or an empty SystemCallFilter=."
)


def service_of(
    name: str, server: Server, asked: Asked, case: Case, decided: Decided, limits: tuple[Limit, ...]
) -> Service:
    """Return the service of an engine with all that has been decided of it."""
    choice, era = case.profile.service, case.facts.era
    # A directory outside the home needs an owner by name.
    user = choice.user or (server.user if choice.full_unit or asked.models_dir else "")
    handed = credentials.credentials_of(case.profile, case.facts)
    return Service(
        name=name,
        engine=name,
        product=server.product,
        log_line=server.log_line,
        runner=decided.runner,
        cache=decided.cache,
        models_below=server.models_below,
        installed_models=server.installed_models,
        release=str(case.facts.release),
        release_told=asked.version is not None,
        era_since=str(era.since),
        era_until=str(era.until or ""),
        unit=case.unit,
        program=choice.binary
        if "binary" in choice.model_fields_set
        else server.binary or choice.binary,
        command=server.command,
        arguments=decided.arguments,
        table=server.table,
        acceleration=case.acceleration,
        threads=case.threads.number,
        listen=case.listen,
        models_dir=asked.models_dir,
        environment=(*decided.environment, *credentials.variables(handed, case.unit)),
        omissions=decided.omissions,
        limits=limits,
        devices=case.devices,
        after=_after(case.devices),
        restart=_restart(choice, server),
        user=user,
        group=choice.group or user,
        home=case.home,
        full_unit=choice.full_unit,
        hardening=_hardening(case, asked, server) if choice.full_unit else (),
        health=server.health,
        api=server.api,
        models=decided.models,
        jobs=confine.guarded(decided.jobs, case.profile),
        offered=confine.guarded(decided.offered, case.profile),
        resume_declined="resume_fix" in choice.model_fields_set and not choice.resume_fix,
        container=replace(
            _container(case, name, server, mounts=bool(handed or asked.models_dir)),
            shm_size=server.shm_size + decided.shared,
        ),
        environment_files=choice.environment_files,
        build=decided.build,
        credentials=handed,
        pod=replace(
            pods.pod_of(case, server, decided, limits),
            kserve=kserve.kserve_of(case, server, decided),
        ),
    )


def _restart(choice: ServiceChoice, server: Server) -> Restart:
    asked = {"restart", "restart_seconds"} & choice.model_fields_set
    same = (choice.restart, choice.restart_seconds) == server.installed_restart
    return Restart(
        policy=choice.restart,
        seconds=choice.restart_seconds,
        reason=RESTART_REASONS.get(choice.restart, "When systemd starts the server again."),
        installed=same and not asked,
    )


def remarks(name: str, asked: Asked, case: Case) -> Iterator[Finding]:
    """Yield what there is to say of where the service runs."""
    if asked.models_dir.startswith(("/home/", "/root/", "/run/user/")):
        yield every_rule()["HW505"].finding(
            f"`{asked.models_dir}` is hidden from a sandboxed service (ProtectHome), as NixOS runs "
            "it",
            f"{name}.models_dir",
            f"choose a directory outside /home, like /srv/{name}/models",
            "nixpkgs#357604",
        )
    image, rocm, system = case.facts.image, case.acceleration == "rocm", case.host.system
    systems = image.rocm_systems if rocm else image.systems
    if system not in systems and not case.profile.container.image:
        message = f"there is no official {'ROCm ' if rocm else ''}image for {system}"
        hint = "name an image of your own, or use another target"
        yield every_rule()["HW506"].finding(message, "container.image", hint, image.source)


def home_of(profile: Profile, server: Server) -> str:
    """Return the home of the service; empty: the one that the existing unit has."""
    choice = profile.service
    return choice.home or (server.home if choice.full_unit else "")


def _after(devices: Devices | None) -> tuple[str, ...]:
    if devices is None:
        return ()
    modules = "systemd-modules-load.service"
    return (modules, "nvidia-persistenced.service") if devices.vendor == "nvidia" else (modules,)


def listen_of(asked: Asked, server: Server) -> Listen:
    """Return where the API listens."""
    reach = "this machine only" if is_local(asked.host) else "every machine that can reach it"
    return Listen(
        host=asked.host,
        port=asked.port,
        address=address(asked.host, asked.port),
        variable=server.address,
        open_firewall=asked.open_firewall,
        reason=f"Reachable from {reach}; the API has no authentication.",
    )


def _container(case: Case, engine: str, server: Server, *, mounts: bool) -> Container:
    """Return how a container engine runs the server; facts of the image are the Catalogue's.

    `mounts`: it is given files of the host beside its home.
    """
    choice, image = case.profile.container, case.facts.image
    repository, pattern = image.of(case.acceleration, case.host.system)
    tag = choice.tag or pattern.format(release=case.facts.release)
    told = choice.model_fields_set
    called = choice.name if "name" in told else engine
    home = confine.home_in(choice, image.home_path)
    models = posixpath.join(home, posixpath.relpath(image.models_path, image.home_path))
    return Container(
        image=f"{choice.image or repository}:{tag}",
        name=called,
        volume=choice.volume if "volume" in told else engine,
        network=choice.network or "",
        restart=choice.restart,
        rootless=choice.rootless,
        start_seconds=server.first_start_seconds or FIRST_START_SECONDS,
        program=server.program,
        models_path=models,
        home_path=home,
        port=image.port,
        env_files=choice.env_files,
        service=choice.service or called,
        project=choice.project or case.profile.name.replace(".", "-"),
        named="name" in choice.model_fields_set,
        form=choice.compose,
        home_dir=choice.home_dir or "",
        variables=confine.variables(choice),
        guards=confine.guards(
            case,
            read_only=choice.read_only and (server.read_only or "read_only" in told),
            home=posixpath.dirname(home),
            mounts=mounts or bool(choice.home_dir) or choice.compose == "override",
        ),
    )


def _hardening(case: Case, asked: Asked, server: Server) -> tuple[Directive, ...]:
    """Return the sandbox of a complete unit: what the server needs, and nothing else."""
    home, undo = case.home, _UNDO.format(unit=case.unit)
    models = "" if case.puller else asked.models_dir
    writable = " ".join(dict.fromkeys(path for path in (home, models) if path))
    made = home == server.home or (case.puller and home.startswith(f"{server.home}-"))
    gpu = case.devices is not None
    return (
        *(
            Directive(name=name, value=value, reason=f"{undo} {why}" if not number else why)
            for number, (name, value, why) in enumerate(_SANDBOX)
        ),
        *(
            [
                Directive(
                    name="StateDirectory",
                    value=home.removeprefix("/var/lib/"),
                    reason="systemd makes its home.",
                )
            ]
            if made
            else []
        ),
        Directive(
            name="ReadWritePaths",
            value=writable,
            reason="Its keys; the models it only reads." if case.puller else "Keys and models.",
        ),
        Directive(
            name="PrivateDevices",
            value="no" if gpu else "yes",
            reason="The GPU's device nodes must be there." if gpu else "It sees no device.",
        ),
        *(
            [
                Directive(
                    name="SupplementaryGroups",
                    value="render video",
                    reason="Who may open the GPU's device nodes.",
                )
            ]
            if gpu
            else []
        ),
    )
