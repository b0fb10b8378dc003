"""Profiles as they are read: files, `extends`, what no profile can hold."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.errors import EnvironmentFailure, HostwrightError, ProfileError
from generator.profiles.load import load_profile
from tests.profiles.bad import HEAD, problems


def test_extends_merges_tables_and_replaces_arrays(file: Path) -> None:
    file.write_text(
        HEAD
        + """
        extends = "xeon-cpu"
        [ollama]
        num_parallel = 2
        [[models]]
        name = "llama3.2:3b"
        """.replace("        ", "")
    )
    profile = load_profile(str(file))
    assert profile.name == "mine"
    assert profile.ollama.num_parallel == 2
    assert profile.ollama.context_length == 8192
    assert [model.name for model in profile.models] == ["llama3.2:3b"]


def test_a_circle_of_extends_is_told(file: Path) -> None:
    file.write_text(HEAD + 'extends = "./other.toml"\n')
    file.with_name("other.toml").write_text(HEAD + 'extends = "./mine.toml"\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert "extend each other" in caught.value.problems[0].message


def test_a_missing_parent_names_who_asked_for_it(file: Path) -> None:
    file.write_text(HEAD + 'extends = "xeon-cpuu"\n')
    with pytest.raises(HostwrightError) as caught:
        load_profile(str(file))
    assert caught.value.message == f"there is no profile `xeon-cpuu`, which {file} extends"
    assert "did you mean `xeon-cpu`?" in caught.value.hint


def test_a_missing_profile_lists_the_known_ones() -> None:
    with pytest.raises(HostwrightError) as caught:
        load_profile("nope")
    assert caught.value.exit_code == 2
    for name in ("container-dev", "dgx-spark", "dual-pascal", "xeon-cpu"):
        assert name in caught.value.hint


def test_toml_syntax_is_told_with_line_and_column(file: Path) -> None:
    file.write_text('schema_version = 1\nname = "x\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert caught.value.problems[0].where == "line 2, column 10"


def test_a_file_that_is_not_utf8_is_told(file: Path) -> None:
    file.write_bytes(b'name = "\xff"\n')
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert caught.value.problems[0].message == "this is not UTF-8"


def test_a_directory_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(HostwrightError):
        load_profile(f"{tmp_path}/")


@pytest.mark.parametrize("name", ["/", "/dev/null"])
def test_what_is_no_regular_file_is_no_profile(name: str) -> None:
    with pytest.raises(HostwrightError) as caught:
        load_profile(name)
    assert caught.value.message == f"`{name}` is not a regular file"


@pytest.mark.parametrize(
    "name", ["~nouser/x.toml", "./" + "a" * 5000 + ".toml", "./a\0.toml", "./\udcff.toml"]
)
def test_a_path_that_cannot_be_is_a_missing_profile(name: str) -> None:
    with pytest.raises(HostwrightError, match="there is no profile") as caught:
        load_profile(name)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("extended", [False, True])
def test_an_unreadable_directory_is_the_environments_fault(
    file: Path, extended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(HEAD + 'extends = "./closed/base.toml"\n')
    real = Path.stat

    def stat(path: Path, **more: Any) -> os.stat_result:
        if "closed" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, **more)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(EnvironmentFailure, match=r"cannot read .*base\.toml: Permission denied"):
        load_profile(str(file) if extended else str(file.with_name("closed") / "base.toml"))


LARGE = "9" * 5000


DEEP = "[" * 5000 + "]" * 5000


DOTTED = "a." * 5000 + "a"


@pytest.mark.parametrize(
    "text",
    [
        f"a = {LARGE}",
        f"a = 0x{LARGE}",
        f"a = {DEEP}",
        f"a = {DEEP[4700:5300]}",
        f"{DOTTED} = 1",
        f"[{DOTTED}]",
        "a = " + "{ a = " * 5000 + "1" + " }" * 5000,
    ],
    ids=lambda text: text[:8],
)
def test_what_no_profile_can_hold_is_told(file: Path, text: str) -> None:
    (problem,) = problems(file, text).values()
    assert problem.message in {
        "a whole number does not fit into 64 bits",
        "tables or arrays are nested too deeply",
    }


def test_a_number_is_told_also_where_python_takes_few_digits(file: Path) -> None:
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(sys.int_info.str_digits_check_threshold)
    try:
        (problem,) = problems(file, f"ollama.port = {LARGE[:700]}").values()
    finally:
        sys.set_int_max_str_digits(most)
    assert problem.message == "a whole number does not fit into 64 bits"


@pytest.mark.parametrize(
    "flag",
    [
        f"resources.nice={LARGE}",
        f"resources.nice=0x{LARGE}",
        f"resources.nice={DEEP}",
        f"{DOTTED}=1",
        f"models.{LARGE}.name=x",
        f"description.{LARGE}=x",
        "description=\udcff",
        "threads.count=8\nname='x'",
        "extends=xeon-cpu",
        "extends.a=1",
    ],
    ids=lambda flag: flag[:16],
)
def test_no_flag_is_a_traceback_or_fills_the_screen(flag: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("xeon-cpu", [flag])
    (problem,) = caught.value.problems
    assert "--set" in {caught.value.source, problem.source}
    assert problem.hint
    assert max(map(len, (problem.where, problem.message, problem.hint))) < 120


def test_a_byte_order_mark_is_told(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    (problem,) = caught.value.problems
    assert problem.message == "this file starts with a byte order mark"
    assert problem.hint == "save it as UTF-8 without BOM"


def test_an_unreadable_file_is_the_environments_fault(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(HEAD)

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(EnvironmentFailure, match="Permission denied"):
        load_profile(str(file))
