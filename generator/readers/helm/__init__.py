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
_WRAPPERS: Final = "|".join(filter(None, (load_signs(name).wrapper for name in READ)))
_WITHIN: Final = (
    rf"^(?:{_WRAPPERS}):[ \t\r]*+(?:#.*+)?\n(?:[ \t#].*+\n|\r?\n)*?[ \t]+(?:{_CHARTS}):[ \t\r]*\n"
)
"""Values of a chart that has another one as a part, in which the engine's own is one."""
_ALIASED: Final = r"^dependencies:[ \t\r]*\n(?:[ \t#-].*+\n|\r?\n)*?[ \t-]+alias:"
"""A chart whose parts have other names in its values."""
_IMAGE: Final = (
    rf"(?m)^image:[ \t]*\n[ \t]+repository:[ \t]*[\"']?(?:[\w.-]+/)?(?:{_CHARTS})/(?:{_CHARTS})\b"
)


def _holds(text: str) -> bool:
    """Whether values have a table of the chart's name, or its image beside its volume."""
    signs = (f"(?m){_BELOW}", f"(?m){_WITHIN}", _IMAGE, _HELMFILE, f"(?m){_STACK}")
    return any(re.search(sign, text) is not None for sign in signs) or renames_a_part(text)


def renames_a_part(text: str) -> bool:
    """Whether a Chart.yaml calls the chart of an engine, or one that has it, something else."""
    own = {*READ, *(load_signs(name).wrapper for name in READ)} - {""}
    return any(part.get("name") in own and "alias" in part for part in parts(text))


def parts(text: str) -> Iterator[dict[str, str]]:
    """Yield what a Chart.yaml says of each chart that it depends on: name, version, alias."""
    _, _, rest = text.partition("\ndependencies:")
    for part in re.split(r"(?m)^[ \t]*-[ \t]", re.split(r"(?m)^\w", rest, maxsplit=1)[0]):
        yield dict(_TOLD.findall(part))


_TOLD: Final = re.compile(r"(?m)^[ \t]*(?:-[ \t]*)?(name|version|alias):[ \t]*[\"']?([\w.+-]+)")
CHART: Final = "Chart.yaml"


def _includes(source: Source) -> Iterator[str]:
    """Yield the files of values that a helmfile names, or that a chart has."""
    if posixpath.basename(source.path) == CHART:
        yield values_beside(source.path)
    if re.search(_HELMFILE, source.text):
        folder = posixpath.dirname(source.path)
        for name in _NAMED.finditer(source.text):
            yield posixpath.normpath(posixpath.join(folder, name[0]))


def values_beside(path: str) -> str:
    """Return the file with the values of a chart, which lies beside its Chart.yaml."""
    return posixpath.join(posixpath.dirname(path), "values.yaml")


_STACK: Final = r"^servingEngineSpec:[ \t\r]*(?:#.*+)?\n(?:.*+\n)*?[ \t]+modelSpec:"
"""Values of vllm-project/production-stack."""
_HELMFILE: Final = r"(?m)^releases[ \t]*:[ \t]*(?:#[^\n]*)?\n[ \t#-]"
_NAMED: Final = re.compile(r"(?<![\w./-])[\w./-]{1,200}\.ya?ml(?![\w./-])")
SIGNS: Final = Signs(
    names=r"helmfile(?:\.[\w-]+)?\.ya?ml",
    maybe=frozenset({".yaml", ".yml"}),
    content=rf"(?m){_BELOW}|{_WITHIN}|{_ALIASED}|^persistentVolume:|{_HELMFILE.removeprefix('(?m)')}|{_STACK}",
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
