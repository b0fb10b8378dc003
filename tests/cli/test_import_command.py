"""`gen import`: exit codes, files, what is said where."""

import json
from pathlib import Path

import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import called

FINE = "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\n"
LOSSY = "[Service]\nEnvironment=OLLAMA_NUM_PARALLEL=4\nProtectHome=yes\nEnvironment=HF_TOKEN=hf_x\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with drop-ins."""
    for name, text in (("fine", FINE), ("lossy", LOSSY)):
        (tmp_path / name / "ollama.service.d").mkdir(parents=True)
        (tmp_path / name / "ollama.service.d/override.conf").write_text(text)
    return tmp_path


def test_a_profile_goes_to_stdout_and_talk_to_stderr(folder: Path) -> None:
    done = called("import", "fine", cwd=folder)
    assert done.returncode == 0
    assert "# from fine/ollama.service.d/override.conf:2\nnum_parallel = 4\n" in done.stdout
    assert "1 setting carried over, 0 not, 0 without a loss" in done.stderr


def test_what_is_lost_is_said_and_makes_the_exit_code_1(folder: Path) -> None:
    done = called("import", "lossy", "-o", "host.toml", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    place = "lossy/ollama.service.d/override.conf"
    assert f"not carried over: {place}:3: ProtectHome=yes: no key of a profile" in done.stderr
    assert "hf_x" not in done.stderr
    assert "hint: gen check host.toml; gen host.toml -t systemd -o out" in done.stderr
    assert "num_parallel = 4" in (folder / "host.toml").read_text()
    assert called("check", "host.toml", cwd=folder).returncode == 0


def test_a_file_that_is_there_stays(folder: Path) -> None:
    (folder / "host.toml").write_text("mine")
    done = called("import", "fine", "-o", "host.toml", cwd=folder)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (folder / "host.toml").read_text() == "mine"
    assert called("import", "fine", "-o", "host.toml", "--force", cwd=folder).returncode == 0


def test_json_is_what_its_schema_says(folder: Path) -> None:
    done = called("import", "lossy", "--json", cwd=folder)
    found = validated("import", done.stdout)
    assert [(one["key"], one["value"]) for one in found["carried"]] == [("ollama.num_parallel", 4)]
    assert {one["setting"]: one["value"] for one in found["left"]} == {
        "ProtectHome": "yes",
        "HF_TOKEN": "",
    }
    assert found["retire"] == ["lossy/ollama.service.d/override.conf"]


def test_stdin_is_a_file_by_its_name(folder: Path) -> None:
    done = called("import", "-", "--stdin-name", "ollama.service", stdin=FINE, cwd=folder)
    assert done.returncode == 0
    assert "# from ollama.service:2\nnum_parallel = 4" in done.stdout


def test_the_machine_is_told_by_options(folder: Path) -> None:
    done = called("import", "fine", "--ram", "64GiB", "--cores", "8", cwd=folder)
    assert '[host]\nmemory = "64GiB"' in done.stdout
    assert "added: MemoryMax=56G" in done.stderr
    assert "Missing:" not in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "nothing is named to import"),
        (("fine", "--here"), "--here stands for what is named"),
        (("fine", "--root", "/"), "--root says where --here is"),
        (("fine", "--name", "A b"), "is not a name"),
        (("fine", "--ollama-version", "x"), "--ollama-version"),
        (("missing.conf",), "there is no such file"),
        (("fine", "--service", "other"), "there is no service `other`"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(
    args: tuple[str, ...], said: str, folder: Path
) -> None:
    done = called("import", *args, "-o", "host.toml", cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "host.toml").exists()


def test_an_error_is_json_too(folder: Path) -> None:
    done = called("import", "missing.conf", "--json", cwd=folder)
    assert json.loads(done.stdout or done.stderr)["exit_code"] == 2


def test_escapes_of_a_file_do_not_reach_the_screen(folder: Path) -> None:
    text = "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=\x1b[31m5x\nX=\x1b]0;title\x07\n"
    done = called("import", "-", "--stdin-name", "ollama.service", stdin=text, cwd=folder)
    assert "\x1b" not in done.stdout + done.stderr


def test_here_is_a_machine_with_what_it_is(folder: Path) -> None:
    root = Path(__file__).parents[1] / "verify/machines/overridden"
    done = called("import", "--here", "--root", str(root), "--ram", "64GiB", cwd=folder)
    assert done.returncode == 1
    assert "host = " in done.stdout
    assert 'memory = "64GiB"' in done.stdout
    assert "HOME=/root" in done.stderr
