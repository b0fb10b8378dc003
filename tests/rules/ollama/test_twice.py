"""HW409 and HW411: a server beside another one, and a start of what runs already."""

from pathlib import Path
from textwrap import indent

import pytest

from tests.texts import Cases, Text, messages, sides, told

INSTALL = "curl -fsSL https://ollama.com/install.sh | sh\n"
EDIT = "sudo sed -i 's/^Restart=.*/&\\nEnvironment=A=1/' /etc/systemd/system/ollama.service\n"


def beside(*unit: str, service: tuple[str, ...] = (), name: str = "ollama-api.service") -> Text:
    start = "ExecStart=/usr/local/bin/ollama serve"
    text = "\n".join(("[Unit]", *unit, "[Service]", "User=ollama", *service, start, ""))
    return {name: text}


def script(*lines: str) -> Text:
    return {"setup.sh": "#!/bin/sh\n" + "".join(lines)}


TASK = (
    "- copy:\n    dest: /etc/systemd/system/ollama.service.d/a.conf\n    content: '[Service]'\n"
    "  notify: again\n"
)
ROLE = {"roles/ollama/tasks/main.yml": TASK}
RESTART = "- name: again\n  systemd:\n    name: ollama\n    state: restarted\n"
PLAY = "- hosts: all\n  tasks:\n" + indent(TASK, "    ") + "  handlers:\n" + indent(RESTART, "    ")


# rule: (caught, left alone)
CASES: Cases = {
    "HW409": (
        (
            beside("After=ollama.service", "Requires=ollama.service"),
            beside("Wants=network.target ollama.service"),
            beside("BindsTo=ollama.service", service=("Environment=OLLAMA_HOST=0.0.0.0",)),
        ),
        (
            beside("After=ollama.service"),
            beside("Requires=ollama.socket"),
            beside("Conflicts=ollama.service"),
            beside("Wants=ollama.service", service=("Environment=OLLAMA_HOST=127.0.0.1:11435",)),
            beside("Wants=ollama.service", service=("EnvironmentFile=/etc/second.env",)),
            beside("Wants=ollama.service", name="ollama.service"),
        ),
    ),
    "HW411": (
        (
            script(INSTALL, EDIT, "sudo systemctl enable ollama\nsudo systemctl start ollama\n"),
            script(INSTALL, EDIT, "systemctl daemon-reload\nsystemctl enable --now ollama\n"),
            script(
                INSTALL,
                "sudo tee /etc/systemd/system/ollama.service.d/a.conf <<EOF\n[Service]\nEOF\n",
                "service ollama start; systemctl start ollama.service\n",
            ),
            script(
                INSTALL,
                "curl https://example.org/o | sudo tee /etc/systemd/system/ollama.service\n",
                "sudo systemctl start ollama\n",
            ),
            script(
                "UNIT=/etc/systemd/system/ollama.service\n",
                INSTALL,
                'sudo tee "$UNIT" <<EOF\n[Service]\nEOF\nsudo systemctl enable --now ollama\n',
            ),
            script(
                INSTALL,
                "sudo bash -c 'cat > /etc/systemd/system/ollama.service.d/a.conf' <<EOF\nEOF\n",
                "systemctl start ollama\n",
            ),
            script(INSTALL, EDIT, "systemctl restart ollama\n"),
            script(
                "tee /etc/systemd/system/ollama.service.d/a.conf <<EOF\n[Service]\nEOF\n",
                "sudo service ollama restart\n",
            ),
            {"play.yml": PLAY},
            {**ROLE, "roles/ollama/handlers/main.yml": RESTART},
        ),
        (
            script(INSTALL, EDIT, "systemctl daemon-reload\nsystemctl restart ollama\n"),
            script(INSTALL, EDIT, "systemctl stop ollama\nsystemctl start ollama\n"),
            script(EDIT, "systemctl restart ollama\n"),
            script("systemctl daemon-reload\n", INSTALL, EDIT, "systemctl restart ollama\n"),
            script(INSTALL, EDIT, "systemctl restart nginx\n"),
            script(INSTALL, EDIT, "./reload.sh\nsystemctl restart ollama\n"),
            {"play.yml": f"{PLAY}        daemon_reload: true\n"},
            {**ROLE, "roles/ollama/handlers/main.yml": f"{RESTART}    daemon_reload: true\n"},
            script(INSTALL, EDIT, "reboot\n"),
            script(INSTALL, EDIT),
            script(INSTALL, "systemctl start ollama\n"),
            script(EDIT, "systemctl start ollama\n"),
            script("export OLLAMA_NO_START=1\n", INSTALL, EDIT, "systemctl start ollama\n"),
            script(INSTALL, EDIT, "# systemctl start ollama\n"),
            script(
                "UNIT=/etc/systemd/system/ollama.service\n",
                INSTALL,
                'cat "$UNIT" | tee /root/unit.txt\nsystemctl start ollama\n',
            ),
            script(INSTALL, "curl -s https://example.org | tee /tmp/a\nsystemctl start ollama\n"),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


STEPS = (INSTALL.strip(), EDIT.strip(), "systemctl start ollama")


def test_steps_of_one_host_are_one_script(tmp_path: Path) -> None:
    tasks = "".join(f"    - shell: {step!r}\n" for step in STEPS)
    files = {"playbook.yml": f"- hosts: all\n  tasks:\n{tasks}"}
    (told_,) = messages(tmp_path, files, "HW411")
    assert told_.endswith("write `systemctl daemon-reload && systemctl restart ollama`")


def test_an_installer_starts_nothing_at_the_first_boot(tmp_path: Path) -> None:
    # systemd is `starting` while cloud-init runs: install.sh@v0.32.15, `is-system-running`.
    text = "#cloud-config\nruncmd:\n" + "".join(f"  - {step!r}\n" for step in STEPS)
    assert "HW411" not in told(tmp_path, {"user-data": text})


@pytest.mark.parametrize(
    ("head", "terraform", "caught"),
    [
        ("# EC2 user data of the server", "", False),
        (
            "",
            'resource "aws_instance" "a" {\n  user_data = file("${path.module}/setup.sh")\n}',
            False,
        ),
        ("", 'locals {\n  user_data = templatefile("./scripts/setup.sh", {})\n}\n', False),
        ("", 'resource "null_resource" "a" {\n  x = file("./scripts/setup.sh")\n}\n', True),
        ("# Sets the server up", 'resource "x" "a" {\n  user_data = file("a-setup.sh")\n}\n', True),
    ],
)
def test_a_script_that_a_machine_is_given_runs_at_its_first_boot(
    head: str, terraform: str, caught: bool, tmp_path: Path
) -> None:
    text = "\n".join(("#!/bin/sh", head, *STEPS, ""))
    files = {"scripts/setup.sh": text, "main.tf": terraform}
    assert ("HW411" in told(tmp_path, files)) is caught
