"""`gen detect` as a user runs it."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from generator.detect.machine import read_machine
from generator.detect.root import archive_of
from generator.files.backup import find
from generator.profiles.load import load_profile
from tests.commands import called, process, run
from tests.detect.machines import FOLDER, NAMES, member_names, root_of, tree

if TYPE_CHECKING:
    from pathlib import Path

GUEST = str(FOLDER / "virtual-machine.tar")


@pytest.fixture
def xeon(tmp_path: Path) -> str:
    return str(tree("xeon-cpu", tmp_path / "xeon"))


def test_a_fresh_machine_is_written_rendered_and_checked(tmp_path: Path) -> None:
    here = tmp_path / "here.toml"
    wrote = called("detect", "-o", str(here))
    assert (wrote.returncode, wrote.stdout) == (0, "")
    assert f"gen --profile {here} -t all -o out" in wrote.stderr
    rendered = called("--profile", str(here), "-t", "all", "-o", str(tmp_path / "out"))
    assert rendered.returncode == 0, rendered.stderr
    assert (tmp_path / "out").is_dir()
    checked = called("check", str(here))
    assert checked.returncode == 0, checked.stdout


def test_the_table_fits_a_terminal(xeon: str) -> None:
    result = run("detect", "--root", xeon)
    lines = result.stdout.splitlines()
    assert "processor     Intel Xeon E5-2670 v3, x86_64" in lines
    assert "cores         12 physical, 24 threads" in lines
    assert max(map(len, lines)) <= 80
    assert "like the shipped profile `xeon-cpu`" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_table_fits_a_terminal(name: str, tmp_path: Path) -> None:
    path = tmp_path / "machine.tar"
    root = root_of(name)
    read_machine(root)
    path.write_bytes(archive_of(root.taken))
    assert max(map(len, run("detect", "--root", str(path)).stdout.splitlines())) <= 80


def test_json_has_facts_host_tuning_and_warnings() -> None:
    document = json.loads(run("detect", "--root", GUEST, "--json").stdout)
    assert document["schema_version"] == 1
    assert document["detected"]["cpu"]["model"] == "AMD EPYC"
    assert document["detected"]["warnings"] == []
    assert document["host"]["memory"] == "23GiB"
    assert {"key", "value", "reason"} == set(document["tuning"][0])
    assert document["like"] == ""
    assert {item["key"] for item in document["left_out"]} > {"threads.count"}


def test_a_file_that_is_there_stays_without_force(xeon: str, tmp_path: Path) -> None:
    here = tmp_path / "here.toml"
    here.write_text("mine\n")
    refused = called("detect", "--root", xeon, "-o", str(here))
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert here.read_text() == "mine\n"
    assert called("detect", "--root", xeon, "-o", str(here), "--force").returncode == 0
    assert load_profile(str(here)).name == "sys-5018r-m"
    [kept] = [each.kept for each in find(here).backups]
    assert kept.read_text() == "mine\n"


def test_a_link_is_replaced_where_it_leads(xeon: str, tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("old\n")
    link = tmp_path / "here.toml"
    link.symlink_to(tmp_path / "real.toml")
    assert called("detect", "--root", xeon, "-o", str(link), "--force").returncode == 0
    assert link.is_symlink()
    assert "sys-5018r-m" in (tmp_path / "real.toml").read_text()


def test_the_profile_goes_to_stdout_and_has_the_name_that_is_asked_for(xeon: str) -> None:
    text = run("detect", "--root", xeon, "-o", "-", "--name", "grey-area").stdout
    data = tomllib.loads(text)
    assert data["name"] == "grey-area"
    assert "# This machine is like the shipped profile `xeon-cpu`." in text


def test_a_capture_is_the_same_each_time_and_holds_nothing_private(
    xeon: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "one.tar", tmp_path / "two.tar"
    for path in (first, second):
        assert called("detect", "--root", xeon, "--capture", str(path)).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    names = member_names(first.read_bytes())
    assert names == sorted(names)
    for private in ("serial", "uuid", "hostname", "environ", "passwd", "machine-id", "cmdline"):
        assert not [name for name in names if private in name]
    again = called("detect", "--root", str(first), "--json")
    assert again.stdout == called("detect", "--root", xeon, "--json").stdout


def test_a_capture_does_not_overwrite(xeon: str, tmp_path: Path) -> None:
    path = tmp_path / "machine.tar"
    path.write_text("mine")
    refused = called("detect", "--root", xeon, "--capture", str(path))
    assert refused.returncode == 2
    assert path.read_text() == "mine"


def test_like_keeps_the_tuning_and_changes_the_host(xeon: str, tmp_path: Path) -> None:
    here = tmp_path / "here.toml"
    assert called("detect", "--root", xeon, "--like", "xeon-cpu", "-o", str(here)).returncode == 0
    profile = load_profile(str(here))
    assert profile.extends == "xeon-cpu"
    assert profile.ollama.num_parallel == 4
    assert profile.host.cpu is not None
    assert profile.host.cpu.model == "Intel Xeon E5-2670 v3"
    # Twenty threads are more than there are cores.
    assert profile.threads.count == 12
    assert profile.resources.cpu_quota == 2000
    assert called("--profile", str(here), "-t", "all", "-o", str(tmp_path / "out")).returncode == 0


def test_like_on_a_smaller_machine_keeps_to_its_limits(tmp_path: Path) -> None:
    here = tmp_path / "here.toml"
    done = called("detect", "--root", GUEST, "--like", "xeon-cpu", "-o", str(here))
    assert done.returncode == 0
    profile = load_profile(str(here))
    assert profile.threads.count == 2
    assert profile.resources.cpu_quota == 200
    assert profile.resources.memory_max == 20 * 2**30
    assert called("--profile", str(here), "-t", "all", "-o", str(tmp_path / "out")).returncode == 0


def test_like_a_path_is_extended_from_where_the_profile_lies(xeon: str, tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('schema_version = 1\nname = "base"\n')
    (tmp_path / "sub").mkdir()
    done = called(
        "detect", "--root", xeon, "--like", "./base.toml", "-o", "sub/here.toml", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert load_profile(str(tmp_path / "sub/here.toml")).extends == "../base.toml"


@pytest.mark.parametrize(
    ("like", "threads"), [("xeon-cpu", 3), ("./base.toml", 3), ("./two.toml", 2)]
)
def test_like_in_a_container_keeps_its_threads_within_the_quota(
    like: str, threads: int, tmp_path: Path
) -> None:
    (tmp_path / "base.toml").write_text('schema_version = 1\nname = "base"\n')
    (tmp_path / "two.toml").write_text(
        'schema_version = 1\nname = "two"\n[threads]\ncount = 2\n', encoding="utf-8"
    )
    root = str(tree("small-container", tmp_path / "root"))
    done = called("detect", "--root", root, "--like", like, "-o", "here.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    profile = load_profile(str(tmp_path / "here.toml"))
    assert (profile.threads.count, profile.resources.cpu_quota) == (threads, 400)


@pytest.mark.parametrize("to", [(), ("-o", "-"), ("-o", "here.toml"), ("--json",)])
def test_a_release_that_nobody_knows_is_warned_of(to: tuple[str, ...], tmp_path: Path) -> None:
    done = called("detect", "--root", GUEST, "--ollama-version", "9.9", *to, cwd=tmp_path)
    assert done.returncode == 0
    assert "--ollama-version: 9.9.0 is newer than the newest release this" in done.stderr
    known = called(
        "detect", "--root", GUEST, "--ollama-version", "0.24", *to, "--force", cwd=tmp_path
    )
    assert "is newer" not in known.stderr


@pytest.mark.parametrize(
    ("machine", "like", "acceleration", "devices"),
    [
        # One card where the profile has two by number.
        ("dgx-spark", "dual-pascal", "cuda", ("GPU-0d8a3c1e-7b6f-4d2a-8c9e-123456789abc",)),
        ("strix-halo", "dual-pascal", "rocm", ("0",)),
        # Who asks for a CPU profile gets the CPU.
        ("dual-pascal", "xeon-cpu", "cpu", ()),
    ],
)
def test_like_on_other_gpus(
    machine: str, like: str, acceleration: str, devices: tuple[str, ...], tmp_path: Path
) -> None:
    root, here = str(tree(machine, tmp_path / "root")), tmp_path / "here.toml"
    done = called("detect", "--root", root, "--like", like, "-o", str(here))
    assert done.returncode == 0, done.stderr
    profile = load_profile(str(here))
    assert profile.ollama.acceleration == acceleration
    assert profile.gpu.visible_devices == devices
    done = called("--profile", str(here), "-t", "all", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr


def test_like_a_gpu_profile_without_a_gpu_is_refused(xeon: str) -> None:
    refused = called("detect", "--root", xeon, "--like", "dual-pascal", "-o", "-")
    assert refused.returncode == 2
    assert "`dual-pascal` is for a host with GPUs" in refused.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--from", "a.json", "--root", "b"), "--from names a report"),
        (("-o", "x.toml", "--json"), "choose one of them"),
        (("-o", ""), "--output is empty"),
        (("-o", "-", "--name", "Grey Area"), "`Grey Area` is not a name"),
        (("--root", "/nowhere/at/all"), "there is no directory or archive"),
        (("--root", str(FOLDER)), "is no captured machine: it has neither /proc/cpuinfo nor"),
        (("--root", __file__), "can be read: invalid header\nhint:"),
        (("--ollama-version", "0.9.99"), "the newest of 0.9 is"),
        (("--from", "/nowhere/at/all"), "cannot read"),
        (("--ollama-version", "yesterday"), "--ollama-version: `yesterday` is not a release"),
        (("--like", "xeon-gpu", "-o", "-"), "did you mean"),
    ],
)
def test_bad_usage_is_told(args: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = process("detect", *args, cwd=tmp_path, env={"PYTHONPATH": str(FOLDER.parents[2])})
    assert done.returncode in {2, 3}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
