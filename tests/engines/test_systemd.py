"""A bundle on a machine with systemd as its first process: applied, overridden, compared, removed.

The server is a stand-in, and all the rest is real: systemd, control groups of version 2, the shell
and the Python of a Debian. `sh tools/uml.sh` brings it.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from generator.targets import all_files
from tests.cli.test_verify_command import rows
from tests.commands import called
from tests.engines.uml import SUITES, boot, drop, root_of
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROFILE = """\
schema_version = 1
name = "small"
[host]
system = "x86_64-linux"
memory = "2GiB"
[host.cpu]
cores = 1
threads = 1
[ollama]
keep_alive = "1h"
flash_attention = true
[ollama.env]
NOTE = "b OLLAMA_HOST=1.2.3.4:5"
[resources]
cpu_quota = "50%"
cpu_weight = 200
memory_max = "96M"
memory_high = "80M"
tasks_max = 100
limit_memlock = "infinity"
oom_score_adjust = -500
nice = -5
numa_policy = "interleave"
numa_mask = "0"
"""
SERVER = """\
#!/usr/bin/python3
import http.server, json, os, sys, urllib.request
place = os.environ["OLLAMA_HOST"]
host, _, port = place.rpartition(":")
if sys.argv[1] != "serve":
    urllib.request.urlopen(f"http://127.0.0.1:{port}/api/version", timeout=5)
    sys.exit()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        said = {"version": "0.32.15"} if "version" in self.path else {"models": []}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())
    def log_message(self, *_):
        pass
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""
UNIT = """\
[Unit]
Description=Ollama Service
[Service]
ExecStart=/usr/local/bin/ollama serve
User=root
Environment=PATH=/usr/local/bin:/usr/bin:/bin
[Install]
WantedBy=autotest.target
"""
# Two that mean the same, and two that do not; and one is set by a command, which writes a file.
OVERRIDE = """\
[Service]
CPUQuota=75%
Environment=OLLAMA_KEEP_ALIVE=60m OLLAMA_FLASH_ATTENTION=true
Environment=OLLAMA_HOST=0.0.0.0:11434
"""
SCRIPT = """\
said() {
  name=$1
  shift
  "$@" >"$name" 2>&1
  echo $? >"$name.status"
}
capture() {
  pid=$(systemctl show -p MainPID --value ollama.service)
  group=sys/fs/cgroup/system.slice
  mkdir -p "$1/.hostwright/tools" "$1/proc/$pid" "$1/$group/ollama.service" "$1/etc/systemd"
  cp -r /etc/systemd/system "$1/etc/systemd/"
  [ ! -d /etc/systemd/system.control ] || cp -r /etc/systemd/system.control "$1/etc/systemd/"
  cat /proc/meminfo >"$1/proc/meminfo"
  for file in environ cmdline stat status limits cgroup oom_score_adj; do
    cat "/proc/$pid/$file" >"$1/proc/$pid/$file"
  done
  for folder in "$group" "$group/ollama.service"; do
    for file in "/$folder"/cpu.* "/$folder"/memory.* "/$folder"/pids.max "/$folder"/cgroup.procs; do
      cat "$file" >"$1$file" 2>/dev/null
    done
  done
  systemctl show ollama.service >"$1/.hostwright/tools/systemctl-show.txt"
  echo '{"version": "0.32.15"}' >"$1/.hostwright/tools/api-version.json"
  for name in tags ps; do echo '{"models": []}' >"$1/.hostwright/tools/api-$name.json"; done
}
systemctl enable --now ollama.service
said help sh /bundle/apply.sh --help
said apply sh /bundle/apply.sh
said again sh /bundle/apply.sh
capture machine-applied
mkdir -p /etc/systemd/system/ollama.service.d
cp /override.conf /etc/systemd/system/ollama.service.d/override.conf
said stale python3 -I /bundle/verify.py
systemctl set-property ollama.service MemoryMax=64M
systemctl daemon-reload
systemctl restart ollama.service
said overridden sh /bundle/apply.sh
said shell sh /bundle/verify.sh
said alone sh /bundle/verify.sh ollama.service
capture machine-overridden
rm /etc/systemd/system/ollama.service.d/override.conf
rm -r /etc/systemd/system.control
systemctl daemon-reload
echo '# mine' >>/etc/systemd/system/ollama.service.d/20-limits.conf
mv /usr/bin/python3 /usr/bin/python3-none
sed -i 's/python3$/python3-none/' /usr/local/bin/ollama
printf '[Service]\\nEnvironmentFile=/etc/more.env\\n' >/etc/systemd/system/ollama.service.d/z.conf
echo 'OLLAMA_KEEP_ALIVE="5m"' >/etc/more.env
systemctl daemon-reload
said unpythoned sh /bundle/apply.sh
said gone sh /bundle/remove.sh --dry-run
said removed sh /bundle/remove.sh
ls /etc/systemd/system/ollama.service.d >left
"""


@dataclass
class Ran:
    """What the script left: what each command said, its status, and two machines."""

    folder: Path

    def said(self, name: str) -> tuple[int, list[str]]:
        """Return the status of a command, and its lines."""
        files = (self.folder / f"{name}.status", self.folder / name)
        status, text = (file.read_text(encoding="utf-8") for file in files)
        return int(status), text.splitlines()

    def machine(self, name: str) -> Path:
        """Return a captured machine."""
        return self.folder / f"machine-{name}"

    def verified(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the rows of `gen verify` about a captured machine."""
        profile = self.folder / "small.toml"
        profile.write_text(PROFILE, encoding="utf-8")
        return rows(called("verify", str(profile), "--root", str(self.machine(name)), "--json"))


@pytest.fixture(scope="module", params=SUITES)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Boot a machine once for all tests: what it says lies below its root."""
    root = root_of(request.param, tmp_path_factory.mktemp("uml"))
    result = boot(
        root,
        SCRIPT,
        {
            **{f"bundle/{path}": text for path, text in BUNDLE.items()},
            "usr/local/bin/ollama": SERVER,
            "etc/systemd/system/ollama.service": UNIT,
            "override.conf": OVERRIDE,
        },
    )
    assert (result / "left").exists(), (result / "log").read_text(encoding="utf-8")
    yield Ran(result)
    drop(root)


DROP_INS = "/etc/systemd/system/ollama.service.d"
CONTROL = "/etc/systemd/system.control/ollama.service.d/50-MemoryMax.conf"
LOST = [
    f"CPUQuota of this bundle has no effect: {DROP_INS}/override.conf:2 says otherwise.",
    f"MemoryMax of this bundle has no effect: {CONTROL}:4 says otherwise.",
    f"OLLAMA_HOST of this bundle has no effect: {DROP_INS}/override.conf:4 says otherwise.",
]
BUNDLE = {file.path: file.text for file in all_files("systemd", plan(tomllib.loads(PROFILE)))}
WANTED = json.loads(BUNDLE["verify.json"])
DROP_IN_FILES = [path for path in BUNDLE if path.endswith(".conf") and path.startswith("etc/")]
# Five variables, eleven limits (no swap follows from that on memory), and the release.
SETTINGS = len(WANTED["variables"]) + len(WANTED["limits"]) + 1
IN_EFFECT = f"{SETTINGS} settings of this bundle are in effect."
GROUP = "sys/fs/cgroup/system.slice/ollama.service"


def test_a_bundle_is_in_effect(ran: Ran) -> None:
    status, lines = ran.said("apply")
    assert (status, lines[-2:]) == (
        0,
        ["The server answers at 127.0.0.1:11434.", IN_EFFECT],
    )
    assert ran.said("again") == (0, ["Nothing to change.", lines[-1]])
    assert ran.said("help")[0] == 0
    kernel = {
        name: (ran.machine("applied") / GROUP / name).read_text(encoding="utf-8").strip()
        for name in ("cpu.max", "cpu.weight", "memory.max", "memory.high", "pids.max")
    }
    assert kernel == {
        "cpu.max": "50000 100000",
        "cpu.weight": "200",
        "memory.max": "100663296",
        "memory.high": "83886080",
        "pids.max": "100",
    }
    found = ran.verified("applied")
    unknown = {name for name, row in found.items() if row["verdict"] == "unknown"}
    assert unknown == {"LLAMA_ARG_THREADS", "NUMAPolicy", "NUMAMask"}
    assert {row["verdict"] for name, row in found.items() if name not in unknown} == {"ok"}
    assert found["CPUQuota"]["effective"] == "50%"


def test_what_another_file_wins_over_is_told(ran: Ran) -> None:
    status, lines = ran.said("overridden")
    assert (status, lines[:4]) == (4, [
        "Nothing to change.",
        "OLLAMA_HOST: wanted 127.0.0.1:11434, systemd holds 0.0.0.0:11434",
        "CPUQuota: wanted 50%, systemd holds 75%",
        "MemoryMax: wanted 96M, systemd holds 64M",
    ])  # fmt: skip
    assert lines[4:] == [f"3 of {SETTINGS} settings of this bundle are not in effect.", *LOST]
    found = ran.verified("overridden")
    odd = {
        name: row["by"] for name, row in found.items() if row["verdict"] in {"shadowed", "drift"}
    }
    top = ran.machine("overridden")
    assert odd == {
        "OLLAMA_HOST": f"{top}{DROP_INS}/override.conf:4",
        "CPUQuota": f"{top}{DROP_INS}/override.conf:2",
        "MemoryMax": f"{top}{CONTROL}:4",
    }
    assert (found["CPUQuota"]["effective"], found["MemoryMax"]["effective"]) == ("75%", "64M")


def test_a_file_that_systemd_has_not_read_is_told(ran: Ran) -> None:
    status, lines = ran.said("stale")
    assert (status, lines[0].partition(":")[0]) == (1, "files")


def test_the_shell_alone_says_it_too(ran: Ran) -> None:
    assert ran.said("shell") == (1, LOST)
    # The file of the unit itself has none of these.
    assert ran.said("alone") == (0, [])
    status, lines = ran.said("unpythoned")
    assert status == 4
    assert (
        lines[-1]
        == "OLLAMA_KEEP_ALIVE of this bundle has no effect: /etc/more.env:1 says otherwise."
    )


def test_edits_stay_and_all_else_goes(ran: Ran) -> None:
    edited = f"{DROP_INS}/20-limits.conf"
    assert ran.said("unpythoned")[1][0] == (
        f"{edited} was edited: kept as {edited}.edited-1; "
        f"to put it back: mv '{edited}.edited-1' '{edited}'"
    )
    status, lines = ran.said("gone")
    assert (status, lines[0], len(lines)) == (0, f"would remove {edited}", len(DROP_IN_FILES))
    assert ran.said("removed") == (0, [line.replace("would remove", "removed") for line in lines])
    assert (ran.folder / "left").read_text(encoding="utf-8").split() == [
        "20-limits.conf.edited-1",
        "z.conf",
    ]
