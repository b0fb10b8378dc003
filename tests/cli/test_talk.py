"""What people read: tables, colours, messages."""

from pathlib import Path

import click
import pytest

from generator.cli import talk
from generator.cli.talk import report
from generator.errors import Finding, HostwrightError, Problem, ProfileError
from tests.commands import process, run
from tests.plans import PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_tables_fit_80_columns(name: str) -> None:
    for args in (("show", name), ("list",)):
        result = run(*args)
        assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize("name", PROFILES)
def test_tables_fit_a_narrow_terminal(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "width", lambda: 40)
    for args in (("show", name), ("list",)):
        title = f"{name} · "  # one for each server
        lines = [x for x in run(*args).stdout.splitlines()[1:] if not x.startswith(title)]
        assert max(map(len, lines)) <= 40


def test_colour_takes_no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(talk, "say", said.append)
    finding = Finding(rule="HW999", severity="warning", message="word " * 40, where="a.b")
    talk.print_findings([finding])
    assert said[0].startswith("\x1b[")
    lines = click.unstyle(said[0]).splitlines()
    assert lines[0].startswith("warning: HW999 a.b: word")
    assert all(75 < len(line) <= 80 for line in lines[:-1])


def test_a_value_cannot_forge_a_line_of_a_message() -> None:
    result = process("--profile", "a\nerror: forged")
    assert "\nerror: forged" not in result.stderr
    assert "a\\x0aerror: forged" in result.stderr


def test_a_semicolon_of_the_users_is_no_hint() -> None:
    result = process("--profile", "xeon-cpu", "--set", 'models=[{name="a; b"}]')
    assert "`a; b` is not a model name\n" in result.stderr


def test_colour_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    report(HostwrightError("it broke", hint="mend it"))
    assert capsys.readouterr().err == "error: it broke\nhint: mend it\n"


@pytest.mark.parametrize(
    "error",
    [
        HostwrightError(f"there is no profile `{'x' * 5000}`"),
        ProfileError("a.toml", (Problem("a", f"`{'x' * 5000}` is bad", f"not `{'x' * 5000}`"),)),
    ],
)
def test_no_message_fills_the_screen(
    error: HostwrightError, capsys: pytest.CaptureFixture[str]
) -> None:
    report(error)
    told = capsys.readouterr().err
    assert "xxx…`" in told
    assert max(map(len, told.splitlines())) < 100


def test_problems_come_in_the_order_of_the_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[b]\ny = 1\nx = 2\n[a]\nz = 3\n", encoding="utf-8")
    wheres = ("a.z", "b.x", "b.y")
    report(ProfileError(str(file), tuple(Problem(where, "m", "h") for where in wheres)))
    told = [line for line in capsys.readouterr().err.splitlines() if ": m" in line]
    assert [line.rpartition(".toml:")[2] for line in told] == [
        "2: b.y: m",
        "3: b.x: m",
        "5: a.z: m",
    ]
