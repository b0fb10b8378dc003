"""What `gen explain` says that a profile key becomes, held against what the targets print."""

import functools
import re

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.errors import NotForEngine
from generator.explain.keys import becomes, keys
from generator.targets import TARGETS, load_target
from tests.plans import shipped

MODEL = 'models=[{ name = "qwen2.5-coder:7b", preload = true, parameters = { top_k = 30 } }]'
NIGHTS = (
    'scale.periods=[{ name = "day", begins = ["07:00"], cpu_weight = 77 },'
    ' { name = "night", begins = ["19:00"], cpu_weight = 7 }]'
)
VLLM = ("engine=vllm", "service.full_unit=true", "service.binary=/opt/vllm")
# key: (profile, what is set before, what sets the key)
SET: dict[str, tuple[str, tuple[str, ...], str]] = {
    "ollama.version": ("xeon-cpu", (), "ollama.version=0.31"),
    "ollama.acceleration": ("dgx-spark", ("ollama.acceleration=cpu",), "ollama.acceleration=cuda"),
    "ollama.host": ("xeon-cpu", (), "ollama.host=192.0.2.7"),
    "ollama.port": ("xeon-cpu", (), "ollama.port=11999"),
    "ollama.open_firewall": ("xeon-cpu", (), "ollama.open_firewall=true"),
    "ollama.models_dir": ("xeon-cpu", (), "ollama.models_dir=/srv/models"),
    "ollama.keep_alive": ("xeon-cpu", (), "ollama.keep_alive=7h"),
    "ollama.load_timeout": ("xeon-cpu", (), "ollama.load_timeout=7m"),
    "ollama.max_queue": ("xeon-cpu", (), "ollama.max_queue=77"),
    "ollama.prompt_cache": ("xeon-cpu", (), "ollama.prompt_cache=77MiB"),
    "ollama.num_parallel": ("xeon-cpu", (), "ollama.num_parallel=7"),
    "ollama.max_loaded_models": ("xeon-cpu", (), "ollama.max_loaded_models=7"),
    "ollama.context_length": ("xeon-cpu", (), "ollama.context_length=7777"),
    "ollama.kv_cache_type": ("xeon-cpu", (), "ollama.kv_cache_type=q4_0"),
    "ollama.flash_attention": (
        "xeon-cpu",
        ("ollama.kv_cache_type=f16",),
        "ollama.flash_attention=false",
    ),
    "ollama.llm_library": ("dgx-spark", (), "ollama.llm_library=cuda_v13"),
    "ollama.sched_spread": ("dgx-spark", (), "ollama.sched_spread=true"),
    "ollama.gpu_overhead": ("dgx-spark", (), "ollama.gpu_overhead=2G"),
    "ollama.origins": ("xeon-cpu", (), 'ollama.origins=["https://app.lan"]'),
    "ollama.debug": ("xeon-cpu", (), "ollama.debug=true"),
    "ollama.noprune": ("xeon-cpu", (), "ollama.noprune=true"),
    "ollama.no_cloud": ("xeon-cpu", (), "ollama.no_cloud=true"),
    "ollama.env": ("xeon-cpu", (), "ollama.env.GGML_CUDA_NO_PINNED=1"),
    "ollama.build": ("xeon-cpu", (), 'ollama.build={ march = "haswell" }'),
    "resources.cpu_quota": ("xeon-cpu", (), "resources.cpu_quota=1700%"),
    "resources.cpu_weight": ("xeon-cpu", (), "resources.cpu_weight=77"),
    "resources.allowed_cpus": ("xeon-cpu", (), "resources.allowed_cpus=0-19"),
    "resources.memory_max": ("xeon-cpu", (), "resources.memory_max=17G"),
    "resources.memory_high": ("xeon-cpu", (), "resources.memory_high=17G"),
    "resources.memory_swap_max": ("xeon-cpu", (), "resources.memory_swap_max=7G"),
    "resources.numa_policy": ("xeon-cpu", (), "resources.numa_policy=local"),
    "resources.numa_mask": ("xeon-cpu", ("resources.numa_policy=bind", "resources.numa_mask=0"),
                            "resources.numa_mask=0-1"),
    "resources.io_weight": ("xeon-cpu", (), "resources.io_weight=77"),
    "resources.nice": ("xeon-cpu", (), "resources.nice=7"),
    "resources.tasks_max": ("xeon-cpu", (), "resources.tasks_max=777"),
    "resources.limit_memlock": ("xeon-cpu", (), "resources.limit_memlock=7G"),
    "resources.oom_score_adjust": ("xeon-cpu", (), "resources.oom_score_adjust=77"),
    "threads.count": ("xeon-cpu", (), "threads.count=7"),
    "gpu.visible_devices": ("dgx-spark", (), 'gpu.visible_devices=["0"]'),
    "gpu.device_order": ("dgx-spark", (), "gpu.device_order=FASTEST_FIRST"),
    "gpu.layers": ("dgx-spark", (), "gpu.layers=7"),
    "gpu.wait_seconds": ("dgx-spark", (), "gpu.wait_seconds=7"),
    "models.name": ("xeon-cpu", ("models=[]",), MODEL),
    "models.preload": ("xeon-cpu", (MODEL.replace("true", "false"),), MODEL),
    "models.serve_as": ("xeon-cpu", (MODEL,), MODEL.replace(" }]", ', serve_as = "mine:7b" }]')),
    "models.parameters": ("xeon-cpu", (MODEL,), MODEL.replace("30", "77")),
    "warmup.enable": ("xeon-cpu", (MODEL, "warmup.enable=false"), "warmup.enable=true"),
    "warmup.timeout": ("xeon-cpu", (MODEL,), "warmup.timeout=77s"),
    "warmup.tokens": ("xeon-cpu", (MODEL,), "warmup.tokens=1"),
    "service.binary": ("xeon-cpu", (MODEL,), "service.binary=/opt/ollama"),
    "service.user": ("xeon-cpu", (), "service.user=ann"),
    "service.group": ("xeon-cpu", ("service.user=ann",), "service.group=staff"),
    "service.home": ("xeon-cpu", (), "service.home=/srv/ollama"),
    "service.restart": ("xeon-cpu", (), "service.restart=on-abnormal"),
    "service.restart_seconds": ("xeon-cpu", (), "service.restart_seconds=77"),
    "service.full_unit": ("xeon-cpu", (), "service.full_unit=true"),
    "service.resume_fix": ("dgx-spark", (), "service.resume_fix=true"),
    "service.sandbox_jobs": (
        "dgx-spark",
        ("service.resume_fix=true", "service.sandbox_jobs=false"),
        "service.sandbox_jobs=true",
    ),
    "service.environment_files": ("xeon-cpu", (), 'service.environment_files=["/run/7.env"]'),
    "service.credentials": (
        "xeon-cpu",
        (),
        'service.credentials={ id_ed25519 = { path = "/7", encrypted = true },'  # noqa: ISC004
        ' SSL_CERT_FILE = { path = "/8" } }',
    ),
    "container.env_files": ("xeon-cpu", (), 'container.env_files=["/run/7.env"]'),
    "container.image": ("xeon-cpu", (), "container.image=registry.lan/ollama"),
    "container.tag": ("xeon-cpu", (), "container.tag=0.31.2"),
    "container.name": ("xeon-cpu", (), "container.name=seven"),
    "container.service": ("xeon-cpu", (), "container.service=seven"),
    "container.project": ("xeon-cpu", (), "container.project=seven"),
    "container.compose": ("xeon-cpu", (), "container.compose=fragment"),
    "container.home_dir": ("xeon-cpu", (), "container.home_dir=/srv/seven"),
    "container.user": (
        "xeon-cpu",
        ("container.home_dir=/srv/seven",),
        'container.user="777:777"',
    ),
    "container.no_new_privileges": (
        "xeon-cpu",
        ("container.no_new_privileges=false",),
        "container.no_new_privileges=true",
    ),
    "container.capabilities": (
        "xeon-cpu",
        ("container.capabilities=default",),
        'container.capabilities=["SYS_NICE"]',
    ),
    "container.read_only": (
        "xeon-cpu",
        ("container.read_only=false",),
        "container.read_only=true",
    ),
    "container.volume": ("xeon-cpu", (), "container.volume=seven"),
    "container.network": ("xeon-cpu", (), "container.network=seven"),
    "container.restart": ("xeon-cpu", (), "container.restart=always"),
    "container.rootless": ("xeon-cpu", (), "container.rootless=true"),
    "cache.ttl": ("xeon-cpu", ("cache.ttl=1h",), "cache.ttl=77s"),
    "cache.memory": ("xeon-cpu", ("cache.ttl=1h",), "cache.memory=77MiB"),
    "scale.periods": ("xeon-cpu", (), NIGHTS),
    "k8s.namespace": ("xeon-cpu", (), "k8s.namespace=seven"),
    "k8s.replicas": ("xeon-cpu", (), "k8s.replicas=7"),
    "k8s.storage": ("xeon-cpu", (), "k8s.storage=77GiB"),
    "k8s.storage_class": ("xeon-cpu", (), "k8s.storage_class=seven"),
    "k8s.gpu": ("dgx-spark", ("k8s.gpu=dra",), "k8s.gpu=device-plugin"),
    "k8s.gpu_resource": (
        "dgx-spark",
        ("k8s.gpu=dra",),
        "k8s.gpu_resource=mig.nvidia.com",
    ),
    "k8s.node_selector": ("xeon-cpu", (), "k8s.node_selector.disk=nvme"),
    "k8s.runtime_class": ("xeon-cpu", (), "k8s.runtime_class=seven"),
    "k8s.cluster_domain": ("xeon-cpu", ("front={}",), "k8s.cluster_domain=seven.lan"),
    "k8s.serve": ("dgx-spark", VLLM, "k8s.serve=kserve"),
    "k8s.router": ("dgx-spark", (*VLLM, "k8s.serve=kserve"), "k8s.router=route"),
    "k8s.longest_answer": ("xeon-cpu", (), "k8s.longest_answer=7m"),
}  # fmt: skip
# The release is in every file: in its head, and in what the other keys become.
MORE_CHANGES = {
    ("ollama.version", "nixos"),
    ("ollama.version", "systemd"),
    # A rule about the quota is silenced no more.
    ("resources.allowed_cpus", "k8s"),
    ("resources.allowed_cpus", "helm"),
}


@functools.cache
def printed(target: str, profile: str, overrides: tuple[str, ...]) -> str:
    plan = shipped(profile, *overrides)
    try:
        files = load_target(target).render(plan)
    except NotForEngine:
        return ""
    text = "\n".join(f"{file.path}\n{file.text}" for file in files)
    return text.replace('Environment="', "Environment=")


def test_every_key_that_becomes_something_is_tried() -> None:
    assert {key for key in keys() if becomes(key)} == set(SET)


def test_every_target_but_the_plan_has_its_spelling() -> None:
    assert [s.target for s in load_catalogue().spellings] == [t for t in TARGETS if t != "plan"]


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "plan"])
@pytest.mark.parametrize("key", SET)
def test_a_key_becomes_what_is_said(key: str, target: str) -> None:
    profile, before, change = SET[key]
    without = printed(target, profile, before)
    text = printed(target, profile, (*before, change))
    told = becomes(key).get(target, "")
    if told in {"-", ""}:
        assert (text != without) is ((key, target) in MORE_CHANGES)
        return
    assert text != without
    for word in re.findall(r"`([^`]+)`", told):
        last = word if "/" in word or word.endswith(".service") else word.rpartition(".")[2]
        assert last in text, word
