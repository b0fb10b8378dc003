"""Values of the Helm chart: how they are recognised, and what they call things."""

from __future__ import annotations

import re
from typing import Final

from generator.engines import ENGINES, load_signs
from generator.readers.signs import Signs
from generator.view import Phrases

_CHARTS: Final = "|".join(ENGINES)
_PREFIXES: Final = "|".join(prefix for name in ENGINES for prefix in load_signs(name).prefixes)

_BELOW: Final = rf"^(?:{_CHARTS}):[ \t\r]*+(?:\{{|(?:#.*+)?\n(?:[ \t\r]*+(?:#.*+)?\n)*+[ \t]+\w+:)"
_IMAGE: Final = (
    rf"(?m)^image:[ \t]*\n[ \t]+repository:[ \t]*[\"']?(?:[\w.-]+/)?(?:{_CHARTS})/(?:{_CHARTS})\b"
)


def _holds(text: str) -> bool:
    """Whether values have a table of the chart's name, or its image beside its volume."""
    return re.search(f"(?m){_BELOW}", text) is not None or re.search(_IMAGE, text) is not None


SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml"}),
    content=rf"(?m){_BELOW}|^persistentVolume:",
    holds=_holds,
    # Other charts have `extraEnv` as well, so that somebody has to name the file.
    hinted=rf"(?ms)\A(?>.*?^extraEnv:).*?\b(?:{_PREFIXES})"
    rf"|(?m:^image:[ \t]*\n[ \t]+repository:[ \t]*(?:[\w.-]+/)?(?:{_CHARTS})/(?:{_CHARTS})\b)",
)
HELM: Final = Phrases(
    kind="helm",
    plugged=True,
    string='"{}"',  # Kubernetes takes nothing but strings.
    volumes_told=False,
    unnamed="is in an `emptyDir`, which goes with the pod",
    devices_told=False,
    keep_volume="write `enabled: true`",
    read_by="everybody who may read the pod or the release reads it",
    keep_in="a Secret, named by `secretKeyRef`",
    cpus='cpu: "{}"',
    size_suffix="i",  # To Kubernetes `20G` is decimal.
    no_swap="",  # Kubernetes has swap off.
    reader="the chart",
    accepts="helm",
)
