"""Target `nixos`: one self-contained NixOS module that sets upstream options only.

Scalars are `mkDefault`, so that a host's plain value wins. Lists are plain: upstream's module
adds to the same ones, and a `mkDefault` list beside a plain one is dropped whole.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from generator.errors import NotForEngine, RenderError
from generator.formats.nix import (
    Call,
    Interpolated,
    Raw,
    attr_name,
    indented_string,
    nix_string,
    to_nix,
)
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import Commented, comment
from generator.formats.unit import exec_word, specifier_escape
from generator.plan import ADDRESS, SHELL, Step
from generator.targets.base import NOT_ON_HOSTS, File, LeftOut, described, placed
from generator.targets.cache.nixos import nixos_options
from generator.targets.front import nixos as front
from generator.targets.monitor import Found, monitor_files
from generator.targets.monitor.nixos import nixos_module
from generator.targets.refusals import bindings, refusals
from generator.targets.unit import FILES, REGISTERS, credential, job_order, job_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.plan import Build, Directive, Driver, Job, Plan, Service
    from generator.targets.unit import Line

ENGINE: Final = "ollama"
UPSTREAM: Final = "ollama.service"
LOADER: Final = "ollama-model-loader.service"
"""The unit of upstream's module, and the one by which it pulls models."""
PACKAGES: Final = {
    "cpu": "pkgs.ollama-cpu or pkgs.ollama",
    "cuda": "pkgs.ollama-cuda",
    "rocm": "pkgs.ollama-rocm",
    "vulkan": "pkgs.ollama-vulkan",
}
# The upstream module writes its own over these.
OWN: Final = frozenset({"HOME", "OLLAMA_HOST", "OLLAMA_MODELS"})
OWN_HOME: Final = "/var/lib/ollama"
PACKAGE_OF: Final = {"modprobe": "pkgs.kmod"}
ARGUMENTS: Final = """\
{
  config,
  lib,
  options,
  pkgs,
  ...
}:"""
SERVED: Final = """\
  inherit (config.services) ollama;
  # The host may have switched the server off: then nothing is left of it.
  isServed = config.services.ollama.enable;"""
# NixOS up to 25.11 picks the backend by this option and overrides `package` with it. Later the
# option is removed, which leaves it declared but invisible.
HAS_ACCELERATION: Final = """\
  # Up to NixOS 25.11 an option, not the package, picks the backend.
  hasAcceleration =
    options.services.ollama ? acceleration && \
(options.services.ollama.acceleration.visible or true);"""
MODELS_DIR: Final = """\
  # Up to NixOS 26.05 it is called `models`, for which newer ones warn.
  modelsDir = if options.services.ollama ? modelsDir then "modelsDir" else "models";"""
# `branch` came with nixpkgs#498612.
DRIVER: Final = """\
  # Before the branch had a name of its own, it was the production driver. Since NixOS 26.05 a
  # branch is chosen by its name; a package would hide the host's choice of one.
  branch = if nvidiaPackages ? {0} then {1} else "production";
  driver =
    if options.hardware.nvidia ? branch then
      {{ branch = mkDefault branch; }}
    else
      {{ package = mkDefault nvidiaPackages.${{branch}}; }};"""
PLACES: Final = """\
  # What is in effect, whoever has set it; the module's own directory is made by systemd.
  own = "/var/lib/ollama";
  directories = lib.filter (path: path != own && path != "${own}/models") (
    lib.unique [
      ollama.home
      ollama.${modelsDir}
    ]
  );
  # What is above one in a directory that is not root's, systemd-tmpfiles would make root's, and
  # then not go through it.
  above =
    path:
    let
      up = dirOf path;
    in
    lib.optionals (lib.hasPrefix "/" up && up != "/") (above up) ++ [ path ];
  ownerOf =
    path:
    let
      isBelow = root: lib.hasPrefix "${root}/" path;
      person = builtins.match "/home/([^/]+)/.+" path;
    in
    if lib.elem path directories || lib.any isBelow (directories ++ [ own ]) then
      "0750 ${ollama.user} ${if ollama.group == null then ollama.user else ollama.group}"
    else if person != null then
      "0755 ${lib.head person} -"
    else
      null;
  quoted = path: builtins.toJSON (lib.replaceStrings [ "%" ] [ "%%" ] path);
  word = path: if builtins.match "[A-Za-z0-9/._-]+" path == null then quoted path else path;"""
STORE: Final = "      ollama.${modelsDir}\n"
# Each server makes them when it starts, and ends where it cannot: all but one only read there.
SHARED: Final = f"""\
{STORE}      "${{ollama.${{modelsDir}}}}/blobs"
      "${{ollama.${{modelsDir}}}}/manifests"
"""
RULES: Final = """\
lib.optionals (isServed && ollama.user != null) (
  map (path: "d ${word path} ${ownerOf path}") (
    lib.filter (path: ownerOf path != null) (lib.unique (lib.concatMap above directories))
  )
)"""
PROGRAM: Final = Raw("lib.getExe config.services.ollama.package")


LEFT_OUT: Final = (
    *NOT_ON_HOSTS,
    LeftOut(
        "the sources have the flags, and the libraries their own packages",
        "Build.flags Build.packages Build.provides Build.image Build.reads "
        "Build.sources Build.tag Build.base Build.tools Build.commands Build.made Build.place "
        "Build.replaced",
    ),
    LeftOut(
        "`services.ollama` makes its unit, with program and places, and units beside it are whole",
        "Service.program Service.full_unit Service.models_below Service.installed_models "
        "Restart.installed",
    ),
    LeftOut(
        "the packages have the programs, and modules their units",
        "Cache.program Store.program Front.unit Front.program Front.confined",
    ),
    LeftOut("systemd asks for no health", "Service.health"),
    LeftOut("the header has it in words", "Plan.host"),
    LeftOut(
        "`services.ollama` takes none, and other engines are refused",
        "Service.table Argument.name Argument.value Argument.reason",
    ),
    LeftOut("for `verify.py` of a bundle", "Service.api Setting.form Setting.default"),
    LeftOut(
        "written as directives and commands already",
        "Limit.name Limit.value Listen.variable Step.seconds",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return `<name>.nix`. Raises RenderError for what upstream's module cannot be part of."""
    service = plan.puller
    if service.engine != ENGINE:
        raise NotForEngine(
            f"`nixos` sets `services.ollama`, and this profile is for {service.product}",
            hint="use another target: `-t compose` and `-t quadlet` run it in a container",
        )
    if len(plan.services) > 1 and not service.models_dir:
        raise RenderError(
            "the home of `services.ollama` is closed to all other units, so that no other server "
            "can read the models there",
            hint='name a directory for them, like `models_dir = "/srv/ollama/models"`',
            where=f"{service.engine}.models_dir",
        )
    plan = _by_upstream(plan)
    body = to_nix(_module(plan))
    above = [line for text in plan.header for line in comment(text)]
    lines = [*above, ARGUMENTS, "let", *_bindings(plan), "in", body]
    return (File(f"{plan.name}.nix", "\n".join([*lines, ""])),)


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return the README: an import, and `nixos-rebuild`."""
    text = render_template(
        "nixos/README.md.jinja",
        plan=_by_upstream(plan),
        service=plan.puller,
        file=f"{plan.name}.nix",
    )
    own = f"{plan.puller.home or OWN_HOME}/models"
    found = [
        Found(service=one.name, manager="systemd", unit=one.unit, models=one.models_dir or own)
        for one in _by_upstream(plan).services
    ]
    return (File("README.md", text), *nixos_module(plan), *monitor_files(plan, found, units=False))


def _by_upstream(plan: Plan) -> Plan:
    """Return a Plan with the units of upstream's module for the server that pulls the models.

    That one is `services.ollama`, of which nixpkgs has one: it brings the package, the user, the
    loader of models, and what other modules ask `config` for. The others are units beside it.
    """
    puller = plan.puller
    pulls = {job.unit: LOADER for job in puller.jobs if job.kind == "pull"}
    names = {puller.unit: UPSTREAM} | (pulls if len(plan.services) > 1 else {})

    def named(units: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names.get(unit, unit) for unit in units)

    def renamed(job: Job) -> Job:
        return replace(
            job,
            after=named(job.after),
            part_of=named(job.part_of),
            wanted_by=named(job.wanted_by),
            steps=tuple(replace(step, argv=named(step.argv)) for step in job.steps),
            stop_steps=tuple(replace(step, argv=named(step.argv)) for step in job.stop_steps),
        )

    services = (
        replace(
            service,
            unit=names.get(service.unit, service.unit),
            puller=names.get(service.puller, service.puller),
            after=named(service.after),
            jobs=tuple(map(renamed, service.jobs)),
        )
        for service in plan.services
    )
    return replace(plan, services=tuple(services))


def _bindings(plan: Plan) -> list[str]:
    service = plan.puller
    version = f"  version = ollama.package.version or {to_nix(service.release)};"
    found = ["  inherit (lib) mkDefault mkIf;", SERVED, version, HAS_ACCELERATION, MODELS_DIR]
    driver = service.devices.driver if service.devices else None
    if driver and (branch := driver.branch):
        found.insert(1, "  inherit (config.boot.kernelPackages) nvidiaPackages;")
        found.append(DRIVER.format(attr_name(branch), to_nix(branch)))
    if service.models_dir:
        found.append(PLACES.replace(STORE, SHARED) if len(plan.services) > 1 else PLACES)
    return [*found, *bindings(service)]


def _module(plan: Plan) -> dict[str | tuple[str, ...], Any]:
    service = plan.puller
    module: dict[str | tuple[str, ...], Any] = {("services", "ollama"): _ollama(plan)}
    devices = service.devices
    if devices and devices.driver:
        module |= _nvidia(devices.driver)
    module["assertions"] = refusals(service)
    module["warnings"] = _release_warning(service)
    if devices and devices.modules:
        modules = [name.replace("_", "-") for name in devices.modules]
        module["boot", "kernelModules"] = Commented(_served(modules), REGISTERS)
    if service.models_dir:
        module["systemd", "tmpfiles", "rules"] = Raw(RULES)
    module["systemd", "services", "ollama"] = _served(_server(service))
    for one in plan.services:
        if one is not service:
            module["systemd", "services", one.unit.removesuffix(".service")] = _beside(plan, one)
        for job in one.jobs:
            if job.kind != "pull":
                module["systemd", "services", job.name] = _served(_job(plan, one, job))
            if job.calendar:
                module["systemd", "timers", job.name] = _served(_timer(job))
    ports = [one.listen.port for one in plan.services if one.puller and one.listen.open_firewall]
    if ports:
        module["networking", "firewall", "allowedTCPPorts"] = _served(ports)
    options = nixos_options(plan) | front.nixos_options(plan)
    module |= {path: _served(_leaves(value)) for path, value in options.items()}
    parts = {k: v if isinstance(v, Commented) else Commented(v) for k, v in module.items()}
    return {path: Commented(part.value, part.comment, gap=True) for path, part in parts.items()}


def _beside(plan: Plan, service: Service) -> Commented:
    """Return the unit of a server beside upstream's one: all that the module makes for that."""
    base = _server(service)
    run = _exec(plan, service.unit, Step(argv=service.command))
    config: dict[str, Any] = {
        "Type": "exec",
        "ExecStart": run,
        "User": _soft(service.user, "Owns the models and the keys."),
        "Group": _soft(service.group),
        "WorkingDirectory": _soft(specifier_escape(service.home)),
        **base.pop("serviceConfig"),
        **_directives((*(service.devices.access if service.devices else ()), *service.hardening)),
    }
    unit = {
        "description": _soft(described(plan, service)),
        **base,
        "wantedBy": ["multi-user.target"],
        "environment": {
            s.name: _soft(specifier_escape(s.value), s.comment) for s in service.environment
        },
        "serviceConfig": config,
    }
    left_out = tuple(omission.reason for omission in service.omissions)
    return Commented(_served(unit), left_out)


def _directives(directives: Iterable[Directive]) -> dict[str, Any]:
    """Return directives as a unit's options; those that are there several times are lists."""
    found: dict[str, list[Directive]] = {}
    for one in directives:
        found.setdefault(one.name, []).append(one)
    return {
        name: _soft(specifier_escape(every[0].value), every[0].reason)
        if len(every) == 1
        else Commented(
            [specifier_escape(one.value) for one in every],
            tuple(one.reason for one in every if one.reason),
        )
        for name, every in found.items()
    }


def _release_warning(service: Service) -> Any:  # noqa: ANN401 -- a document value
    """Warn where the package is of another era: its levers are others."""
    tests = [f"lib.versionOlder version {to_nix(service.era_since)}"]
    if service.era_until:
        tests.append(f"lib.versionAtLeast version {to_nix(service.era_until)}")
    start = (
        f"This configuration is for {service.product} {service.release}; some of it does nothing "
        "in the packaged "
    )
    todo, version = ". Render the profile with --ollama-version ", Raw("version")
    message = Interpolated((start, version, todo, version, "."))
    era = tests[0] if len(tests) == 1 else f"({' || '.join(tests)})"
    test, told = f"lib.optional (isServed && {era})", to_nix(message)
    return Raw(f"\n  {test}\n    {told}")  # As nixfmt parts several tests from a long text.


def _served(value: Any) -> Call:  # noqa: ANN401 -- a document value
    return Call("mkIf isServed", value)


def _leaves(value: Any) -> Any:  # noqa: ANN401 -- a document value
    """Return a document whose scalars a host may write anew."""
    if isinstance(value, Commented):
        return Commented(_leaves(value.value), value.comment, value.gap)
    if isinstance(value, dict):
        return {key: _leaves(item) for key, item in value.items()}
    return value if isinstance(value, list) else _soft(value)


def _soft(value: Any, reason: str | tuple[str, ...] = "") -> Any:  # noqa: ANN401 -- a document value
    call = Call("mkDefault", value)
    return Commented(call, reason) if reason else call


def _ollama(plan: Plan) -> Raw:
    service = plan.puller
    host = specifier_escape(service.listen.host)
    # The module writes them into Environment=, where systemd expands `%`; it escapes all else.
    variables = {
        s.name: _soft(specifier_escape(s.value), s.comment)
        for s in service.environment
        if s.name not in OWN
    }
    left_out = " ".join(omission.reason for omission in service.omissions)
    settings = {
        "openFirewall": service.listen.open_firewall,
        "user": service.user,
        "group": service.user and service.group,
        "home": service.home,
    }
    options: dict[str | Raw, Any] = {
        "enable": _soft(value=True),
        "package": _package(service),
        "host": _soft(f"[{host}]" if ":" in host else host, service.listen.comment),
        "port": _soft(service.listen.port),
        **{name: _soft(value) for name, value in settings.items() if value},
    }
    if service.models_dir:
        options[Raw("modelsDir")] = _soft(service.models_dir, "Where models are stored.")
    options["environmentVariables"] = Commented(variables, left_out)
    models = (model.name for one in plan.services for model in one.models)
    if pulled := list(dict.fromkeys(models)):
        options["loadModels"] = pulled
    backend = to_nix(False if service.acceleration == "cpu" else service.acceleration)
    choice = f"lib.optionalAttrs hasAcceleration {{ acceleration = mkDefault {backend}; }}"
    return Raw(f"{to_nix(options)}\n// {choice}")


def _package(service: Service) -> Any:  # noqa: ANN401 -- a document value
    package, reasons = PACKAGES[service.acceleration], []
    driver = service.devices.driver if service.devices else None
    if driver and driver.cuda_architectures:
        cuda = Raw(f"pkgs.cudaPackages_{driver.cuda_major}")
        arguments = to_nix({"cudaArches": list(driver.cuda_architectures), "cudaPackages": cuda})
        package = f"{package}.override {arguments}"
        reasons.append(
            "The packaged build has no kernels for these cards; this one is built from source."
        )
    if service.build:
        package = _built(package, service.build)
        reasons.append(service.build.reason)
    return _soft(Raw(package), tuple(reasons))


def _built(package: str, build: Build) -> str:
    """Return the package with what the build changes of its sources, and the library it links."""
    one = re.fullmatch(r"[\w.-]+", package)
    lines = [
        f"substituteInPlace {edit.file} --replace-fail {quote(edit.old)} {quote(edit.new)}\n"
        for edit in build.edits
    ]
    blas = Raw(f"pkgs.blas.override {{ blasProvider = pkgs.{build.blas}; }}")
    attrs: dict[str, Any] = {
        "postPatch": Raw(f'\n  old.postPatch or ""\n  + {nix_string("".join(lines))}')
    }
    if build.blas:
        attrs["buildInputs"] = Raw(f"old.buildInputs or [ ] ++ {to_nix([blas])}")
        attrs["nativeBuildInputs"] = Raw("old.nativeBuildInputs or [ ] ++ [ pkgs.pkg-config ]")
    change = f"(old: {to_nix(attrs)})"
    if "\n" not in package:
        return f"{package if one else f'({package})'}.overrideAttrs {change}"
    # As nixfmt lays out what is called and is of several lines itself.
    opened = change.replace("\n", "\n  ")
    return f"({package}).overrideAttrs\n  {opened}"


def _nvidia(driver: Driver) -> dict[str | tuple[str, ...], Any]:
    # Stronger than a default that a host has for all its machines, as `nixos-hardware` does it.
    right = Call("lib.mkOverride 990", driver.open) if driver.required else None
    nvidia: dict[str, Any] = {"open": Commented(right or _soft(driver.open), driver.reason)}
    reason = "Keeps the driver loaded; the server starts after it."
    nvidia["nvidiaPersistenced"] = _soft(value=True, reason=reason)
    chosen = Raw(f"{to_nix(nvidia)}\n// driver") if driver.branch else nvidia
    return {
        ("hardware", "nvidia"): _served(chosen),
        # Where the packages look for the driver's libraries; also without a screen.
        ("hardware", "graphics", "enable"): _served(_soft(value=True)),
        ("services", "xserver", "videoDrivers"): Commented(
            _served(["nvidia"]), "Unfree: the host needs nixpkgs.config.allowUnfree = true."
        ),
    }


def _server(service: Service) -> dict[str, Any]:
    restart, devices = service.restart, service.devices
    config: dict[str, Any] = {
        limit.directive: _soft(limit.written, limit.comment) for limit in service.limits
    }
    if service.cache:
        config["CacheDirectory"] = _soft(service.cache_name)
    config["Restart"] = _soft(restart.policy, restart.reason)
    config["RestartSec"] = _soft(restart.seconds)
    config |= _handed(service)
    run = partial(_exec, None, service.stem)
    links = [run(one.link) for one in service.credentials if one.link]
    waits = [run(devices.wait)] if devices and devices.wait else []
    if waits or links:
        reason = devices.reason if devices and waits else ""
        config["ExecStartPre"] = Commented([*waits, *links], reason)
    if links:
        steps = (one.unlink for one in service.credentials)
        config["ExecStopPost"] = [run(step) for step in steps if step]
    after = list(service.after)
    return {**({"after": after, "wants": after} if after else {}), "serviceConfig": config}


def _handed(service: Service) -> dict[str, Any]:
    """Return the files of variables and the credentials; as text, so that none is in the store."""
    found: dict[str, Commented] = {}
    if service.environment_files:
        paths = [specifier_escape(path) for path in service.environment_files]
        found["EnvironmentFile"] = Commented(paths, FILES)
    for one in service.credentials:
        directive, value = credential(one)
        before = found.get(directive, Commented([], ()))
        found[directive] = Commented([*before.value, value], (*before.comment, one.reason))
    return found


def _exec(plan: Plan | None, name: str, step: Step) -> Interpolated:
    """Return a command; lines of a shell are a script of that name in the store."""
    words = placed(step, PROGRAM, partial(_stored, plan))
    if (*words[: len(SHELL)],) == SHELL:
        script, *given = words[len(SHELL) :]
        text = indented_string(str(script))
        words = [Raw(f"pkgs.writeShellScript {nix_string(name)} {text}"), *given[1:]]
    parts: list[str | Raw] = []
    for word in words:
        parts += [word if isinstance(word, Raw) else exec_word(word), " "]
    return Interpolated(parts[:-1])


def _stored(plan: Plan | None, name: str) -> Raw:
    """Return the Nix expression of a Modelfile in the store."""
    models = (model for service in (plan.services if plan else ()) for model in service.models)
    files = (model.modelfile for model in models)
    text = next(file.text for file in files if file and file.file == name)
    return Raw(f"pkgs.writeText {nix_string(name)} {nix_string(text)}")


def _timer(job: Job) -> dict[str, Any]:
    missed = "What began while the host was off begins at boot."
    return {
        "wantedBy": ["timers.target"],
        "timerConfig": {
            "OnCalendar": list(job.calendar),
            "Persistent": _soft(value=True, reason=missed),
        },
    }


def _job(plan: Plan, service: Service, job: Job) -> dict[Any, Any]:
    # The module's own loader pulls the models.
    renamed = {j.unit: LOADER for j in service.jobs if j.kind == "pull"}
    order = {f"{w[0].lower()}{w[1:]}": units for w, units in job_order(job, renamed).items()}
    unit: dict[Any, Any] = {"description": _soft(job.description, job.reason), **order}
    if job.stop_when_unneeded:
        unit["unitConfig", "StopWhenUnneeded"] = _soft(value=True)
    if job.programs:
        unit["path"] = [Raw(PACKAGE_OF[name]) for name in job.programs]
    places = {ADDRESS: service.listen.address}
    if job.environment:
        unit["environment"] = {
            v.name: _soft(specifier_escape(places.get(v.value, v.value)), v.reason)
            for v in job.environment
        }
    config: dict[str, Any] = {}
    run = partial(_exec, plan, job.name)
    why = {one.name: one.reason for one in job.sandbox}
    client: list[Line] = [] if job.on_host else [("DynamicUser", True, "")]
    for word, value, _ in job_service(job, run, client, job.sandbox):
        if isinstance(value, Interpolated):
            config.setdefault(word, []).append(value)
        else:
            config[word] = _soft(value, why.get(word, ""))
    return {**unit, "serviceConfig": config}
