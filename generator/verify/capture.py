"""What a comparison asks of a machine, taken there by a script and read elsewhere.

The script needs a POSIX shell, awk and tar, and prints an archive. It runs here, over ssh, or in a
container. What it keeps is what `Machine` asks for, under the same names.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.check.machine import ANSWER, PATTERNS, PROJECTS
from generator.detect.root import TOOLS, Archive
from generator.engines import load_signs
from generator.errors import EnvironmentFailure, HostwrightError, shortened
from generator.formats.shell import quote
from generator.formats.template import shipped_text
from generator.live.client import host_and_port
from generator.live.door import ask_bytes
from generator.units import address, is_local
from generator.verify import container, log, manager
from generator.verify.machine import ROOM, answer_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.records import SecretNames
    from generator.plan import Service

SHELL: Final = ("sh",)
_MARK: Final = "-- hostwright capture --"
"""The line that an archive begins behind: before it may stand what a login prints."""
_SHOWN: Final = ("parameters", "details", "capabilities")
"""What is kept of a model that somebody has made: prompts of others are none of our business."""
_HERE: Final = "127.0.0.1"
_MOST: Final = 1 << 26
"""Bytes of an archive: a real one has a few millions, and of a fleet many come at once."""


def script(service: Service, secrets: SecretNames, url: str) -> str:
    """Return the lines of shell that print an archive of what runs a service."""
    signs = load_signs(service.engine)
    values = {
        "signs": " ".join((signs.name, service.runner or signs.name)),
        "files": " ".join(PATTERNS),
        "unit": service.unit,
        "mentioned": signs.name,
        "address": _reached(url),
        "pattern": log.KEPT,
        "mark": _MARK,
        "redact": shipped_text("capture/redact.awk"),
        "endings": " ".join(secrets.endings),
        "parts": " ".join(secrets.parts),
        "elsewhere": " ".join(secrets.elsewhere),
    }
    lines = [f"{name}={quote(value)}" for name, value in values.items()]
    asks = "\n".join(("asks() {", *(f"  {line}" for line in _asks(service)), "}"))
    return "\n".join((*lines, asks, shipped_text("capture/capture.sh")))


def _reached(url: str) -> str:
    """Return the place of a server as its own machine reaches it."""
    host, port = host_and_port(url)
    return address(_HERE if is_local(host) else host, port or 80)


def _asks(service: Service) -> Iterator[str]:
    """Yield the lines that ask programs, and the server."""
    user = service.container.rootless
    yield _line("tool", manager.SHOWN, *manager.argv(service.unit, user=user))
    yield f'pid=$(sed -n s/^MainPID=//p "$out/$tools/{manager.SHOWN}")'
    yield f'[ "${{pid:-0}}" = 0 ] || {_line("log", f"/{log.FILE}", *log.of_unit("@PID@"))}'
    for engine in container.ENGINES:
        names = container.names(engine, service)
        yield _line("tool", container.file(engine), *container.argv(engine, *names))
        for name in names:
            yield _line("log", f"/{log.FILE}", engine, "logs", name)
    yield _line("tool", ANSWER.rpartition("/")[2], *PROJECTS)
    folder = service.models_dir or service.installed_models
    yield _line("tool", ROOM, "df", "-Pk", folder)
    yield _line("tool", "nvidia-smi-q.txt", "nvidia-smi", "-q")
    for path, body in asked_of_server(service):
        more = (json.dumps(body),) if body else ()
        yield _line("api", answer_file(path, body), path, *more)


def asked_of_server(service: Service) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Yield what the server is asked: paths, and what is sent there."""
    yield from ((path, None) for path in ("/api/version", "/api/tags", "/api/ps"))
    yield from (("/api/show", {"model": model.served}) for model in service.models)


def _line(*words: str) -> str:
    return " ".join(quote(word) for word in words).replace("@PID@", '"$pid"')


def taken(argv: Sequence[str], lines: str, seconds: float) -> dict[str, bytes]:
    """Return the files that the script keeps, run by `argv`, which reads it from its input.

    Raises EnvironmentFailure where it does not end in time, or prints no such archive.
    """
    answer = ask_bytes(argv, given=lines.encode(), seconds=seconds, most=_MOST)
    if answer.code or not answer.out:
        why = answer.err.decode(errors="replace").strip().rpartition("\n")[2]
        raise EnvironmentFailure(shortened(why, 200) or f"`{argv[0]}` ends with {answer.code}")
    archive = answer.out.partition(f"\n{_MARK}\n".encode())[2]
    try:
        files = Archive(Path("the capture"), io.BytesIO(archive), whole=True).files
    except HostwrightError as error:
        raise EnvironmentFailure(f"{argv[0]} prints no archive: {error.message}") from error
    return {name: without_prompts(name.removeprefix(f"{TOOLS}/"), data)
            for name, data in files.items()}  # fmt: skip


def without_prompts(name: str, data: bytes) -> bytes:
    """Return what is kept of an answer under that name: of a model somebody made, no prompt."""
    if not name.startswith(answer_file("/api/show")[:-5]):
        return data
    with suppress(ValueError, RecursionError, AttributeError, KeyError):
        told = json.loads(data)
        kept = {key: told[key] for key in _SHOWN if key in told}
        made = [line for line in told["modelfile"].splitlines() if line.startswith("FROM ")]
        return json.dumps({**kept, "modelfile": "\n".join(made)}).encode()
    return b"{}"
