"""Readers of other people's files: each turns what a file says into Views for the rules.

A reader follows the program that the file is for, keeps the line of everything it reads, and
raises ProfileError for a text that is no such file at all. Only `text`, `links` and `discover`
read the disk, and only `nixos.evaluate` runs a program.

A kind of file is one folder here, with its signs and phrases and `read`, and one line below; of two
kinds that a text looks like, the first one counts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.readers.base import Context, Source
    from generator.view import View

KINDS: Final = {
    "plan": "a plan",
    "dockerfile": "a Dockerfile",
    "modelfile": "a Modelfile",
    "pm2": "applications of pm2",
    "document": "Markdown with fences",
    "code": "a program that asks a server",
    "systemd": "a unit or drop-in",
    "quadlet": "a quadlet",
    "supervisord": "a configuration of supervisord",
    "haproxy": "a configuration of HAProxy",
    "nginx": "a configuration of nginx",
    "caddy": "a Caddyfile",
    "traefik": "a dynamic configuration of Traefik",
    "litellm": "a configuration of LiteLLM",
    "prometheus": "rules or a configuration of Prometheus",
    "alertmanager": "a configuration of Alertmanager",
    "kubernetes": "a manifest of Kubernetes",
    "steps": "a CI file, cloud-init, Butane or tasks of Ansible",
    "script": "a script",
    "recipes": "a Taskfile, a Procfile, a Vagrantfile, tasks of mise or scripts of npm",
    "devcontainer": "a dev container",
    "windows": "a script of PowerShell or cmd",
    "launchd": "an agent of launchd",
    "fly": "an application of Fly.io",
    "render": "a blueprint of Render",
    "nomad": "a job of Nomad",
    "terraform": "a module of Terraform",
    "cloud": "a task of ECS, a stack of CloudFormation or containers of Azure",
    "compose": "a compose file",
    "helm": "values of the Helm chart",
    "nixos": "a NixOS module",
    "environment": "an environment file",
}


def load_reader(kind: str) -> Callable[[Sequence[Source], Context], tuple[View, ...]]:
    """Return what makes Views of files of a kind, a key of KINDS."""
    module = importlib.import_module(f"generator.readers.{kind}.read")
    return cast("Callable[[Sequence[Source], Context], tuple[View, ...]]", module.read)
