"""Profiles with a few faults each, the same for the same seed."""

import copy
import random
from collections.abc import Iterator
from typing import Any

WHOLE: dict[str, Any] = {
    "schema_version": 1,
    "name": "mutated",
    "description": "every key, each with a value that it takes",
    "extends": "xeon-cpu",
    "host": {
        "system": "x86_64-linux",
        "memory": "64GiB",
        "unified_memory": False,
        "driver": "580.65.06",
        "cpu": {"model": "a", "sockets": 1, "cores": 8, "threads": 16, "features": ["avx2"]},
        "gpus": [
            {
                "name": "RTX 3090",
                "memory": "24GiB",
                "compute_capability": "8.6",
                "vendor": "nvidia",
                "pci_id": "10de:2204",
                "uuid": "GPU-1",
                "reserved": "512MiB",
            }
        ],
    },
    "ollama": {
        "version": "0.32",
        "acceleration": "cuda",
        "host": "127.0.0.1",
        "port": 11434,
        "open_firewall": True,
        "models_dir": "/srv/models",
        "keep_alive": "24h",
        "load_timeout": "5m",
        "max_queue": 8,
        "num_parallel": 2,
        "max_loaded_models": 2,
        "context_length": 8192,
        "kv_cache_type": "q8_0",
        "prompt_cache": "256MiB",
        "flash_attention": True,
        "llm_library": "cuda_v13",
        "sched_spread": False,
        "gpu_overhead": "1G",
        "origins": ["https://app.lan"],
        "debug": False,
        "noprune": False,
        "no_cloud": True,
        "build": {"blas": "mkl", "openmp": True, "march": "haswell"},
        "env": {"A_B": "x", "C": 3},
    },
    "resources": {
        "cpu_quota": "800%",
        "cpu_weight": 100,
        "allowed_cpus": "0-3,8",
        "memory_max": "20G",
        "memory_high": "18G",
        "memory_swap_max": 0,
        "numa_policy": "bind",
        "numa_mask": "0",
        "io_weight": 100,
        "nice": -5,
        "tasks_max": "infinity",
        "limit_memlock": "infinity",
        "oom_score_adjust": 0,
    },
    "threads": {"count": 8},
    "gpu": {
        "visible_devices": ["0"],
        "device_order": "PCI_BUS_ID",
        "layers": "fit",
        "wait_seconds": 3,
    },
    "models": [
        {
            "name": "qwen3:14b",
            "role": "main",
            "preload": True,
            "serve_as": "mine",
            "parameters": {"num_ctx": 8192, "temperature": 0.5, "stop": ["a", "b"]},
        }
    ],
    "warmup": {"enable": True, "timeout": "5m", "tokens": 1},
    "service": {
        "binary": "/usr/bin/ollama",
        "user": "llm",
        "group": "llm",
        "home": "/var/lib/llm",
        "restart": "on-failure",
        "restart_seconds": 3,
        "full_unit": True,
        "environment_files": ["/etc/llm.env"],
        "credentials": {"key": {"path": "/etc/key", "encrypted": False}},
        "resume_fix": True,
    },
    "container": {
        "image": "ollama/ollama",
        "tag": "0.32.15",
        "name": "ollama",
        "volume": "ollama",
        "network": "lan",
        "env_files": ["/etc/llm.env"],
        "restart": "always",
        "rootless": True,
    },
    "slo": {
        "ttft": "2s",
        "itl": "50ms",
        "tokens_per_second": 20,
        "p95": "10s",
        "vram_percent": 90.5,
    },
    "check": {"ignore": [{"rule": "HW201", "reason": "measured"}]},
}
VALUES: tuple[Any, ...] = (
    *(True, False, 0, 1, -1, 2, 4, 20, 65535, 65536, 10**7, 0.5, -0.5, 1.5, 1e9),
    *("", " ", "0", "1", "-1", "4", "x", "X", "My Host", "a b", "a\nb", "ä", "a.b-c_d", "-x", ".x"),
    *("64GB", "64G", "64GiB", "64 GiB", "64Gi", "64iB", "64B", "1.5T", ".5G", "0G", "-1G", "24g"),
    *("infinity", "inf", "200%", "0%", "200 %", "20.5%", "99999999%", " 200%"),
    *("1d", "90s", "1h30m", "1.5h", ".5s", "5", "-5m", "+5m", "0s", "1 h", "5µs", "5min", "s"),
    *("q9", "q8_0", "f32", "cuda", "cudda", "fit", "always", "on-failure", "bind", "mkl", "main"),
    *("/srv/a", "srv/a", "~/a", "/a b", "/50%", "/ü", "/a;b", "/a~b", "C:\\a"),
    *("127.0.0.1", "::1", "fe80::1%eth0", "[::1]", "a.lan", "http://a", "a:11434", "0x7f"),
    *("https://app.lan", "app.lan", "*", "app://*", "https://a b"),
    *("0-3", "0-3,8", "0,1-", "3 4", "99999", "123456", "GPU-1", "MIG-a/1", "1000", "8.6", "86"),
    *("10de:2204", "10DE:2204", "1002:744c:c8", "580", "580.65.06", "58", "0.32", "v0.32.15", "0"),
    *("0.33.0-rc2", "1", "latest", "qwen3:14b", "qwen 3", "hf.co/a/b:q4", "a/b/c/d", ":14b"),
    *("HW201", "hw201", "HW20", "Ollama/ollama", "ghcr.io/a/b", "a:1/b", "ollama/ollama:1"),
    *([], ["x"], ["0", 1], [1], [True], [[]], ["https://a"], ["/etc/a"], ["a", ""], {}, {"a": 1}),
    *({"A": "x"}, {"A-B": "x"}, {"A": True}, {"name": "x"}, {"cores": 4}, {"a": [1]}, [{}]),
)


def mutated(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Yield profiles of which one place or a few have another value, are gone, or are new."""
    rng = random.Random(seed)  # noqa: S311 -- the same faults on every run
    for _ in range(count):
        data = copy.deepcopy(WHOLE)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            _change(data, rng)
        yield data


def _change(data: Any, rng: random.Random) -> None:
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(data[key], dict | list) and data[key] and rng.random() < 0.9:
        _change(data[key], rng)
    elif rng.random() < 0.05 and isinstance(data, dict):
        data[rng.choice(["unknown", f"{key}s", str(key).upper(), "a b"])] = data[key]
    elif rng.random() < 0.05:
        del data[key]
    else:
        data[key] = copy.deepcopy(rng.choice(VALUES))
