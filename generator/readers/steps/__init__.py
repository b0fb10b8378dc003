"""CI files, cloud-init and Ansible: how they are recognised, and what they call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

SIGNS: Final = Signs(
    names=r"\.(?:gitlab-ci|woodpecker|drone)[\w.-]*\.ya?ml|user-data|cloud-(?:init|config)[\w.-]*",
    maybe=frozenset({".yaml", ".yml"}),
    content=r"(?m)\A#cloud-config\b|^(?:jobs|runcmd|write_files|before_script|stages|steps)[ \t]*:"
    r"|^[ \t]*(?:- )?(?:[a-z]+\.[a-z]+\.)?(?:docker|podman)_container[ \t]*:"
    r"|^- (?:hosts|import_playbook)[ \t]*:|^  script[ \t]*:"
    # A list of tasks: modules by their full names, or words that only a task has.
    r"|^(?:- | {2})(?:ansible|community|containers)\.[a-z_]+\.[a-z_]+[ \t]*:"
    r"|^ {2}(?:become|register|notify|changed_when|failed_when|delegate_to)[ \t]*:",
    never=r"(?m)^apiVersion[ \t]*:",
)
STEPS: Final = replace(SCRIPT, kind="steps", string='"{}"')
PASSING: Final = replace(STEPS, volumes_told=False, restart="")
"""Of a container that goes with its job."""
