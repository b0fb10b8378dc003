"""`hostwright.healthGate`: what the unit runs once the server is started, run by a real shell.

The server is a stand-in for the process that systemd started, and its program one that answers when
it is told to.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consumers import nix
from tests.consumers.effective import ConsumerError
from tests.host import stub
from tests.nix.test_modules import XEON, host

GATED = f"{XEON}  hostwright.healthGate = true;\n"
# Counts how often it is asked, and answers at the time it is told to.
PROGRAM = """\
#!/bin/sh
echo "$HOME $OLLAMA_HOST $*" >>{folder}/asked
[ "$(wc -l <{folder}/asked)" -ge {answers_at} ]
"""


def unit(folder: Path, body: str) -> str:
    text: str = nix.evaluate(host(folder, body))["units"]["ollama.service"]
    return text


def gate(text: str, program: Path) -> list[str]:
    """Return the command as systemd runs it: words in quotes, `%%` and `$$` for one of them."""
    line, _ = re.findall(r"^ExecStartPost=(.*)$", text, re.MULTILINE)
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    plain = [word.replace('\\"', '"').replace("$$", "$").replace("%%", "%") for word in words]
    assert plain[-1].endswith("/bin/ollama")
    return [*plain[:-1], str(program)]


@pytest.mark.parametrize(
    ("answers_at", "server_runs", "status", "asked"),
    [(1, True, 0, 1), (2, True, 0, 2), (99, False, 1, 1), (1, False, 1, 1)],
    ids=["at once", "later", "the server has ended", "another server answers"],
)
def test_it_waits_for_the_server_that_was_started(
    answers_at: int, server_runs: bool, status: int, asked: int, tmp_path: Path
) -> None:
    program = tmp_path / "ollama"
    program.write_text(PROGRAM.format(folder=tmp_path, answers_at=answers_at), encoding="utf-8")
    program.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        if not server_runs:
            server.communicate(b"\n")
        variables = {
            "PATH": os.defpath,
            "HOME": str(tmp_path),
            "OLLAMA_HOST": "0.0.0.0:1",
            "MAINPID": str(server.pid),
        }
        argv = gate(unit(tmp_path, GATED), program)
        ran = subprocess.run(argv, env=variables, check=False, capture_output=True, timeout=60)
        if server_runs:
            server.communicate(b"\n")
    assert ran.returncode == status
    lines = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert lines == ["/tmp 0.0.0.0:1 list"] * asked  # noqa: S108 -- private to the unit


# What `systemctl cat` prints of a host on which somebody has set a property.
CAT = """\
# /etc/systemd/system/ollama.service
{unit}

# /etc/systemd/system.control/ollama.service.d/50-CPUQuota.conf
[Service]
CPUQuota=75%
"""


def test_it_says_what_wins_over_the_configuration(tmp_path: Path) -> None:
    text = unit(tmp_path, GATED)
    assert "\nCPUQuota=2000%\n" in text
    _, line = re.findall(r"^ExecStartPost=(.*)$", text, re.MULTILINE)
    command, _, name = line.rpartition(" ")
    assert (command[:1], name) == ("-", "ollama.service")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', command)
    plain = [json.loads(f'"{word}"').replace("$$", "$").replace("%%", "%") for word in words]
    (tmp_path / "told").write_text(CAT.format(unit=text), encoding="utf-8")
    stub(tmp_path / "bin", "systemctl", f"case $1 in cat) cat '{tmp_path}/told' ;; esac")
    variables = {"PATH": f"{tmp_path / 'bin'}:{os.defpath}"}
    ran = subprocess.run(
        [*plain, name], env=variables, check=False, capture_output=True, timeout=60, text=True
    )
    control = "/etc/systemd/system.control/ollama.service.d/50-CPUQuota.conf"
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout == f"CPUQuota of {name} has no effect: {control}:2 says otherwise.\n"


def test_the_start_has_the_time_for_it(tmp_path: Path) -> None:
    waits = "  hostwright.profile = {name};\n  hostwright.healthGate = true;\n"
    assert "\nTimeoutStartSec=60\n" in unit(tmp_path, GATED)
    assert "\nTimeoutStartSec=90\n" in unit(tmp_path, waits.format(name='"dual-pascal"'))
    own = GATED + "  systemd.services.ollama.serviceConfig.TimeoutStartSec = 300;\n"
    assert "\nTimeoutStartSec=300\n" in unit(tmp_path, own)


def test_without_it_a_start_is_one_at_once(tmp_path: Path) -> None:
    text = unit(tmp_path, XEON)
    assert "ExecStartPost" not in text
    assert "TimeoutStartSec" not in text


def test_systemd_takes_it(tmp_path: Path) -> None:
    assert nix.verify(host(tmp_path, GATED)) == []


def test_an_older_plan_has_no_gate(tmp_path: Path) -> None:
    text = (nix.CONTRACT.parents[2] / "modules/plans/xeon-cpu.json").read_text(encoding="utf-8")
    older = re.sub(r',\s*"gate": \{.*?\n {8}\}', "", text, flags=re.DOTALL)
    assert older != text
    (tmp_path / "plan.json").write_text(older, encoding="utf-8")
    body = f"  hostwright.profile = {tmp_path}/plan.json;\n"
    assert nix.evaluate(host(tmp_path, body))
    with pytest.raises(ConsumerError, match="healthGate: the plan is of an older release"):
        nix.evaluate(host(tmp_path, body + "  hostwright.healthGate = true;\n"))
