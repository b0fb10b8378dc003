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
    "jetson-orin": {
        "system": "aarch64-linux",
        "memory": "61GiB",
        "unified_memory": True,
        "driver": "540.4.0",
        "cpu": {
            "model": "Cortex-A78AE",
            "sockets": 1,
            "cores": 12,
            "threads": 12,
            "features": ["asimd", "asimdhp", "asimddp"],
        },
        "gpus": [
            {
                "name": "Orin (nvgpu)",
                "memory": "61GiB",
                "compute_capability": "8.7",
                "uuid": "GPU-3b1f6b0e-7a52-5d1c-9a0e-2f4c8d6e1a90",
            }
        ],
    },
    "epyc-four-cards": {
        "system": "x86_64-linux",
        "memory": "503GiB",
        "driver": "570.124.06",
        "cpu": {
            "model": "AMD EPYC 7543",
            "sockets": 1,
            "cores": 32,
            "threads": 64,
            "features": ["sse4_2", "avx", "avx2", "fma", "f16c"],
        },
        "gpus": [
            {
                "name": "NVIDIA RTX A6000",
                "memory": "49140MiB",
                "compute_capability": "8.6",
                "uuid": "GPU-aaaaaaaa-0000-1111-2222-333344445555",
            },
            {
                "name": "NVIDIA RTX A6000",
                "memory": "49140MiB",
                "compute_capability": "8.6",
                "uuid": "GPU-bbbbbbbb-0000-1111-2222-333344445555",
            },
            {
                "name": "NVIDIA RTX A6000",
                "memory": "49140MiB",
                "compute_capability": "8.6",
                "uuid": "GPU-cccccccc-0000-1111-2222-333344445555",
            },
            {
                "name": "NVIDIA RTX A6000",
                "memory": "49140MiB",
                "compute_capability": "8.6",
                "uuid": "GPU-dddddddd-0000-1111-2222-333344445555",
            },
        ],
    },
    "mig-two-slices": {
        "system": "x86_64-linux",
        "memory": "125GiB",
        "driver": "550.163.01",
        "cpu": {
            "model": "AMD EPYC 7742",
            "sockets": 1,
            "cores": 8,
            "threads": 16,
            "features": ["sse4_2", "avx", "avx2", "fma", "f16c"],
        },
        "gpus": [
            {
                "name": "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
                "memory": "20GiB",
                "compute_capability": "8.0",
                "uuid": "MIG-1f0f5b52-9f5f-5a4c-8f7b-2c1d3e4f5a6b",
            }
        ],
    },
    "vgpu-guest": {
        "system": "x86_64-linux",
        "memory": "62GiB",
        "driver": "550.90.07",
        "cpu": {
            "model": "AMD EPYC-Milan",
            "sockets": 1,
            "cores": 8,
            "threads": 8,
            "features": ["sse4_2", "avx", "avx2", "fma", "f16c"],
        },
        "gpus": [
            {
                "name": "GRID A100D-20C",
                "memory": "20GiB",
                "reserved": "1833MiB",
                "compute_capability": "8.0",
                "uuid": "GPU-99990000-aaaa-bbbb-cccc-ddddeeeeffff",
            }
        ],
    },
    "wsl2": {
        "system": "x86_64-linux",
        "memory": "15GiB",
        "driver": "576.80",
        "cpu": {
            "model": "13th Gen Intel Core i7-13700K",
            "sockets": 1,
            "cores": 8,
            "threads": 16,
            "features": ["sse4_2", "avx", "avx2", "fma", "f16c"],
        },
        "gpus": [
            {
                "name": "NVIDIA GeForce RTX 4070",
                "memory": "12282MiB",
                "reserved": "1410MiB",
                "compute_capability": "8.9",
                "uuid": "GPU-12345678-90ab-cdef-1234-567890abcdef",
            }
        ],
    },
    "kubernetes-pod": {
        "system": "x86_64-linux",
        "memory": "12GiB",
        "driver": "570.133.20",
        "cpu": {
            "model": "Intel Xeon Platinum 8259CL",
            "sockets": 1,
            "cores": 2,
            "threads": 4,
            "features": ["sse4_2", "avx", "avx2", "fma", "f16c"],
        },
        "gpus": [
            {
                "name": "Tesla T4",
                "memory": "15GiB",
                "compute_capability": "7.5",
                "uuid": "GPU-0f0e0d0c-1111-2222-3333-444455556666",
            }
        ],
    },
    "apple-vm": {
        "system": "aarch64-linux",
        "memory": "7424MiB",
        "cpu": {
            "sockets": 1,
            "cores": 4,
            "threads": 4,
            "features": ["asimd", "asimdhp", "asimddp"],
        },
    },
    "raspberry-pi-5": {
        "system": "aarch64-linux",
        "memory": "7936MiB",
        "cpu": {
            "model": "Cortex-A76",
            "sockets": 1,
            "cores": 4,
            "threads": 4,
            "features": ["asimd", "asimdhp", "asimddp"],
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
    "jetson-orin": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 32768,
        "ollama.num_parallel": 2,
    },
    "epyc-four-cards": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 65536,
        "ollama.num_parallel": 4,
        "ollama.keep_alive": "1h",
        "service.resume_fix": False,
    },
    "mig-two-slices": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 16384,
        "gpu.visible_devices": ["MIG-1f0f5b52-9f5f-5a4c-8f7b-2c1d3e4f5a6b"],
        "service.resume_fix": False,
    },
    "vgpu-guest": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 16384,
        "service.resume_fix": False,
    },
    "wsl2": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cuda",
        "ollama.context_length": 8192,
        "ollama.kv_cache_type": "q8_0",
        "ollama.prompt_cache": "512MiB",
        "service.resume_fix": False,
    },
    "kubernetes-pod": {
        "ollama.acceleration": "cuda",
        "ollama.context_length": 16384,
        "ollama.prompt_cache": "512MiB",
        "resources.cpu_quota": "300%",
        "service.binary": "/usr/bin/ollama",
    },
    "apple-vm": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cpu",
        "ollama.max_loaded_models": 1,
        "ollama.prompt_cache": "512MiB",
    },
    "raspberry-pi-5": {
        "ollama.version": "0.32.15",
        "ollama.acceleration": "cpu",
        "ollama.max_loaded_models": 1,
        "ollama.prompt_cache": "512MiB",
        "resources.memory_swap_max": 0,
        "resources.numa_policy": "interleave",
        "resources.numa_mask": "0-7",
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
