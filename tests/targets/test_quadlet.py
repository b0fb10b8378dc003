"""What only quadlets have: two managers, qualified images, limits that Podman sets itself."""

from pathlib import Path

import pytest

from generator.errors import RenderError
from generator.targets import all_files, limitations, load_target
from tests.consumers.targets import consumer, written
from tests.plans import ALONE, RELEASES, plan, shipped

UNIT = "etc/containers/systemd/ollama.container"


def text_of(path: str, **data: object) -> str:
    files = {file.path: file.text for file in load_target("quadlet").render(plan(data))}
    return files[path]


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("release", RELEASES)
def test_a_rootless_container_is_the_plan_too(name: str, release: str, tmp_path: Path) -> None:
    more = ("container.rootless=true", "container.network=web", "container.name=llm")
    decided = shipped(name, *more, version=release)
    written("quadlet", decided, tmp_path)
    ask = consumer("quadlet")
    assert ask.complaints(tmp_path, decided) == []
    found = ask.read(tmp_path, decided)
    ask.compare(decided, found)
    options = dict(found.extra["options"])
    assert (options["name"], options["network"]) == ("llm", "web")
    assert not (tmp_path / "etc").exists()


def test_a_command_of_a_job_runs_in_the_container() -> None:
    unit = "etc/systemd/system/ollama-pull.service"
    models = [{"name": "a:1b"}]
    text = text_of(unit, models=models, container={"name": "llm"})
    assert "ExecStart=/usr/bin/podman exec llm /bin/sh -c " in text


def test_the_manager_of_a_user_has_no_network_target() -> None:
    unit = ".config/systemd/user/ollama-pull.service"
    text = text_of(unit, models=[{"name": "a:1b"}], container={"rootless": True})
    assert "Wants=podman-user-wait-network-online.service" in text


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("ollama/ollama", "docker.io/ollama/ollama"),
        ("ollama", "docker.io/library/ollama"),
        ("registry.lan/ollama", "registry.lan/ollama"),
        ("localhost/ollama", "localhost/ollama"),
        ("ghcr.io/a/ollama", "ghcr.io/a/ollama"),
    ],
)
def test_an_image_names_its_registry(image: str, said: str) -> None:
    text = text_of(UNIT, container={"image": image, "tag": "1"})
    assert f"\nImage={said}:1\n" in text


def test_a_directory_that_podman_would_split_is_refused() -> None:
    with pytest.raises(RenderError, match=r"ollama\.models_dir"):
        text_of(UNIT, ollama={"models_dir": "/srv/a:b"})


def test_what_a_user_may_not_bound_is_left_out_and_told() -> None:
    resources = {"allowed_cpus": "0-3", "nice": -5, "limit_memlock": "infinity"}
    data = {"resources": resources, "container": {"rootless": True}}
    decided = plan(data)
    files = all_files("quadlet", decided)
    text = next(file.text for file in files if file.path.endswith("ollama.container"))
    assert "AllowedCPUs" not in text
    assert "Nice" not in text
    assert "Ulimit" not in text
    told = {finding.where for finding in limitations("quadlet", decided)}
    assert told == {f"resources.{name}" for name in resources}


def test_a_user_may_lower_the_priority() -> None:
    unit = ".config/containers/systemd/ollama.container"
    assert "\nNice=5\n" in text_of(unit, resources={"nice": 5}, container={"rootless": True})


@pytest.mark.parametrize("rootless", [False, True])
def test_a_user_opens_devices_by_the_groups_of_theirs(rootless: bool) -> None:
    path = ".config/containers/systemd/ollama.container" if rootless else UNIT
    text = text_of(path, ollama={"acceleration": "vulkan"}, container={"rootless": rootless})
    assert "\nAddDevice=/dev/dri\n" in text
    assert ("\nGroupAdd=keep-groups\n" in text) == rootless


def test_a_container_of_another_name_keeps_its_unit() -> None:
    assert "\nContainerName=llm\n" in text_of(UNIT, container={"name": "llm"})
