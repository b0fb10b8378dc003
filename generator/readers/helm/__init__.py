"""Values of the Helm chart: how they are recognised, and what they call things."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.engines import READ, load_signs
from generator.readers.signs import Signs, served
from generator.view import Phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Source

_CHARTS: Final = "|".join(READ)
_PREFIXES: Final = "|".join(prefix for name in READ for prefix in load_signs(name).prefixes)

_BELOW: Final = rf"^(?:{_CHARTS}):[ \t\r]*+(?:\{{|(?:#.*+)?\n(?:[ \t\r]*+(?:#.*+)?\n)*+[ \t]+\w+:)"
_IMAGE: Final = (
    rf"(?m)^image:[ \t]*\n[ \t]+repository:[ \t]*[\"']?(?:[\w.-]+/)?(?:{_CHARTS})/(?:{_CHARTS})\b"
)


def _holds(text: str) -> bool:
    """Whether values have a table of the chart's name, or its image beside its volume."""
    signs = (f"(?m){_BELOW}", _IMAGE, _HELMFILE, f"(?m){_STACK}")
    return any(re.search(sign, text) is not None for sign in signs)


def _includes(source: Source) -> Iterator[str]:
    """Yield the files of values that a helmfile names."""
    if re.search(_HELMFILE, source.text):
        folder = posixpath.dirname(source.path)
        for name in _NAMED.finditer(source.text):
            yield posixpath.normpath(posixpath.join(folder, name[0]))


_STACK: Final = r"^servingEngineSpec:[ \t\r]*(?:#.*+)?\n(?:.*+\n)*?[ \t]+modelSpec:"
"""Values of vllm-project/production-stack."""
_HELMFILE: Final = r"(?m)^releases[ \t]*:[ \t]*(?:#[^\n]*)?\n[ \t#-]"
_NAMED: Final = re.compile(r"(?<![\w./-])[\w./-]{1,200}\.ya?ml(?![\w./-])")
SIGNS: Final = Signs(
    names=r"helmfile(?:\.[\w-]+)?\.ya?ml",
    maybe=frozenset({".yaml", ".yml"}),
    content=rf"(?m){_BELOW}|^persistentVolume:|{_HELMFILE.removeprefix('(?m)')}|{_STACK}",
    holds=_holds,
    includes=_includes,
    referred=True,
    ours=served("helm"),
    # Other charts have `extraEnv` as well, so that somebody has to name the file.
    hinted=rf"(?ms)\A(?>.*?^extraEnv:).*?\b(?:{_PREFIXES})"
    rf"|(?m:^image:[ \t]*\n[ \t]+repository:[ \t]*(?:[\w.-]+/)?(?:{_CHARTS})/(?:{_CHARTS})\b)",
)
HELM: Final = Phrases(
    kind="helm",
    podded=True,
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
