"""HW217, HW566, HW605 and HW609: what directives do not take, reach or may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.catalogue.taken import FORMS, is_ignored, takes
from generator.rules.helpers import sandbox
from generator.rules.helpers.names import nearest
from generator.rules.rule import Hit, Hits, Rule
from generator.view import OF_GPU, PREFIXES, Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Taken
    from generator.view import Line, View

_NO: Final = {"path": "no absolute path", "output": "no place that it knows"}


@Rule(
    id="HW605",
    severity="error",
    title="a value that the directive does not take",
    why="systemd ignores it, with one line in its log, and an earlier line or the default holds: "
    "no restart, no timeout, no protection. All of the line is the value, a comment behind it as "
    "well.",
    bad="Restart=always    # whatever happens",
    good="# whatever happens\nRestart=always",
    source="systemd.service(5); systemd.exec(5); systemd.time(7); systemd-analyze verify",
)
def value_not_taken(view: View, facts: Facts) -> Hits:
    written = view.phrases.headers
    held: dict[tuple[str, str], Line] = {}
    for line in view.lines if written or view.phrases.directives else ():
        taken = facts.taken.get(line.name)
        if taken is None or view.phrases.section(line) != "Service":
            continue
        if not is_ignored(taken, line.value):
            held[line.section, line.name] = line
            continue
        bare = re.split(r"\s+[#;]", line.value)[0].strip("\"' ")
        right = bare if bare and takes(taken, bare) else _meant(taken, bare)
        certain = right in {bare, _MEANT.get(bare)}
        yield Hit(
            message=f"systemd ignores `{line.name}={line.value}`: that is {_what(taken)}, and "
            + (
                "reads no such file"
                if taken.kind == "path"
                else _what_holds(view, held.get((line.section, line.name)), line)
            ),
            place=line.place,
            fix=f"write `{line.name}={right}`" if right else _how(taken),
            edits=(Edit(line.place, line.value, right),) if certain and written else (),
        )


_MEANT: Final = {"unlimited": "infinity"}
"""How a shell, and Docker, spell a word of systemd."""


def _meant(taken: Taken, text: str) -> str:
    word = _MEANT.get(text, "")
    return word if word in taken.words else nearest(text, taken.words)[0]


def _what_holds(view: View, before: Line | None, line: Line) -> str:
    """Return what is so without a line: what the last one says that is read, or the default."""
    if before is None:
        return "what the unit says, or the default, holds" if view.adds else "the default holds"
    here = before.place.file == line.place.file
    where = f"line {before.place.line}" if here else f"{before.place.file}:{before.place.line}"
    return f"`{before.value}` of {where} holds" if before.value else "the default holds"


def _what(taken: Taken) -> str:
    if taken.kind in FORMS:
        return _NO.get(taken.kind, f"no {taken.kind}")
    return "no switch" if not taken.words else "none of the words that it knows"


def _how(taken: Taken) -> str:
    if taken.kind == "time":
        return "write it like `90s` or `5min`"
    if taken.kind == "limit":
        return "write a number, or `infinity`"
    if taken.kind == "path":
        return "write the whole path, without quotes, `~` or a variable"
    if taken.kind == "output":
        return "write `journal`, or `append:` and the whole path of a file"
    words = (*(("yes", "no") if taken.kind else ()), *taken.words)
    return f"write one of {', '.join(f'`{word}`' for word in words)}"


_PARTNERS: Final = {
    "RestartSteps": ("RestartMaxDelaySec", "the pause before a restart stays the same"),
    "RestartMaxDelaySec": ("RestartSteps", "the pause before a restart stays the same"),
    "CPUQuotaPeriodSec": ("CPUQuota", "there is no quota of which it would be the period"),
    "NUMAMask": ("NUMAPolicy", "memory is where the kernel puts it"),
    "CPUSchedulingPriority": ("CPUSchedulingPolicy", "the usual policy knows no priority"),
    "IPAddressAllow": ("IPAddressDeny", "nobody is kept out: every address is allowed anyway"),
    "SocketBindAllow": ("SocketBindDeny", "no port is barred: every one is allowed anyway"),
    **dict.fromkeys(
        ("HealthInterval", "HealthTimeout", "HealthRetries", "HealthStartPeriod"),
        ("HealthCmd", "nothing is checked"),
    ),
}
"""What does nothing alone, what it needs, and what is so without."""


@Rule(
    id="HW217",
    title="a setting without the one that it is about",
    why="Some settings only refine another one. Alone they are read, and change nothing: an "
    "allow list keeps nobody out where nothing is denied, and a check has an interval and no "
    "command. A drop-in is left alone, for its unit may have the other.",
    bad="IPAddressAllow=192.168.1.0/24",
    good="IPAddressDeny=any\nIPAddressAllow=192.168.1.0/24",
    source="systemd.resource-control(5); systemd.service(5); systemd.exec(5); "
    "podman-systemd.unit(5); docs.docker.com/reference/compose-file/services, healthcheck",
)
def without_its_partner(view: View, _: Facts) -> Hits:
    if view.adds:
        return
    if view.phrases.headers:
        told = {line.name for line in view.lines if line.value}
        for line in view.lines:
            partner, instead = _PARTNERS.get(line.name, ("", ""))
            if partner and line.value and partner not in told:
                yield Hit(
                    message=f"`{line.name}=` does nothing without `{partner}=`: {instead}",
                    place=line.place,
                    fix=f"add `{partner}=`, or leave it out",
                )
    yield from _check_without_a_test(view)


def _check_without_a_test(view: View) -> Hits:
    box = view.container
    checks = (line for line in view.lines if line.section.rpartition(".")[2] == "healthcheck")
    first = next(checks, None)
    if box is not None and box.healthcheck is None and first is not None:
        yield Hit(
            message="the health check has no `test`, and the image brings none: nothing is checked",
            place=first.place,
            fix='add `test: ["CMD", "ollama", "list"]`',
        )


_LIMITS: Final = frozenset(
    {
        *("CPUQuota", "CPUWeight", "AllowedCPUs", "MemoryMax", "MemoryHigh", "MemorySwapMax"),
        *("IOWeight", "Nice", "NUMAPolicy", "NUMAMask", "CPUAffinity", "MemoryLimit"),
    }
)
_CLIENT: Final = re.compile(rf"{sandbox.BEFORE_PROGRAM}(docker|podman)[ \t](?:.*[ \t])?run[ \t]")
_WITHIN: Final = re.compile(r"--cgroups[= ](?:split|disabled|no-conmon)")


@Rule(
    id="HW609",
    title="a limit that the container does not get",
    why="`docker run` asks a daemon, and what that starts is in a control group of its own: limits "
    "of the unit hold for the client alone, which waits. So it is with `podman run`, unless "
    "`--cgroups=split` keeps the container in the unit. Of a request for GPUs Docker's driver for "
    "NVIDIA reads ids, count and capabilities, and no `options`: nothing limits their memory.",
    bad="CPUQuota=400%\nExecStart=/usr/bin/docker run --rm ollama/ollama",
    good="ExecStart=/usr/bin/docker run --rm --cpus=4 ollama/ollama",
    source="docs.docker.com: Resource constraints; podman-run(1), --cgroups; "
    "systemd.resource-control(5); moby daemon/nvidia_linux.go, setNVIDIAGPUs",
)
def limits_the_client(view: View, _: Facts) -> Hits:
    for line in view.lines_in(OF_GPU)[:1]:
        yield Hit(
            message=f"nothing reads `options` of a GPU: `{line.name}` limits nothing",
            place=line.place,
            fix="leave it out; what a model takes of the card is for the server to decide",
        )
    starts = " ".join(line.value for line in sandbox.said(view, "ExecStart")[-1:])
    client = _CLIENT.match(starts)
    if not view.phrases.unit_file or view.container is None or client is None:
        return
    if client[1] == "podman" and _WITHIN.search(starts):
        return
    for line in sandbox.said(view, *_LIMITS):
        yield Hit(
            message=f"`{line.name}` holds for `{client[1]} run` alone: the container is in a "
            "control group of its own",
            place=line.place,
            fix=_option(line, client[1]),
        )


_OPTIONS: Final = {
    "CPUQuota": "--cpus",
    "AllowedCPUs": "--cpuset-cpus",
    "MemoryMax": "--memory",
    "MemoryLimit": "--memory",
    "MemoryHigh": "--memory-reservation",
    "CPUWeight": "--cpu-shares",
}


def _option(line: Line, client: str) -> str:
    option = _OPTIONS.get(line.name)
    told = f"give it as an option of `{client} run`" + (f", `{option}=…`" if option else "")
    return told + (", or add `--cgroups=split`" if client == "podman" else "")


_BESIDE: Final = ("ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStopPost")
_OF_ROOT: Final = re.compile(
    r"(?:^|[\s'\";&|/])(?:nvidia-smi\s+(?:[^;&|]*\s)?(?:-(?:pm|pl|lgc|rgc|lmc|rmc|ac|rac|c|e|r|am)\b"
    r"|--(?:persistence-mode|power-limit|(?:un)?lock-|reset-|compute-mode|gpu-reset))"
    r"|(?:modprobe|rmmod|insmod|swapoff|cpupower|x86_energy_perf_policy)\s+\S"
    r"|sysctl\s+(?:-w|[\w.]+=)|(?:tee|>)\s*/(?:sys|proc)/)"
)


@Rule(
    id="HW566",
    title="a command that only root may run",
    why="The commands beside ExecStart= run as the user of the service. Settings of the driver and "
    "the kernel are root's: such a command fails, and the service with it, unless a `-` is before "
    "it; then nothing is set. `+` before a command runs it as root.",
    bad="User=ollama\nExecStartPost=/usr/bin/nvidia-smi -pm 1",
    good="User=ollama\nExecStartPre=+/usr/bin/nvidia-smi -pm 1",
    source="systemd.service(5), Command lines; nvidia-smi(1)",
)
def only_root_may(view: View, _: Facts) -> Hits:
    if not view.phrases.unit_file or view.manager == "user" or not _is_user(view):
        return
    for line in sandbox.said(view, *_BESIDE):
        command = line.value.lstrip(PREFIXES)
        signs = line.value.removesuffix(command)
        found = _OF_ROOT.search(command)
        if found and not {"+", "!"} & set(signs):
            what = "and sets nothing" if "-" in signs else "and the service with it"
            yield Hit(
                message=f"`{found[0].strip(' /;&|')}` is for root, and this runs as the user of "
                f"the service: it fails, {what}",
                place=line.place,
                fix=f"write `{line.name}=+…`, or a unit of its own",
            )


def _is_user(view: View) -> bool:
    """Whether the service is not root's, as that of the installer, which a drop-in is for."""
    told = sandbox.last(view, "User")
    installed = view.adds and view.name.partition(".")[0] == view.engine
    return (told not in sandbox.ROOT if told else installed) or sandbox.is_dynamic(view)
