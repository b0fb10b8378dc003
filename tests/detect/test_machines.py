"""Each machine: the Host by hand, what is derived for it, and that its profile holds."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest

from generator.check.profiles import check_profile
from generator.detect.derive import derive
from generator.detect.detect import matching
from generator.detect.machine import read_machine
from generator.detect.profile import host_of, name_of, profile_text
from generator.detect.root import Archive, Tree
from generator.detect.situation import Choice
from generator.pipeline import plan_of
from generator.profiles.load import read_document
from generator.profiles.shipped import shipped_profiles
from generator.targets import TARGETS, load_target
from tests.detect.expected import HOSTS, LIKE, PLANNED, TUNING
from tests.detect.machines import FOLDER, NAMES, machine, root_of, situation, tree
from tests.tools import require_package

if TYPE_CHECKING:
    from pathlib import Path


def test_every_machine_is_expected_here() -> None:
    assert sorted(HOSTS) == sorted(TUNING) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_host_is_the_one_written_by_hand(name: str) -> None:
    assert host_of(situation(name)) == HOSTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_tuning_is_the_one_written_by_hand(name: str) -> None:
    told = derive(situation(name))
    chosen = {choice.key: choice.value for choice in told if isinstance(choice, Choice)}
    assert chosen == TUNING[name]
    assert all(item.reason.endswith(".") for item in told)


def written(name: str, folder: Path) -> Path:
    at = situation(name)
    path = folder / f"{name}.toml"
    path.write_text(profile_text(at, derive(at), name=name_of(at)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_the_profile_renders_everywhere_and_checks_clean(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    found, _ = check_profile(str(path))
    assert [placed.finding for placed in found] == []
    plan = plan_of(read_document(str(path)))
    for target in TARGETS:
        assert load_target(target).render(plan)


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_the_plan_of_the_profile(name: str, tmp_path: Path) -> None:
    plan = plan_of(read_document(str(written(name, tmp_path))))
    there: dict[str, object] = {setting.name: setting.value for setting in plan.service.environment}
    there |= {limit.name: limit.value for limit in plan.service.limits}
    assert {key: there[key] for key in PLANNED[name]} == PLANNED[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_profile_says_what_was_found(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert data["host"] == HOSTS[name]
    flat = {
        f"{table}.{key}": value
        for table, keys in data.items()
        if isinstance(keys, dict) and table != "host"
        for key, value in keys.items()
    }
    assert flat == TUNING[name]
    assert all(
        len(line) <= 100 for line in path.read_text(encoding="utf-8").splitlines() if "#" in line
    )


@pytest.mark.parametrize("name", NAMES)
def test_shipped_profiles_are_recognised(name: str) -> None:
    shipped = [read_document(path.stem).data for path in shipped_profiles()]
    assert matching(situation(name), shipped) == LIKE.get(name, "")


@pytest.mark.parametrize("name", [n for n in NAMES if (FOLDER / f"{n}.txt").is_file()])
def test_a_tree_and_an_archive_tell_the_same(name: str, tmp_path: Path) -> None:
    import io
    import tarfile

    folder = tree(name, tmp_path / "root")
    assert read_machine(Tree(folder)) == machine(name)
    archive = tmp_path / "machine.tar"
    with tarfile.open(archive, "w") as tar:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            data = file.read_bytes()
            info = tarfile.TarInfo(f"./{file.relative_to(folder)}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    assert read_machine(Archive(archive)) == machine(name)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_read_is_enough_to_read_it_again(name: str, tmp_path: Path) -> None:
    from generator.detect.root import archive_of

    root = root_of(name)
    first = read_machine(root)
    path = tmp_path / "again.tar"
    path.write_bytes(archive_of(root.taken))
    again = Archive(path)
    assert read_machine(again) == first
    assert archive_of(again.taken) == path.read_bytes()


def test_the_live_machine_agrees_with_psutil() -> None:
    psutil = require_package("psutil")

    from generator.detect.root import Live

    found = read_machine(Live())
    assert found.cpu.threads == psutil.cpu_count()
    assert found.cpu.cores == (psutil.cpu_count(logical=False) or found.cpu.cores)
    assert found.memory.total == psutil.virtual_memory().total
    assert found.memory.swap == psutil.swap_memory().total
    assert found.system.kernel == os.uname().release
