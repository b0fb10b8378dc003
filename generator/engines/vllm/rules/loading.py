"""HW667, HW668 and HW669: what a server that loads for minutes asks of what is around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.engines.vllm.rules.helpers.options import last, model
from generator.rules.helpers.containers import is_own_image, target
from generator.rules.helpers.probes import never_asked, patience
from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

_OF_A_HUB: Final = re.compile(r"(?![./~])[\w.-]+/[\w.-]+")
_CACHES: Final = ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HOME")
_FOR_WEIGHTS: Final = re.compile(
    r"(?i)cache|hugging|\bhf|model|weight|data|storage|workspace|/(?:root|home|mnt|vllm)\b|^/$"
)
_SIZE: Final = re.compile(r"(?i)(?<![\w.])(\d{1,4}(?:\.\d+)?)b(?![a-z0-9])")
_SMALL: Final = 3.0  # billions of parameters
_LEAST: Final = {True: 120, False: 300}
"""Seconds that a small model, and another one, take to load at the least where all goes well."""


@Rule(
    id="HW667",
    title="weights that go with the container",
    why="The server downloads a model by its name into the cache of Hugging Face, below "
    "/root/.cache/huggingface unless HF_HOME says otherwise. Without a volume there each new "
    "container downloads all of it once more, gigabytes, before it answers, and cannot begin at "
    "all while the hub is out of reach.",
    bad="image: vllm/vllm-openai:v0.33.0\ncommand: org/name",
    good="image: vllm/vllm-openai:v0.33.0\ncommand: org/name\n"
    'volumes: ["huggingface:/root/.cache/huggingface"]',
    source="docs/deployment/docker.md@0.33.0; huggingface_hub: environment variables, HF_HOME",
)
def no_cache(view: View, _: Facts) -> Hits:
    box, told = view.container, model(view)
    if box is None or view.adds or not view.phrases.volumes_told or not is_own_image(view):
        return
    if told is None or not _OF_A_HUB.fullmatch(told[0]) or last(view, "--download-dir"):
        return
    if view.lines_named("volumes_from", "extends"):
        return
    named = [text for text, _ in box.mounts if ":" in text and not text.startswith(":")]
    paths = [one.value for name in _CACHES if (one := view.variable(name))]
    if any("$" in text or _is_for_weights(target(text), paths) for text in named):
        return
    yield Hit(
        message=f"no volume keeps `{told[0]}`: each new container downloads it once more",
        place=box.place,
        fix=f"mount a volume at {_kept_in(view)}",
    )


def _kept_in(view: View) -> str:
    told = (view.variable(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"))
    named = (one.value for one in told if one is not None)
    return next((path for path in named if path.startswith("/")), "/root/.cache/huggingface")


def _is_for_weights(path: str, caches: list[str]) -> bool:
    held = any(cache.startswith(f"{path.rstrip('/')}/") or cache == path for cache in caches)
    return held or _FOR_WEIGHTS.search(path) is not None


@Rule(
    id="HW668",
    title="a check that kills a server while it loads",
    why="The server listens once the model is loaded: minutes, and longer where it is downloaded "
    "first. Until then each liveness probe fails, and Kubernetes kills the container, which begins "
    "anew. A startup probe holds the others back until it has passed.",
    bad="livenessProbe: {initialDelaySeconds: 60, periodSeconds: 10}",
    good="startupProbe: {periodSeconds: 10, failureThreshold: 180}\n"
    "livenessProbe: {periodSeconds: 10}",
    source="kubernetes.io: Configure Liveness, Readiness and Startup Probes; "
    "docs/deployment/k8s.md@0.33.0, Troubleshooting",
)
def killed_while_it_loads(view: View, _: Facts) -> Hits:
    told = model(view)
    found = patience(view, "livenessProbe")
    if found is None or view.adds or patience(view, "startupProbe") is not None:
        return
    size = _SIZE.search(told[0]) if told else None
    seconds, place = found
    if seconds < _LEAST[size is not None and float(size[1]) < _SMALL]:
        yield Hit(
            message=f"the container is killed where it does not answer within {seconds} seconds, "
            "and it answers once the model is loaded",
            place=place,
            fix="give it a `startupProbe` that waits as long as the first start takes, with its "
            "download",
        )


@Rule(
    id="HW669",
    title="requests to a server that still loads",
    why="Without a readiness probe a pod counts as ready once its container runs: a Service sends "
    "it requests, which are refused until the model is loaded, and a rollout takes the old pod "
    "away by then.",
    bad="containers: [{image: vllm/vllm-openai:v0.33.0}]    # and a Service",
    good="readinessProbe: {httpGet: {path: /health, port: 8000}}",
    source="kubernetes.io: Configure Liveness, Readiness and Startup Probes; "
    "docs/deployment/k8s.md@0.33.0",
)
def ready_too_early(view: View, _: Facts) -> Hits:
    place = never_asked(view)
    if place is not None:
        yield Hit(
            message="a Service sends requests to the pod as soon as its container runs, and it "
            "answers minutes later, once the model is loaded",
            place=place,
            fix="give it a `readinessProbe` that asks `/health`",
        )
