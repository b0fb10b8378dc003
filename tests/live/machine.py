"""A machine that there is not: how long it takes, with noise, by a clock that nobody waits for."""

from __future__ import annotations

from math import exp, sin
from random import Random
from threading import Lock
from typing import Any

OPTIONS = ("num_thread", "num_gpu", "num_batch", "num_ctx")


class TooMuch(Exception):
    """A model that does not fit, as the runner of Ollama says it."""


class Machine:
    """Cores that share a bus, and a card; every seed has its best number of threads elsewhere.

    A token takes what the threads share, what they do not, and what they cost each other. Each
    request, each load and the time of day make it slower or faster by some percent.
    """

    def __init__(self, seed: int, *, cores: int = 16, noise: float = 0.03) -> None:
        drawing = Random(seed)  # noqa: S311 -- to draw a machine
        self.cores, self.noise = cores, noise
        self.drawing = Random(f"noise {seed}")  # noqa: S311
        self.best = drawing.uniform(4, 14)
        self.bus = drawing.uniform(0.01, 0.05)
        self.clock = 0.0
        self.requests = 0
        self.loads: list[dict[str, Any]] = []
        self.options: dict[str, Any] = {}
        self.mood = 0.0
        self.load_seconds = 2.0
        self.lock = Lock()
        self.layer = 1 << 30
        self.card = 24 << 30
        self.holds = 0  # tokens of context up to which twice as much of a model is on the card

    def per_token(self, options: dict[str, Any]) -> float:
        """Seconds of a token of an answer, without noise: the valley lies at `best` threads."""
        threads = options.get("num_thread") or self.cores
        # a/n + b + c n**2 is least where n**3 = a / 2c.
        return 0.5 / threads + self.bus + 0.25 * threads**2 / self.best**3

    def per_prompt_token(self, options: dict[str, Any]) -> float:
        """Seconds of a token of a prompt: many at once are cheaper, too many fall out of caches."""
        batch = options.get("num_batch") or 512
        return self.per_token(options) / 20 * (1 + 64 / batch + batch / 4096)

    def seconds(self, prompt: int, tokens: int, options: dict[str, Any]) -> float:
        """Of an answer, without noise."""
        return prompt * self.per_prompt_token(options) + tokens * self.per_token(options)

    @property
    def on_gpus(self) -> int:
        if self.holds:
            short = int(self.options.get("num_ctx") or 0) <= self.holds
            return self.card >> (0 if short else 1)
        return int(self.options.get("num_gpu") or 0) * self.layer

    def load(self, options: dict[str, Any]) -> int:
        """Load the model where its options are others; return the nanoseconds."""
        wanted = {name: options[name] for name in OPTIONS if name in options}
        with self.lock:
            if wanted == self.options and self.loads:
                return 0
            self.options = wanted
            self.loads.append(wanted)
            self.clock += self.load_seconds
            self.mood = self.drawing.gauss(0, self.noise)
            if self.on_gpus > self.card:
                raise TooMuch("model failed to load, this may be due to resource limitations")
            return int(self.load_seconds * 1e9)

    def answer(self, prompt: int, tokens: int) -> tuple[int, int]:
        """Return the nanoseconds of a prompt and of its answer."""
        with self.lock:
            self.requests += 1
            drift = 0.1 * sin(self.clock / 200)
            slow = exp(self.mood + drift + self.drawing.gauss(0, self.noise))
            prefill = prompt * self.per_prompt_token(self.options) * slow
            decode = tokens * self.per_token(self.options) * slow
            self.clock += prefill + decode
            return int(prefill * 1e9), int(decode * 1e9)
