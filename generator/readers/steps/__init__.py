"""CI files, cloud-init, Butane and Ansible: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from generator.engines import READ
from generator.readers.script import SCRIPT
from generator.readers.signs import Signs, served

_MODELS: Final = "|".join(rf"{name}_(?:\w+_)?models?(?:_\w+)?" for name in READ)
"""Variables of Ansible in which people list models to pull."""
MODELS: Final = re.compile(_MODELS, re.ASCII)
_VARIABLES: Final = "|".join(rf"{name}_(?:\w+_)?env(?:ironment)?(?:_\w+)?" for name in READ)
VARIABLES: Final = re.compile(_VARIABLES, re.ASCII)
"""Those in which they keep the environment of the server, for a role that writes its unit."""
SIGNS: Final = Signs(
    sure=frozenset({".bu"}),
    names=r"\.(?:gitlab-ci|woodpecker|drone)[\w.-]*\.ya?ml|user-data|cloud-(?:init|config)[\w.-]*",
    maybe=frozenset({".yaml", ".yml"}),
    content=r"(?m)\A#cloud-config\b"
    r"|^variant[ \t]*:[ \t]*[\"']?(?:fcos|flatcar|openshift|r4e|fiot)\b"
    r"|^(?:jobs|runcmd|write_files|before_script|stages|steps)[ \t]*:"
    r"|^[ \t]*(?:- )?(?:[a-z]+\.[a-z]+\.)?(?:docker|podman)_container[ \t]*:"
    rf"|^(?:{_MODELS}|{_VARIABLES}):[ \t]*(?:#[^\n]*)?$"
    r"|^- (?:hosts|import_playbook)[ \t]*:|^  script[ \t]*:"
    # A play, whose first key is its name.
    r"|^- name[ \t]*:[^\n]*\n(?:(?: {2}[^\n]*| ?#[^\n]*|)\n){0,9}? {2}hosts[ \t]*:"
    # A list of tasks: modules by their full names, or words that only a task has.
    r"|^(?:- | {2})(?:ansible|community|containers)\.[a-z_]+\.[a-z_]+[ \t]*:"
    r"|^ {2}(?:become|register|notify|changed_when|failed_when|delegate_to)[ \t]*:"
    r"|^ {2}block[ \t]*:[ \t]*(?:#[^\n]*)?\r?\n {2,8}- name[ \t]*:"
    r"|^- name[ \t]*:[^\n]*\n {2}(?:apt|copy|dnf|file|get_url|group|lineinfile|service|systemd"
    r"|template|unarchive|user)[ \t]*:[ \t]*\r?$",
    never=r"(?m)^apiVersion[ \t]*:",
    ours=served("steps"),
)
STEPS: Final = replace(SCRIPT, kind="steps", string='"{}"')
PASSING: Final = replace(STEPS, volumes_told=False, restart="", passing=True)
"""Of a container that goes with its job."""
ANSIBLE: Final = replace(
    STEPS,
    keep_in="a file outside version control that `env_file` names, or a vault",
    restart="add `restart_policy: unless-stopped`",
    cpus="cpus: {}",
    no_swap="add `memory_swap: {}`, the same as the memory, for no swap",
    memlock='add `ulimits: ["memlock:-1:-1"]` to the task',
    shared_memory="add `shm_size: 4g`, or `ipc_mode: host`",
)
"""Of a container that a task of Ansible makes."""
