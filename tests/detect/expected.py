"""What each machine is and what follows for it, written by hand."""

from __future__ import annotations

from typing import Any

P4000 = "GPU-5c0f7f0e-93a1-4a55-9d8e-0f1a2b3c4d5e"
GTX1060 = "GPU-a1b2c3d4-1111-2222-3333-444455556666"
AVX2 = ["sse4_2", "avx", "avx2", "fma", "f16c"]

HOSTS: dict[str, dict[str, Any]] = {
    "xeon-cpu": {
        "system": "x86_64-linux",
        "memory": "31GiB",
        "cpu": {
            "model": "Intel Xeon E5-2670 v3",
            "sockets": 1,
            "cores": 12,
            "threads": 24,
            "features": AVX2,
        },
    },
    "dual-pascal": {
        "system": "x86_64-linux",
        "memory": "31GiB",
        "driver": "580.65.06",
        "cpu": {
            "model": "Intel Core i7-6700K",
            "sockets": 1,
            "cores": 4,
            "threads": 8,
            "features": AVX2,
        },
        "gpus": [
            {
                "name": "Quadro P4000",
                "memory": "8GiB",
                "compute_capability": "6.1",
                "uuid": P4000,
            },
            {
                "name": "NVIDIA GeForce GTX 1060 6GB",
                "memory": "6GiB",
                "compute_capability": "6.1",
                "uuid": GTX1060,
            },
        ],
    },
    "dgx-spark": {
        "system": "aarch64-linux",
        "memory": "119GiB",
        "unified_memory": True,
        "driver": "580.95.05",
        "cpu": {
            "model": "10 Cortex-X925, 10 Cortex-A725",
            "sockets": 1,
            "cores": 20,
            "threads": 20,
            "features": ["asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"],
        },
        "gpus": [
            {
                "name": "NVIDIA GB10",
                "memory": "119GiB",
                "compute_capability": "12.1",
                "uuid": "GPU-0d8a3c1e-7b6f-4d2a-8c9e-123456789abc",
            }
        ],
    },
    "hybrid-laptop": {
        "system": "x86_64-linux",
        "memory": "31GiB",
        "cpu": {
            "model": "13th Gen Intel Core i7-13700H",
            "sockets": 1,
            "cores": 14,
            "threads": 20,
            "features": [*AVX2, "avx_vnni"],
        },
    },
    "two-sockets": {
        "system": "x86_64-linux",
        "memory": "377GiB",
        "cpu": {
            "model": "Intel Xeon Gold 6226R",
            "sockets": 2,
            "cores": 32,
            "threads": 64,
            "features": [*AVX2, "avx512f", "avx512bw", "avx512vl", "avx512_vnni"],
        },
    },
    "small-container": {
        "system": "x86_64-linux",
        "memory": "8GiB",
        "cpu": {
            "model": "AMD Ryzen 9 5950X",
            "sockets": 1,
            "cores": 8,
            "threads": 8,
            "features": AVX2,
        },
    },
    "radeon": {
        "system": "x86_64-linux",
        "memory": "62GiB",
        "cpu": {
            "model": "AMD Ryzen 9 7900X",
            "sockets": 1,
            "cores": 12,
            "threads": 24,
            "features": [
                *AVX2,
                *("avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vnni", "avx512_bf16"),
            ],
        },
        "gpus": [
            {
                "name": "AMD Radeon RX 7900 XTX",
                "memory": "24560MiB",
                "reserved": "1176MiB",
                "pci_id": "1002:744c",
                "uuid": "GPU-891087b8b0347115",
            }
        ],
    },
    "strix-halo": {
        "system": "x86_64-linux",
        "memory": "124GiB",
        "unified_memory": True,
        "cpu": {
            "model": "AMD RYZEN AI MAX+ 395 w/ Radeon 8060S",
            "sockets": 1,
            "cores": 16,
            "threads": 32,
            "features": [
                *(*AVX2, "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512vbmi"),
                *("avx512_vnni", "avx512_bf16"),
            ],
        },
        "gpus": [{"name": "AMD Radeon 8060S", "memory": "108GiB", "pci_id": "1002:1586"}],
    },
    "mig-guest": {
        "system": "x86_64-linux",
        "memory": "62GiB",
        "driver": "570.172.08",
        "cpu": {
            "model": "Intel Xeon (SapphireRapids)",
            "sockets": 1,
            "cores": 8,
            "threads": 8,
            "features": [
                *(*AVX2, "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512vbmi"),
                *("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
            ],
        },
        "gpus": [
            {
                "name": "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
                "memory": "40GiB",
                "compute_capability": "9.0",
                "uuid": "MIG-0c1d2e3f-aaaa-5bbb-8ccc-ddddeeeeffff",
            }
        ],
    },
    "virtual-machine": {
        "system": "x86_64-linux",
        "memory": "23GiB",
        "cpu": {
            "model": "AMD EPYC",
            "sockets": 1,
            "cores": 2,
            "threads": 2,
            "features": [
                *AVX2,
                *("avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vnni", "avx512_bf16"),
            ],
        },
    },
}

TUNING: dict[str, dict[str, object]] = {
    # What the seed's own tuning comes to, but for its 20 threads on 12 cores.
    "xeon-cpu": {
        "ollama.version": "0.9.2",
        "ollama.acceleration": "cpu",
        "ollama.context_length": 8192,
    },
    "dual-pascal": {
        "ollama.version": "0.12.3",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 8192,
        "gpu.visible_devices": [P4000, GTX1060],
        "service.resume_fix": True,
    },
    "dgx-spark": {
        "ollama.version": "0.13.5",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 32768,
        "ollama.num_parallel": 4,
    },
    "hybrid-laptop": {
        "ollama.acceleration": "cpu",
        "ollama.context_length": 8192,
        "ollama.prompt_cache": "1024MiB",
        "resources.memory_swap_max": 0,
        "threads.count": 6,
    },
    "two-sockets": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cpu",
        "ollama.context_length": 16384,
        "ollama.keep_alive": "1h",
        "resources.memory_swap_max": 0,
        "resources.numa_policy": "interleave",
        "resources.numa_mask": "0-1",
    },
    "small-container": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cpu",
        "ollama.max_loaded_models": 1,
        "ollama.prompt_cache": "512MiB",
        "resources.cpu_quota": "400%",
        # Four would leave the server itself no time.
        "threads.count": 3,
        "service.binary": "/usr/bin/ollama",
    },
    # 32768 tokens are what the server takes by itself on 24 GiB.
    "radeon": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "rocm",
        "service.binary": "/usr/bin/ollama",
    },
    "strix-halo": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "rocm",
        "ollama.context_length": 32768,
        "ollama.num_parallel": 4,
    },
    "mig-guest": {
        "ollama.acceleration": "cuda",
        "gpu.visible_devices": ["MIG-0c1d2e3f-aaaa-5bbb-8ccc-ddddeeeeffff"],
        "service.resume_fix": False,
    },
    "virtual-machine": {
        "ollama.acceleration": "cpu",
        "ollama.context_length": 8192,
        "ollama.max_loaded_models": 2,
        "ollama.prompt_cache": "1024MiB",
    },
}

# What the Plan comes to: the levers that `resolve` pulls for what the profile leaves out.
PLANNED: dict[str, dict[str, object]] = {
    "xeon-cpu": {"cpu_quota": 1300, "memory_max": 27 * 2**30},
    "hybrid-laptop": {"LLAMA_ARG_THREADS": "6", "cpu_quota": 700, "memory_max": 27 * 2**30},
    "two-sockets": {"LLAMA_ARG_THREADS": "32", "cpu_quota": 3300},
    "small-container": {"LLAMA_ARG_THREADS": "3", "cpu_quota": 400, "memory_max": 6 * 2**30},
    "dgx-spark": {"OLLAMA_CONTEXT_LENGTH": "32768", "OLLAMA_NUM_PARALLEL": "4"},
    "dual-pascal": {"CUDA_VISIBLE_DEVICES": f"{P4000},{GTX1060}"},
    "virtual-machine": {"LLAMA_ARG_THREADS": "2", "LLAMA_ARG_CACHE_RAM": "1024"},
}

LIKE = {"xeon-cpu": "xeon-cpu", "dual-pascal": "dual-pascal", "dgx-spark": "dgx-spark"}
