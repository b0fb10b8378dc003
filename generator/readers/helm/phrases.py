"""How values of a chart say what rules speak of."""

from __future__ import annotations

from typing import Final

from generator.view import Phrases

HELM: Final = Phrases(
    kind="helm",
    string='"{}"',  # Kubernetes takes nothing but strings.
    volumes_told=False,
    keep_volume="write `enabled: true`",
    read_by="everybody who may read the pod or the release reads it",
    keep_in="a Secret, named by `secretKeyRef`",
    cpus='cpu: "{}"',
    size_suffix="i",  # To Kubernetes `20G` is decimal.
    no_swap="",  # Kubernetes has swap off.
)
