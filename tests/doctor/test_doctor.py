"""Broken machines: each has the fault that it is named for, with what mends it, and no other."""

from __future__ import annotations

import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from generator.advise.advise import Advice, Advised
from generator.cli.doctor_text import doctor_text
from generator.doctor.doctor import Diagnosis
from generator.doctor.page import as_page
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.doctor.roots import NAMES, tree
from tests.verify.test_capture import server

__all__ = ["server"]

RESTART = "sudo systemctl restart ollama.service"
MODELS = "/usr/share/ollama/.ollama/models"
UVM = (
    "sudo systemctl stop ollama.service; sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm; "
    "sudo systemctl start ollama.service"
)
FREE = f"df -h {MODELS}; ollama list; ollama rm MODEL"
EDIT = "sudo systemctl edit ollama.service  # [Service] "
SILENT = ("GPU found", "one library")
IDLE = ("GPU used", "keep-alive")
# What is wrong: (word, check) and what mends it; and the checks that nobody can answer then.
Expected = tuple[dict[tuple[str, str], str], tuple[str, ...]]
EXPECTED: dict[str, Expected] = {
    "healthy": ({}, ()),
    "healthy-box": ({}, ()),
    "gpu-lost": ({("fault", "GPU found"): RESTART, ("fault", "GPU used"): RESTART}, ()),
    "gpu-hidden": (
        dict.fromkeys(
            [("fault", "GPU found"), ("fault", "GPU used")],
            f"{EDIT}Environment=CUDA_VISIBLE_DEVICES=",
        ),
        (),
    ),
    "gpu-half": (
        {("warning", "GPU used"): "gen fit --model llama3.1:8b --server http://127.0.0.1:11434"},
        (),
    ),
    "uvm-missing": (
        dict.fromkeys(
            [("fault", "GPU found"), ("fault", "GPU memory module")],
            f"sudo modprobe nvidia_uvm && {RESTART}",
        ),
        IDLE,
    ),
    "resumed": (
        dict.fromkeys(
            [("fault", check) for check in ("GPU found", "GPU used", "GPU memory module", "log")],
            UVM,
        ),
        (),
    ),
    "driver-old": (
        {
            ("fault", "GPU found"): RESTART,
            ("fault", "driver"): "sudo apt install nvidia-driver-550 && sudo reboot",
            ("fault", "log"): "nvidia-smi --query-gpu=driver_version --format=csv,noheader; "
            "gen doctor",
        },
        IDLE,
    ),
    "vulkan": ({("warning", "one library"): f"{EDIT}Environment=OLLAMA_VULKAN=0; {RESTART}"}, ()),
    "hot": (
        {
            ("fault", "GPU clocks"): "nvidia-smi -q -d TEMPERATURE,PERFORMANCE  # air, dust, fans",
        },
        (),
    ),
    "power-cap": ({("warning", "GPU clocks"): "sudo nvidia-smi -pl 450"}, ()),
    "shut-folder": ({("fault", "models folder"): "sudo chmod o+x /srv/models"}, ()),
    "read-only-folder": ({("fault", "models folder"): f"sudo chown -R ollama: {MODELS}"}, ()),
    "protect-home": ({("fault", "unit's protection"): f"{EDIT}ProtectHome=no"}, ()),
    "disk-full": ({("fault", "room for models"): FREE, ("fault", "log"): FREE}, ()),
    "spinning-disk": (
        {("warning", "disk"): f"{EDIT}Environment=OLLAMA_KEEP_ALIVE=24h; gen fit --disk hdd"},
        (),
    ),
    "memory-pressure": (
        {("fault", "memory"): "ps -eo pid,rss,comm --sort=-rss | head; gen fit"},
        (),
    ),
    "swapped": ({("fault", "memory"): f"{EDIT}MemorySwapMax=0"}, ()),
    "oom-killed": (
        {
            ("fault", "ended by the kernel"): f"gen fit; {EDIT}MemoryMax=…",
            ("fault", "log"): "journalctl -k --grep 'Killed process|oom-kill'; gen fit",
        },
        (),
    ),
    "throttled": (
        {
            ("fault", "CPU time"): f"{EDIT}CPUQuota= (empty: none), or "
            f"{EDIT}Environment=LLAMA_ARG_THREADS=2"
        },
        (),
    ),
    "stale": ({("fault", "settings arrived"): f"sudo systemctl daemon-reload && {RESTART}"}, ()),
    "restart-due": ({("fault", "settings arrived"): RESTART}, ()),
    "typo": ({("warning", "settings in effect"): "gen explain OLLAMA_NUM_PARALELL"}, ()),
    "kept-for-ever": (
        {("warning", "keep-alive"): "# take `keep_alive` out of the client's requests"},
        (),
    ),
    "no-models": ({("warning", "models"): "ollama pull llama3.2:3b; gen fit"}, IDLE),
    "wrong-port": (
        {("fault", "reachable"): "gen doctor --url http://127.0.0.1:9000"},
        ("GPU used", "models", "keep-alive"),
    ),
    "port-in-use": (
        {
            ("fault", "the right server"): f"ps -fp 4711; kill 4711; {RESTART}",
            ("fault", "log"): f"sudo ss -ltnp 'sport = :11434'; {RESTART}",
        },
        (*SILENT, "models folder", "CPU time", "settings arrived"),
    ),
    "down": (
        {
            ("fault", "reachable"): "journalctl -u ollama.service -n 50; "
            "sudo systemctl start ollama.service",
            ("fault", "models folder"): f"sudo install -d -o ollama {MODELS}",
            ("fault", "log"): f"sudo chown -R ollama:ollama {MODELS}; {RESTART}",
        },
        (*SILENT, "the right server", "GPU used", "models", "CPU time", "settings arrived",
         "keep-alive"),
    ),
    "box-without-gpu": (
        {
            ("fault", "GPU found"): "docker restart ollama",
            ("fault", "GPU used"): "docker restart ollama",
            ("fault", "GPU in the container"): "docker run --gpus all …  # or `devices:` of its "
            "compose file",
        },
        (),
    ),
    "box-without-toolkit": (
        {
            ("fault", "GPU found"): "docker restart ollama",
            ("fault", "GPU used"): "docker restart ollama",
            ("fault", "GPU in the container"): "sudo apt install nvidia-container-toolkit; sudo "
            "nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker",
        },
        (),
    ),
    "box-lost-gpu": (
        {
            ("fault", "GPU found"): "docker restart ollama",
            ("fault", "GPU used"): "docker restart ollama",
            ("fault", "GPU in the container"): '# {"exec-opts": ["native.cgroupdriver=cgroupfs"]} '
            "into /etc/docker/daemon.json; sudo systemctl restart docker && docker restart ollama",
            ("warning", "log"): "nvidia-smi; docker restart ollama",
        },
        (),
    ),
    "secrets": (
        {
            ("warning", "log"): "curl -I https://registry.ollama.ai/v2/; gen explain HTTPS_PROXY",
        },
        (),
    ),
}  # fmt: skip


def test_every_machine_is_expected() -> None:
    assert sorted(EXPECTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_has_its_own_faults_and_no_others(name: str, tmp_path: Path) -> None:
    done = called("doctor", "--root", tree(name, tmp_path), "--json")
    results = validated("doctor", done.stdout)["results"]
    wrong, unknown = EXPECTED[name]
    bad = [one for one in results if one["word"] in {"fault", "warning"}]
    assert {(one["word"], one["check"]): one["remedy"] for one in bad} == wrong
    assert {one["check"] for one in results if one["word"] == "unknown"} == {*unknown}
    assert done.returncode == any(word == "fault" for word, _ in wrong)
    assert done.stderr == ""


def test_secrets_of_a_log_are_not_told(tmp_path: Path) -> None:
    root = tree("secrets", tmp_path)
    page = tmp_path / "page.html"
    told = called("doctor", "--root", root, "--all", "--html", str(page)).stdout
    for text in (told, page.read_text(), called("doctor", "--root", root, "--json").stdout):
        assert "http://ada:***@proxy:3128" in text
        for secret in ("hunter2", "abcdefghijklmnopqrst", "0123456789abcdef"):
            assert secret not in text


def test_the_text_shows_what_is_wrong_first_and_what_mends_it(tmp_path: Path) -> None:
    done = called("doctor", "--root", tree("power-cap", tmp_path))
    assert done.stdout == (
        "Ollama 0.32.15 · systemd ollama.service · process 829 · http://127.0.0.1:11434\n"
        "warning: GPU clocks: NVIDIA GeForce RTX 4090 may take 200 W, 450 W are usual\n"
        "  $ sudo nvidia-smi -pl 450\n"
        "1 warning, 20 ok (--all shows those, too)\n"
    )


def test_with_a_profile_it_judges_by_that(tmp_path: Path) -> None:
    profile = tmp_path / "small.toml"
    profile.write_text(
        'schema_version = 1\nname = "small"\nhost.memory = "64GiB"\n'
        'host.gpus = [{ name = "NVIDIA GeForce RTX 4090", memory = "24GiB" }]\n'
        'ollama = { context_length = 16384, keep_alive = "30m" }\n'
        'models = [{ name = "llama3.1:8b" }, { name = "qwen3:8b" }]\n'
    )
    root = tree("healthy", tmp_path / "root")
    done = called("doctor", str(profile), "--root", root, "--json")
    results = validated("doctor", done.stdout)["results"]
    faults = {one["said"]: one["remedy"] for one in results if one["word"] == "fault"}
    apply = f"gen {profile} -t systemd -o out && sudo out/systemd/apply.sh"
    missing = "qwen3:8b: the server does not have it; pull qwen3:8b, about 4.9 GiB"
    assert faults == {
        missing: "ollama pull qwen3:8b",
        "OLLAMA_CONTEXT_LENGTH: systemd holds `8192`": apply,
        "OLLAMA_HOST: systemd does not have it": apply,
        "CUDA_CACHE_PATH: systemd does not have it": apply,
        "MemoryMax: systemd holds `no limit`": apply,
    }
    assert done.returncode == 1


def test_a_server_of_another_release_than_the_profile_gets_its_own_remedy(tmp_path: Path) -> None:
    profile, root = tmp_path / "mine.toml", Path(tree("throttled", tmp_path / "root"))
    profile.write_text('schema_version = 1\nname = "mine"\nhost.memory = "64GiB"\n')
    (root / ".hostwright/tools/api-version.json").write_text('{"version": "0.24.0"}')
    done = called("doctor", str(profile), "--root", str(root), "--json")
    results = validated("doctor", done.stdout)["results"]
    (told,) = [one["remedy"] for one in results if one["check"] == "CPU time"]
    assert told == f"{EDIT}CPUQuota= (empty: none)"


def test_a_server_of_no_manager_is_started_with_what_is_right(tmp_path: Path, server: Any) -> None:
    """One command for all of its variables, with the words that it was started with."""
    profile, page = tmp_path / "mine.toml", tmp_path / "page.html"
    profile.write_text(
        'schema_version = 1\nname = "mine"\nhost.memory = "8GiB"\n'
        'ollama = { keep_alive = "1h", flash_attention = true }\nresources.memory_max = "4G"\n'
    )
    asked = ("doctor", str(profile), "--url", server.url)
    done = called(*asked, "--json", "--html", str(page))
    mends = {
        one["said"].partition(":")[0]: one["remedy"]
        for one in validated("doctor", done.stdout)["results"]
        if one["check"] == "settings in effect"
    }
    again = mends["OLLAMA_KEEP_ALIVE"]
    assert again.startswith("while kill ")
    assert again.endswith(" ollama serve")
    for words in (" OLLAMA_KEEP_ALIVE=1h ", " OLLAMA_FLASH_ATTENTION=1 "):
        assert words in again
    assert mends["OLLAMA_FLASH_ATTENTION"] == again
    assert page.read_text().count("OLLAMA_KEEP_ALIVE=1h") == 1


def test_what_is_advised_on_the_page_can_be_copied() -> None:
    sets = ('ollama.build={blas="openblas"}', "models=[{ name = 'a:1b' }]")
    advice = Advice(
        lever="x", effort="restart", gain="", cost="", source="none", sets=sets, verdict=""
    )
    left = Advised(model="a:1b", verdict="", advice=(advice,), idle=())
    text = as_page(Diagnosis(url="", who=(), results=()), left)
    (words,) = re.findall(r"<pre>(--set .*)</pre>", text)
    told = subprocess.check_output(["sh", "-c", f"printf '%s\\n' {unescape(words)}"], text=True)
    assert told.splitlines() == ["--set", sets[0], "--set", sets[1]]


def test_nothing_to_say_is_told() -> None:
    assert doctor_text(Diagnosis(url="", who=("a host",), results=())).startswith("a host\n")
