"""What hosts of NixOS are refused for, in the words of rendered modules and of `modules/`.

Who sets a value is not asked: what is in effect is judged, after the host's own has been merged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.formats.nix import Call, Interpolated, Raw, nix_string, to_nix
from generator.units import HOMES, SYSTEM_DIRECTORIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Build, Driver, Service

TOLD: Final[Mapping[str, str]] = {
    "backend": "services.ollama.{option} is not for {acceleration}, by which the profile computes; "
    "leave it out, or {way}.",
    "build": "services.ollama.package is Ollama {version}, and `ollama.build` of the profile takes "
    "{since} or later; leave the package, or `build`, out.",
    "driver": "hardware.nvidia.package is driver {version}. {reason} Leave it, and "
    "hardware.nvidia.branch, out.",
    "hidden": "{option} is {path}, which the unit hides from the server by ProtectHome; choose a "
    "directory elsewhere, below /srv for one.",
    "modules": "hardware.nvidia.open is {wrong}. {reason} Set it to {right}, or leave it out.",
    "system": "{option} is {path}, which belongs to the system; write a directory below it.",
    "upwards": "{option} is {path}, which leads upwards: systemd ignores it; write it without "
    "`..`.",
}
"""The sentences, with places for what is found. `modules/refusals.json` is made of them."""
BACKENDS: Final = {"cuda": "using CUDA", "rocm": "using ROCm", "vulkan": "using Vulkan"}
"""How nixpkgs describes its packages, by what they compute with."""
DESCRIBED: Final = "with large language models"
"""How it describes all of them; of other packages nothing is known."""
# `//`, `/./` and a slash at the end change nothing.
_ANY: Final = "[./]*"
_HIDDEN: Final = f"{_ANY}({'|'.join(HOMES)})(/.*)?"
_SYSTEM: Final = f"{_ANY}({'|'.join(sorted(SYSTEM_DIRECTORIES - {'/'}))})?{_ANY}"
MISPLACED: Final = """\
  # A place that the server cannot have, whoever has set it.
  misplaced =
    option:
    let
      path = ollama.${{option}};
      is = pattern: builtins.match pattern path != null;
      protected = config.systemd.services.ollama.serviceConfig.ProtectHome or false;
    in
    [
      {{
        assertion = protected != true || !is {hidden};
        message = {hides};
      }}
      {{
        assertion =
          !is {system};
        message = {belongs};
      }}
      {{
        assertion = !lib.elem ".." (lib.splitString "/" path);
        message = {leads};
      }}
    ];"""
COMPUTES: Final = """\
  # Later the package says it in its description, if it is of nixpkgs.
  backend = if hasAcceleration then "acceleration" else "package";
  description = ollama.package.meta.description or "";
  computes =
    if hasAcceleration then
      ollama.acceleration == null || ollama.acceleration == {name}
    else
      !lib.hasInfix {of_all} description || lib.hasInfix {words} description;"""


def bindings(service: Service) -> list[str]:
    """Return what the refusals of a rendered module are made with, for its `let`."""
    option = Interpolated(("services.ollama.", Raw("option")))
    hides, belongs, leads = (
        to_nix(told(name, option=option, path=Raw("path")))
        for name in ("hidden", "system", "upwards")
    )
    hidden, system = nix_string(_HIDDEN), nix_string(_SYSTEM)
    found = [
        MISPLACED.format(hidden=hidden, system=system, hides=hides, belongs=belongs, leads=leads)
    ]
    if service.devices:
        name, words, of_all = (
            nix_string(text)
            for text in (service.acceleration, BACKENDS[service.acceleration], DESCRIBED)
        )
        found.append(COMPUTES.format(name=name, words=words, of_all=of_all))
    return found


def refusals(service: Service) -> Call:
    """Return the assertions of a rendered module; it has `isServed`, and the `bindings` above."""
    devices = service.devices
    found = [_backend(service.acceleration)] if devices else []
    found += _contradictions(devices.driver) if devices and devices.driver else []
    found += _older(service.build) if service.build else []
    both = 'misplaced "home" ++ misplaced modelsDir'
    if found:
        both = "\n".join([*both.replace(" ++", "\n++").splitlines(), f"++ {to_nix(found)}"])
    return Call("lib.optionals isServed", Raw(both))


def told(name: str, **values: str | Raw | Interpolated) -> Interpolated:
    """Return a sentence of TOLD with what is found in its places."""
    parts: list[str | Raw] = []
    for number, part in enumerate(re.split(r"\{(\w+)\}", TOLD[name])):
        found = values[part] if number % 2 else part
        parts += found.parts if isinstance(found, Interpolated) else [found]
    return Interpolated(parts)


def _refusal(holds: str, message: Interpolated) -> dict[str, Any]:
    return {"assertion": Raw(holds), "message": message}


def _backend(acceleration: str) -> dict[str, Any]:
    way = "set ollama.acceleration of the profile"
    return _refusal(
        "computes", told("backend", option=Raw("backend"), acceleration=acceleration, way=way)
    )


def _older(build: Build) -> list[dict[str, Any]]:
    """Refuse a package whose sources are built in another way."""
    since = build.since
    holds = f"lib.versionAtLeast version {to_nix(since)}"
    return [_refusal(holds, told("build", version=Raw("version"), since=since))]


def _contradictions(driver: Driver) -> list[dict[str, Any]]:
    """Refuse what the host itself may have chosen of the driver, and no card can run on."""
    wrong, right = to_nix(not driver.open), to_nix(driver.open)
    version = "config.hardware.nvidia.package.version"
    found: list[dict[str, Any]] = []
    if driver.required:
        message = told("modules", wrong=wrong, right=right, reason=driver.reason)
        found.append(_refusal(f"config.hardware.nvidia.open != {wrong}", message))
    for test, bound, reason in (
        ("versionAtLeast", driver.first_driver, driver.first_reason),
        ("versionOlder", driver.last_driver and driver.last_driver + 1, driver.reason),
    ):
        if bound:
            message = told("driver", version=Raw(version), reason=reason)
            found.append(_refusal(f"lib.{test} {version} {to_nix(str(bound))}", message))
    return found
