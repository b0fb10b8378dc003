"""HW411 and HW683: changes that wait for a restart, and pulls that one makes void."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides, told

INSTALL = "curl -fsSL https://ollama.com/install.sh | sh\n"
PATH = "/etc/systemd/system/ollama.service.d/a.conf"
MOVES = f"printf '[Service]\\nEnvironment=OLLAMA_MODELS=/srv/models\\n' > {PATH}\n"
TUNES = f"cat > {PATH} <<EOF\n[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=2\nRestart=always\nEOF\n"
RELOAD = "sudo systemctl daemon-reload\n"
RESTART = "sudo systemctl restart ollama\n"
PULL = "ollama pull qwen3:8b\n"


def script(*lines: str) -> Text:
    return {"setup.sh": "#!/bin/sh\n" + "".join(lines)}


def play(*tasks: str, handler: str = "") -> Text:
    text = "".join(f"    - {task}\n" for task in tasks)
    handlers = f"  handlers:\n    - {handler}\n" if handler else ""
    install = f"    - shell: {INSTALL.strip()!r}\n"
    return {"site.yml": f"- hosts: llm\n  become: true\n  tasks:\n{install}{text}{handlers}"}


def drop_in(name: str, more: str = "") -> str:
    return (
        f'copy: {{dest: {PATH}, content: "[Service]\\nEnvironment={name}\\n"}}\n      {more}'
    ).rstrip()


HANDLER = "{name: again, systemd: {name: ollama, state: restarted, daemon_reload: true}}"
SRV = "OLLAMA_MODELS=/srv/models"
ASYNC = f"{{command: {PULL.strip()}, async: 900, poll: 0}}"

# rule: (caught, left alone)
CASES: Cases = {
    "HW411": (
        (
            script(INSTALL, TUNES, RELOAD),
            script(INSTALL, TUNES, RELOAD, "sudo systemctl enable ollama\n"),
            play(drop_in("OLLAMA_DEBUG=1"), "systemd: {daemon_reload: true}"),
            play(
                drop_in("OLLAMA_DEBUG=1", "notify: again"),
                handler="{name: again, systemd: {daemon_reload: true}}",
            ),
        ),
        (
            script(INSTALL, TUNES, RELOAD, RESTART),
            script("restart() { sudo systemctl restart ollama; }\n", INSTALL, TUNES, RELOAD),
            script(INSTALL, TUNES, RELOAD, "echo 'now: systemctl restart ollama'\n"),
            script(INSTALL, TUNES, RELOAD, "reboot\n"),
            script(INSTALL, TUNES, RELOAD, "./again.sh\n"),
            script(INSTALL, TUNES),
            script(TUNES, INSTALL, RELOAD),
            script(INSTALL, RELOAD),
            script(TUNES, RELOAD),
            play(drop_in("OLLAMA_DEBUG=1", "notify: again"), handler=HANDLER),
            play(drop_in("OLLAMA_DEBUG=1", "notify: other")),
        ),
    ),
    "HW683": (
        (
            script(INSTALL, MOVES, PULL, RELOAD, RESTART),
            script(INSTALL, MOVES, RELOAD, PULL),
            script(INSTALL, "ollama pull qwen3:8b &\n", TUNES, RELOAD, RESTART),
            script(INSTALL, "nohup ollama pull qwen3:8b > /dev/null 2>&1 &\n", RESTART),
            script(INSTALL, "ollama pull qwen3:8b &\npkill -f ollama\n"),
            play(drop_in(SRV, "notify: again"), f"command: {PULL.strip()}", handler=HANDLER),
            play(ASYNC, "systemd: {name: ollama, state: restarted}"),
            play(drop_in("OLLAMA_DEBUG=1", "notify: again"), ASYNC, handler=HANDLER),
        ),
        (
            script(INSTALL, MOVES, RELOAD, RESTART, PULL),
            script(INSTALL, TUNES, PULL, RELOAD, RESTART),
            script(INSTALL, MOVES.replace("/srv", "/usr/share/ollama/.ollama"), PULL, RESTART),
            script(INSTALL, "ollama pull qwen3:8b &\nwait\n", RESTART),
            script(INSTALL, "ollama pull qwen3:8b & P=$!\n", TUNES, "wait $P\n", RESTART),
            script(INSTALL, "ollama pull qwen3:8b &\n"),
            script(INSTALL, RESTART, "ollama pull qwen3:8b &\n"),
            script(INSTALL, "ollama pull qwen3:8b\n", RESTART),
            script(INSTALL, "ollama pull qwen3:8b && systemctl restart ollama\n"),
            play(
                drop_in(SRV, "notify: again"),
                "meta: flush_handlers",
                f"command: {PULL.strip()}",
                handler=HANDLER,
            ),
            play(drop_in("'OLLAMA_MODELS={{ folder }}'", "notify: again"), "command: ollama list"),
            play(ASYNC, "async_status: {jid: x}", "systemd: {name: ollama, state: restarted}"),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_a_value_of_the_play_is_put_in(tmp_path: Path) -> None:
    task = drop_in("OLLAMA_MODELS={{ folder }}", "notify: again")
    text = play(task, f"command: {PULL.strip()}", handler=HANDLER)["site.yml"]
    assert messages(tmp_path, {"site.yml": text}, "HW683") == []
    told_ = text.replace("  become", "  vars: {folder: /srv/models}\n  become")
    (message,) = messages(tmp_path, {"site.yml": told_}, "HW683")
    assert "`meta: flush_handlers`" in message


def test_an_installer_starts_nothing_at_the_first_boot(tmp_path: Path) -> None:
    steps = (INSTALL.strip(), MOVES.strip(), RELOAD.strip(), PULL.strip())
    text = "#cloud-config\nruncmd:\n" + "".join(f"  - {step!r}\n" for step in steps)
    assert not {"HW411", "HW683"} & told(tmp_path, {"user-data": text})
