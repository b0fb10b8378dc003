"""What docker and podman print of a container by `inspect`, made up here to have all of it."""

import json
from typing import Any

import pytest

from generator.verify.container import held


def inspected(host: dict[str, Any], **more: Any) -> str:
    state = {"Pid": 4242, "StartedAt": "2026-11-30T08:00:00.123456789Z"}
    env = ["PATH=/bin", "OLLAMA_HOST=0.0.0.0:11434", "A=b=c", "EMPTY="]
    return json.dumps([{"State": state, "Config": {"Env": env}, "HostConfig": host, **more}])


def test_what_it_holds() -> None:
    found = held("docker", "ollama", inspected({
        "NanoCpus": 500000000, "CpuShares": 2048, "CpusetCpus": "0-3", "Memory": 2**30,
        "MemorySwap": 2**30, "PidsLimit": 77, "OomScoreAdj": -500,
        "Ulimits": [{"Name": "memlock", "Hard": -1, "Soft": -1}],
        "PortBindings": {"11434/tcp": [{"HostIp": "127.0.0.1", "HostPort": "11434"}]},
    }))  # fmt: skip
    assert found is not None
    assert (found.by, found.name, found.pid) == ("docker", "ollama", 4242)
    assert found.variables["A"] == "b=c"
    assert found.variables["EMPTY"] == ""
    assert found.published == ("127.0.0.1:11434:11434",)
    assert found.limits == {
        "cpu_quota": 50, "cpu_weight": 200, "allowed_cpus": "0-3", "memory_max": 2**30,
        "memory_swap_max": 0, "tasks_max": 77, "oom_score_adjust": -500, "limit_memlock": None,
    }  # fmt: skip


def test_nothing_is_bounded() -> None:
    ports = {"11434/tcp": [{"HostIp": "", "HostPort": "11434"}, {"HostIp": "::", "HostPort": "1"}]}
    found = held("podman", "ollama", inspected({"PidsLimit": -1, "PortBindings": ports}))
    assert found is not None
    assert found.published == ("0.0.0.0:11434:11434", "[::]:1:11434")
    assert found.limits == {
        "cpu_quota": None, "cpu_weight": 100, "allowed_cpus": None, "memory_max": None,
        "memory_swap_max": None, "tasks_max": None, "oom_score_adjust": 0,
    }  # fmt: skip


def test_a_quota_of_podman() -> None:
    found = held("podman", "x", inspected({"CpuQuota": 150000, "CpuPeriod": 100000}))
    assert found is not None
    assert found.limits["cpu_quota"] == 150


@pytest.mark.parametrize("told", ["", "[]", "{}", "[1]", "Error: no such object: ollama", "[[]]"])
def test_there_is_none(told: str) -> None:
    assert held("docker", "ollama", told) is None


def test_nonsense_is_no_traceback() -> None:
    told = [{"State": [], "Config": {"Env": {"A": 1}}, "HostConfig": {"Ulimits": 7,
             "PortBindings": [1], "NanoCpus": "many"}}]  # fmt: skip
    found = held("docker", "ollama", json.dumps(told))
    assert found is not None
    assert found.published == ()
