"""HW404, HW405, HW406 and HW407: what a service may do to the host, and what it gives away."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.engines import load_signs
from generator.rules.helpers.containers import is_official
from generator.rules.helpers.sandbox import ROOT
from generator.rules.helpers.secrets import stands_in
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


NEVER_KILLED: Final = -1000  # proc_pid_oom_score_adj(5)
# A reference, a path, a specifier, text that a tool has encrypted, or a gap to fill in.
_NO_LITERAL: Final = re.compile(r"\$|%[a-zA-Z]|/|~|file:|ENC\[|<|\{\{|@")
_IN_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s:$]*:[^/@\s$]+@", re.IGNORECASE)
# Where everybody reads the environment; a file for it alone can be kept from them.
_READABLE: Final = frozenset(
    {".conf", ".service", ".container", ".yaml", ".yml", ".nix", ".toml", ".json"}
)


@Rule(
    id="HW404",
    title="a privileged container",
    why="`privileged` takes away what keeps a container from the host: every device, every "
    "capability, no filter of system calls. A GPU needs none of that.",
    bad="privileged: true",
    good="deploy:\n  resources:\n    reservations:\n      devices:\n"
    "        - driver: nvidia\n          count: all\n          capabilities: [gpu]",
    source="docs.docker.com/reference/cli/docker/container/run (--privileged)",
)
def privileged_container(view: View, _: Facts) -> Hits:
    if view.container is not None and view.container.privileged is not None:
        enough = "the GPU gets in without it" if view.container.gpu_access else (
            "let the GPU in by a device reservation, CDI, or `/dev/kfd` and `/dev/dri`"
        )  # fmt: skip
        yield Hit(
            message="a privileged container is root on the host: all devices, all capabilities",
            place=view.container.privileged,
            fix=f"remove it; {enough}",
        )


@Rule(
    id="HW405",
    title="root on the host's network",
    why="The image runs as root. On the host's network it reaches what listens on loopback alone, "
    "and may bind every port: an API without authentication is a short way to other services.",
    bad="network_mode: host    # and no user",
    good='ports: ["127.0.0.1:11434:11434"]',
    source="Dockerfile@v0.32.15:296-320; docs.docker.com/engine/network/drivers/host",
)
def root_on_the_host_network(view: View, facts: Facts) -> Hits:
    container = view.container
    if container is None or container.host_network is None:
        return
    user, port = container.user.strip("\"'").partition(":")[0], facts.image.port
    if user in ROOT or (not user and is_official(view, facts)):
        yield Hit(
            message="the server runs as root on the host's network: it reaches every service "
            "that trusts the loopback address",
            place=container.host_network,
            # Without root of the host, podman runs it as the user that started it.
            severity="info" if view.phrases.rootless or _is_open(view, facts) else None,
            fix=f"publish `127.0.0.1:{port}:{port}` on a network of its own instead",
        )


def _is_open(view: View, facts: Facts) -> bool:
    """Whether the image opens the API there, which is said of the same line already (HW402)."""
    address = load_signs(view.engine).address
    return view.variable(address) is None and address in facts.image.environment


@Rule(
    id="HW406",
    secret=True,
    title="a secret in the plain environment",
    why="Everybody who may look at the service, or at its file, sees its environment. `gen` makes "
    "no output of a profile that has one: on NixOS it would be in the store, which every user "
    "reads. A secret is named by reference: the file of variables in `service.environment_files`.",
    bad='Environment="HF_TOKEN=hf_…"',
    good="EnvironmentFile=/etc/ollama/secrets.env    # mode 0600",
    source="systemd.exec(5), Environment=",
)
def plain_secret(view: View, facts: Facts) -> Hits:
    # The value is never repeated.
    for variable in view.variables if view.phrases.read_by else ():
        # A file of variables alone (`EnvironmentFile=`, `.env`) is where secrets belong.
        file = variable.place.file
        shown = file == view.place.file or PurePosixPath(file).suffix in _READABLE
        if not shown or variable.reach == "shell" or variable.unresolved:
            continue
        guide = view.phrases.guide or view.phrases.several
        if guide and view.container is None and not _is_ours(view, variable):
            continue  # Of a guide to other programs.
        address = _IN_ADDRESS.match(_bare(variable)) is not None
        if address or _is_secret(variable, facts):
            message = "the address in it has a password" if address else "looks like a secret"
            yield Hit(
                message=f"`{variable.name}`: {message}; {view.phrases.read_by}",
                place=variable.place,
                fix=f"keep it in {view.phrases.keep_in}",
                severity="error" if view.phrases.keyed else None,
            )


def _bare(variable: Variable) -> str:
    return (variable.written or variable.value).strip("\"' ")


def _is_secret(variable: Variable, facts: Facts) -> bool:
    """Whether the name says secret, and the value is one, not the place of one."""
    if not facts.secrets.has(variable.name):
        return False
    texts = (_bare(variable), variable.value.strip("\"' "))
    if any(_NO_LITERAL.match(text) or "${" in text for text in texts):
        return False
    return not stands_in(texts[1], facts)


def _is_ours(view: View, variable: Variable) -> bool:
    return variable.name.startswith(load_signs(view.engine).prefixes)


@Rule(
    id="HW407",
    title="a server that the kernel must not kill",
    why="At -1000 the kernel kills everything else first when memory runs out: sshd, the journal, "
    "the database beside it. The runners inherit it, and they are what fills the memory.",
    bad="OOMScoreAdjust=-1000",
    good="OOMScoreAdjust=-500\nMemoryMax=24G",
    source="systemd.exec(5), OOMScoreAdjust=; proc_pid_oom_score_adj(5)",
)
def never_killed(view: View, _: Facts) -> Hits:
    adjust = view.bound("oom_score_adjust")
    if adjust is not None and str(adjust.value) == str(NEVER_KILLED):
        yield Hit(
            message="at -1000 the kernel kills every other process first, and it is the models "
            "that fill the memory",
            place=adjust.place,
            fix="write a milder one, like -500, and bound the memory with MemoryMax",
        )
