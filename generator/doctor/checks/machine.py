"""Whether the machine lets the server work: memory, what the kernel has ended, CPU time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says
from generator.units import GIB, MIB, about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms

_SOME: Final = 10.0  # percent of a minute in which something waited for memory
_FULL: Final = 5.0  # and in which nothing could go on
_SWAPPED: Final = 256 * MIB
_LITTLE: Final = 0.05  # of CPU periods in which the server had to wait
_MUCH: Final = 0.25
_FEW: Final = 20
_WHO: Final = "ps -eo pid,rss,comm --sort=-rss | head"


def memory(s: Symptoms) -> Iterator[Result]:
    """Yield whether the machine is short of memory: waits for it, or the server in swap."""
    says = Says("memory")
    waits = s.pressure.get("memory")
    fit = "gen fit"
    if waits is not None and (waits.full >= _FULL or waits.some >= _SOME):
        said = f"for {waits.some:g} % of the last minute programs waited for memory"
        judge = says.fault if waits.full >= _FULL else says.warning
        yield judge(said, f"{_WHO}; {fit}", f"full avg60={waits.full:g}")
    elif s.swapped is not None and s.swapped >= _SWAPPED:
        said = f"{about(s.swapped)} of the server are in swap: each token waits for the disk"
        yield says.fault(said, f"sudo systemctl edit {s.service.unit}  # [Service] MemorySwapMax=0")
    elif waits is None and s.swapped is None:
        free = s.machine.memory.available if s.machine else 0
        if not free:
            yield says.unknown(
                "the kernel tells no pressure (/proc/pressure), and nobody else does"
            )
        elif free < GIB // 2:
            yield says.warning(f"{about(free)} of memory are left", f"{_WHO}; {fit}")
        else:
            yield says.ok(f"{about(free)} are left")
    else:
        yield says.ok("nothing waits for memory, and the server is not in swap")


def ended(s: Symptoms) -> Iterator[Result]:
    """Yield whether the kernel has ended a process of the server for want of memory."""
    says = Says("ended by the kernel")
    lines = [line for line in s.kernel.splitlines() if "Killed process" in line]
    ours = [line for line in lines if "ollama" in line or "llama-server" in line]
    raise_ = f"gen fit; sudo systemctl edit {s.service.unit}  # [Service] MemoryMax=…"
    if s.ended:
        said = f"{s.ended} processes of the server were ended: it reached its MemoryMax="
        yield says.fault(said, raise_, *ours[-2:])
    elif ours:
        said = "the kernel has ended a process of the server: memory ran out"
        yield says.fault(said, raise_, *ours[-2:])
    elif xid := [line for line in s.kernel.splitlines() if "NVRM: Xid" in line]:
        said = "the NVIDIA driver reports a fault of a GPU (Xid)"
        yield says.warning(
            said, "journalctl -k --grep Xid; nvidia-smi -q -d ECC,PERFORMANCE", *xid[-2:]
        )
    elif s.ended is None and not s.kernel:
        yield says.unknown(
            "neither the kernel's log nor its control group can be read", "sudo gen doctor"
        )
    else:
        yield says.ok("no process of the server was ended")


def processor(s: Symptoms) -> Iterator[Result]:
    """Yield whether the server has to wait for CPU time that it was not given."""
    says = Says("CPU time")
    process = s.seen.process
    if process is None:
        yield says.unknown("nobody tells the process of the server")
        return
    throttled, periods = process.throttled
    share = throttled / periods if periods else 0.0
    quota = process.limits.get("cpu_quota")
    told = f"it waited in {throttled} of {periods} periods"
    if isinstance(quota, int):
        told += f", for {quota} % of a CPU"
    threads = max(quota // 100, 1) if isinstance(quota, int) else 1
    remedy = f"sudo systemctl edit {s.service.unit}  # [Service] CPUQuota= (empty: none)"
    if s.reads("LLAMA_ARG_THREADS"):
        remedy += f", or {s.set_variable(f'LLAMA_ARG_THREADS={threads}')}"
    if periods < _FEW or share < _LITTLE:
        yield says.ok(told if periods else "no quota bounds it")
    elif share < _MUCH:
        yield says.warning(told, remedy)
    else:
        yield says.fault(f"{told}: threads beyond it stall the others", remedy)
