"""Ask a machine for the Symptoms: files, programs and the server, each within a time. Nothing is
changed, and no model is loaded.
"""

from __future__ import annotations

import queue
import re
import threading
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar

from generator.detect.cgroup import files_of, groups_of
from generator.detect.machine import read_machine
from generator.detect.root import meminfo, pairs
from generator.doctor import told
from generator.doctor.recording import RECENT
from generator.doctor.symptoms import Pressure, Symptoms, User
from generator.engines import load_engine
from generator.live.client import host_and_port
from generator.units import is_local, whole
from generator.verify.compare import compare
from generator.verify.log import FILE as STARTED
from generator.verify.look import MODELS, look, models_folder
from generator.verify.manager import SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.catalogue.catalogue import Catalogue
    from generator.detect.detected import Detected
    from generator.doctor.symptoms import Clock
    from generator.plan import Service
    from generator.verify.machine import Machine
    from generator.verify.observed import Observed

_T = TypeVar("_T")
KERNEL: Final = "kernel-log.txt"
_LINES: Final = "2000"
_NODES: Final = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dri")
_OF_KERNEL: Final = "NVRM: Xid|Killed process|PM: suspend exit"
_CLOCKS: Final = (
    "nvidia-smi",
    f"--query-gpu={','.join(told.CLOCKS)}",
    "--format=csv,noheader,nounits",
)
_ALIVE: Final = 11434


def gather(
    service: Service,
    machine: Machine,
    catalogue: Catalogue,
    *,
    url: str,
    profile: str,
) -> Symptoms:
    """Return what is seen of a service and its machine; `profile` is what its user calls the
    Plan, empty: it stands for whatever runs.

    Raises EnvironmentFailure where there is nobody to ask.
    """
    facts = catalogue.told(service.engine, service.release)
    running = load_engine(service.engine).running(facts)
    host, port = host_and_port(url)
    near = is_local(host)
    seen = look(service, machine, running, catalogue, url=url)
    far = Symptoms(
        url=url,
        port=port or _ALIVE,
        near=near,
        service=service,
        facts=facts,
        running=running,
        seen=seen,
        now=told.number(machine.told("date.txt", ("date", "+%s"))),
        profile=profile,
        comparison=compare(service, seen, running) if profile else None,
    )
    return _near(far, machine) if near else far


def _near(s: Symptoms, machine: Machine) -> Symptoms:
    from dataclasses import replace

    found, late = _detected(machine)
    seen, unit = s.seen, _unit(s, machine)
    folder = _folder(s)
    user = _user(machine, seen, unit)
    way = machine.told("models-way.txt", _list(folder), both=True) if folder else ""
    log = _log(s, machine)
    return replace(
        s,
        machine=found,
        late=late,
        unit=unit,
        folder=folder,
        user=user,
        listens=_listens(s),
        box=_box(s, machine),
        cgroup_driver=_cgroup_driver(s, machine),
        listeners=told.listeners(
            machine.told("listeners.txt", ("ss", "-Hltnp", f"sport = :{s.port}")), s.port
        ),
        way=told.way(way),
        absent=bool(folder) and f"'{folder}': No such file" in way,
        space=told.space(machine.told("df.txt", _df(machine, folder))) if folder else None,
        log=s.running.latest(log),
        devices=seen.devices or s.running.devices(log),
        kernel=(kernel := _kernel(machine)),
        resumed=_resumed(kernel, machine, seen),
        modules=_modules(machine),
        nodes=frozenset(node for node in _NODES if machine.files.exists(node)),
        clocks=_clocks(machine, found),
        **_memory(machine, seen),
    )


def _detected(machine: Machine) -> tuple[Detected | None, str]:
    """Return what the machine is, or that this took too long, as where a driver hangs.

    It has half of the time, so that some is left for the others.
    """
    seconds = machine.left / 2
    try:
        return _within(seconds, lambda: read_machine(machine.files)), ""
    except TimeoutError:
        return (
            None,
            f"the machine has not told what it is within {seconds:.0f} s: does nvidia-smi hang?",
        )


def _within(seconds: float, work: Callable[[], _T]) -> _T:
    """Return what `work` returns. Raises TimeoutError where that takes too long."""
    done: queue.SimpleQueue[tuple[_T | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except Exception as error:  # noqa: BLE001 -- raised below, where somebody waits
            done.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        found, error = done.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value] # no error: it is what `work` returned


def _unit(s: Symptoms, machine: Machine) -> Mapping[str, str]:
    """Return the properties that systemd has of the unit; none of one that is not loaded."""
    held = s.seen.held
    if held is not None and held.by != "systemd":
        return {}
    argv = ("systemctl", "show", held.name if held else s.service.unit)
    unit = pairs(machine.told(SHOWN, argv), "=")
    return unit if unit.get("LoadState") == "loaded" else {}


def _folder(s: Symptoms) -> str:
    """Return where the models are: as the server has read it, or as it would by itself."""
    return s.variable(MODELS) or models_folder(s.service, None if s.boxed else s.seen.process)


def _user(machine: Machine, seen: Observed, unit: Mapping[str, str]) -> User | None:
    """Return who the server runs as; of one that does not run, as whom it would."""
    if seen.process is not None:
        return told.user_of_status(machine.files.text(f"/proc/{seen.process.pid}/status"))
    name = unit.get("User", "")
    if not name:
        return User(0) if unit else None
    return told.user_of_id(machine.told("id.txt", ("id", name)))


def _listens(s: Symptoms) -> int | None:
    """Return the port at which the server says it listens."""
    process = s.seen.process
    given = process.variables if process else s.seen.config or None
    if given is None:
        return None
    name = s.service.listen.variable
    return host_and_port(s.running.meaning(name, given.get(name, "")))[1]


def _box(s: Symptoms, machine: Machine) -> Mapping[str, Any]:
    held = s.seen.held
    if held is None or not s.boxed:
        return {}
    file = f"{held.by}-inspect.json"
    return told.first_object(
        machine.told(file, (held.by, "inspect", "--type", "container", held.name))
    )


def _cgroup_driver(s: Symptoms, machine: Machine) -> str:
    if s.boxed != "docker":
        return ""
    argv = ("docker", "info", "--format", "{{.CgroupDriver}}")
    return machine.told("docker-cgroup.txt", argv).strip()


def _list(folder: str) -> tuple[str, ...]:
    """Return the command that shows the rights of all folders down to one, without their names."""
    way = [*reversed(PurePosixPath(folder).parents), PurePosixPath(folder)]
    return ("ls", "-ldn", "--time-style=+", *map(str, way))


def _df(machine: Machine, folder: str) -> tuple[str, ...]:
    """Return the command that tells the room where a folder is, or would be."""
    way = [PurePosixPath(folder), *PurePosixPath(folder).parents]
    there = next((one for one in way if machine.files.holds(str(one))), PurePosixPath("/"))
    return ("df", "-B1", "--output=size,avail", str(there))


def _log(s: Symptoms, machine: Machine) -> str:
    """Return the end of what the server wrote, as far as somebody kept it."""
    held, process = s.seen.held, s.seen.process
    kept = machine.files.tool(RECENT) if machine.captured else ""
    if kept:
        return kept
    if held is not None and held.by == "systemd":
        own = ("--unit", held.name, "--lines", _LINES, "--output", "cat", "--no-pager")
        kept = machine.told(RECENT, ("journalctl", *own))
    elif held is not None:
        argv = (held.by, "logs", "--tail", _LINES, held.name)
        kept = machine.told(RECENT, argv, both=True)
    elif process is not None:
        kept = machine.files.text(f"/proc/{process.pid}/fd/2")
    if kept or not machine.captured:
        return kept
    return machine.files.text(f"/{STARTED}")


def _kernel(machine: Machine) -> str:
    """Return what the kernel said since its start that is about GPUs, memory and suspends."""
    own = ("--dmesg", "--grep", _OF_KERNEL, "--lines", "200", "--output", "short-unix")
    return machine.told(KERNEL, ("journalctl", *own, "--no-pager"))


def _resumed(kernel: str, machine: Machine, seen: Observed) -> bool:
    """Whether the machine was suspended after the server had started."""
    times = re.findall(r"^(\d{1,12})(?:\.\d+)? .*PM: suspend exit", kernel, re.MULTILINE)
    began = _started(machine, seen.process.pid) if seen.process else None
    return bool(times) and began is not None and int(times[-1]) > began


def _started(machine: Machine, pid: int) -> float | None:
    """Return when a process began, in seconds since 1970; the kernel counts them from boot."""
    boot = re.search(r"^btime (\d{1,12})$", machine.files.text("/proc/stat"), re.MULTILINE)
    behind = machine.files.text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    ticks = whole(behind[19]) if len(behind) > 19 else None  # noqa: PLR2004 -- proc(5)
    return int(boot[1]) + ticks / 100 if boot and ticks is not None else None


def _modules(machine: Machine) -> frozenset[str] | None:
    text = machine.files.text("/proc/modules")
    return frozenset(line.split(" ", 1)[0] for line in text.splitlines()) if text else None


def _clocks(machine: Machine, found: Detected | None) -> tuple[Clock, ...]:
    """Return the clocks of NVIDIA's GPUs; without one nothing is asked."""
    if found is None or not any(gpu.vendor == "nvidia" for gpu in found.gpus):
        return ()
    return told.clocks(machine.told("nvidia-smi-clocks.csv", _CLOCKS))


def _memory(machine: Machine, seen: Observed) -> dict[str, Any]:
    """Return what is known of waits, of swap, and of processes that the kernel has ended."""
    files = machine.files
    waits = {
        name: told.pressure(files.text(f"/proc/pressure/{name}"))
        for name in ("cpu", "memory", "io")
    }
    pids = _family(seen)
    groups = groups_of(files, seen.process.pid) if seen.process else {}
    events = next(
        (t for p in files_of(groups, "memory.events", "", "") if (t := files.text(p))), ""
    )
    told_swap = [meminfo(files.text(f"/proc/{pid}/status"), "VmSwap") for pid in pids]
    return {
        "pressure": {name: found for name, found in waits.items() if isinstance(found, Pressure)},
        "swap": meminfo(files.text("/proc/meminfo"), "SwapTotal"),
        "swapped": sum(told_swap) if pids else None,
        "ended": whole(pairs(events, " ").get("oom_kill", "")),
    }


def _family(seen: Observed) -> tuple[int, ...]:
    process = seen.process
    return (process.pid, *(child.pid for child in process.children)) if process else ()
