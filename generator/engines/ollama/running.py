"""What a running Ollama tells of itself: its log, its API, and how it has read a variable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from generator.engines.base import ServedModel
from generator.engines.ollama import loads
from generator.engines.ollama.api import TAGS, VERSION
from generator.engines.ollama.reading import form_of
from generator.engines.ollama.rules.helpers.names import name_fault
from generator.engines.ollama.rules.helpers.values import PREFIX
from generator.engines.ollama.scheduler.server import bytes_of, listed, name_of
from generator.engines.ollama.signs import SIGNS
from generator.errors import EnvironmentFailure, shortened
from generator.meaning import cleaned, meant
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.catalogue.facts import Facts
    from generator.engines.base import AskApi, AskStream

_STARTED: Final = 'msg="server config"'
_DEVICE: Final = re.compile(r'msg="inference compute" .*?\blibrary="?(\w+)')
_PARAMETER: Final = re.compile(r'^(\w+) +(?:"((?:[^"\\]|\\.)*)"|(.*?))$', re.MULTILINE)
_MOST: Final = 1 << 16
# slog writes the text in quotes, and a map of Go as `map[NAME:value NAME:value]`.
_LINE: Final = re.compile(_STARTED + r' env="((?:[^"\\]|\\.)*)"')
_NAME: Final = re.compile(r"(?:^| )([A-Z][A-Z0-9_]+|https?_proxy|no_proxy):")
_KEEP: Final = "OLLAMA_KEEP_ALIVE"
_BUILT: Final = Release(0, 0, 0)
"""What a build says that was given no release."""


class RunningOllama:
    """What is so of a running server of one release."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def config(self, log: str) -> dict[str, str]:
        """Return the variables as the server has read them, by the last line that says so."""
        lines = _LINE.findall(log)
        return _map(re.sub(r"\\(.)", r"\1", lines[-1])) if lines else {}

    def devices(self, log: str) -> tuple[str, ...]:
        """Return the library of each device that the server computes on, since its last start."""
        return tuple(found.lower() for found in _DEVICE.findall(self.latest(log)))

    def latest(self, log: str) -> str:
        """Return what a log has since the last start of the server; all of it: none is in it."""
        return log.rpartition(_STARTED)[2]

    def download(self, name: str) -> int:
        """Return the bytes that a model is pulled with; 0: nobody knows."""
        found = self._facts.named_model(name)
        return found.file_bytes if found and found.weight_bytes else 0

    def agrees(self, name: str, value: str, told: str) -> bool:
        """Return whether that line says of a variable what `value` means."""
        if name == "OLLAMA_ORIGINS":
            return set(cleaned(value).split(",")) <= set(told.strip("[]").split())
        return self.meaning(name, value) == self.meaning(name, told)

    def meaning(self, name: str, value: str) -> str:
        """Return a value in the one form of all that mean the same; that of the line, too."""
        return meant(value, *form_of(name, self._facts))

    def unread(self, name: str) -> str:
        """Return why the release does not read a variable; empty: it does, or nobody knows."""
        fault = name_fault(name, self._facts)
        if fault is None:
            return ""
        return f"{fault.what}; {fault.fix()}" if fault.use else fault.what

    def secret(self, name: str) -> bool:
        """Return whether a variable holds a secret, by its name."""
        return self._facts.secrets.has(name)

    def of_runner(self, name: str) -> bool:
        """Return whether only the program reads it that is started for a model."""
        return name.startswith(PREFIX)

    def reads_own(self, command: Sequence[str]) -> bool:
        """Return whether the program of a model reads the variables that only such a one does."""
        return loads.reads(command)

    def default(self, name: str) -> str | None:
        """Return what a server takes that is not told a variable; None: the name is none of its."""
        fact = self._facts.variable(name)
        ours = name.startswith(SIGNS.prefixes) or (fact and fact.scope == "gpu-selection")
        if not ours or fact is None or not fact.known or fact.scope in {"client", "informational"}:
            return None
        return fact.default or ""

    def release(self, ask: AskApi) -> str:
        """Return the release that a server says it is; empty: somebody has built it."""
        told = name_of(ask(VERSION).get("version"))
        try:
            release = Release.parse(told)
        except ValueError:
            raise EnvironmentFailure(f"{VERSION}: no answer of an Ollama server") from None
        return "" if release == _BUILT else told

    def installed(self, ask: AskApi) -> tuple[ServedModel, ...]:
        """Return the models that a server has on disk."""
        return tuple(map(_model, listed(ask, TAGS)))

    def loaded(self, ask: AskApi) -> tuple[ServedModel, ...]:
        """Return the models that a server has in memory."""
        return tuple(map(_model, listed(ask, "/api/ps")))

    def parameters(self, ask: AskApi, name: str) -> tuple[tuple[str, str], ...]:
        """Return the parameters that a model of a server was made with."""
        told = ask("/api/show", {"model": name}).get("parameters")
        text = told[:_MOST] if isinstance(told, str) else ""
        found = _PARAMETER.findall(text)
        return tuple(
            (key, re.sub(r"\\(.)", r"\1", quoted) or plain) for key, quoted, plain in found
        )

    def weights(self, ask: AskApi, name: str) -> str:
        """Return the name of the file that a model is loaded from, by its Modelfile."""
        told = ask("/api/show", {"model": name}).get("modelfile")
        text = told[:_MOST] if isinstance(told, str) else ""
        found = re.search(r"^FROM (?:\S*/)?(\S+)$", text, re.MULTILINE)
        return found[1] if found else ""

    def said(self, log: str) -> tuple[dict[str, str], ...]:
        """Return what programs say of the models that they have loaded, since the last start."""
        return loads.said(log.rpartition(_STARTED)[2])

    def told(self, command: Sequence[str], variables: Mapping[str, str] | None) -> dict[str, str]:
        """Return what the program of a model was told, in the same words."""
        return loads.told(command, variables)

    def port(self, command: Sequence[str]) -> int | None:
        """Return where the program of a model answers; None: it does not."""
        return loads.port(command)

    def wanted(
        self, given: Mapping[str, str], parameters: Mapping[str, str], name: str
    ) -> dict[str, str]:
        """Return how a model should be loaded."""
        return loads.wanted(given, parameters, name, self._facts)

    def faults(
        self, want: Mapping[str, str], has: Mapping[str, str], says: Mapping[str, str]
    ) -> Iterator[tuple[str, str, str]]:
        """Yield each word that anybody tells of, what is so, and what is wrong; empty: nothing."""
        return loads.faults(want, has, says)

    def load(self, ask: AskApi, name: str, tokens: int, given: Mapping[str, str]) -> float | None:
        """Have a server load a model, keep it as it is told to, and compute `tokens` with it."""
        able = ask("/api/show", {"model": name}).get("capabilities")
        text, body = "." * tokens, {"model": name, **_kept(given.get(_KEEP, ""))}
        if isinstance(able, list) and "embedding" in able and "completion" not in able:
            answer = ask("/api/embed", {**body, "input": text})
        else:
            few = {"options": {"num_predict": tokens}} if tokens else {}
            answer = ask("/api/generate", {**body, "prompt": text, "stream": False, **few})
        took = bytes_of(answer.get("load_duration"))
        return round(took / 1e9, 3) if took else None

    def pull(self, ask: AskStream, name: str) -> Iterator[tuple[str, float | None]]:
        """Have a server download a model; yield what it does, and which part of that is done."""
        status = ""
        for part in ask("/api/pull", {"model": name}):
            if error := part.get("error"):
                raise EnvironmentFailure(f"cannot pull {name}: {shortened(str(error), 200)}")
            status = name_of(part.get("status"))
            done, of = bytes_of(part.get("completed")), bytes_of(part.get("total"))
            yield status, min(done / of, 1.0) if of else None
        if status != "success":
            raise EnvironmentFailure(f"cannot pull {name}: the server has given it up")


def _kept(text: str) -> dict[str, str | int]:
    """Return how long a server keeps a model, as a request says it: a bare number is no text."""
    text = cleaned(text)
    number = re.fullmatch(r"[+-]?\d{1,18}", text)
    return {"keep_alive": int(text) if number else text} if text else {}


def _model(told: Mapping[str, Any]) -> ServedModel:
    details = told.get("details")
    kind = details.get("quantization_level") if isinstance(details, dict) else ""
    return ServedModel(
        name=name_of(told.get("name")),
        size=bytes_of(told.get("size")),
        quantisation=name_of(kind),
        digest=name_of(told.get("digest")),
        modified=name_of(told.get("modified_at")),
        context=bytes_of(told.get("context_length")),
        on_gpus=bytes_of(told.get("size_vram")),
        until=name_of(told.get("expires_at")),
    )


def _map(text: str) -> dict[str, str]:
    """Return what a map of Go says; a value in brackets may hold what looks like a name."""
    text = text.removeprefix("map[").removesuffix("]")
    found: dict[str, str] = {}
    names = [m for m in _NAME.finditer(text) if text.count("[", 0, m.start()) <=
             text.count("]", 0, m.start())]  # fmt: skip
    for one, following in zip(names, [*(m.start() for m in names[1:]), len(text)], strict=True):
        found[one[1]] = text[one.end() : following]
    return found
