"""One grammar for every command: how a profile is named, and what was meant by a mistyped word."""

import click
import pytest
from click.testing import CliRunner

from generator.cli import COMMANDS, gen
from tests.commands import called, run

TAKE_A_PROFILE = ("render", "show", "plan", "fit", "check")


@pytest.mark.parametrize("verb", TAKE_A_PROFILE)
def test_a_profile_is_the_argument_or_an_option(verb: str) -> None:
    argument = run(verb, "dual-pascal")
    assert argument.stdout
    for option in ("-p", "--profile"):
        assert run(verb, option, "dual-pascal").stdout == argument.stdout


def test_what_is_no_command_but_a_profile_is_rendered(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    rendered = run("render", "xeon-cpu").stdout
    assert run("xeon-cpu").stdout == rendered
    assert run("xeon-cpu", "-t", "nixos").stdout == rendered
    assert run("-t", "nixos", "xeon-cpu").stdout == rendered
    told = called("./mine.toml").stderr
    assert told.startswith("error: there is no profile `./mine.toml`\n")
    assert "no file is there: `gen detect -o FILE.toml` writes one" in told


def test_a_profile_without_its_suffix_is_guessed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    here = tmp_path_factory.mktemp("here")
    (here / "mine.toml").write_text('schema_version = 1\nname = "mine"\n')
    done = called("show", "mine", cwd=here)
    assert done.returncode == 2
    assert "hint: did you mean `mine.toml`? shipped are " in done.stderr


@pytest.mark.parametrize(
    ("args", "message", "meant"),
    [
        (("detct",), "there is no command or profile `detct`", "`detect`"),
        (("xeno-cpu",), "there is no command or profile `xeno-cpu`", "`xeon-cpu`"),
        (("show", "xeno-cpu"), "there is no profile `xeno-cpu`", "`xeon-cpu`"),
        (("show", "xeon-cpu", "--stricd"), "there is no option `--stricd`", "`--strict`"),
        (("--profil", "xeon-cpu"), "there is no option `--profil`", "`--profile`"),
        (("--versio",), "there is no option `--versio`", "`--version`"),
        (("--ollama-versio", "0.9"), "there is no option `--ollama-versio`", "`--ollama-version`"),
        (("check", "--versio"), "there is no option `--versio`", "`--ollama-version`"),
    ],
)
def test_a_mistyped_word_is_guessed(args: tuple[str, ...], message: str, meant: str) -> None:
    done = called(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    error, hint = done.stderr.splitlines()[:2]
    assert error.startswith(f"error: {message}")
    assert hint.startswith("hint: did you mean ")
    assert meant in hint


def test_a_word_like_nothing_is_told_where_the_words_are() -> None:
    done = called("frobnicate")
    assert done.returncode == 2
    assert "did you mean" not in done.stderr
    assert "hint: `gen --help` lists the commands, `gen list` the profiles" in done.stderr


def test_the_help_has_every_command_once_a_newcomers_first() -> None:
    lines = run("--help").output.splitlines()
    verbs = [line.split()[0] for line in lines if line[2:].split("  ")[0] in COMMANDS]
    assert sorted(verbs) == sorted(COMMANDS)
    assert verbs[:4] == ["list", "init", "detect", "import"]


@pytest.mark.parametrize("flag", ["--diff", "--check", "--force"])
def test_flags_about_files_need_a_directory(flag: str) -> None:
    result = called("--profile", "xeon-cpu", flag)
    assert result.returncode == 2
    assert "-o DIR" in result.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("-o", "out"), "no profile is named"),
        (("-t", "compose"), "no profile is named"),
        (("--strict",), "no profile is named"),
        (("show",), "no profile is named"),
        (("plan", "a", "-p", "b"), "two profiles are named: `a` and --profile `b`"),
        (("xeon-cpu", "--profile", "b"), "two profiles are named: `xeon-cpu` and --profile `b`"),
        (("-t", "compose", "list"), "`list` is a command, no profile"),
        (("--profile", "xeon-cpu", "render"), "`render` is a command, no profile"),
        (("--profile", "xeon-cpu", "-o", ""), "--output is empty"),
        (("--profile", "xeon-cpu", "-o", "-", "--check"), "--check is about files"),
        (("--profile", "xeon-cpu", "--ollama-version", ""), "--ollama-version is empty"),
        (("plan", "xeon-cpu", "--ollama-version", ""), "--ollama-version is empty"),
        (("fit", "-", "--gguf", "-"), "`-` stands twice"),
        (("check", "-", "--host", "-"), "`-` stands twice"),
        (("detect", "--like", "-"), "--like names what the profile extends"),
        (("show", "xeon-cpu", "--toml", "--json"), "exclude each other"),
    ],
)
def test_options_that_lead_nowhere_are_bad_usage(args: tuple[str, ...], told: str) -> None:
    with pytest.raises(click.UsageError, match=told):
        CliRunner().invoke(gen, args, standalone_mode=False, catch_exceptions=False)
