"""Nothing of a Plan is dropped in silence: each field is printed, or listed with a reason."""

import dataclasses
from typing import Any

import pytest

from generator.plan import Plan
from generator.targets import TARGETS, all_files, limitations, load_target
from generator.targets.base import COMMON, LeftOut
from tests import trace
from tests.consumers.front import fronted
from tests.plans import PROFILES, RELEASES, plan, shipped

CARDS = [{"name": "Quadro P4000", "memory": "8GiB", "uuid": f"GPU-{n}"} for n in range(2)]
RADEON = [{"name": "Radeon RX 7900 XTX", "memory": "24GiB"}]
EVERYTHING: dict[str, object] = {
    "description": "All of it.",
    "host": {
        "memory": "64GiB",
        "driver": "580.65.06",
        "cpu": {"model": "A processor", "cores": 8, "threads": 16},
        "gpus": CARDS,
    },
    "ollama": {
        "version": "0.32.15",
        "open_firewall": True,
        "models_dir": "/srv/models",
        "prompt_cache": "1GiB",
        "build": {"blas": "mkl", "openmp": True, "march": "haswell"},
        "env": {"A": "1"},
    },
    "resources": {
        "memory_max": "32G",
        "memory_high": "30G",
        "memory_swap_max": "1G",
        "nice": -3,
        "tasks_max": 4096,
        "limit_memlock": "infinity",
        "io_weight": 50,
        "cpu_weight": 50,
        "oom_score_adjust": -100,
        "numa_policy": "bind",
        "numa_mask": "0",
        "allowed_cpus": "0-7",
    },
    "threads": {"count": 4},
    "gpu": {"visible_devices": ["1", "0"], "device_order": "FASTEST_FIRST", "layers": "fit"},
    "models": [
        {"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096, "stop": ["a", "b"]}},
        {"name": "b:1b", "role": "fallback", "digest": "0123456789ab"},
    ],
    "service": {
        "full_unit": True,
        "resume_fix": True,
        "home": "/srv/home",
        "environment_files": ["/run/secrets/ollama.env"],
        "credentials": {
            "id_ed25519": {"path": "/etc/keys/ollama.cred", "encrypted": True},
            "SSL_CERT_FILE": {"path": "/etc/ssl/own.pem"},
        },
    },
    "container": {
        "network": "web",
        "name": "llm",
        "rootless": True,
        "env_files": ["/etc/container.env"],
        "home_dir": "/srv/llm",
        "capabilities": ["SYS_NICE"],
        "restart": "on-failure",
    },
    "k8s": {
        "namespace": "llm",
        "replicas": 2,
        "storage_class": "fast",
        "runtime_class": "nvidia",
        "gpu": "dra",
        "node_selector": {"disk": "nvme"},
    },
    "cache": {},
    "scale": {
        "periods": [
            {"name": "day", "begins": ["07:00"], "cpu_weight": 100, "models": ["a:1b"]},
            {"name": "night", "begins": ["19:00"], "cpu_weight": 20, "models": []},
        ]
    },
    "check": {"ignore": [{"rule": "HW303", "reason": "They know."}]},
    "slo": {"tokens_per_second": 20},
    "monitor": {
        "enable": True,
        "receiver": {
            "webhook": "http://127.0.0.1:9000/alerts",
            "webhook_token_file": "/etc/keys/webhook",
            "slack_url_file": "/etc/keys/slack",
            "slack_channel": "#llm",
            "email_to": "ops@example.org",
            "email_from": "host@example.org",
            "smarthost": "mail.example.org:587",
            "email_user": "host",
            "email_password_file": "/etc/keys/mail",
        },
    },
}


OLDER = {
    **EVERYTHING,
    "ollama": {k: v for k, v in dict(EVERYTHING["ollama"]).items() if k != "build"},  # type: ignore[call-overload]
    "service": {"resume_fix": True},
}
OWNED = {
    "host": {"gpus": CARDS},
    "container": {"home_dir": "/srv/llm", "user": "7:8", "no_new_privileges": False},
}
OPEN = {"rule": "HW401", "reason": "The network is ours."}
CACHED: dict[str, object] = {
    "models": [
        {"name": "a:1b"},
        {"name": "b:1b", "role": "fallback"},
        {"name": "nomic-embed-text", "role": "embedding"},
    ],
    "cache": {"max_messages": 8},
}
VLLM = {
    "engine": "vllm",
    "host": {"gpus": [{"name": "A100", "memory": "80GiB", "compute_capability": "8.0"}]},
    "models": [{"name": "a:1b", "hf": "org/a"}],
    "service": {"full_unit": True},
    "cache": {},
}
KSERVED = {
    **VLLM,
    "front": {},
    "k8s": {"serve": "kserve", "router": "route", "storage_class": "fast"},
    "scale": {"max_replicas": 3},
}
ALIKE = {
    **CACHED,
    "cache": {"semantic": {"model": "nomic-embed-text", "qdrant": "http://127.0.0.1:6333"}},
    "check": {"ignore": [{"rule": "HW623", "reason": "It is tried."}]},
}


FRONTED: dict[str, object] = {
    "models": [{"name": "a:1b", "preload": True}, {"name": "b:1b", "preload": True}],
    "ollama": {"keep_alive": "-1"},
    "front": {
        "auth": "bearer",
        "auth_file": "/etc/keys/front.keys",
        "route_by_body": True,
        "health": "loaded",
    },
}


def of_two_backends() -> Plan:
    """Return a plan whose front has a backend for each model, of the one server."""
    decided = plan(FRONTED)
    front = fronted(FRONTED, {"a": 1111, "b": 1112}, {"a": ("a:1b",), "b": ("b:1b",)}).front
    assert front
    backends = tuple(
        dataclasses.replace(
            backend,
            servers=tuple(dataclasses.replace(one, service="ollama") for one in backend.servers),
        )
        for backend in front.backends
    )
    return dataclasses.replace(decided, front=dataclasses.replace(front, backends=backends))


def plans() -> list[Plan]:
    """Return plans that have something in every field."""
    amd = {"host": {"gpus": RADEON, "unified_memory": True}, "ollama": {"acceleration": "rocm"}}
    ended = {"service": {"resume_fix": False}, "threads": {"count": 4}}
    return [
        plan(EVERYTHING),
        plan(OLDER, "0.24"),
        plan(amd),
        plan(ended),
        plan(OWNED),
        plan({"service": {"full_unit": True}}),
        plan({"front": {}, "monitor": {"enable": True}, "scale": {"max_replicas": 3}}),
        of_two_backends(),
        plan(VLLM),
        plan({**VLLM, "front": {}, "scale": {"max_replicas": 3}}),
        plan(KSERVED),
        plan(CACHED),
        plan({**CACHED, "front": {"auth": "bearer", "auth_file": "/etc/front.keys"}}),
        plan(ALIKE),
        plan({"ollama": {"host": "192.0.2.7"}, "check": {"ignore": [OPEN]}}),
        *(shipped(name, version=release) for name in PROFILES for release in RELEASES),
    ]


PLANS = plans()


def use(name: str, decided: Plan) -> None:
    if decided.services[0].engine != "ollama" and name in {"nixos", "helm"}:
        return  # which have a module, or a chart, for one engine
    all_files(name, decided)
    limitations(name, decided)


def test_the_plans_have_something_in_every_field() -> None:
    filled: set[str] = set()

    def walk(item: Any) -> None:
        if isinstance(item, tuple):
            for part in item:
                walk(part)
        elif dataclasses.is_dataclass(item):
            for field in dataclasses.fields(item):
                value = getattr(item, field.name)
                if value:
                    filled.add(f"{type(item).__name__}.{field.name}")
                walk(value)

    walk(tuple(PLANS))
    assert trace.every_field() - filled == set()


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_does_not_print_is_listed(name: str) -> None:
    target = load_target(name)
    read = trace.fields_read(PLANS, lambda decided: use(name, decided))
    unread = trace.unread(read)
    listed = {field for item in (*target.LEFT_OUT, *COMMON) for field in item.fields.split()}
    assert unread - listed == set()
    # A target reads a setting to say that it is lost.
    told = [item for item in target.LEFT_OUT if item.asked or item.of_host]
    idle = {f for item in target.LEFT_OUT if item not in told for f in item.fields.split()}
    assert idle - unread == set()
    assert listed <= trace.every_field()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_lost_of_a_setting_is_told(name: str) -> None:
    target = load_target(name)
    every = (each for one in (KSERVED, EVERYTHING) for each in limitations(name, plan(one)))
    told = {finding.where: finding for finding in every}
    lost = [item for item in target.LEFT_OUT if item.key]
    assert all(item.asked or item.of_host for item in lost)
    swap = {"resources.memory_swap_max"}  # Docker counts it with memory, which is limited here
    keys = {item.key if item.of_host or "." in item.key else f"ollama.{item.key}" for item in lost}
    assert keys - swap == told.keys() - swap
    for finding in told.values():
        assert finding.rule == "HW601"
        assert finding.message.startswith(f"{name} leaves out `")
        assert "{" not in finding.fix


@pytest.mark.parametrize("name", TARGETS)
def test_a_setting_that_stands_twice_says_when(name: str) -> None:
    lost = [item for item in load_target(name).LEFT_OUT if item.key]
    assert len({(item.key, item.when) for item in lost}) == len(lost)
    keys = [item.key for item in lost]
    assert all(item.when for item in lost if keys.count(item.key) > 1)


@pytest.mark.parametrize("name", TARGETS)
def test_each_has_a_reason(name: str) -> None:
    listed: list[LeftOut] = [*load_target(name).LEFT_OUT, *COMMON]
    fields = [field for item in listed for field in item.fields.split()]
    assert len(fields) == len(set(fields))
    assert all(item.why and item.what for item in listed)
