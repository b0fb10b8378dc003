"""How the server runs: its place on the host, its unit, its container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.plan import (
    PROGRAM,
    Container,
    Directive,
    Health,
    Listen,
    Restart,
    Service,
    Setting,
    Step,
)
from generator.resolve.threads import thread_count
from generator.units import address, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Devices, Group, Job, Limit, Model, Source
    from generator.profiles.schema import ServiceChoice
    from generator.resolve.draft import Draft

RESTART_REASONS: Final = {
    "always": "However the server ends, it comes back.",
    "on-failure": "The server comes back after a failure.",
    "no": "A server that ends stays down.",
}
STATE_DIR: Final = "/var/lib/ollama"
HEALTH: Final = Health(
    step=Step(argv=(PROGRAM, "list")),
    interval_seconds=30,
    timeout_seconds=10,
    retries=3,
    start_seconds=30,
    reason="The image has no curl; the program itself asks the server, and loads no model.",
)


def decide(
    draft: Draft, limits: tuple[Limit, ...], models: tuple[Model, ...], jobs: tuple[Job, ...]
) -> Service:
    """Return the service with all that has been decided of it."""
    choice, era = draft.profile.service, draft.facts.era
    _check_models_dir(draft)
    listen = _listen(draft)
    user, home = _user(draft), choice.home or (STATE_DIR if choice.full_unit else "")
    return Service(
        name="ollama",
        engine="ollama",
        product="Ollama",
        release=str(draft.facts.release),
        release_told=draft.profile.ollama.version is not None,
        era_since=str(era.since),
        era_until=str(era.until or ""),
        unit="ollama.service",
        program=choice.binary,
        command=(PROGRAM, "serve"),
        acceleration=draft.acceleration,
        threads=thread_count(draft)[0] or 0,
        listen=listen,
        models_dir=draft.profile.ollama.models_dir or "",
        environment=(*_connection(draft, listen, home), *draft.ordered_settings()),
        omissions=tuple(draft.omissions),
        limits=limits,
        devices=draft.devices,
        after=_after(draft.devices),
        restart=_restart(choice),
        user=user,
        group=choice.group or user,
        home=home,
        full_unit=choice.full_unit,
        hardening=_hardening(draft, home) if choice.full_unit else (),
        health=HEALTH,
        models=models,
        jobs=jobs,
        resume_declined="resume_fix" in choice.model_fields_set and not choice.resume_fix,
        container=_container(draft),
    )


def _user(draft: Draft) -> str:
    """Return the user; a directory outside the home needs an owner by name."""
    choice = draft.profile.service
    named = choice.full_unit or draft.profile.ollama.models_dir
    return choice.user or ("ollama" if named else "")


def _after(devices: Devices | None) -> tuple[str, ...]:
    if devices is None:
        return ()
    modules = "systemd-modules-load.service"
    return (modules, "nvidia-persistenced.service") if devices.vendor == "nvidia" else (modules,)


def _restart(choice: ServiceChoice) -> Restart:
    reason = RESTART_REASONS.get(choice.restart, "When systemd starts the server again.")
    return Restart(policy=choice.restart, seconds=choice.restart_seconds, reason=reason)


def _listen(draft: Draft) -> Listen:
    ollama = draft.profile.ollama
    reach = "this machine only" if is_local(ollama.host) else "every machine that can reach it"
    return Listen(
        host=ollama.host,
        port=ollama.port,
        address=address(ollama.host, ollama.port),
        open_firewall=ollama.open_firewall,
        reason=f"Reachable from {reach}; the API has no authentication.",
    )


def _connection(draft: Draft, listen: Listen, home: str) -> Iterator[Setting]:
    """Yield the variables that tell the server of its place on the host."""
    ollama = draft.profile.ollama
    told = ollama.model_fields_set & {"host", "port"}
    if home:
        reason = "Where the server keeps its keys."
        yield _of_host("HOME", home, reason, "service.home", group="service")
    source: Source = "profile" if told else "default"
    yield _of_host("OLLAMA_HOST", listen.address, listen.reason, "ollama.host", source=source)
    if ollama.models_dir:
        reason = "Where models are stored."
        yield _of_host("OLLAMA_MODELS", ollama.models_dir, reason, "ollama.models_dir")


def _of_host(
    name: str,
    value: str,
    reason: str,
    key: str,
    *,
    group: Group = "server",
    source: Source = "profile",
) -> Setting:
    return Setting(
        name=name, value=value, reason=reason, source=source, group=group, key=key, scope="host"
    )


def _check_models_dir(draft: Draft) -> None:
    """A sandboxed service (a complete unit, and NixOS) does not see the homes of people."""
    path = draft.profile.ollama.models_dir or ""
    if path.startswith(("/home/", "/root/", "/run/user/")):
        draft.note(
            "HW505",
            f"`{path}` is hidden from a sandboxed service (ProtectHome), as NixOS runs it",
            "ollama.models_dir",
            fix="choose a directory outside /home, like /srv/ollama/models",
            link="nixpkgs#357604",
        )


def _container(draft: Draft) -> Container:
    """Return how a container engine runs the server; facts of the image are the Catalogue's."""
    choice, image = draft.profile.container, draft.facts.image
    rocm = draft.acceleration == "rocm"
    system = draft.profile.host.system
    if system not in (image.rocm_systems if rocm else image.systems) and not choice.image:
        told = f"there is no official {'ROCm ' if rocm else ''}image for {system}"
        hint = "name an image of your own, or use another target"
        draft.note("HW506", told, "container.image", fix=hint, link=image.source)
    pattern = image.rocm_tag if rocm else image.tag
    tag = choice.tag or pattern.format(release=draft.facts.release)
    return Container(
        image=f"{choice.image or image.repository}:{tag}",
        name=choice.name,
        volume=choice.volume,
        network=choice.network or "",
        restart=choice.restart,
        program="ollama",
        models_path=image.models_path,
        home_path=image.home_path,
        port=image.port,
    )


def _hardening(draft: Draft, home: str) -> tuple[Directive, ...]:
    """Return the sandbox of a complete unit: what the server needs, and nothing else."""
    models_dir = draft.profile.ollama.models_dir
    writable = " ".join(dict.fromkeys(path for path in (home, models_dir) if path))
    gpu = draft.devices is not None
    fixed = tuple(Directive(name=name, value=value) for name, value in _SANDBOX)
    return (
        *fixed,
        *([Directive(name="StateDirectory", value="ollama")] if home == STATE_DIR else []),
        Directive(name="ReadWritePaths", value=writable, reason="Keys and models."),
        Directive(
            name="PrivateDevices",
            value="no" if gpu else "yes",
            reason="The GPU's device nodes must be there." if gpu else "",
        ),
        *([Directive(name="SupplementaryGroups", value="render video")] if gpu else []),
    )


_SANDBOX: Final = (
    ("NoNewPrivileges", "yes"),
    ("CapabilityBoundingSet", ""),
    ("LockPersonality", "yes"),
    ("PrivateTmp", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHome", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectSystem", "strict"),
    ("RemoveIPC", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service @resources"),
    ("SystemCallFilter", "~@privileged"),
    ("UMask", "0077"),
)
