"""The README: its commands are commands, its host is a host, what it shows is printed."""

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from generator.cli import gen
from tests.commands import called
from tools import readme, terminal_picture

ROOT = Path(__file__).parent.parent
TYPED = [line for fence in readme.fences("sh") for line in fence.splitlines()]
GEN = [line for line in TYPED if line.startswith("gen ")]
# These ask a server that runs; that they are understood is seen without one.
ASK_A_SERVER = {"verify", "doctor", "warmup", "bench", "tune"}


def words(line: str) -> list[str]:
    return shlex.split(line, comments=True)[1:]


def test_the_readme_has_the_commands_of_a_first_minute() -> None:
    assert {line.split()[1] for line in GEN} >= {"detect", "fit", "show", "import", "verify"}
    assert any(line.startswith("pipx uninstall hostwright") for line in TYPED)


@pytest.mark.parametrize("line", GEN)
def test_a_command_is_understood(line: str) -> None:
    context = gen.make_context("gen", words(line))
    name, command, args = gen.resolve_command(context, [*context._protected_args, *context.args])
    assert isinstance(command, click.Command)
    command.make_context(name, args, parent=context)


def test_the_commands_do_what_they_say_one_after_the_other(tmp_path: Path) -> None:
    drop_ins = tmp_path / "ollama.service.d"
    drop_ins.mkdir()
    (drop_ins / "override.conf").write_text(readme.OVERRIDE)
    for line in GEN:
        here = line.replace("/etc/systemd/system", str(tmp_path))
        name = words(line)[0]
        if name in ASK_A_SERVER:
            continue
        done = called(*words(here), cwd=tmp_path)
        # A machine without a GPU fits less, and `1d` of that drop-in cannot be carried over.
        assert done.returncode in ({0, 1} if name in {"fit", "import"} else {0}), done.stderr
        if name == "detect":
            (tmp_path / "my-host.toml").write_text(readme.profile())
    for path in re.findall(r"\b(?:out|managed)/[\w./-]+\.(?:yaml|nix|sh)", "\n".join(TYPED)):
        assert (tmp_path / path).is_file(), path


def test_what_it_shows_is_what_is_printed(tmp_path: Path) -> None:
    shown = next(text for text in readme.fences("") if text.startswith("$ gen check "))
    command, _, expected = shown.partition("\n")
    folder = tmp_path / "ollama.service.d"
    folder.mkdir()
    (folder / "override.conf").write_text(readme.OVERRIDE)
    args = words(command.removeprefix("$ ").replace("/etc/systemd/system", str(tmp_path)))
    printed = called(*args, env={"NO_COLOR": "1"}).stdout
    assert printed.replace(str(tmp_path), "/etc/systemd/system") == expected


def test_the_picture_is_of_a_terminal() -> None:
    (text,) = terminal_picture.files().values()
    root = ElementTree.fromstring(text)  # noqa: S314 -- our own
    texts = [item.text or "" for item in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "gen fit my-host.toml --model qwen3:14b" in texts
    assert any(one.startswith(": all layers on GPUs") for one in texts)
    assert not [one for one in texts if "\x1b" in one]
    assert "docs/terminal.svg" in readme.FILE.read_text(encoding="utf-8")
