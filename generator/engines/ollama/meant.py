"""Variables as keys of a profile: what `variables` and `compute` make of those, the other way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.base import Meant
from generator.engines.ollama.rules.helpers.addresses import EVERY, listens_on
from generator.engines.ollama.rules.helpers.names import name_fault
from generator.engines.ollama.rules.helpers.values import NO, YES
from generator.engines.ollama.variables import KEYS
from generator.meaning import cleaned, port_of, truthy
from generator.records import replace
from generator.units import MIB, format_size, parse_size, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.catalogue.facts import Facts
    from generator.engines.ollama.rules.helpers.names import NameFault

_PORT: Final = 11434
_EVERY_ADDRESS: Final = "::"
_LOOPBACK: Final = "127.0.0.1"
_NO_GPU: Final = frozenset({"", "-1", "none", "nodevfiles"})
_ALL_LAYERS: Final = 99
"""So many layers and more are what people write for all of them."""
_GPUS_IN_A_HOST: Final = 16
_ACCELERATION: Final = "ollama.acceleration"
_VISIBLE: Final = {
    "CUDA_VISIBLE_DEVICES": "cuda",
    "ROCR_VISIBLE_DEVICES": "rocm",
    "GGML_VK_VISIBLE_DEVICES": "vulkan",
}


def meant(name: str, value: str, facts: Facts) -> Meant:
    """Return what a profile says for a variable of a server of that release."""
    if name in KEYS or name in _BY_NAME:
        try:
            return Meant(keys=_read(name, value, facts))
        except ValueError as error:
            if name in KEYS:
                return Meant(why=str(error), fix="say it in the profile by hand")
    fault = name_fault(name, facts)
    return _instead(name, value, fault, facts) if fault else Meant(keys=_free(name, value))


def _free(name: str, value: str) -> dict[str, object]:
    return {f"ollama.env.{name}": value}


def _read(name: str, value: str, facts: Facts) -> dict[str, object]:
    """Return the keys of a variable that has some. Raises ValueError for what they cannot say."""
    if name in _BY_NAME:
        return _BY_NAME[name](cleaned(value))
    fact = facts.variable(name)
    return {KEYS[name][0]: _BY_KIND.get(fact.kind if fact else "", str)(cleaned(value))}


def _instead(name: str, value: str, fault: NameFault, facts: Facts) -> Meant:
    """Return what stands for a name that the release does not read."""
    idle = Meant(why=fault.what, fix=fault.fix(value), rule=fault.rule, idle=True)
    if fault.use.startswith("nothing") or (name == "OLLAMA_NUM_GPU" and _counts(value)):
        return idle
    try:
        keys = _read(fault.rename, value, facts) if fault.rename in KEYS else {}
        keys = keys or _BY_INTENT.get(fault.intent, _no_keys)(cleaned(value))
    except ValueError:
        return idle
    if not keys and fault.rename:
        keys = _free(fault.rename, value)
    return replace(idle, keys=keys, fix="", idle=False) if keys else idle


def _no_keys(_: str) -> dict[str, object]:
    return {}


def _counts(value: str) -> bool:
    """Whether what may be layers is rather a number of GPUs."""
    return 0 < (whole(cleaned(value)) or 0) <= _GPUS_IN_A_HOST


def _whole(text: str) -> int:
    number = whole(text.removeprefix("-"))
    if number is None:
        raise ValueError(f"`{text}` is not a whole number")
    return -number if text.startswith("-") else number


def _size(text: str) -> str:
    return format_size(parse_size(text))


def _listen(text: str) -> dict[str, object]:
    host = listens_on(text) or _LOOPBACK
    every = host in {EVERY, "*"}
    return {"ollama.host": _EVERY_ADDRESS if every else host, "ollama.port": port_of(text, _PORT)}


def _debug(text: str) -> dict[str, object]:
    if text not in {"0", "1", *_PLAIN_TRUTH}:
        raise ValueError(f"`{text}` is a level of its own, and the key `debug` has on and off")
    return {"ollama.debug": truthy(text)}


_PLAIN_TRUTH: Final = frozenset({"true", "false", "t", "f", "TRUE", "FALSE", "True", "False"})


def _origins(text: str) -> dict[str, object]:
    return {"ollama.origins": [part.strip() for part in text.split(",") if part.strip()]}


def _visible(library: str) -> Callable[[str], dict[str, object]]:
    def read(text: str) -> dict[str, object]:
        if text.lower() in _NO_GPU:
            return {_ACCELERATION: "cpu"}
        devices = [part.strip() for part in text.split(",")]
        return {_ACCELERATION: library, "gpu.visible_devices": devices}

    return read


def _layers(text: str) -> dict[str, object]:
    number = -1 if text in {"auto", "all"} else _whole(text)
    return {"gpu.layers": "fit" if number < 0 or number >= _ALL_LAYERS else number}


def _forced(text: str) -> dict[str, object]:
    if text == "auto":
        return {"gpu.layers": "fit"}
    if _whole(text) < 0:
        raise ValueError(f"`{text}` is no number of layers")
    return {"gpu.layers": _whole(text)}


def _prompt_cache(text: str) -> dict[str, object]:
    number = _whole(text)
    return {"ollama.prompt_cache": "infinity" if number < 0 else format_size(number * MIB)}


def _on_cpu(text: str) -> dict[str, object]:
    return {_ACCELERATION: "cpu"} if _plain_switch(text) else {}


def _plain_switch(text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError(f"`{text}` is neither on nor off")
    return text.lower() in YES


_BY_KIND: Final[dict[str, Callable[[str], object]]] = {
    "bool": truthy,
    "uint": _whole,
    "int": _whole,
    "bytes": _size,
}
_BY_NAME: Final[dict[str, Callable[[str], dict[str, object]]]] = {
    "OLLAMA_HOST": _listen,
    "OLLAMA_DEBUG": _debug,
    "OLLAMA_ORIGINS": _origins,
    "LLAMA_ARG_N_GPU_LAYERS": _forced,
    "LLAMA_ARG_CACHE_RAM": _prompt_cache,
    "LLAMA_ARG_FIT_TARGET": lambda text: {"ollama.gpu_overhead": format_size(_whole(text) * MIB)},
    **{name: _visible(library) for name, library in _VISIBLE.items()},
}
_BY_INTENT: Final[dict[str, Callable[[str], dict[str, object]]]] = {
    "threads.count": lambda text: {"threads.count": _whole(text)},
    "gpu.layers": _layers,
    "resources.memory_max": lambda text: {"resources.memory_max": _size(text)},
    "warmup.enable": lambda text: {"warmup.enable": _plain_switch(text)},
    "ollama.acceleration": _on_cpu,
    "ollama.sched_spread": lambda text: {"ollama.sched_spread": _plain_switch(text)},
    "ollama.context_length": lambda text: {"ollama.context_length": _whole(text)},
}
"""Keys that a name stands for which no release reads."""
