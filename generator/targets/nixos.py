"""Target `nixos`: one self-contained NixOS module that sets upstream options only.

Scalars are `mkDefault`, so that a host's plain value wins. Lists are plain: upstream's module
adds to the same ones, and a `mkDefault` list beside a plain one is dropped whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.modelfile import modelfile
from generator.formats.nix import Call, Commented, Interpolated, Raw, nix_string, to_nix
from generator.formats.template import render_template
from generator.formats.text import comment
from generator.formats.unit import exec_word, specifier_escape, tmpfiles_line
from generator.targets.base import SERVER_ANSWERS, File, address, header, placed, service_line

if TYPE_CHECKING:
    from generator.errors import Finding
    from generator.plan import Devices, Plan, Step, Unit

PACKAGES: Final = {
    "cpu": "pkgs.ollama-cpu or pkgs.ollama",
    "cuda": "pkgs.ollama-cuda",
    "rocm": "pkgs.ollama-rocm",
    "vulkan": "pkgs.ollama-vulkan",
}
# NixOS up to 25.11 picks the backend by this option and overrides `package` with it. Later the
# option is removed, which leaves it declared but invisible.
HAS_ACCELERATION: Final = """\
  # Up to NixOS 25.11 an option, not the package, picks the backend.
  hasAcceleration =
    options.services.ollama ? acceleration
    && (options.services.ollama.acceleration.visible or true);"""
PROGRAM: Final = Raw("lib.getExe config.services.ollama.package")


def render(plan: Plan) -> tuple[File, ...]:
    """Return `<name>.nix`."""
    body = to_nix(_module(plan))
    above = [line for text in header(plan) for line in comment(text)]
    lines = [*above, *_arguments(), "let", *_bindings(plan), "in", body]
    return (File(f"{plan.name}.nix", "\n".join([*lines, ""])),)


def install_note(plan: Plan) -> tuple[File, ...]:
    """Return the README: an import, and `nixos-rebuild`."""
    text = render_template("nixos/README.md.jinja", plan=plan, file=f"{plan.name}.nix")
    return (File("README.md", text),)


def limitations(plan: Plan) -> tuple[Finding, ...]:  # noqa: ARG001 -- the Target contract
    """Return nothing: NixOS has a word for every setting."""
    return ()


def _arguments() -> list[str]:
    """Return the module's arguments as nixfmt lays them out."""
    names = ["config", "lib", "options", "pkgs", "..."]
    return ["{", *(f"  {name}," for name in names[:-1]), f"  {names[-1]}", "}:"]


def _bindings(plan: Plan) -> list[str]:
    version = f"  version = config.services.ollama.package.version or {to_nix(plan.release)};"
    bindings = ["  inherit (lib) mkDefault;", version, HAS_ACCELERATION]
    if plan.devices and plan.devices.driver and plan.devices.driver.branch:
        bindings.insert(1, "  inherit (config.boot.kernelPackages) nvidiaPackages;")
    return bindings


def _module(plan: Plan) -> dict[str | tuple[str, ...], Any]:
    module: dict[str | tuple[str, ...], Any] = {("services", "ollama"): _ollama(plan)}
    if plan.devices and plan.devices.driver:
        module |= _nvidia(plan.devices)
    module["warnings"] = _release_warning(plan)
    if plan.devices and plan.devices.modules:
        modules = [name.replace("_", "-") for name in plan.devices.modules]
        module["boot", "kernelModules"] = Commented(
            modules, "Registers the devices before the server looks for them."
        )
    if plan.models_dir:
        rule = tmpfiles_line("d", plan.models_dir, "0750", plan.service.user, plan.service.group)
        module["systemd", "tmpfiles", "rules"] = [rule]
    module["systemd", "services", "ollama"] = _server(plan)
    for unit in plan.units:
        if unit.kind != "pull":
            module["systemd", "services", unit.name] = _job(plan, unit)
    return {path: _spaced(value) for path, value in module.items()}


def _spaced(value: Any) -> Commented:  # noqa: ANN401 -- a document value
    if isinstance(value, Commented):
        return Commented(value.value, value.comment, gap=True)
    return Commented(value, gap=True)


def _release_warning(plan: Plan) -> Any:  # noqa: ANN401 -- a document value
    """Warn where the package is of another era: its levers are others."""
    tests = [f"lib.versionOlder version {to_nix(plan.era_since)}"]
    if plan.era_until:
        tests.append(f"lib.versionAtLeast version {to_nix(plan.era_until)}")
    told = (
        f"This configuration is for Ollama {plan.release}; some of it does nothing in the packaged "
    )
    todo, version = ". Render the profile with --ollama-version ", Raw("version")
    message = Interpolated((told, version, todo, version, "."))
    return Raw(f"lib.optional ({' || '.join(tests)}) {to_nix(message)}")


def _soft(value: Any, reason: str = "") -> Any:  # noqa: ANN401 -- a document value
    call = Call("mkDefault", value)
    return Commented(call, reason) if reason else call


def _ollama(plan: Plan) -> Any:  # noqa: ANN401 -- a document value
    host = specifier_escape(plan.listen.host)
    options: dict[str, Any] = {
        "enable": _soft(value=True),
        "package": _package(plan),
        "host": _soft(
            f"[{host}]" if ":" in host else host,
            plan.listen.reason,
        ),
        "port": _soft(plan.listen.port),
    }
    if plan.listen.open_firewall:
        options["openFirewall"] = _soft(value=True)
    if plan.service.user:
        options |= {"user": _soft(plan.service.user), "group": _soft(plan.service.group)}
    if plan.service.home:
        options["home"] = _soft(plan.service.home)
    if plan.models_dir:
        options["models"] = _soft(plan.models_dir, "Where models are stored.")
    # The module writes them into Environment=, where systemd expands `%`; it escapes all else.
    variables = {s.name: _soft(specifier_escape(s.value), s.comment) for s in plan.environment}
    left_out = " ".join(omission.comment for omission in plan.omissions)
    options["environmentVariables"] = Commented(variables, left_out) if left_out else variables
    if plan.models:
        options["loadModels"] = list(dict.fromkeys(model.name for model in plan.models))
    return _with_acceleration(plan, options)


def _package(plan: Plan) -> Any:  # noqa: ANN401 -- a document value
    package = PACKAGES[plan.acceleration]
    driver = plan.devices.driver if plan.devices else None
    if driver is None or not driver.cuda_architectures:
        return _soft(Raw(package))
    arguments = to_nix(
        {
            "cudaArches": list(driver.cuda_architectures),
            "cudaPackages": Raw(f"pkgs.cudaPackages_{driver.cuda_major}"),
        }
    )
    reason = "The packaged build has no kernels for these cards; this one is built from source."
    return _soft(Raw(f"{package}.override {arguments}"), reason)


def _with_acceleration(plan: Plan, options: dict[str, Any]) -> Raw:
    value = to_nix(False if plan.acceleration == "cpu" else plan.acceleration)
    choice = f"lib.optionalAttrs hasAcceleration {{ acceleration = mkDefault {value}; }}"
    return Raw(f"{to_nix(options)}\n// {choice}")


def _nvidia(devices: Devices) -> dict[str | tuple[str, ...], Any]:
    driver = devices.driver
    assert driver is not None  # noqa: S101 -- the caller asked
    nvidia: dict[str, Any] = {"open": _soft(driver.open, driver.reason)}
    if driver.branch:
        # Before the branch had a name of its own, it was the production driver.
        package = f"nvidiaPackages.{driver.branch} or nvidiaPackages.production"
        nvidia["package"] = _soft(Raw(package))
    return {
        ("hardware", "nvidia"): nvidia,
        # Where the packages look for the driver's libraries; also without a screen.
        ("hardware", "graphics", "enable"): _soft(value=True),
        ("services", "xserver", "videoDrivers"): Commented(
            ["nvidia"], "Unfree: the host needs nixpkgs.config.allowUnfree = true."
        ),
    }


def _server(plan: Plan) -> dict[str, Any]:
    service, devices = plan.service, plan.devices
    config: dict[str, Any] = {
        line.key: _soft(line.value, line.reason) for line in map(service_line, plan.limits)
    }
    config["Restart"] = _soft(service.restart, service.restart_reason)
    config["RestartSec"] = _soft(service.restart_seconds)
    if devices and devices.wait:
        config["ExecStartPre"] = Commented([_exec(plan, devices.wait)], devices.reason)
    order: dict[str, Any] = {}
    if service.after:
        order = {"after": list(service.after), "wants": list(service.after)}
    return {**order, "serviceConfig": config}


def _exec(plan: Plan, step: Step) -> Interpolated:
    words = placed(step, PROGRAM, lambda name: _stored(plan, name))
    parts: list[str | Raw] = ["-" if step.may_fail else ""]
    for word in words:
        parts += [word if isinstance(word, Raw) else exec_word(word), " "]
    return Interpolated(parts[:-1])


def _stored(plan: Plan, name: str) -> Raw:
    """Return the Nix expression of a Modelfile in the store."""
    model = next(model for model in plan.models if model.modelfile == name)
    text = modelfile(model.name, model.lines, header(plan))
    return Raw(f"pkgs.writeText {nix_string(name)} {nix_string(text)}")


def _job(plan: Plan, unit: Unit) -> dict[Any, Any]:
    job: dict[Any, Any] = {"description": _soft(unit.description, unit.reason)}
    order = {
        "after": unit.after,
        "before": unit.before,
        "wants": unit.wants,
        "partOf": unit.part_of,
        "wantedBy": unit.wanted_by,
    }
    job |= {name: [_upstream(u) for u in units] for name, units in order.items() if units}
    if unit.stop_when_unneeded:
        job["unitConfig", "StopWhenUnneeded"] = _soft(value=True)
    if unit.kind == "resume":
        job["path"] = [Raw("pkgs.kmod")]
    if unit.waits_for_server:
        where = address(plan.listen.host, plan.listen.port)
        job["environment"] = {
            "HOME": _soft("/tmp"),  # noqa: S108 -- private to the job
            "OLLAMA_HOST": _soft(specifier_escape(where)),
        }
    return {**job, "serviceConfig": _job_config(plan, unit)}


def _upstream(unit: str) -> str:
    """On NixOS the module's own loader pulls the models."""
    return "ollama-model-loader.service" if unit == "ollama-pull.service" else unit


def _job_config(plan: Plan, unit: Unit) -> dict[str, Any]:
    config: dict[str, Any] = {"Type": "oneshot"}
    if unit.waits_for_server:
        config["DynamicUser"] = True
        config["ExecStartPre"] = [_exec(plan, SERVER_ANSWERS)]
    config["ExecStart"] = [_exec(plan, step) for step in unit.steps]
    if unit.stop_steps:
        config["ExecStop"] = [_exec(plan, step) for step in unit.stop_steps]
    if unit.remain_after_exit:
        config["RemainAfterExit"] = True
    if unit.timeout_seconds:
        config["TimeoutStartSec"] = unit.timeout_seconds
    if unit.retry_seconds:
        config |= {"Restart": "on-failure", "RestartSec": unit.retry_seconds}
    return {
        key: value if isinstance(value, list) else _soft(value) for key, value in config.items()
    }
