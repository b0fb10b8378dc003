"""What was measured, request by request: nanoseconds of the client's clock, and of the server's.

Records of whole numbers and texts, so that `gen bench compare` reads what `--json` has written.
"""

from __future__ import annotations

from typing import Final, Literal

from generator.bench.usage import Usage  # noqa: TC001 -- the codec looks it up here
from generator.records import dataclass

Api = Literal["ollama", "openai"]
Task = Literal["generate", "embed"]
StartKind = Literal["dropped", "kept", "warm"]
START_KINDS: Final[tuple[StartKind, ...]] = ("dropped", "kept", "warm")
STARTS: Final[dict[StartKind, str]] = {
    "dropped": "cold, from the disk",
    "kept": "cold, cached",
    "warm": "warm",
}
"""What people call them."""


TOGETHER: Final = 2
"""By how much tokens must arrive faster than they are made to have been held up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request; `error` says what became of one that failed.

    By the client's clock, since its level began: when it was due, when its first token came and
    when its answer ended; `gaps` are the times between tokens. By the server's: the whole, loading
    the model, the prompt, and the tokens; 0 where it tells none. `vectors` are those of a request
    for some, which has no tokens of its own.
    """

    due: int = 0
    first: int = 0
    ended: int = 0
    gaps: tuple[int, ...] = ()
    prompt_tokens: int = 0
    tokens: int = 0
    total: int = 0
    load: int = 0
    prefill: int = 0
    decode: int = 0
    vectors: int = 0
    error: str = ""

    @property
    def ttft(self) -> int:
        """From the time at which it was due to its first token."""
        return self.first - self.due

    @property
    def latency(self) -> int:
        """From the time at which it was due to the end of its answer."""
        return self.ended - self.due

    @property
    def seen(self) -> int:
        """The tokens that came: those that arrived, or more where several arrive together.

        Of one more than arrived nobody sees anything: it ends the answer.
        """
        arrived = len(self.gaps) + 1
        return self.tokens if self.tokens > arrived + 1 else arrived

    @property
    def itl(self) -> float:
        """The mean time between two tokens; 0 where no two arrive one after the other.

        Tokens that were held up on their way, by a proxy or a busy machine, arrive together, and
        faster than any server makes them: then it is what the server counts.
        """
        arrived = sum(self.gaps) / (self.seen - 1) if self.gaps else 0.0
        made = self.decode / self.tokens if self.tokens else 0.0
        return made if self.gaps and arrived * TOGETHER < made else arrived

    @property
    def rate(self) -> float:
        """Tokens per second between the first and the last."""
        return 1e9 / self.itl if self.itl else 0.0

    @property
    def served_rate(self) -> float:
        """The same as the server counts it."""
        return self.tokens * 1e9 / self.decode if self.decode else 0.0

    @property
    def queue(self) -> int:
        """What the server needed beside loading, prompt and tokens: waiting for a slot."""
        return self.total - self.load - self.prefill - self.decode

    @property
    def outside(self) -> int:
        """What the client waited and the server does not count."""
        return self.latency - self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A load: so many requests at once (0: an open loop), or so many a second, for `wall` ns.

    `window`: nanoseconds for which a client holds requests, to send them together. `usage` is what
    the server used meanwhile; None: it is on another machine, or hidden.
    """

    at_once: int
    per_second: float
    wall: int
    samples: tuple[Sample, ...]
    window: int = 0
    usage: Usage | None = None

    @property
    def name(self) -> str:
        """What tells it from others: `4`, `2.5/s`, or `2.5/s held 50ms`."""
        held = f" held {self.window / 1e6:g}ms" if self.window else ""
        return str(self.at_once) if self.at_once else f"{self.per_second:g}/s{held}"

    @property
    def good(self) -> tuple[Sample, ...]:
        """The requests that were answered."""
        return tuple(sample for sample in self.samples if not sample.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a request, as `num_batch`, in place of what the model has."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is asked: so many requests at each level, of about so many tokens, for so many.

    `prompts`: how many were given (0: made of the seed). `words`: those of a made prompt, which
    the server counted as `prompt_tokens` or about. `options` are those of each request. `texts` are
    how many of them a request for vectors has.
    """

    api: Api
    requests: int
    prompt_tokens: int
    output_tokens: int
    seed: int
    prompts: int = 0
    words: int = 0
    options: tuple[Option, ...] = ()
    task: Task = "generate"
    texts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Requests that begin alike: the model on disk alone, in the page cache as well, or loaded.

    `held` is what percent of the model's file the page cache had before, at worst (-1: not known);
    `why` says why there are none.
    """

    kind: StartKind
    held: int
    why: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What was measured on: empty and 0 where nobody tells.

    Of the model its digest, quantisation, bytes in memory and how many of them on GPUs, context
    per slot, and the seconds for which it stays loaded (negative: it is gone); of the machine what
    this one is, if the server is on it.
    """

    release: str = ""
    digest: str = ""
    quantisation: str = ""
    size: int = 0
    on_gpus: int = 0
    context: int = 0
    stays: int = 0
    architecture: str = ""
    cpu: str = ""
    cores: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A whole measurement: of what, the request before it that warmed up, its levels and starts.

    `repeated` are requests with one and the same prompt, one after the other.
    """

    profile: str
    url: str
    model: str
    workload: Workload
    environment: Environment
    warmup: Sample
    levels: tuple[Level, ...]
    starts: tuple[Start, ...] = ()
    repeated: tuple[Sample, ...] = ()
