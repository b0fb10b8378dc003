"""What the tests of fit share: models of the Catalogue as Shapes, and services that ask."""

from dataclasses import replace
from typing import Any

from generator.engines.ollama.scheduler.ask import OllamaAsk
from generator.fit.choose import pick
from generator.fit.host import Host
from generator.fit.kv import kv_layers
from generator.fit.shape import Load, Shape
from generator.host import Gpu
from tests.facts import facts_at

MIB = 2**20
GIB = 2**30


def shape(name: str) -> Shape:
    found = pick(name, facts_at())
    assert isinstance(found, Shape), found
    return found


def ask(release: str = "0.32.15", **more: Any) -> OllamaAsk:
    plain = OllamaAsk(
        facts=facts_at(release), context=4096, slots=1, flash_attention=True, margin=1024 * MIB
    )
    return replace(plain, **more)


def kv_bytes(shape: Shape, load: Load) -> int:
    return sum(kv_layers(shape, load))


def cpu(memory: int) -> Host:
    return Host(memory=memory, limit=memory, limit_name="memory")


def gpus(*sizes: int, memory: int = 0) -> Host:
    cards = tuple(Gpu(name=f"GPU {i}", memory=size) for i, size in enumerate(sizes))
    return Host(memory=memory, limit=memory, limit_name="memory", devices=cards)


def mib(size: float) -> int:
    return round(size / MIB)
