"""HW323 to HW326, HW329: what is put where nobody finds it, and what Windows takes away."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides, told

INSTALL = "#!/bin/sh\ncurl -fsSL https://ollama.com/install.sh | sh\n"
UNIT = "[Service]\nUser=ollama\nRestart=always\nExecStart=/usr/bin/ollama serve\n"
AGENT = (
    '<plist version="1.0"><dict>\n<key>Label</key><string>x</string>\n'
    "<key>ProgramArguments</key><array><string>/usr/local/bin/ollama</string>"
    "<string>serve</string></array>\n<key>StandardOutPath</key>\n<string>{}</string>\n"
    "</dict></plist>\n"
)


def written(path: str, *, first: str = INSTALL) -> Text:
    return {"setup.sh": f"{first}cat > {path} <<'EOF'\n{UNIT}EOF\nsystemctl daemon-reload\n"}


def agent(log: str, folder: str = "home/Library/LaunchAgents") -> Text:
    return {f"{folder}/ollama.plist": AGENT.format(log)}


PLACE = "/etc/systemd/system/ollama.service"
LINK = "/etc/systemd/system/multi-user.target.wants/ollama.service"
SETENV = "launchctl setenv OLLAMA_KEEP_ALIVE 1h\n"
# rule: (caught, left alone)
CASES: Cases = {
    "HW323": (
        (
            {"setup.sh": INSTALL, "ollama.service": UNIT},
            {"scripts/setup.sh": INSTALL, "systemd/ollama.service": UNIT},
            written(PLACE),
        ),
        (
            {"ollama.service": UNIT},
            {"setup.sh": "pacman -S ollama\n", "ollama.service": UNIT},
            {"setup.sh": f"{INSTALL}apt-get install -y ollama\n", "ollama.service": UNIT},
            {
                "setup.sh": f"{INSTALL}ln -s /usr/local/bin/ollama /usr/bin/ollama\n",
                "ollama.service": UNIT,
            },
            {"setup.sh": INSTALL, "ollama.service": UNIT.replace("/usr/bin", "/usr/local/bin")},
            written(PLACE, first="#!/bin/sh\n"),
        ),
    ),
    "HW324": ((written(LINK),), (written(PLACE),)),
    "HW325": (
        ({"mac.sh": f"#!/bin/sh\n{SETENV}"},),
        (
            {"mac.sh": f"#!/bin/sh\n{SETENV}cp ollama.plist ~/Library/LaunchAgents/\n"},
            {"mac.sh": "#!/bin/sh\nlaunchctl setenv EDITOR vi\nollama list\n"},
        ),
    ),
    "HW326": (
        (agent("/var/log/ollama.log"),),
        (
            agent("/tmp/ollama.log"),  # noqa: S108 -- a path of a text
            agent("/var/log/ollama.log", "root/Library/LaunchDaemons"),
            agent("/var/log/ollama.log", "files"),
        ),
    ),
    "HW329": (
        (
            {"start.ps1": "$env:CUDA_VISIBLE_DEVICES = ''\n$env:OLLAMA_DEBUG = '1'\n"},
            {"start.bat": "set CUDA_VISIBLE_DEVICES=\nset OLLAMA_DEBUG=1\nollama serve\n"},
            {"start.ps1": "$env:CUDA_VISIBLE_DEVICES = ''\nollama serve\n"},
        ),
        (
            {"start.ps1": "$env:CUDA_VISIBLE_DEVICES = '-1'\n$env:OLLAMA_DEBUG = '1'\n"},
            {"train.ps1": "$env:CUDA_VISIBLE_DEVICES = ''\npython train.py\n"},
            {"start.sh": "export CUDA_VISIBLE_DEVICES=\nollama serve\n"},
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


@pytest.mark.parametrize(("name", "newer"), [("a.ps1", True), ("a.bat", False), ("a.CMD", False)])
def test_of_cmd_nothing_is_said_of_powershell(name: str, newer: bool, tmp_path: Path) -> None:
    line = "$env:CUDA_VISIBLE_DEVICES = ''" if newer else "set CUDA_VISIBLE_DEVICES="
    (said,) = messages(tmp_path, {name: f"{line}\nollama serve\n"}, "HW329")
    assert ("PowerShell" in said) is newer
