"""`gen diff`: two profiles, two releases, and what is installed."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from generator.difference.row import NOTHING
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called

PAGE = (ROOT / "docs/diff.md").read_text(encoding="utf-8")
UNITS = "etc/systemd/system"
OFFICIAL = """[Unit]
After=network-online.target
[Service]
ExecStart=/usr/local/bin/ollama serve
User=ollama
Group=ollama
Restart=always
RestartSec=3
[Install]
WantedBy=default.target
"""


def rows(*args: str, cwd: Path = ROOT, of: str = "installed") -> dict[str, tuple[Any, ...]]:
    told = called("diff", *args, "--json", cwd=cwd)
    assert told.returncode in {0, 1}, told.stderr
    found = validated("diff", told.stdout)[of]
    settings = found["rows"] if of == "installed" else found["settings"] + found["effects"]
    return {each["setting"]: (each["old"], each["new"], each["percent"]) for each in settings}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "before.toml").write_text(text)
    return tmp_path / "before.toml"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with the official unit and a bundle of xeon-cpu."""
    called("xeon-cpu", "-t", "systemd", "-o", str(tmp_path / "out"))
    shutil.copytree(tmp_path / "out/systemd/etc", tmp_path / "root/etc")
    (tmp_path / "root" / UNITS / "ollama.service").write_text(OFFICIAL)
    return tmp_path / "root"


def test_the_page_has_what_the_command_prints(before: Path) -> None:
    told = called("diff", before.name, "xeon-cpu", "--markdown", cwd=before.parent)
    assert told.returncode == 1
    assert told.stdout in PAGE


def test_two_profiles_have_percentages_memory_and_slots(before: Path) -> None:
    found = rows(str(before), "xeon-cpu", of="difference")
    assert found["CPUQuota"] == ("800%", "2000%", 150.0)
    assert found["OLLAMA_CONTEXT_LENGTH"] == ("4096", "8192", 100.0)
    assert found["model research"] == ("not set", "deepseek-r1:7b", None)
    assert found["models side by side"] == ("1", "3", 200.0)
    assert found["main: memory"][:2] == ("3.8 GiB", "5.7 GiB")
    slots = rows("xeon-cpu", "-p", "xeon-cpu", "--set", "ollama.num_parallel=2", of="difference")
    assert slots == {}


def test_servers_of_the_same_name_are_compared(tmp_path: Path) -> None:
    text = (ROOT / "profiles/dual-pascal-pair.toml").read_text(encoding="utf-8")
    (tmp_path / "more.toml").write_text(text.replace("num_parallel = 2", "num_parallel = 3", 1))
    found = rows("dual-pascal-pair", str(tmp_path / "more.toml"), of="difference")
    assert found["p4000: OLLAMA_NUM_PARALLEL"] == ("2", "3", 50.0)
    assert found["p4000: main: slots"] == ("2", "3", 50.0)
    assert {name.partition(":")[0] for name in found} == {"p4000"}
    found = rows("dual-pascal", "dual-pascal-pair", of="difference")
    assert found == {
        "server ollama": ("yes", NOTHING, None),
        "server p4000": (NOTHING, "yes", None),
        "server gtx1060": (NOTHING, "yes", None),
    }


def test_what_means_the_same_is_no_difference(tmp_path: Path) -> None:
    text = 'schema_version = 1\nextends = "xeon-cpu"\nname = "a"\n[ollama]\nkeep_alive = "{}"\n'
    for name, value in (("a", "60m"), ("b", "1h")):
        (tmp_path / f"{name}.toml").write_text(text.format(value))
    told = called("diff", "a.toml", "b.toml", cwd=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "nothing differs\n")


def test_an_upgrade_names_levers_defaults_and_what_is_read(before: Path) -> None:
    told = called("diff", "xeon-cpu", "--from", "0.24", "--json")
    found = validated("diff", told.stdout)["upgrade"]
    why = {each["setting"]: each["why"] for each in found["difference"]["settings"]}
    assert why["model main: num_thread"] == "by LLAMA_ARG_THREADS, for `threads.count`"
    assert "OLLAMA_NEW_ENGINE" in found["unread"]
    assert "OLLAMA_IGPU_ENABLE" in found["read"]
    assert "LLAMA_ARG_THREADS" in found["read_by_runner"]
    assert [(d["setting"], d["old"], d["new"]) for d in found["defaults"]] == [
        ("OLLAMA_VULKAN", "false", "true")
    ]
    assert called("diff", "xeon-cpu", "--from", "newest", "--to", "newest").returncode == 0
    assert "by 0.32.15" in called("diff", str(before), "--from", "0.24").stdout


def test_what_is_installed_is_as_rendered(machine: Path) -> None:
    told = called("diff", "xeon-cpu", "--root", str(machine))
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr.startswith("ollama.service, by ")
    assert told.stderr.endswith("nothing differs\n")


def test_what_wins_is_compared_and_its_place_named(machine: Path) -> None:
    (machine / UNITS / "ollama.service.d/override.conf").write_text(
        "[Service]\nEnvironment=OLLAMA_FLASH_ATTENTION=true OLLAMA_NUM_PARALLEL=2\nMemoryMax=8G\n"
        "Restart=no\n"
        "Environment=OLLAMA_API_KEY=hunter2 HTTPS_PROXY=http://u:hunter2@proxy:3128\n"
    )
    (machine / UNITS / "ollama-pull.service").unlink()
    assert rows("xeon-cpu", "--root", str(machine)) == {
        "OLLAMA_NUM_PARALLEL": ("2", "4", 100.0),
        "MemoryMax": ("8G", "20G", 150.0),
        "[Service] Restart": ("no", "always", None),
        "file ollama-pull.service": ("not set", "rendered", None),
    }
    told = called("diff", "xeon-cpu", "--root", str(machine))
    assert "override.conf:2" in told.stdout
    assert "hunter2" not in told.stdout


def test_a_generation_of_nixos_has_its_own_unit(tmp_path: Path) -> None:
    store = tmp_path / "nix/store/abc-units"
    store.mkdir(parents=True)
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/systemd/system").symlink_to("/nix/store/abc-units")
    (store / "ollama.service").write_text(
        "[Service]\nEnvironment=OLLAMA_MODELS=/var/lib/ollama/models\nCPUQuota=2000%\n"
        "Environment=HOME=/var/lib/ollama\nExecStart=/nix/store/x-ollama/bin/ollama serve\n"
        "DynamicUser=true\nCPUWeight=100\nMemoryMax=10G\n"
    )
    found = rows("xeon-cpu", "--root", str(tmp_path))
    assert found["MemoryMax"] == ("10G", "20G", 100.0)
    assert not {"OLLAMA_MODELS", "HOME", "CPUQuota", "[Service] DynamicUser"} & found.keys()
    assert not any(name.startswith(("[", "file ")) for name in found)


def in_container(profile: str, target: str, tmp_path: Path) -> Path:
    """Install a bundle below `root`, and return the file of its container."""
    called(profile, "-t", target, "-o", str(tmp_path / "out"))
    if target == "compose":
        shutil.copytree(tmp_path / "out/compose", tmp_path / "root/srv")
        tools = tmp_path / "root/.hostwright/tools"
        tools.mkdir(parents=True)
        (tools / "docker-compose.txt").write_text("/srv\tcompose.yaml\n")
        return tmp_path / "root/srv/compose.yaml"
    shutil.copytree(tmp_path / "out/quadlet/etc", tmp_path / "root/etc")
    return tmp_path / "root/etc/containers/systemd/ollama.container"


@pytest.mark.parametrize("target", ["compose", "quadlet"])
def test_limits_of_containers_are_compared(target: str, tmp_path: Path) -> None:
    file = in_container("xeon-cpu", target, tmp_path)
    root = ("--root", str(tmp_path / "root"))
    assert rows("xeon-cpu", *root) == {}
    file.write_text(file.read_text().replace("4096", "1024", 1))
    found = rows("xeon-cpu", *root)
    assert found["TasksMax"][1:] == ("4096", 300.0)


def test_the_volume_of_a_quadlet_is_compared(tmp_path: Path) -> None:
    volume = in_container("xeon-cpu", "quadlet", tmp_path).with_name("ollama.volume")
    root = ("--root", str(tmp_path / "root"))
    text = volume.read_text()
    volume.write_text(text.replace("VolumeName=ollama", "VolumeName=mine") + "Device=/dev/sdb1\n")
    assert rows("xeon-cpu", *root) == {
        "ollama.volume: [Volume] VolumeName": ("mine", "ollama", None),
        "ollama.volume: [Volume] Device": ("/dev/sdb1", NOTHING, None),
    }
    volume.unlink()
    assert rows("xeon-cpu", *root) == {"file ollama.volume": (NOTHING, "rendered", None)}


@pytest.mark.parametrize("target", ["compose", "quadlet"])
def test_containers_are_compared(target: str, tmp_path: Path) -> None:
    file = in_container("container-dev", target, tmp_path)
    root = ("--root", str(tmp_path / "root"))
    assert rows("container-dev", *root) == {}
    file.write_text(file.read_text().replace("24h", "3h").replace("0.32.15", "0.24.0"))
    found = rows("container-dev", *root)
    assert found["OLLAMA_KEEP_ALIVE"] == ("3h", "24h", 700.0)
    assert found["image"][0].endswith("ollama:0.24.0")
    assert len(found) == 2


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "no profile is named"),
        (("a", "b", "c"), "3 profiles are named"),
        (("xeon-cpu", "dgx-spark", "--from", "0.24"), "2 profiles are named"),
        (("xeon-cpu", "--from", "0.24", "--root", "/"), "compare releases"),
        (("xeon-cpu", "--from", "1.x"), "1.x"),
        (("xeon-cpu", "--json", "--markdown"), "exclude each other"),
        (("-", "-"), "`-` stands twice"),
        (("xeon-cpu", "--root", "/no/where"), "there is no directory"),
    ],
)
def test_bad_usage_is_told(args: tuple[str, ...], message: str) -> None:
    told = called("diff", *args, stdin='schema_version = 1\nname = "x"\n')
    assert told.returncode == 2
    assert message in told.stderr


def test_a_machine_without_a_server_is_told(tmp_path: Path) -> None:
    told = called("diff", "xeon-cpu", "--root", str(tmp_path), "--json")
    assert told.returncode == 2
    assert "nothing is installed here that runs Ollama" in json.loads(told.stdout)["error"]
