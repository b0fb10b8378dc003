"""What is known of models: the shapes that memory follows from, and names that do not exist.

A tag of Ollama's library, like `llama3.1:8b-instruct-q8_0`, is a name, a size and a quantisation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence  # noqa: TC003 -- the build asks
from dataclasses import field
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NamedTuple

from generator.catalogue.records import BOUND, Bytes, Span
from generator.records import dataclass
from generator.units import Release

# What a layer keeps of the tokens that it has seen: letters of `pattern` in data/models.toml.
KINDS: Final = "AWRH-"
How = Literal[
    "parallel",
    "post-norm",
    "biased",
    "fused",
    "query-norm",
    "weighted-input",
    "altup",
    "deep-stack",
    "delta-net",
    "token-shift",
    "layer-embeddings",
    "output-first",
]
# What a model that is like another does not have of it.
OWN: Final = frozenset(
    {
        *("names", "like", "since", "superseded", "use", "released", "licence", "sure"),
        *("quantisation", "weights", "outputs", "source"),
    }
)
# What it may say itself without being larger or smaller.
SAME_SIZE: Final = OWN | {"context", "projector", "whole_cache"}
_CONTEXT: Final = r"(?:^|-)(?:(\d{1,5})k|([1-9]|10)m)(?=-|$)"
NEAR_SAID: Final = 0.05  # 1048k is 1048576, and 128k may be 128000
_QUANTISATION: Final = r"[it]?q\d(?:_[0-9a-z]+)*|b?f16|fp16|f32|mxfp4(?:_moe)?"


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelFact:
    """A model: its shape, how large it is, and what it is good for.

    `Facts.model` fills in the `quantisation` of one tag. `weights` are bytes that were read or
    measured, `derived` those that follow from its tensors, as llama-quantize makes them;
    `parameters` tells how many weights there are, `multiplied` how many every token is multiplied
    with in the layers, `expert_weights` how many all experts have. A model that is `like` another
    has all of its shape but what it says itself. What the numbers of a shape mean stands at the
    head of `data/models.toml`; they have the names that a GGUF header gives them, where it has
    them.

    `since` is the first release that loads it, where that is not its architecture's; `superseded`
    the model that took its place; `use` what it is good for; `sure` how its shape is known.
    """

    names: tuple[str, ...]
    like: str = ""
    architecture: str = ""
    layers: int = 0
    embedding: int = 0
    feed_forward: int = 0
    heads: int = 0
    kv_heads: int = 0
    key_length: int = 0
    value_length: int = 0
    vocabulary: int = 0
    context: int = 0
    tied: bool = False
    window: int = 0
    window_every: int = 0
    pattern: str = ""
    window_heads: int = 0
    window_kv_heads: int = 0
    window_key_length: int = 0
    window_value_length: int = 0
    shared_kv_layers: int = 0
    encoder: bool = False
    gated: bool = True
    experts: int = 0
    experts_used: int = 0
    shared_feed_forward: int = 0
    dense_layers: int = 0
    dense_feed_forward: int = 0
    kv_lora_rank: int = 0
    rope_dimension: int = 0
    whole_cache: bool = False
    ssm_conv_kernel: int = 0
    ssm_inner_size: int = 0
    ssm_state_size: int = 0
    ssm_group_count: int = 0
    shortconv_l_cache: int = 0
    kda_head_dim: int = 0
    wkv_head_size: int = 0
    token_shift_count: int = 2
    projector: Bytes = 0
    q_lora_rank: int = 0
    ssm_time_step_rank: int = 0
    layer_embedding: int = 0
    shared_kv_feed_forward: int = 0
    keys_as_values: bool = False
    sparse_every: int = 1
    moe_latent_size: int = 0
    since: Release | None = None
    superseded: str = ""
    use: tuple[str, ...] = ()
    released: str = ""
    licence: str = ""
    sure: str = "config"
    quantisation: str
    weights: dict[str, Bytes] = field(default_factory=dict)
    derived: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: int = 0
    multiplied: int = 0
    expert_weights: int = 0
    source: str

    @property
    def weight_bytes(self) -> int:
        """The bytes of all tensors; 0: not known for this quantisation."""
        return self.sizes.get(self.quantisation, 0)

    @property
    def file_bytes(self) -> int:
        """What is pulled: the tensors, and the tower that is beside them or in the same file."""
        return self.weight_bytes + self.projector

    @property
    def sizes(self) -> Mapping[str, int]:
        """The bytes of all tensors by quantisation: what is known, and what follows from it."""
        return {**self.derived, **self.weights}


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantisation:
    """A way to store weights; `loss` is the perplexity that it costs, None: unknown.

    The `usual` ones are offered where none is named.
    """

    name: str
    embedding: str
    output: str
    loss: float | None = None
    usual: bool = False
    advice: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MissingModel:
    """A name that people write, though nobody can pull it; without a tag: any of that name."""

    name: str
    why: str
    use: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Architecture:
    """An architecture: which releases load it and how, and where its windows are.

    `since` is the first release that loads it, `engine` the first that has Ollama's own engine do
    it, `flash` the first that turns flash attention on by itself, `no_flash` the one from which on
    Ollama up to 0.24 never does, `quantised` the first that quantises its cache; None: unknown.
    The others are what llama.cpp makes of a sliding window: every
    `window_every`-th layer keeps the whole context (0: all layers do), the first of them rather
    than the last if `window_first`; it is `window` tokens wide whatever the file says, and
    `window_default` where it says nothing; only models of `window_layers` layers have one; only
    the first `cached_layers` have a cache. Up to 0.24 flash attention takes cards of at least
    `flash_capability`, like `7.5`. All of its models that see have the same tower: squares of
    `tower_patch` pixels in pictures of `tower_image`, or of `tower_pixels` in all, computed with
    `tower_heads`, `tower_embedding` and `tower_feed_forward`, with a gate if `tower_gated`;
    llama.cpp takes pictures of `tower_limit` pixels at most.
    """

    at: Annotated[Release, BOUND]
    name: str
    since: Release | None = None
    engine: Release | None = None
    flash: Release | None = None
    no_flash: Release | None = None
    quantised: Release | None = None
    flash_capability: str = ""
    window_every: int | None = None
    window_first: bool = False
    window: int = 0
    window_default: int = 0
    window_layers: int = 0
    cached_layers: int = 0
    tower_image: int = 0
    tower_pixels: int = 0
    tower_patch: int = 0
    tower_heads: int = 0
    tower_embedding: int = 0
    tower_feed_forward: int = 0
    tower_gated: bool = False
    tower_limit: int = 0
    source: str

    @property
    def loads(self) -> bool:
        """Whether the release loads it, as far as is known."""
        return self.since is None or self.since <= self.at

    @property
    def own_engine(self) -> bool:
        """Whether the release runs it in Ollama's own engine, whatever is set."""
        return self.engine is not None and self.engine <= self.at

    @property
    def flash_by_itself(self) -> bool:
        """Whether the release turns flash attention on for it by itself."""
        return self.flash is not None and self.flash <= self.at

    @property
    def never_flash(self) -> bool:
        """Whether Ollama up to 0.24 computes it without flash attention even if asked."""
        return self.no_flash is not None and self.no_flash <= self.at

    @property
    def plain_cache(self) -> bool:
        """Whether its cache is f16 whatever is asked."""
        return self.quantised is not None and self.at < self.quantised


@dataclass(frozen=True, kw_only=True, eq=False)
class Keeps:
    """What models of architectures keep of the tokens seen; see `data/architectures.toml`."""

    names: tuple[str, ...]
    kind: Literal["cache", "state", "both", "none", "more", "part"]
    what: str = ""
    nextn_cached: bool = True


@dataclass(frozen=True, kw_only=True)
class Computes:
    """How graphs of architectures differ from a plain one; see `data/architectures.toml`."""

    how: How
    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class OneSlot(Span):
    """An architecture that gets one request slot; `names` are its models, without a tag."""

    architecture: str
    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ContextFloor(Span):
    """The least context that models get, by name without a tag, on GPUs of so much `memory`."""

    names: tuple[str, ...]
    tokens: int
    memory: Bytes
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ContextTier(Span):
    """The context that is taken by itself from so many bytes of GPU memory on."""

    memory: Bytes
    tokens: int
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LibraryEntry:
    """A name of the library without a tag, what the library says it is `good_for`, and its files.

    `pulls` are how often it was pulled. Each of `files` is a size as it is shown, and the tags of
    that file. In the `cloud` it runs elsewhere, without any files there alone.
    """

    name: str
    good_for: tuple[str, ...] = ()
    pulls: int
    cloud: bool = False
    files: tuple[str, ...] = ()


class Tag(NamedTuple):
    """A tag of the library: what to pull, its quantisation, and the size that is shown."""

    name: str
    quantisation: str
    size: str


def whole(tables: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the tables of models, those that are like another with what they have of it."""
    known = {table["names"][0]: table for table in tables}
    for table in tables:
        base = known.get(table.get("like", ""), {})
        yield {**{key: value for key, value in base.items() if key not in OWN}, **table}


def plain(name: str) -> str:
    """Return a name of the library in its plain form: no registry, no capitals, with a tag."""
    bare = name.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return bare if ":" in bare else f"{bare}:latest"


def context_said(tag: str) -> int:
    """Return the tokens that a tag says, like those of `3b-instruct-128k`; 0: it says none.

    `32k` is 32768 like all powers of two, `200k` 200000; `1m` is 1048576, and `270m` a size.
    """
    found = re.search(_CONTEXT, tag.rpartition(":")[2], re.IGNORECASE)
    if found is None:
        return 0
    thousands, millions = found.groups()
    if millions:
        return int(millions) * 2**20
    number = int(thousands)
    return number * (1000 if number & (number - 1) else 1024)


@lru_cache(maxsize=4096)
def quantisation(text: str) -> str:
    """Return the quantisation that a part of a tag spells, like `Q8_0` or `F16`; empty: none."""
    known = re.fullmatch(_QUANTISATION, text, re.IGNORECASE)
    return text.upper().replace("FP16", "F16") if known else ""


def split(name: str) -> tuple[str, str]:
    """Return tag and quantisation of `M[:QUANT]`; an empty quantisation is that of the tag."""
    tag, separator, last = name.rpartition(":")
    kind = quantisation(last) if separator else ""
    return (tag, kind) if kind else (name, "")
