"""HW522 to HW527 and HW213 to HW219: what the reader of a file does not take as it is written."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.mend import mended
from generator.engines.ollama.rules.container import no_volume
from generator.engines.ollama.rules.cpu import quota_without_threads, threads_above_quota
from generator.readers import load_reader
from generator.readers.base import Context, Source
from generator.rules.limits import less_than_one_cpu
from generator.rules.registry import every_rule
from generator.view import Bound, Container, LocatedFinding, Place, View
from tests.views import found, view

RULES = every_rule()
NAMES = {
    "compose": "compose.yaml",
    "helm": "values.yaml",
    "quadlet": "ollama.container",
    "systemd": "ollama.service",
}
SERVICE = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
CONTAINER = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\n"
CHART = "image:\n  tag: 0.32.15\nollama:\n  gpu:\n    enabled: true\n"
RESERVED = "resources: {reservations: {cpus: '4', memory: 4G}}"
EIGHT = {"cores": 8, "threads": 16}
BOX = Container(image="ollama/ollama", place=Place("compose.yaml", 2))


def read(kind: str, text: str) -> View:
    (seen,) = load_reader(kind)([Source(NAMES[kind], text)], Context(load_catalogue()))
    return seen


def told(rule: str, kind: str, text: str) -> list[LocatedFinding]:
    return list(found(RULES[rule], read(kind, text)))


def boxed(bounds: Mapping[str, Any], env: Mapping[str, str] | None = None, **more: Any) -> View:
    return view(env, bounds, **{"kind": "compose", "container": BOX, **more})


def room(size: int) -> View:
    text = f"{CHART}  models:\n    pull: [llama3.3:70b]\npersistentVolume:\n  enabled: true\n"
    return read("helm", f"{text}  size: {size}Gi\n")


CASES: dict[str, tuple[View, View]] = {
    "HW213": (
        boxed({"cpu_quota": 400}, host=EIGHT),
        boxed({"cpu_quota": 400}, {"LLAMA_ARG_THREADS": "3"}, host=EIGHT),
    ),
    "HW214": (view({}, {"cpu_quota": 80}), view({}, {"cpu_quota": 800})),
    "HW218": (
        boxed({"memory_and_swap": 2**33}),
        boxed({"memory_max": 2**33, "memory_and_swap": 2**33}),
    ),
    "HW219": (
        read("compose", f"{SERVICE}    deploy: {{{RESERVED}}}\n"),
        read("compose", f"{SERVICE}    deploy: {{mode: global, {RESERVED}}}\n"),
    ),
    "HW522": (
        read("compose", f"{SERVICE}    env: [A=b]\n"),
        read("compose", f"{SERVICE}    environment: [A=b]\n    x-env: 1\n"),
    ),
    "HW523": (read("quadlet", f"{CONTAINER}Memory=8G\n"), read("quadlet", CONTAINER)),
    "HW524": (
        read("quadlet", f'{CONTAINER}PublishPort="11434:11434"\n'),
        read("quadlet", f'{CONTAINER}ContainerName="ollama"\n'),
    ),
    "HW525": (
        read("systemd", "[Service]\nExecStart=/bin/ollama serve\nMemoryLimit=24G\n"),
        read("systemd", "[Service]\nExecStart=/bin/ollama serve\nMemoryMax=24G\n"),
    ),
    "HW526": (
        read("helm", "ollama:\n  models:\n    - qwen3:8b\n"),
        read("helm", "ollama:\n  models:\n    pull:\n      - qwen3:8b\n"),
    ),
    "HW527": (room(30), room(100)),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(RULES[rule], caught)] == [rule]
    assert found(RULES[rule], left) == ()


@pytest.mark.parametrize(
    ("kind", "text", "line", "fix"),
    [
        ("compose", f"{SERVICE}    volume: [a:/b]\n", 4, "did you mean `volumes`?"),
        ("compose", f"{SERVICE}    reservations: {{}}\n", 4,
         "below `services.ollama.deploy.resources`"),
        ("compose", f"{SERVICE}    zzz: 1\n", 4, "take it out"),
        ("compose", f"{SERVICE}    deploy:\n      devices: []\n", 5, "`reservations:`"),
        ("compose", f"{SERVICE}    ports: [{{target: 1, hostip: x}}]\n", 4, "`host_ip`"),
        ("compose", f"{SERVICE}volume: {{}}\n", 4, "did you mean `volumes`?"),
        ("compose", f"{SERVICE}  ui:\n    image: ui\n    enviroment: []\n", 6, "`environment`"),
        ("quadlet", f"{CONTAINER}Restart=always\n", 3, "write it in [Service]"),
        ("quadlet", f"{CONTAINER}WantedBy=default.target\n", 3, "write it in [Install]"),
        ("quadlet", f"{CONTAINER}PublishPorts=1:1\n", 3, "did you mean `PublishPort`?"),
        ("quadlet", f"{CONTAINER}SecurityLabel=disable\n", 3, "`SecurityLabelDisable=true`"),
        ("quadlet", f"{CONTAINER}environment=A=b\n", 3, "did you mean `Environment`?"),
        ("helm", f"{CHART}models: {{}}\n", 6, "write it below `ollama`"),
        ("helm", f"{CHART}  extraEnv: []\n", 6, "write it at the top"),
        ("helm", f"{CHART}persistantVolume: {{}}\n", 6, "did you mean `persistentVolume`?"),
        ("helm", "ollama:\n  enabled: true\n  models: {pull: [a]}\n", 3,
         "write it below `ollama.ollama`"),
        ("helm", "ollama:\n  ollama: {}\n  models: {}\nollamaUrls: []\n", 3,
         "write it below `ollama.ollama`"),
    ],
)  # fmt: skip
def test_an_unknown_key_says_what_to_write(kind: str, text: str, line: int, fix: str) -> None:
    (placed,) = told("HW522", kind, text)
    assert placed.place.line == line
    assert fix in placed.finding.fix
    assert placed.finding.severity == ("warning" if kind == "helm" else "error")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        # Each of them stands in a list, a table or a form of its own.
        ("compose", f"x-a: {{b: 1}}\n{SERVICE}    env_file: [{{path: a, required: false}}]\n"),
        ("compose", f"{SERVICE}    labels: {{any.thing: 1}}\n    sysctls: {{net.core: 1}}\n"),
        ("compose", f"{SERVICE}    logging: {{options: {{any: 1}}}}\n    gpus: [{{any: 1}}]\n"),
        ("compose", f"{SERVICE}    environment: {{env: a, any: b}}\n"),
        ("compose", f"{SERVICE}    zzz: !reset null\n"),
        # What nobody knows there is for other templates, and so may all the rest be.
        ("helm", f"{CHART}  extraEnv: []\nbackend: {{image: x}}\n"),
        ("helm", "ollama:\n  enabled: true\n  gpu: true\n  persistence: {}\n"),
        ("quadlet", f"{CONTAINER}OLLAMA_DEBUG=1\n"),  # HW520
        ("quadlet", f"{CONTAINER}[X-Mine]\nAny=1\n[Service]\nRestart=always\n"),
    ],
)
def test_keys_that_are_left_alone(kind: str, text: str) -> None:
    assert told("HW522", kind, text) == []


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("compose", f"{SERVICE}    ports: 11434:11434\n", "is a single value, and Compose wants"),
        ("compose", f"{SERVICE}    volumes: {{a: /b}}\n", "is a table, and Compose wants a list"),
        ("compose", f"{SERVICE}    ports:\n", "is empty, and Compose wants a list"),
        ("compose", f"{SERVICE}    deploy: {{resources: [a]}}\n", "wants a table"),
        ("helm", f"{CHART}extraEnv: {{A: b}}\n", "is a table, and the chart wants a list"),
        ("helm", f"{CHART}  models: {{pull: qwen3:8b}}\n", "`ollama.models.pull` is a single"),
    ],
)
def test_a_value_of_the_wrong_form(kind: str, text: str, message: str) -> None:
    (placed,) = told("HW526", kind, text)
    assert message in placed.finding.message


def test_charts_of_the_first_years_had_a_plain_list_of_models() -> None:
    assert not told("HW526", "helm", "image: {tag: 0.3.9}\nollama: {models: [qwen2:7b]}\n")
    assert not told("HW526", "helm", f"{CHART}  models:\nextraEnv:\n")


def test_volumes_of_the_top_may_be_empty() -> None:
    assert not told("HW526", "compose", f"{SERVICE}volumes:\nnetworks:\n")


def test_what_is_given_up_has_an_heir_of_the_same_values() -> None:
    text = "[Service]\nMemoryLimit=24G\nCPUShares=2048\n"
    placed = told("HW525", "systemd", text)
    assert [p.finding.fix.partition("`")[2] for p in placed] == [
        "MemoryMax=24G`",
        "CPUWeight`, which counts in another unit",
    ]
    assert mended(placed, {NAMES["systemd"]: text}) == {
        NAMES["systemd"]: text.replace("MemoryLimit", "MemoryMax")
    }


@pytest.mark.parametrize("key", ["PublishPort", "Volume", "Network", "DNS"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_that_stay(key: str, quote: str) -> None:
    (placed,) = told("HW524", "quadlet", f"{CONTAINER}{key}={quote}a:b{quote}\n")
    assert placed.finding.fix == f"write `{key}=a:b`"


@pytest.mark.parametrize(
    "line", ['Image="a/ollama:1"', "Environment='A=b c'", "Label='a=b'", "HealthCmd=a 'b'"]
)
def test_quotes_that_podman_takes_off(line: str) -> None:
    assert not told("HW524", "quadlet", f"[Container]\nImage=ollama/ollama:1\n{line}\n")


def test_single_quotes_stay_around_a_whole_value() -> None:
    (placed,) = told("HW524", "quadlet", "[Container]\nImage='docker.io/ollama/ollama:0.32.15'\n")
    assert placed.finding.fix == "write `Image=docker.io/ollama/ollama:0.32.15`"


@pytest.mark.parametrize(
    ("user", "mount", "held"),
    [
        ("UserNS=keep-id", "/.ollama", True),
        ("UserNS=keep-id:uid=1000,gid=1000", "/.ollama", True),
        ("UserNS=keep-id", "/root/.ollama", True),
        ("UserNS=keep-id", "/data", False),
        ("UserNS=keep-id\nUser=root", "/.ollama", False),
        ("UserNS=keep-id:uid=0", "/.ollama", False),
        ("UserNS=auto", "/.ollama", False),
    ],
)
def test_the_home_of_the_user_inside(user: str, mount: str, held: bool) -> None:
    seen = read("quadlet", f"{CONTAINER}{user}\nVolume=ollama:{mount}\n")
    assert bool(found(no_volume, seen)) is not held


def test_a_release_that_reads_no_thread_count_is_told_by_the_model() -> None:
    old = boxed({"cpu_quota": 400}, host=EIGHT, release="0.12.0")
    (placed,) = found(quota_without_threads, old)
    assert placed.finding.fix.startswith("make the model with `PARAMETER num_thread 3`")


@pytest.mark.parametrize(
    "seen",
    [
        boxed({"cpu_quota": 800}, host=EIGHT),
        boxed({"cpu_quota": 50}, host=EIGHT),  # HW214
        boxed({"cpu_quota": None}, host=EIGHT),
        boxed({"cpu_quota": 400}, host=EIGHT, container=dataclasses.replace(BOX, gpu_access="cdi")),
        boxed({"cpu_quota": 400}, {"LLAMA_ARG_THREADS": "many"}, host=EIGHT),
        view({}, {"cpu_quota": 400}),
    ],
)
def test_quotas_that_leave_the_threads_alone(seen: View) -> None:
    assert not found(quota_without_threads, seen)


def test_a_quota_without_a_machine_is_warned_of_as_well() -> None:
    (placed,) = found(quota_without_threads, boxed({"cpu_quota": 400}))
    assert placed.finding.severity == "warning"
    assert "a thread per core, however many" in placed.finding.message


def test_no_more_cpus_are_advised_than_there_are_cores() -> None:
    seen = boxed({"cpu_quota": 400}, {"LLAMA_ARG_THREADS": "8"}, host=EIGHT)
    (placed,) = found(threads_above_quota, seen)
    assert placed.finding.fix == "leave the quota out, or write fewer threads, like `3`"


@pytest.mark.parametrize(
    ("kind", "key", "host", "fix"),
    [
        ("systemd", "CPUQuota", EIGHT, "`1280%` is that share of its 16 hardware threads"),
        ("systemd", "CPUQuota", {}, "write `400%` for four CPUs"),
        ("compose", "services.ollama.cpus", {}, "write `cpus: 4` for four CPUs"),
    ],
)
def test_a_part_of_one_cpu(kind: str, key: str, host: Mapping[str, int], fix: str) -> None:
    bound = Bound(name="cpu_quota", value=80, place=Place("x", 2, key))
    seen = dataclasses.replace(view(kind=kind, host=host), bounds=(bound,))
    (placed,) = found(less_than_one_cpu, seen)
    assert placed.finding.fix.startswith(fix)


@pytest.mark.parametrize(
    ("keys", "caught"),
    [
        ("memswap_limit: 8g", True),
        ("memswap_limit: -1", False),
        ("memswap_limit: 0", False),
        ("mem_limit: 16g, memswap_limit: 8g", True),
        ("mem_limit: 8g, memswap_limit: 8g", False),
        ("mem_limit: '${SIZE}', memswap_limit: 8g", False),
        ("memswap_limit: 8g, deploy: {resources: {limits: {memory: 4g}}}", False),
    ],
)
def test_memory_and_swap_together(keys: str, caught: bool) -> None:
    text = f"services: {{ollama: {{image: ollama/ollama, {keys}}}}}\n"
    found = told("HW218", "compose", text)
    assert bool(found) is caught
    if found and "mem_limit" in keys:
        assert "memory as well" not in found[0].finding.fix


@pytest.mark.parametrize(
    ("options", "caught"),
    [("--memory-swap 8g", True), ("-m 8g --memory-swap 8g", False), ("--memory-swap=-1", False)],
)
def test_the_same_of_options(options: str, caught: bool) -> None:
    text = f"docker run -d {options} ollama/ollama:0.32.15\n"
    (seen,) = load_reader("script")([Source("a.sh", text)], Context(load_catalogue()))
    assert bool(found(RULES["HW218"], seen)) is caught
