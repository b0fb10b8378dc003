"""Terraform and OpenTofu: how their files are recognised, and what they call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.kubernetes import KUBERNETES
from generator.readers.signs import Signs
from generator.view import Phrases

SIGNS: Final = Signs(
    sure=frozenset({".tf", ".tofu"}),
    # A template of Packer: the same language, and the same provisioners.
    names=r".+\.pkr\.hcl",
    # All files of a directory are one module.
    belongs=lambda path: f"{path.parent.as_posix()}{'/packer' * (path.suffix == '.hcl')}",
    lays_over=r".*\.(?:tf|tofu)",
)
DOCKER: Final = Phrases(
    kind="terraform",
    string='"{}"',
    past_firewall=True,
    read_by="the state keeps it as it is, and `docker inspect` shows it",
    keep_in="a file of the host that the container mounts",
    restart='write `restart = "unless-stopped"`',
    refused=r"cpu_set|cpus",
    no_swap="write `memory_swap`, the same as `memory`, for no swap",
    mapped_port="external",
    read_only="read_only = true",
    mapped_host='ip = "127.0.0.1"',
    memlock='add `ulimit { name = "memlock" soft = -1 hard = -1 }`',
)
"""Of a container that the provider for Docker makes."""
CLUSTER: Final = replace(
    KUBERNETES,
    kind="terraform",
    cpus='cpu = "{}"',
    read_only="read_only = true",
    entrypoint="command = [{}]",
    keep_in="a `kubernetes_secret`, named by `secret_key_ref`",
)
"""Of what the provider for Kubernetes makes."""
ELSEWHERE: Final = Phrases(
    kind="terraform",
    string='"{}"',
    devices_told=False,
    volumes_told=False,
    unnamed="",
    read_by="the state keeps it as it is",
    keep_in="the store for secrets of the cloud",
    no_swap="",
)
"""Of a container that a cloud starts, of which image and variables alone are read."""
