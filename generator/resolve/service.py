"""How the server runs: unit, container, and the jobs beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.plan import MODELFILES, OLLAMA, Container, Directive, Service, Step, Unit
from generator.units import parse_go_duration

if TYPE_CHECKING:
    from generator.plan import Model
    from generator.resolve.draft import Draft

SERVER: Final = "ollama.service"
PULL, CREATE, WARMUP, RESUME = "ollama-pull", "ollama-create", "ollama-warmup", "ollama-resume"
RETRY_SECONDS: Final = 30
# $0 is the ollama program, $1 a model. A registry out of reach fails nothing that is there, and a
# restart downloads nothing new.
FETCH: Final = '"$0" show "$1" >/dev/null 2>&1 || "$0" pull "$1"'
# $0 is the ollama program, the arguments are models. Without a prompt and a terminal `run` only
# loads; before a model is there it would pull. One command for all of them, because systemd bounds
# each command on its own.
LOAD: Final = (
    'for model; do until "$0" show "$model" >/dev/null 2>&1; do sleep 5; done; '
    '"$0" run "$model" </dev/null || echo "cannot load $model"; done'
)
RESTART_REASONS: Final = {
    "always": "However the server ends, it comes back.",
    "on-failure": "The server comes back after a failure.",
    "no": "A server that ends stays down.",
}
STATE_DIR: Final = "/var/lib/ollama"
# Remembers over a suspend whether the server ran, so that one that was stopped stays stopped.
BEFORE_SLEEP: Final = (
    "if systemctl --quiet is-active ollama.service; then touch /run/ollama-resume; "
    "systemctl stop ollama.service; fi"
)
AFTER_SLEEP: Final = (
    "modprobe --remove nvidia_uvm; modprobe nvidia_uvm; if [ -e /run/ollama-resume ]; then "
    "rm /run/ollama-resume; systemctl --no-block start ollama.service; fi"
)


def decide(draft: Draft) -> Service:
    """Return how systemd runs the server."""
    choice = draft.profile.service
    nvidia = draft.devices is not None and draft.devices.vendor == "nvidia"
    modules = ("systemd-modules-load.service",) if draft.devices else ()
    _check_models_dir(draft)
    # A directory outside the home needs an owner by name.
    named = choice.full_unit or draft.profile.ollama.models_dir
    user = choice.user or ("ollama" if named else "")
    home = choice.home or (STATE_DIR if choice.full_unit else "")
    return Service(
        binary=choice.binary,
        user=user,
        group=choice.group or user,
        home=home,
        restart=choice.restart,
        restart_seconds=choice.restart_seconds,
        restart_reason=RESTART_REASONS.get(choice.restart, "When systemd starts the server again."),
        after=(*modules, "nvidia-persistenced.service") if nvidia else modules,
        full_unit=choice.full_unit,
        hardening=_hardening(draft, home) if choice.full_unit else (),
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


def container(draft: Draft) -> Container:
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
        healthcheck=tuple(image.healthcheck),
        models_path=image.models_path,
        home_path=image.home_path,
        port=image.port,
    )


def units(draft: Draft, models: tuple[Model, ...]) -> tuple[Unit, ...]:
    """Return the jobs beside the server, in the order in which they run."""
    created = tuple(model for model in models if model.serve_as)
    jobs = [_pull(models)] if models else []
    jobs += [_create(created)] if created else []
    warm = _warm_models(draft, models)
    jobs += (
        [_warmup(draft, warm, after=tuple(f"{job.name}.service" for job in jobs))] if warm else []
    )
    jobs += [_resume(draft)] if draft.profile.service.resume_fix else []
    return tuple(jobs)


def _pull(models: tuple[Model, ...]) -> Unit:
    names = tuple(dict.fromkeys(model.name for model in models))
    return Unit(
        kind="pull",
        name=PULL,
        description="Pull the models of this host",
        reason="Downloads what is missing; it does not load anything.",
        steps=tuple(Step(argv=("/bin/sh", "-c", FETCH, OLLAMA, name)) for name in names),
        models=names,
        retry_seconds=RETRY_SECONDS,
        after=(SERVER, "network-online.target"),
        wants=("network-online.target",),
        part_of=(SERVER,),
        wanted_by=(SERVER,),
    )


def _create(models: tuple[Model, ...]) -> Unit:
    return Unit(
        kind="create",
        name=CREATE,
        description="Create the tuned models of this host",
        reason="Parameters that no environment variable sets live in the model.",
        steps=tuple(
            Step(argv=(OLLAMA, "create", model.served, "-f", f"{MODELFILES}/{model.modelfile}"))
            for model in models
        ),
        models=tuple(model.served for model in models),
        retry_seconds=RETRY_SECONDS,
        after=(SERVER, f"{PULL}.service"),
        part_of=(SERVER,),
        wanted_by=(SERVER,),
    )


def _warm_models(draft: Draft, models: tuple[Model, ...]) -> tuple[str, ...]:
    preload = tuple(
        model.served
        for model, choice in zip(models, draft.profile.models, strict=True)
        if choice.preload
    )
    enable = draft.profile.warmup.enable
    if enable is False or (enable is None and not preload):
        return ()
    if not models:
        draft.problem("warmup.enable", "there is no model to load", "add a `[[models]]` table")
    names = draft.emit_legacy("warmup.enable", "true")
    if names and not draft.legacy_env:
        draft.omit(f"{names[0]}=true", "No release reads it; the warm-up is a job of its own.")
    main = tuple(model.served for model in models if model.role == "main")
    return preload or main[:1] or tuple(model.served for model in models[:1])


def _warmup(draft: Draft, models: tuple[str, ...], *, after: tuple[str, ...]) -> Unit:
    seconds = -(-parse_go_duration(draft.profile.warmup.timeout) // 10**9)
    return Unit(
        kind="warmup",
        name=WARMUP,
        description="Load models into memory",
        reason="The first request finds the model loaded; a failure here leaves the server alone.",
        steps=(Step(argv=("/bin/sh", "-c", LOAD, OLLAMA, *models)),),
        models=models,
        timeout_seconds=seconds,
        retry_seconds=RETRY_SECONDS,
        after=(SERVER, *after),
        part_of=(SERVER,),
        wanted_by=(SERVER,),
    )


def _resume(draft: Draft) -> Unit:
    if draft.devices is None or draft.devices.vendor != "nvidia":
        draft.problem(
            "service.resume_fix", "is about NVIDIA GPUs, and this profile uses none", "remove it"
        )
    return Unit(
        kind="resume",
        name=RESUME,
        description="Reload the NVIDIA memory module around a suspend",
        reason="After a resume the server would find no GPU and compute on the CPU (ollama#5464).",
        steps=(Step(argv=("/bin/sh", "-c", BEFORE_SLEEP)),),
        stop_steps=(Step(argv=("/bin/sh", "-c", AFTER_SLEEP)),),
        waits_for_server=False,
        before=("sleep.target",),
        wanted_by=("sleep.target",),
        remain_after_exit=True,
        stop_when_unneeded=True,
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
