"""HW105, HW110, HW112, HW503 and HW506: what `resolve` says where it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

WITHOUT_EFFECT: Final = Rule(
    id="HW105",
    severity="info",
    title="a setting without effect on this host",
    why="The release reads it, but not on this hardware, or the server does the same by "
    "itself. It does no harm, and it does not do what its name says either.",
    bad='[ollama]\nversion = "0.9"\nacceleration = "cpu"\nflash_attention = true',
    good='[ollama]\nversion = "0.32"\nacceleration = "cpu"\nflash_attention = true',
    source="llm/server.go@v0.11.5; discover/runner.go@v0.32.15:67,100",
)


@Rule(
    id="HW110",
    title="a release newer than the catalogue",
    why="It is judged by the newest release known, which may miss names that came or went since.",
    bad='[ollama]\nversion = "0.99"',
    good='[ollama]\nversion = "0.32"    # or a younger Hostwright',
    source="tags of ollama/ollama",
    releases="those younger than the newest in the catalogue",
    deviates=True,
)
def younger_release(view: View, facts: Facts) -> Hits:
    # An image of any tag may be given to a check; a profile and its Plan choose their release.
    if view.phrases.keyed and not facts.known:
        yield Hit(
            message=f"{facts.release} is newer than the newest release this catalogue knows, "
            f"{facts.at}; the output is checked against that one",
            place=view.at(f"{view.engine}.version"),
        )


FLASH_ATTENTION_OFF: Final = Rule(
    id="HW112",
    severity="info",
    title="flash attention is off",
    why="Without it the compute buffers grow with the context, and a quantised KV cache is not "
    "possible. Left alone, the release turns it on where device and model support it.",
    bad="[ollama]\nflash_attention = false",
    good="[ollama]    # flash_attention left out",
    source="llm/llama_server.go@v0.32.15:596-621",
)
NO_MODEL_TO_CARRY_IT: Final = Rule(
    id="HW503",
    title="a setting that only a model can carry, and no model",
    why="Before 0.30 no variable sets the compute threads or the layers on the GPU, and before "
    "0.5.13 none the context. A Modelfile carries them, so the profile has to name a model.",
    bad='[ollama]\nversion = "0.9"\n\n[threads]\ncount = 8',
    good='[ollama]\nversion = "0.9"\n\n[threads]\ncount = 8\n\n'
    '[[models]]\nname = "qwen2.5-coder:7b"',
    source="api/types.go by tag; envconfig/config.go@v0.5.13",
    releases="before 0.30 for threads and layers, before 0.5.13 for the context",
)
NO_IMAGE: Final = Rule(
    id="HW506",
    severity="info",
    title="no official image for this host",
    why="The ROCm image is built for x86_64 alone. Compose would fail to pull it here.",
    bad='[host]\nsystem = "aarch64-linux"\n\n[ollama]\nacceleration = "rocm"',
    good='[container]\nimage = "registry.lan/ollama-rocm"',
    source="scripts/build_docker.sh@v0.32.15:24-33",
)
