"""The machine's maker, the system on it and what stands between the two, and what is installed."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final, Literal

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detected import Containers, Engine, Install, Product, System
from generator.detect.root import first_match, one_line, pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.detected import Chassis, Installer
    from generator.detect.root import Root

_DMI: Final = "/sys/class/dmi/id"
_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
# What makers leave in the firmware when they do not fill it in.
_PLACEHOLDERS: Final = frozenset(
    {
        *("all series", "default string", "not specified", "none", "o.e.m.", "oem"),
        *("system manufacturer", "system product name", "system version", "to be filled by o.e.m."),
        *("product name", "unknown", "invalid", "n/a"),
    }
)
# SMBIOS 3.7, 7.4.1. Where the type is missing or "other" nothing follows from it.
CHASSIS: Final[dict[int, Chassis]] = {
    **dict.fromkeys((3, 4, 5, 6, 7, 13, 15, 16, 24, 35, 36), "desktop"),
    **dict.fromkeys((8, 9, 10, 11, 14, 30, 31, 32), "laptop"),
    **dict.fromkeys((17, 23, 25, 28, 29), "server"),
}
# The installer of ollama.com, then distributions. The first that is there counts.
_BINARIES: Final[tuple[tuple[str, Installer], ...]] = (
    ("/usr/local/bin/ollama", "script"),
    ("/run/current-system/sw/bin/ollama", "nixos"),
    ("/usr/bin/ollama", "package"),
    ("/snap/bin/ollama", "snap"),
)
_UNIT: Final = "/etc/systemd/system/ollama.service"
# With a server that runs: `ollama version is 0.32.15`; without: `Warning: client version is …`.
_OLLAMA: Final = r"version is v?(\d{1,4}\.\d{1,4}\.\d{1,4}(?:-rc\d{1,3})?)"
_ENGINES: Final[tuple[Literal["docker", "podman"], ...]] = ("docker", "podman")
_CDI: Final = ("/etc/cdi", "/var/run/cdi")
_NUMBER: Final = r"\d{1,4}(?:\.\d{1,4}){1,3}"


def read_product(root: Root) -> Product:
    """Return maker, product and chassis. Serial numbers are not read."""
    files = (f"{_DMI}/sys_vendor", f"{_DMI}/product_name")
    texts = (one_line(root.text(file), 80) for file in files)
    vendor, name = ("" if text.casefold() in _PLACEHOLDERS else text for text in texts)
    return Product(vendor, name, CHASSIS.get(root.number(f"{_DMI}/chassis_type") or 0, ""))


def read_system(root: Root, product: Product) -> System:
    """Return kernel, distribution, systemd, hypervisor and container."""
    values = _os_release(root)
    return System(
        kernel=one_line(root.text("/proc/sys/kernel/osrelease"), 80),
        distribution=values.get("ID", ""),
        distribution_name=values.get("PRETTY_NAME", ""),
        systemd=int(root.tool_version("systemctl.txt", r"\Asystemd (\d{1,4})") or 0),
        hypervisor=_hypervisor(root, product),
        container=_container(root),
    )


def _os_release(root: Root) -> dict[str, str]:
    path = next((path for path in _RELEASE if root.text(path)), _RELEASE[0])
    values: dict[str, str] = {}
    for key, value in pairs(root.text(path), "=").items():
        try:
            values[key] = one_line(next(iter(shlex.split(value)), ""))
        except ValueError:
            if not key.startswith("#"):
                root.strange(path, f"{key}={value}", "is not a value")
    if "ID" not in values:
        root.strange(path, root.text(path))
    return values


def _hypervisor(root: Root, product: Product) -> str:
    """Return the hypervisor under this system; empty: none is known."""
    both = f"{product.vendor} {product.name}"
    named = load_catalogue().hypervisor(product.name, product.vendor, both)
    flagged = re.search(r"^flags\s*:.*\bhypervisor\b", root.text("/proc/cpuinfo"), re.MULTILINE)
    if root.text("/sys/hypervisor/type") == "xen":
        return "Xen"
    if "WSL2" in root.text("/proc/sys/kernel/osrelease"):
        return "WSL2"
    return named or ("unknown" if flagged else "")


def _container(root: Root) -> str:
    """Return what kind of container this is; empty: none is known."""
    if root.exists("/run/.containerenv"):
        return "podman"
    if root.exists("/.dockerenv"):
        return "docker"
    groups = root.text("/proc/self/cgroup")
    for mark, name in (("kubepods", "kubernetes"), ("/docker", "docker"), ("/lxc", "lxc")):
        if mark in groups:
            return name
    return one_line(root.text("/run/systemd/container"), 30)


def read_ollama(root: Root) -> Install:
    """Return the Ollama that is installed, who installed it and where; all empty: none is."""
    version = root.tool_version("ollama.txt", _OLLAMA)
    for path, kind in _BINARIES:
        if root.exists(path):
            # Old installers put the program into /usr/bin, beside a unit of their own.
            by_script = kind == "package" and root.exists(_UNIT)
            return Install(version, "script" if by_script else kind, path)
    return Install(version, "other" if version else "")


def read_containers(root: Root) -> Containers:
    """Return the engines that are installed, the NVIDIA toolkit, and the CDI specifications."""
    return Containers(
        engines=tuple(
            Engine(
                name,
                nvidia_runtime=name == "docker" and "nvidia" in _runtimes(root),
                version=root.tool_version(f"{name}.txt", _NUMBER),
            )
            for name in _ENGINES
            if root.tool(f"{name}.txt")
        ),
        toolkit=first_match(_NUMBER, root.tool("nvidia-ctk.txt")),
        cdi=tuple(_specifications(root)),
    )


def _runtimes(root: Root) -> tuple[str, ...]:
    """Return Docker's runtimes; none where its daemon does not answer."""
    text = root.tool("docker-runtimes.json")
    try:
        runtimes = json.loads(text or "null")
    except (ValueError, RecursionError):
        runtimes = text
    if runtimes is not None and not isinstance(runtimes, dict):
        root.strange("docker-runtimes.json", text, "is not a JSON object")
    return tuple(runtimes) if isinstance(runtimes, dict) else ()


def _specifications(root: Root) -> Iterator[str]:
    for folder in _CDI:
        for name in root.names(folder):
            path = f"{folder}/{one_line(name, 80)}"
            if name.endswith((".yaml", ".yml", ".json")) and root.exists(path):
                yield path
