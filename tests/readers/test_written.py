"""What scripts and tasks write into files by other means than a here-document."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.readers.syntax.script import lines

DROP_IN = "/etc/systemd/system/ollama.service.d/override.conf"
UNIT = "/etc/systemd/system/ollama.service"
HEAD = "#!/bin/bash\n"


def told(text: str, tmp_path: Path, name: str = "setup.sh") -> list[tuple[int, str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    found = check(CheckRequest(paths=[str(path)])).findings
    return sorted((one.place.line, one.finding.rule) for one in found)


def written(text: str) -> list[tuple[str, str]]:
    found = [one for line in lines(text, "x.sh") for one in line.documents]
    return [(one.target, one.text) for one in found]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("echo '[Service]'", "[Service]\n"),
        ("echo -n a b", "a b"),
        (r"echo -e 'a\nb'", "a\nb\n"),
        (r"echo 'a\nb'", "a\\nb\n"),
        ('echo "a\nb"', "a\nb\n"),
        (r"printf 'a\nb\n'", "a\nb\n"),
        (r"printf '%s\n' a b", "a\nb\n"),
        (r"printf -- '%s=%s\n' A 1 B 2", "A=1\nB=2\n"),
        (r"printf '%b' 'a\nb'", "a\nb"),
        (r"printf '100%%\n'", "100%\n"),
        ('printf "\\"a\\"\\n"', '"a"\n'),
    ],
)
def test_what_echo_and_printf_say(command: str, text: str) -> None:
    assert written(f"{HEAD}{command} > /x") == [("/x", text)]
    assert written(f"{HEAD}{command} | sudo tee /x > /dev/null") == [("/x", text)]


@pytest.mark.parametrize(
    "command", ["printf '%5s' a", "printf -v name a", "printf", "echo", "true"]
)
def test_what_nobody_can_tell_is_no_text(command: str) -> None:
    assert not any(text.strip() for _, text in written(f"{HEAD}{command} > /x"))


def test_the_echo_of_other_shells_reads_escapes() -> None:
    assert written("#!/bin/sh\necho 'a\\nb' > /x") == [("/x", "a\nb\n")]


@pytest.mark.parametrize(
    "script",
    [
        "{\n  echo a\n  printf 'b\\n'\n} > /x",
        "{ echo a; echo b; } | sudo tee /x >/dev/null",
        "(echo a; echo b) > /x",
        "(\ncat <<E\na\nb\nE\n) > /x",
        "tee /x <<< 'a\nb'",
        "T='a\nb'\necho \"$T\" | tee /x",
        "sudo sh -c 'cat > /x' <<E\na\nb\nE",
        "ssh host 'sudo tee /x' <<E\na\nb\nE",
        "ssh host <<'E'\ncat > /x <<F\na\nb\nF\nE",
    ],
)
def test_groups_pipes_and_shells_write_as_a_whole(script: str) -> None:
    assert [one for one in written(HEAD + script) if one[0]] == [("/x", "a\nb\n")]


@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("systemctl edit --stdin ollama", DROP_IN),
        ("sudo systemctl edit ollama.service --stdin", DROP_IN),
        ("systemctl edit --stdin --drop-in=env ollama", DROP_IN.replace("override", "env")),
        ("systemctl edit --stdin --full ollama", UNIT),
        ("SYSTEMD_EDITOR=tee systemctl edit ollama", DROP_IN),
        ("sudo env EDITOR=/usr/bin/tee systemctl edit ollama", DROP_IN),
        ("systemctl --user edit --stdin a", "~/.config/systemd/user/a.service.d/override.conf"),
        ("systemctl edit ollama", ""),
    ],
)
def test_what_systemctl_edit_reads(command: str, target: str) -> None:
    assert written(f"{command} <<E\n[Service]\nE") == [(target, "[Service]\n")]
    assert written(f"echo '[Service]' | {command}") == ([(target, "[Service]\n")] if target else [])


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (r"'/\[Service\]/a Environment=A=1'", "[Service]\nEnvironment=A=1\n"),
        (r"'/^\[Service\]$/a\Environment=A=1'", "[Service]\nEnvironment=A=1\n"),
        (r"'s|\[Service\]|[Service]\nEnvironment=A=1|'", "[Service]\nEnvironment=A=1\n"),
        (r"'s/\[Install\]/Environment=A=1\n&/'", "[Service]\nEnvironment=A=1\n"),
        (r"'s/^ExecStart=.*/&\nEnvironment=A=1/'", "[Service]\nEnvironment=A=1\n"),
        (r"'s#^User=.*#User=me#'", "[Service]\nUser=me\n"),
        (r"'/^After=/a Wants=b'", "[Unit]\nWants=b\n"),
        (r"'/\[Install\]/i Environment=A=1'", "[Service]\nEnvironment=A=1\n"),
        (r"'$a Environment=A=1'", "[Install]\nEnvironment=A=1\n"),
        ("-e '/x/d' -e '/Restart/a A=1'", "[Service]\nA=1\n"),
        ("'s/127.0.0.1/0.0.0.0/'", ""),
        ("'s/OLLAMA_HOST=.*\"/OLLAMA_HOST=::1\"/'", ""),
        ("'s/^Environment=\"A=/&b/'", ""),
        ("'s/^Environment=\"A=1/Environment=\"A=2/'", ""),
        ("'s/User=ollama/User=me/'", "[Service]\nUser=me\n"),
        ("'s/^Environment=.*//'", ""),
        ("'/unfinished", ""),
    ],
)
def test_what_sed_puts_into_a_unit(script: str, text: str) -> None:
    assert written(f"sudo sed -i {script} {UNIT}") == ([(UNIT, text)] if text else [])
    assert written(f"sed {script} {UNIT}") == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            f"echo '[Service]' | tee {DROP_IN}\necho Environment=OLLAMA_DEBUG=1 | tee -a {DROP_IN}",
            3,
        ),
        (f"printf '[Service]\\nEnvironment=OLLAMA_DEBUG=1\\n' > {DROP_IN}", 2),
        (f"sed -i '/^User=/a Environment=OLLAMA_DEBUG=1' {UNIT}", 2),
        (f"echo Environment=OLLAMA_DEBUG=1 >> {DROP_IN}", 2),
        (f"cat > /tmp/x <<E\n[Service]\nEnvironment=OLLAMA_DEBUG=1\nE\nmv /tmp/x {DROP_IN}", 4),
    ],
)
def test_a_unit_that_is_written_in_pieces(script: str, found: int, tmp_path: Path) -> None:
    assert told(HEAD + script, tmp_path) == [(found, "HW546")]


def test_a_file_gets_the_name_that_it_is_copied_to(tmp_path: Path) -> None:
    text = f"{HEAD}cat > x.conf <<E\n[Service]\nEnvironment=OMP_NUM_THREADS=4\nE\n"
    assert told(text, tmp_path) == []
    installed = f"{text}sudo install -D -m 644 x.conf {DROP_IN}"
    assert told(installed, tmp_path) == [(4, "HW121")]
    assert told(f"{text}cp x.conf {Path(DROP_IN).parent}/", tmp_path) == [(4, "HW121")]


def test_what_is_added_behind_a_unit_is_below_its_last_section(tmp_path: Path) -> None:
    text = f"{HEAD}echo 'Environment=OLLAMA_DEBUG=1' | sudo tee -a {UNIT}\n"
    assert told(text, tmp_path) == [(2, "HW520")]


def test_branches_that_write_the_same_do_not_overrule_each_other(tmp_path: Path) -> None:
    first = f"echo '[Service]' > {DROP_IN}\n"
    one, other = (
        f"echo Environment=OLLAMA_HOST=127.0.0.1:{port} >> {DROP_IN}" for port in (8001, 8002)
    )
    text = f"{HEAD}{first}if a; then\n{one}\nelse\n{other}\nfi\n"
    assert told(text, tmp_path) == []


TASK = "- hosts: a\n  become: true\n  tasks:\n    - {module}:\n        path: {path}\n"


@pytest.mark.parametrize(
    ("module", "rest", "found"),
    [
        ("lineinfile", "insertafter: '^\\[Service\\]'\nline: Environment=OLLAMA_DEBUG=1", "HW546"),
        ("ansible.builtin.lineinfile", "line: Environment=OLLAMA_DEBUG=1", "HW520"),
        ("blockinfile", "insertafter: User=\nblock: |\n  Environment=OLLAMA_DEBUG=1", "HW546"),
        ("ini_file", "section: Service\noption: Environment\nvalue: OLLAMA_DEBUG=1", "HW546"),
        ("lineinfile", "insertbefore: '[Install]'\nline: Environment=OLLAMA_DEBUG=1", "HW546"),
        ("lineinfile", "regexp: ^Environment=\nline: Environment=OLLAMA_DEBUG=1", "HW546"),
        ("lineinfile", "regexp: ^Environment=\nstate: absent", ""),
    ],
)
def test_tasks_that_change_a_unit(module: str, rest: str, found: str, tmp_path: Path) -> None:
    task = TASK.format(module=module, path=UNIT)
    text = task + "".join(f"        {line}\n" for line in rest.split("\n"))
    last = text.count("\n")
    assert told(text, tmp_path, "play.yml") == ([(last, found)] if found else [])


@pytest.mark.parametrize(
    ("line", "items"),
    [
        ("{{ item }}", ["Environment=OLLAMA_DEBUG=1", "Environment=OLLAMA_KEEP_ALIVE=1d"]),
        (
            "Environment={{ item.name }}={{ item['value'] }}",
            ["{name: OLLAMA_DEBUG, value: '1'}", "{name: OLLAMA_KEEP_ALIVE, value: 1d}"],
        ),
    ],
)
def test_tasks_that_change_a_unit_once_for_each_item(
    line: str, items: list[str], tmp_path: Path
) -> None:
    text = TASK.format(module="lineinfile", path=DROP_IN) + f'        line: "{line}"\n'
    text += "      loop:\n" + "".join(f"        - {item}\n" for item in items)
    assert told(text, tmp_path, "play.yml") == [(8, "HW546"), (9, "HW109")]


@pytest.mark.parametrize(
    "script",
    [
        f"{{ echo '[Service]'; echo \"Environment=$KV\"; }} > {DROP_IN}",
        f"cat > {DROP_IN} <<E\n[Service]\nEnvironment=$KV\nE",
        f'echo "$CONTENT" | sudo tee {DROP_IN}',
    ],
)
def test_what_only_a_variable_tells_is_not_judged(script: str, tmp_path: Path) -> None:
    path = tmp_path / "setup.sh"
    path.write_text(f"{HEAD}{script}\nollama list\n", encoding="utf-8")
    report = check(CheckRequest(paths=[str(path)]))
    assert [one.finding.rule for one in report.findings] == []
    assert report.not_judged == ()
