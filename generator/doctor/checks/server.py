"""Whether the server answers, and whether it is the one that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.doctor.result import Says
from generator.live.client import host_and_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms

_FORWARDS: Final = frozenset({"docker-proxy", "rootlessport", "pasta", "pasta.avx2", "slirp4netns"})
"""Programs that listen for what containers publish."""
NO_SERVER: Final = "no answer of an Ollama server"


def answers(s: Symptoms) -> Iterator[Result]:
    """Yield whether the server can be reached where it is asked."""
    says = Says("reachable")
    if s.seen.answers is not None:
        release = s.seen.answers.release or "a build of its own"
        yield says.ok(f"{s.service.product} {release} answers at {s.url}")
    elif s.listens and s.listens != s.port:
        host = host_and_port(s.url)[0] or "127.0.0.1"
        said = f"nothing answers at {s.url}: the server listens on port {s.listens}"
        yield says.fault(said, f"gen doctor --url http://{host}:{s.listens}")
    elif NO_SERVER in s.seen.unanswered:
        said = f"what answers at {s.url} is no {s.service.product}"
        yield says.fault(said, f"sudo ss -ltnp 'sport = :{s.port}'", s.seen.unanswered)
    elif s.seen.process is not None:
        said = f"process {s.seen.process.pid} runs, and does not serve: {s.seen.unanswered}"
        yield says.fault(said, s.restart)
    else:
        yield _down(s, says)


def _down(s: Symptoms, says: Says) -> Result:
    held = s.seen.held
    if held is None:
        return says.fault(s.seen.unanswered, f"sudo systemctl start {s.service.unit}")
    if s.boxed:
        remedy = f"{held.by} logs --tail 50 {held.name}; {held.by} start {held.name}"
        return says.fault(f"{held.by} has {held.name}, which does not run", remedy)
    result = s.unit.get("Result", "success")
    why = "" if result == "success" else f": its last start ended with `{result}`"
    remedy = f"journalctl -u {held.name} -n 50; sudo systemctl start {held.name}"
    return says.fault(f"systemd has {held.name}, which does not run{why}", remedy)


def one_server(s: Symptoms) -> Iterator[Result]:
    """Yield whether the port is the service's own, and the release the installed one."""
    says = Says("the right server")
    held, process = s.seen.held, s.seen.process
    ours = {process.pid if process else 0, held.pid if held else 0} - {0}
    others = [
        one
        for one in s.listeners
        if one.pid and one.pid not in ours and one.program not in _FORWARDS
    ]
    # What a container publishes another process listens for, and one that listens elsewhere has its
    # port.
    due = not s.boxed and (held or process) and s.listens in {None, s.port}
    if others and due:
        who, name = others[0], held.name if held else "the server"
        said = f"{who.program} (process {who.pid}) listens on port {s.port}, and not {name}"
        yield says.fault(said, f"ps -fp {who.pid}; kill {who.pid}; {s.restart}")
        return
    release = s.seen.answers.release if s.seen.answers else ""
    installed = s.machine.ollama.version if s.machine and s.near and not s.boxed else ""
    if release and installed and release != installed:
        said = f"{release} runs, and {installed} is installed: an old server, or another one"
        yield says.warning(said, s.restart)
    elif not s.runs:
        yield says.unknown("no server answers, and no process of one was found")
    else:
        yield says.ok(f"{release or 'the server'} has the port")
