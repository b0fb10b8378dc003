"""The machine's maker, the system that runs on it, and what stands between the two."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect.detected import Product, System
from generator.detect.root import one_line

if TYPE_CHECKING:
    from generator.detect.detected import Chassis
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
    for line in root.text(path).splitlines():
        key, mark, value = line.partition("=")
        if not mark or line.startswith("#"):
            continue
        try:
            words = shlex.split(value)
        except ValueError:
            root.strange(path, line, "is not a value")
            continue
        values[key.strip()] = one_line(words[0]) if words else ""
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
