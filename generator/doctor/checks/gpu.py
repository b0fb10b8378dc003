"""Whether GPUs that are there compute: driver, module, container, libraries, clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says
from generator.units import about, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.hardware import GpuGeneration
    from generator.detect.detected import Gpu
    from generator.doctor.result import Result
    from generator.doctor.symptoms import Clock, Symptoms

CPU: Final = "cpu"
MODULE: Final = "nvidia_uvm"
NODE: Final = "/dev/nvidia-uvm"
NONE_HERE: Final = "no GPU is here that a server could compute on"
COMPUTE: Final = "journalctl -u {unit} --grep 'inference compute' -n 3 -o cat"
_HIDES: Final = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
_NOWHERE: Final = frozenset({"-1", "none", "NoDevFiles"})
_HOT: Final = frozenset({"hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown"})
_LOWERED: Final = 0.95
_TENTH: Final = 0.9


def seen_by_the_server(s: Symptoms) -> Iterator[Result]:
    """Yield whether the server has found the GPUs that the driver shows."""
    says = Says("GPU found")
    broken = [gpu for gpu in s.machine.gpus if gpu.fault] if s.machine else []
    if not s.gpus:
        if broken:
            yield says.warning(f"{broken[0].name}: {broken[0].fault}", "gen detect")
        else:
            yield says.unknown(s.late) if s.late else says.ok(NONE_HERE)
        return
    names, found = ", ".join(gpu.name for gpu in s.gpus), [d for d in s.devices if d != CPU]
    if s.comparison is not None and s.service.acceleration == CPU:
        yield says.ok(f"the profile wants the CPU alone, and leaves {names} out")
    elif not s.devices:
        why = "the server's log does not say what it computes on"
        yield says.unknown(why, COMPUTE.format(unit=s.service.unit))
    elif not found:
        said = f"the driver shows {names}, and the server has found none: it computes on the CPU"
        yield says.fault(said, _mend(s), *_computes(s))
    elif len(found) < len(s.gpus) and not _chosen(s):
        said = f"the server has found {len(found)} of {len(s.gpus)} GPUs: {names}"
        yield says.warning(said, COMPUTE.format(unit=s.service.unit), *_computes(s))
    else:
        yield says.ok(f"the server has found {len(found)} of {len(s.gpus)} GPUs: {names}")


def _mend(s: Symptoms) -> str:
    """Return the command that brings the GPUs back, by what is known of why they went."""
    return _unhide(s) or _reload(s) or s.restart


def _unhide(s: Symptoms) -> str:
    """Return the command that takes away what hides the GPUs; empty: no variable does."""
    name = next((n for n in _HIDES if (s.variable(n) or "") in _NOWHERE), "")
    if s.variable("OLLAMA_LLM_LIBRARY"):
        name = "OLLAMA_LLM_LIBRARY"
    return s.set_variable(f"{name}=") if name else ""


def _chosen(s: Symptoms) -> bool:
    """Whether somebody has said which of the GPUs are to be used."""
    return any(s.variable(name) for name in _HIDES) or bool(s.variable("GGML_VK_VISIBLE_DEVICES"))


def _computes(s: Symptoms) -> list[str]:
    return [line for line in s.log.splitlines() if "inference compute" in line][:3]


def used(s: Symptoms) -> Iterator[Result]:
    """Yield whether models that are loaded are on GPUs, and not on the CPU without a word."""
    says = Says("GPU used")
    loaded = s.seen.answers.loaded if s.seen.answers else ()
    wanted = s.comparison is not None and s.service.acceleration == CPU
    if wanted or not (s.gpus or any(one.on_gpus for one in loaded)):
        if s.near:
            yield says.ok("no GPU to use") if not s.late else says.unknown(s.late)
        else:
            yield says.unknown("of another machine nobody tells whether it has GPUs")
        return
    if s.seen.answers is None:
        yield says.unknown("the server answers nothing")
    elif not loaded:
        yield says.unknown("no model is loaded", "ollama run MODEL ''; gen doctor")
    else:
        yield from _each(s, says)


def _each(s: Symptoms, says: Says) -> Iterator[Result]:
    for one in s.seen.answers.loaded if s.seen.answers else ():
        share = min(one.on_gpus / one.size, 1) if one.size else 0
        of = f"{about(one.on_gpus)} of {about(one.size)}"
        if not one.on_gpus:
            yield says.fault(f"{one.name} computes on the CPU: {of} on GPUs", _mend(s))
        elif share < _LOWERED:
            said = f"{one.name} computes a part on the CPU: {of} on GPUs"
            yield says.warning(said, f"gen fit --model {one.name} --server {s.url}")
        else:
            yield says.ok(f"{one.name} is on GPUs: {of}")


def memory_module(s: Symptoms) -> Iterator[Result]:
    """Yield whether NVIDIA's module for memory is loaded, and still works after a suspend."""
    says = Says("GPU memory module")
    if not _nvidia(s):
        yield says.ok("no NVIDIA GPU is here") if not s.late else says.unknown(s.late)
    elif s.modules is None:
        yield says.unknown("nobody tells the kernel's modules")
    elif _unloaded(s):
        what = f"the module {MODULE} is not loaded" if MODULE not in s.modules else f"no {NODE}"
        yield says.fault(f"{what}: CUDA finds no GPU", _reload(s))
    elif _woken(s):
        yield says.fault("the machine was suspended, and no GPU is found since", _reload(s))
    else:
        yield says.ok(f"{MODULE} is loaded")


def _unloaded(s: Symptoms) -> bool:
    return s.modules is not None and (MODULE not in s.modules or NODE not in s.nodes)


def _woken(s: Symptoms) -> bool:
    """Whether the machine was suspended, and the server computes on the CPU since."""
    return s.resumed and bool(s.devices) and not [d for d in s.devices if d != CPU]


def _reload(s: Symptoms) -> str:
    """Return the command that loads NVIDIA's module for memory anew; empty: that is not needed."""
    if not _nvidia(s):
        return ""
    if _unloaded(s):
        return f"sudo modprobe {MODULE} && {s.restart}"
    stop, start = (f"sudo systemctl {word} {s.service.unit}" for word in ("stop", "start"))
    reload = f"{stop}; sudo rmmod {MODULE} && sudo modprobe {MODULE}; {start}"
    return reload if _woken(s) else ""


def _nvidia(s: Symptoms) -> list[Gpu]:
    return [gpu for gpu in s.gpus if gpu.vendor == "nvidia"]


def driver(s: Symptoms) -> Iterator[Result]:
    """Yield whether the release's CUDA libraries, and the card, work with the driver."""
    says = Says("driver")
    text = s.machine.nvidia.driver if s.machine else ""
    branch = whole(text.partition(".")[0])
    generations = s.facts.generations(_nvidia(s))  # type: ignore[arg-type] # it asks one field
    if not branch or not generations:
        told = s.late or ("nobody tells its version" if _nvidia(s) else "no NVIDIA driver to judge")
        yield says.unknown(told) if _nvidia(s) or s.late else says.ok(told)
        return
    floor = max(generation.driver_floor for generation in generations)
    last = min((g.last_driver for g in generations if g.last_driver), default=0)
    if branch < floor:
        said = f"driver {text}: {s.service.product} {s.facts.at} needs branch {floor} or newer"
        yield says.fault(said, _install(s, floor, generations))
    elif last and branch > last:
        said = f"driver {text}: the last branch with these GPUs is {last}"
        yield says.fault(said, _install(s, last, generations))
    else:
        yield says.ok(f"{text} serves {', '.join(g.name for g in generations)}")


def _install(s: Symptoms, branch: int, generations: list[GpuGeneration]) -> str:
    """Return how the driver is installed, as the distribution does it."""
    system = s.machine.system.distribution if s.machine else ""
    if system == "nixos":
        name = next((g.nixpkgs_driver for g in generations if g.nixpkgs_driver), "production")
        return f"hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.{name};"
    if system == "ubuntu":
        return f"sudo apt install nvidia-driver-{branch} && sudo reboot"
    return f"# install branch {branch} of https://www.nvidia.com/drivers, then: sudo reboot"


def vulkan(s: Symptoms) -> Iterator[Result]:
    """Yield whether the same card is used by Vulkan, too, beside its own library."""
    says = Says("one library")
    found = {device for device in s.devices if device != CPU}
    if not s.gpus and s.near and not s.late:
        yield says.ok(NONE_HERE)
        return
    own = found - {"vulkan"}
    if "vulkan" in found and own and len(s.gpus) <= 1:
        said = f"Vulkan computes beside {' and '.join(sorted(own)).upper()}: the card counts twice"
        remedy = f"{s.set_variable('OLLAMA_VULKAN=0')}; {s.restart}"
        yield says.warning(said, remedy, *_computes(s))
    elif not s.devices:
        yield says.unknown("the server's log does not say what it computes on")
    else:
        yield says.ok("no card is found by two libraries")


def container(s: Symptoms) -> Iterator[Result]:
    """Yield whether a container is given the GPUs, and has kept them."""
    says = Says("GPU in the container")
    if not s.boxed or not s.gpus:
        yield says.ok("the server is in no container" if not s.boxed else NONE_HERE)
        return
    found = [device for device in s.devices if device != CPU]
    engines = s.machine.containers.engines if s.machine else ()
    engine = next((one for one in engines if one.name == s.boxed), None)
    cdi = bool(s.machine and s.machine.containers.cdi)
    if not _given(s):
        flags = "--gpus all" if s.boxed == "docker" else "--device nvidia.com/gpu=all"
        if not _nvidia(s):
            flags = "--device /dev/kfd --device /dev/dri"
        name = s.seen.held.name if s.seen.held else s.service.container.name
        said = f"the container {name} is given no GPU"
        yield says.fault(said, f"{s.boxed} run {flags} …  # or `devices:` of its compose file")
    elif _nvidia(s) and engine and not engine.nvidia_runtime and not cdi:
        said = f"{s.boxed} has no NVIDIA toolkit: neither its runtime nor a CDI specification"
        make = "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"
        configure = "sudo nvidia-ctk runtime configure --runtime=docker"
        mend = f"{configure} && sudo systemctl restart docker" if s.boxed == "docker" else make
        yield says.fault(said, f"sudo apt install nvidia-container-toolkit; {mend}")
    elif s.devices and not found and s.cgroup_driver == "systemd":
        said = "the container has lost its GPU, as with systemd's cgroup driver at a daemon-reload"
        remedy = '{"exec-opts": ["native.cgroupdriver=cgroupfs"]} into /etc/docker/daemon.json'
        yield says.fault(said, f"# {remedy}; sudo systemctl restart docker && {s.restart}")
    else:
        yield says.ok("the container is given the GPUs")


def _given(s: Symptoms) -> bool:
    """Whether the container asks for devices, in any of the ways that there are."""
    host = s.box.get("HostConfig")
    if not isinstance(host, dict):
        return True
    runtime = host.get("Runtime") == "nvidia"
    return runtime or bool(host.get("DeviceRequests") or host.get("Devices"))


def clocks(s: Symptoms) -> Iterator[Result]:
    """Yield whether heat or a power limit keeps a GPU slow."""
    says = Says("GPU clocks")
    if not s.clocks:
        yield says.unknown("nvidia-smi tells nothing") if _nvidia(s) else says.ok("none to judge")
        return
    slow = [*filter(None, (_slow(says, one) for one in s.clocks))]
    yield from slow or [says.ok(f"{', '.join(one.name for one in s.clocks)}: as they should be")]


def _slow(says: Says, one: Clock) -> Result | None:
    heat = f" at {one.celsius} °C" if one.celsius is not None else ""
    if hot := sorted(_HOT & {*one.reasons}):
        said = f"{one.name} slows down{heat}: {', '.join(hot)}"
        return says.fault(said, "nvidia-smi -q -d TEMPERATURE,PERFORMANCE  # air, dust, fans")
    if "hw_power_brake_slowdown" in one.reasons:
        said = f"{one.name} is slowed down by its power supply"
        return says.fault(said, "nvidia-smi -q -d POWER,PERFORMANCE")
    if one.limit and one.usual_limit and one.limit < _TENTH * one.usual_limit:
        said = f"{one.name} may take {one.limit:g} W, {one.usual_limit:g} W are usual"
        return says.warning(said, f"sudo nvidia-smi -pl {one.usual_limit:g}")
    return None
