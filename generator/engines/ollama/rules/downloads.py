"""HW322, HW413 and HW692: downloads that fail unheard, get no program, or have no time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers import sandbox
from generator.rules.helpers.containers import begun
from generator.rules.rule import Hit, Hits, Rule
from generator.units import Release
from generator.view import FORGIVEN, GONE, PREFIXES

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Line, View

_INSTALLER: Final = re.compile(r"\bollama\.(?:com|ai)/install\.sh\b")
_BARE: Final = re.compile(
    r"(?:docker\.io/)?(?:library/)?(?:(?:debian|ubuntu)(?::(?!.*alpine).*)?|(?:python|node):.*slim.*"
    r"|(?:nvcr\.io/)?nvidia/cuda:.*ubuntu.*)"
)
"""Images that have tar and no zstd."""
_WANTED: Final = re.compile(
    r"OLLAMA_VERSION=[\"']?v?(?:([0-9]{1,6}\.[0-9]{1,6}(?:\.[0-9]{1,6})?)|.)"
)


@Rule(
    id="HW413",
    severity="error",
    title="an installer that gets no program",
    why="Since 0.14 the archives for Linux are packed with zstd. The installer ends with an error "
    "where that is missing, as in the bare images of Debian, Ubuntu and CUDA, and a build with it; "
    "the old `.tgz` of the newest release is 404.",
    bad="FROM ubuntu:24.04\nRUN apt-get update && apt-get install -y curl\n"
    "RUN curl -fsSL https://ollama.com/install.sh | sh",
    good="RUN apt-get update && apt-get install -y curl zstd",
    releases="0.14.0 and later",
    source="scripts/install.sh@v0.14.0, download_and_extract; "
    ".github/workflows/release.yaml@v0.14.0",
)
def nothing_to_install(view: View, facts: Facts) -> Hits:
    for line in view.lines_in(GONE):
        yield Hit(
            message=f"no new release has `{line.name}`: what is fetched is an error page",
            place=line.place,
            fix="write `.tar.zst`, and unpack it with `tar --zstd`, or name an older release",
        )
    box = view.container
    if box is None or not _BARE.fullmatch(box.image.partition("@")[0]):
        return
    made = view.lines_named("RUN", "COPY")
    told = view.variable("OLLAMA_VERSION")
    for at, line in enumerate(made):
        if line.name != "RUN" or not _INSTALLER.search(line.value):
            continue
        if not any("zstd" in one.value for one in made[: at + 1]) and not (
            told or _is_old(line, facts)
        ):
            yield Hit(
                message="the installer needs zstd, which this image does not have: the build fails",
                place=line.place,
                fix="install `zstd` beside curl first",
            )
    if not told and not any("zstd" in one.value for one in made):
        yield from _at_start(view, facts)


def _at_start(view: View, facts: Facts) -> Hits:
    """Yield the first installer in what a bare image begins with."""
    for line in begun(view):
        found = _INSTALLER.search(line.value)
        if found and "zstd" not in line.value[: found.start()] and not _is_old(line, facts):
            yield Hit(
                message="the installer needs zstd, which this image does not have: it installs "
                "nothing, at every start",
                place=line.place,
                fix="install `zstd` beside curl first, or take the image of Ollama",
            )
            return


def _is_old(line: Line, facts: Facts) -> bool:
    """Whether an older release is asked for, or one that nobody knows here."""
    found = _WANTED.search(line.value)
    packed = facts.behaviours["archives-by-zstd"]
    return found is not None and (found[1] is None or not packed.covers(Release.parse(found[1])))


@Rule(
    id="HW322",
    severity="info",
    title="a failure that nobody hears",
    why="What fetches a model fails where the network, the disk or the name is not what was meant. "
    "With `|| true`, `ignore_errors` or `continue-on-error` that counts as done: the script ends "
    "well, and the first request finds no model, long after whoever could mend it has left. The "
    "status of a pipe is that of its last command: `sh` that is handed nothing ends well, and so "
    "does `tee`, so that `$?` behind it tells nothing of the download.",
    bad="ollama pull qwen3:8b || true",
    good='ollama pull qwen3:8b || echo "qwen3:8b is not there" >&2',
    source="server/routes.go@v0.32.15, PullHandler; ansible-core, Error handling in playbooks",
)
def failure_unheard(view: View, _: Facts) -> Hits:
    for line in view.lines_in(FORGIVEN):
        piped = line.value.startswith("|") and not line.value.startswith("||")
        yield Hit(
            message=f"`{line.name}` may fail, and the status that is asked for is that of "
            f"`{line.value.lstrip('|& ')}`"
            if piped
            else f"`{line.name}` may fail, and with `{line.value}` that counts as done",
            place=line.place,
            fix="write `set -o pipefail` above, in bash, or fetch it into a file first"
            if piped
            else f"leave `{line.value}` out, or say that it has failed",
        )


_PULLED: Final = re.compile(
    r"\bollama[\"']?\s+pull\s+(?:--?\w[\w-]*\s+)?([\w./:-]+)"
    r"|/api/pull\b[^\n]{0,300}?\"(?:model|name)\\?\"\s*:\s*\\?\"([\w./:-]+)",
    re.ASCII,
)
_NOT_WAITED_FOR: Final = re.compile(
    r"&\s*[\"')}]*\s*$|\b(?:nohup|setsid|systemd-run|timeout|disown)\b|--no-block|--detach"
    r"|\bexec\s+(?:-\w+\s+){0,3}-\w*d\w*\s"
)
_WAITS: Final = re.compile(r"\b(?:sleep|until|while|curl|wget|wait)\b")
_SMALL: Final = 1 << 30


@Rule(
    id="HW692",
    title="a download in the time of a start",
    why="ExecStartPost= belongs to the start of a service, for which systemd has 90 seconds where "
    "TimeoutStartSec= says nothing else. A model takes longer on most lines: then systemd kills "
    "the download and stops the server, a `-` before the command or not, and Restart= begins anew.",
    bad="[Service]\nExecStart=/usr/local/bin/ollama serve\n"
    "ExecStartPost=/bin/sh -c 'until ollama list; do sleep 1; done; ollama pull qwen3:8b'",
    good="TimeoutStartSec=infinity    # or a unit of its own for the pull, `Type=oneshot`",
    source="systemd.service(5), TimeoutStartSec=, ExecStartPost=; "
    "src/core/service.c@v257, service_dispatch_timer (SERVICE_START_POST)",
)
def pulled_while_it_starts(view: View, facts: Facts) -> Hits:
    timed = sandbox.said(view, *sandbox.STARTS_WITHIN)
    if timed or sandbox.last(view, "Type") == "oneshot":
        return
    for line in sandbox.said(view, "ExecStartPost"):
        command = line.value.lstrip(PREFIXES)
        found = None if _NOT_WAITED_FOR.search(command) else _PULLED.search(command)
        name = (found[1] or found[2]) if found else ""
        size = _bytes_of(name, facts) if name else 0
        forgiven = "-" in line.value.removesuffix(command)
        # HW604 tells of one that waits for nothing.
        waits = view.container is not None or forgiven or _WAITS.search(command) is not None
        if waits and not name.startswith("/") and (size is None or size > _SMALL):
            told = f", and has {size / 1e9:.1f} GB" if size else ""
            yield Hit(
                message=f"`{name}` is downloaded within the 90 seconds that systemd has for a "
                f"start{told}: where that takes longer, the server is stopped with it",
                place=line.place,
                fix="write `TimeoutStartSec=infinity`, or pull in a unit of its own",
            )
            return


def _bytes_of(name: str, facts: Facts) -> int | None:
    """Return how large a model is; None: nobody knows."""
    known = facts.named_model(name)
    return known.weight_bytes or None if known else None
