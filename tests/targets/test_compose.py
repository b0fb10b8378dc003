"""What only files for Compose have: projects of others, names, and what containers may not do."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.errors import ProfileError
from generator.readers.base import Context
from generator.readers.discover import discover
from generator.readers.seen import views
from generator.targets import TARGETS, all_files
from tests.consumers import compose
from tests.plans import ALONE, PROFILES, plan, shipped
from tests.tools import require

BASE = """\
name: homelab
services:
  llm:
    image: ollama/ollama:0.31.0
    container_name: my-llm
    ports: ["8000:11434"]
    volumes: ["./data:/root/.ollama"]
    networks: [web]
    environment: {HTTPS_PROXY: "http://proxy.lan:3128"}
    deploy: {resources: {limits: {cpus: "2", memory: 2g, pids: 100}}}
networks: {web: {}}
"""
SCRATCH = "/tmp"  # noqa: S108 -- of the container
BOX = {"container": {"home_dir": "/srv/llm"}}


def files(data: dict[str, Any], target: str = "compose") -> dict[str, str]:
    return {file.path: file.text for file in all_files(target, plan(data))}


def service(data: dict[str, Any], folder: Path, name: str = "ollama") -> dict[str, Any]:
    """Return a service as Compose has understood it."""
    file = folder / "compose.yaml"
    file.write_text(files(data)["compose.yaml"])
    found: dict[str, Any] = compose.read(file, name).extra["service"]
    return found


def test_compose_names_the_container_unless_the_profile_does(tmp_path: Path) -> None:
    assert "container_name" not in service({}, tmp_path)
    named = {"container": {"name": "llm", "project": "lab"}, "models": [{"name": "a:1b"}]}
    assert service(named, tmp_path, "llm")["container_name"] == "llm"
    assert 'name: "lab"' in files(named)["compose.yaml"]
    assert '"container": "llm"' in files(named)["verify.json"]
    assert '"lab-llm-pull-1"' in files(named)["verify.json"]
    assert '"container": "test-ollama-1"' in files({})["verify.json"]


@pytest.mark.parametrize("target", TARGETS)
def test_nobody_elses_containers_are_removed(target: str) -> None:
    every = (file.text for name in PROFILES for file in all_files(target, shipped(name)))
    assert not any("remove-orphans" in text for text in every)


def test_a_directory_that_is_there_is_used(tmp_path: Path) -> None:
    found = service(BOX, tmp_path)
    (mount,) = found["volumes"]
    assert (mount["source"], mount["target"]) == ("/srv/llm", "/root/.ollama")
    assert found["cap_add"] == ["DAC_OVERRIDE"]
    assert "\nvolumes:" not in files(BOX)["compose.yaml"]
    unit = files(BOX, "quadlet")["etc/containers/systemd/ollama.container"]
    assert "\nVolume=/srv/llm:/root/.ollama:z\n" in unit
    assert "\nExecStartPre=/bin/mkdir -p /srv/llm\n" in unit


def test_a_container_may_do_what_it_needs(tmp_path: Path) -> None:
    found = service({"models": [{"name": "a:1b"}]}, tmp_path)
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert (found["cap_drop"], found["read_only"], found["tmpfs"]) == (["ALL"], True, [SCRATCH])
    assert "user" not in found
    assert "cap_add" not in found
    assert compose.read(tmp_path / "compose.yaml", "ollama-pull").extra["service"]["user"] == (
        "65534:65534"
    )


def test_a_job_reads_modelfiles_of_others(tmp_path: Path) -> None:
    models = [{"name": "a:1b", "parameters": {"num_ctx": 4096}}]
    found = service({"models": models}, tmp_path, "ollama-create")
    assert "user" not in found
    assert (found["cap_drop"], found["cap_add"]) == (["ALL"], ["DAC_OVERRIDE"])


def test_vulkan_may_ask_how_much_memory_is_free(tmp_path: Path) -> None:
    host = {"gpus": [{"name": "Radeon RX 7900 XTX", "memory": "24GiB"}]}
    found = service({"host": host, "ollama": {"acceleration": "vulkan"}}, tmp_path)
    assert found["cap_add"] == ["PERFMON"]
    assert found["tmpfs"] == [SCRATCH, "/root/.cache", "/root/.nv"]


def test_each_is_turned_off_by_its_key(tmp_path: Path) -> None:
    choice = {"no_new_privileges": False, "capabilities": "default", "read_only": False}
    found = service({"container": choice, "resources": {"tasks_max": "infinity"}}, tmp_path)
    keys = {"security_opt", "cap_drop", "cap_add", "read_only", "tmpfs"}
    assert keys & found.keys() == set()
    assert found["pids_limit"] == -1
    kept = service({"container": {"capabilities": ["SYS_NICE"]}}, tmp_path)
    assert (kept["cap_drop"], kept["cap_add"]) == (["ALL"], ["SYS_NICE"])


def test_a_user_has_a_home_of_their_own(tmp_path: Path) -> None:
    box = {"home_dir": "/srv/llm", "user": "1000:1000"}
    found = service({"container": box, "ollama": {"models_dir": "/srv/models"}}, tmp_path)
    assert found["user"] == "1000:1000"
    assert found["environment"]["HOME"] == "/home/server"
    targets = [mount["target"] for mount in found["volumes"]]
    assert targets == ["/home/server/.ollama", "/home/server/.ollama/models"]
    assert "cap_add" not in found


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ({}, "owns no volume"),
        ({"home_dir": "/srv/llm", "rootless": True}, "somebody else"),
        ({"home_dir": "/srv/llm", "compose": "override"}, "for the file to say"),
    ],
)
def test_a_user_that_could_not_write_is_refused(box: dict[str, Any], why: str) -> None:
    with pytest.raises(ProfileError) as refused:
        plan({"container": {"user": "1000:1000", **box}})
    (problem,) = refused.value.problems
    assert problem.where == "container.user"
    assert why in problem.message


def test_a_fragment_is_included(tmp_path: Path) -> None:
    data = {"container": {"compose": "fragment"}, "resources": {"memory_max": "3G"}}
    (tmp_path / "part").mkdir()
    (tmp_path / "part/compose.yaml").write_text(files(data)["compose.yaml"])
    whole = "name: homelab\ninclude: [part/compose.yaml]\nservices: {web: {image: nginx}}\n"
    (tmp_path / "compose.yaml").write_text(whole)
    found = compose.read(tmp_path / "compose.yaml")
    assert found.memory_max == 3 << 30
    assert found.extra["project"]["name"] == "homelab"
    assert found.extra["project"]["services"].keys() == {"web", "ollama"}


def test_an_override_leaves_the_rest_as_it_is(tmp_path: Path) -> None:
    data = {
        "container": {"compose": "override", "service": "llm", "network": "other"},
        "ollama": {"keep_alive": "1h"},
        "resources": {"memory_max": "3G", "cpu_quota": "150%"},
        "models": [{"name": "a:1b"}],
    }
    (tmp_path / "compose.yaml").write_text(BASE)
    (tmp_path / "compose.override.yaml").write_text(files(data)["compose.override.yaml"])
    both = f"{tmp_path / 'compose.yaml'}", f"{tmp_path / 'compose.override.yaml'}"
    whole = "".join(f"  - path: ['{both[0]}', '{both[1]}']\n")
    (tmp_path / "all.yaml").write_text(f"name: homelab\ninclude:\n{whole}")
    found = compose.read(tmp_path / "all.yaml", "llm")
    assert (found.memory_max, found.cpu_quota_percent) == (3 << 30, 150)
    assert found.environment["OLLAMA_KEEP_ALIVE"] == "1h"
    assert found.environment["HTTPS_PROXY"] == "http://proxy.lan:3128"
    told = found.extra["service"]
    assert (told["image"], told["container_name"]) == ("ollama/ollama:0.31.0", "my-llm")
    assert [port["published"] for port in told["ports"]] == ["8000"]
    assert [mount["target"] for mount in told["volumes"]] == ["/root/.ollama"]
    assert list(told["networks"]) == ["web"]
    job = compose.read(tmp_path / "all.yaml", "llm-pull").extra["service"]
    assert job["network_mode"] == "service:llm"


@pytest.mark.parametrize("name", ALONE)
def test_docker_run_is_the_same_server(name: str, tmp_path: Path) -> None:
    decided = shipped(name)
    readme = next(f.text for f in all_files("compose", decided) if f.path == "README.md")
    command = readme.partition("docker run")[2].partition("\n```")[0]
    (tmp_path / "run.sh").write_text(f"docker run{command}\n")
    seen = views(discover([str(tmp_path / "run.sh")]), Context(load_catalogue(), None))
    (view,) = (view for view in seen.views if view.container)
    wanted = {one.name: one.value for one in decided.service.environment if one.scope == "any"}
    assert {one.name: one.value for one in view.variables} == wanted
    limits = {one.name: one.value for one in decided.service.limits} | {"tasks_max": 4096}
    if "memory_max" in limits:  # One option says both.
        assert limits["memory_swap_max"] == 0
        limits["memory_and_swap"] = limits["memory_max"]
    assert {one.name: one.value for one in view.bounds} == limits
    box = view.container
    assert box is not None
    assert box.image == decided.service.container.image
    assert [text for text, _ in box.ports] == ["127.0.0.1:11434:11434"]
    assert box.restart == "unless-stopped"


@pytest.mark.parametrize("job", ["pull", "create", "warmup", "resume"])
def test_the_sandbox_of_a_job_is_judged_by_systemd(job: str, tmp_path: Path) -> None:
    models = [{"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096}}]
    card = {"name": "NVIDIA GeForce RTX 3090", "memory": "24GiB"}
    data = {
        "models": models,
        "host": {"gpus": [card]},
        "service": {"resume_fix": True},
    }
    path = f"etc/systemd/system/ollama-{job}.service"
    unit = tmp_path / f"ollama-{job}.service"
    unit.write_text(files(data, "systemd")[path])
    argv = [
        require("systemd-analyze"),
        "security",
        "--offline=true",
        "--threshold=40",
        "--no-pager",
    ]
    told = subprocess.run([*argv, str(unit)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-300:] + told.stderr
    data["service"] = {"resume_fix": True, "sandbox_jobs": False}
    assert "SystemCallFilter" not in files(data, "systemd")[path]
