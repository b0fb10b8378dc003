"""Manifests of Kubernetes: how they are recognised, and what they call things."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, served
from generator.view import Phrases

SIGNS: Final = Signs(
    ours=served("kubernetes"),
    names=r"kustomization\.ya?ml",
    maybe=frozenset({".yaml", ".yml", ".json"}),
    content=r"(?m)^[ \t]*[\"']?apiVersion[\"']?[ \t]*:[ \t]*[\"']?[\w./-]+"
    r"|[{,] ?\"apiVersion\" ?: ?\"[\w./-]+\""  # JSON
    # Values of app-template.
    r"|^controllers:[ \t]*(?:#[^\n]*)?\n(?:[ \t][^\n]*\n|\n){1,40}?[ \t]+containers:"
    r"|^[\w-]+:[ \t]*\n {1,8}controllers:[ \t]*\n(?: [^\n]*\n|\n){1,40}?[ ]+containers:",
    # What Compose and Helm read has such a key only deep inside.
    never=r"(?m)^[\"']?(?:services|schema_version)[\"']?\s*:"
    # Nor does a Chart.yaml, whose parts may be of an engine by another name.
    r"|^dependencies:[ \t\r]*\n(?:[ \t#-][^\n]*\n|\r?\n){0,200}?[ \t-]+alias:"
    # Nor do steps that hold a manifest: a workflow, cloud-init, plays and tasks of Ansible.
    r"|\A#cloud-config\b|^(?:jobs|runcmd|write_files|before_script|stages|steps)[ \t]*:"
    r"|\A(?:[ \t]*(?:#[^\n]*|---[^\n]*|)\n)*+- (?:name|hosts|import_playbook|tags|when|become"
    r"|block|(?:[a-z]+\.[a-z]+\.)?k8s)[ \t]*:",
    belongs=lambda _: "",
    lays_over=r"kustomization\.ya?ml",
)
KUBERNETES: Final = Phrases(
    kind="kubernetes",
    podded=True,
    plugged=True,
    devices_told=False,
    string='"{}"',  # A variable takes nothing but strings.
    unnamed="is in an `emptyDir`, or another volume that goes with the pod",
    read_only="readOnly: true",
    keep_volume="mount a volume of a PersistentVolumeClaim there",
    read_by="everybody who may read the pod reads it",
    keep_in="a Secret, named by `secretKeyRef`",
    cpus='cpu: "{}"',
    size_suffix="i",  # To Kubernetes `20G` is decimal.
    no_swap="",  # Kubernetes has swap off.
    check="[{}]",  # It runs the words as they are.
    entrypoint="command: [{}]",
    shared_memory="mount an `emptyDir` with `medium: Memory` at /dev/shm",
    reader="kubectl",
    accepts="kubernetes",
    refuses_whole="the manifest",
    own_keys=r"\$.*",  # of patches
)
