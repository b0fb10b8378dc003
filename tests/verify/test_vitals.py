"""How a server does: differences between two times, slots, memory, and what nvidia-smi prints."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from generator.verify import vitals
from generator.verify.observed import Process
from generator.verify.vitals import Watch
from tests.live.hostile import Serve, body
from tests.verify.seen import running, seen, service

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE = service(models=())
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Machine:
    """Files, and what nvidia-smi answers."""

    def __init__(self, files: Mapping[str, str], told: Mapping[str, str] | None = None) -> None:
        self.files: Any = SimpleNamespace(text=lambda path: files.get(path, ""))
        self._told = told or {}

    def told(self, _: str, argv: tuple[str, ...]) -> str:
        return next((text for part, text in self._told.items() if part in argv[1]), "")


def stat(ticks: int, pages: int = 0) -> str:
    """The line of proc(5): utime is the 14th field, stime the 15th, rss the 24th."""
    fields = [*["0"] * 10, str(ticks), "1", *["0"] * 8, str(pages), "0"]
    return f"7 (a ) b) S {' '.join(fields)}"


def process(**changes: Any) -> Process:
    child = Process(pid=8, command=("llama-server",), variables=None, limits={})
    given: dict[str, Any] = {"limits": {}, "throttled": (0, 0), "children": (child,)} | changes
    return Process(pid=7, command=("ollama", "serve"), variables=None, **given)


def of(files: Mapping[str, str], one: Process, watch: Watch, **more: Any) -> vitals.Vitals:
    machine: Any = Machine(files, **more)
    return watch.vitals(machine, seen(ONE, process=one))


def test_what_has_changed_since_the_time_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(vitals, "time", SimpleNamespace(monotonic=lambda: clock.now))
    watch, limits = Watch(running()), {"cpu_quota": 50, "memory_max": 1 << 20}
    first = of({"/proc/7/stat": stat(0)}, process(throttled=(3, 10), limits=limits), watch)
    assert (first.cpu, first.waited) == (None, 0)
    clock.now = 102.0
    files = {"/proc/7/stat": stat(TICKS), "/proc/8/stat": stat(TICKS // 2 - 1),
             "/proc/7/cgroup": "0::/a", "/sys/fs/cgroup/a/memory.current": "4096"}  # fmt: skip
    found = of(files, process(throttled=(5, 30), limits=limits), watch)
    assert found.cpu == pytest.approx(75)
    assert (found.waited, found.periods, found.quota) == (2, 20, 50)
    assert (found.memory, found.limit) == (4096, 1 << 20)


def test_a_server_that_was_started_again_has_no_time_before() -> None:
    watch = Watch(running())
    of({"/proc/7/stat": stat(9)}, process(), watch)
    again = Process(pid=9, command=("ollama", "serve"), variables=None, limits={})
    assert of({"/proc/9/stat": stat(9)}, again, watch).cpu is None


def test_memory_without_a_limit_is_that_of_all_its_processes() -> None:
    files = {"/proc/7/stat": stat(0, pages=3), "/proc/8/stat": stat(0, pages=4)}
    assert of(files, process(), Watch(running())).memory == 7 * PAGE


@pytest.mark.parametrize("text", ["", "7 (x) S", "nonsense", "7 (x) S " + "-1 " * 30])
def test_a_process_that_tells_nonsense(text: str) -> None:
    assert of({"/proc/7/stat": text}, process(), Watch(running())).cpu is None


@pytest.mark.parametrize(
    ("told", "slots"),
    [
        (b'[{"id": 0, "is_processing": true}, {"id": 1, "is_processing": false}]', (1, 2)),
        (b"[]", (None, None)),
        (b"[7, null]", (0, 2)),
        (b'{"error": 1}', (None, None)),
        (b"garbage", (None, None)),
    ],
)
def test_slots(serve: Serve, told: bytes, slots: tuple[int | None, int | None]) -> None:
    port = serve(body(told)).rpartition(":")[2]
    command = ("llama-server", "--model", "/m/x", "--port", port)
    child = Process(pid=8, command=command, variables=None, limits={})
    found = of({}, process(children=(child,)), Watch(running()))
    assert (found.used, found.slots) == slots


# As nvidia-smi of driver 580 writes such rows, reconstructed.
ROW = "0, Quadro P4000, 5978, 8192, 37, P2, 61.25, 0x0000000000000024\n"


def test_cards() -> None:
    told = {"clocks_event": f"{ROW}1, GB10, [N/A], [N/A], 3, P0, [N/A], 0x0000000000000001\n"}
    two = of({}, process(), Watch(running()), told=told).cards
    assert (two[0].used, two[0].total, two[0].busy) == (5978 << 20, 8192 << 20, 37)
    assert (two[0].state, two[0].watts) == ("P2", 61.25)
    assert two[0].reasons == ("power cap", "software thermal")
    assert (two[1].used, two[1].watts, two[1].reasons) == (None, None, ("idle",))


def test_cards_of_an_old_driver() -> None:
    """Whose nvidia-smi does not know the new name of the reasons."""
    told = {"clocks_event": 'Field "clocks_event_reasons.active" is not a valid field\n'}
    assert of({}, process(), Watch(running()), told=told).cards == ()
    (one,) = of({}, process(), Watch(running()), told={**told, "clocks_throttle": ROW}).cards
    assert one.name == "Quadro P4000"


@pytest.mark.parametrize("line", ["", ",,,,,,,", "x, y", "0, a, b, c, d, e, f, 0xzz", "9" * 999])
def test_nonsense_of_nvidia_smi(line: str) -> None:
    cards = of({}, process(), Watch(running()), told={"clocks_event": line}).cards
    assert all(card.reasons == () for card in cards)
