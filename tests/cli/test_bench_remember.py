"""`gen bench --remember` keeps figures beside a profile, and `gen fit` there says both."""

from pathlib import Path

import psutil
import pytest

from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.live.stub import Installed, Stub, serving

FEW = ("--requests", "2", "--output-tokens", "3", "--concurrency", "1")
MODEL = "llama3.1:8b"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile of the machine that this runs on, as far as a measurement tells it."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count()
    file = tmp_path / "host.toml"
    file.write_text(
        f'schema_version = 1\nname = "host"\nmodels = [{{ name = "{MODEL}" }}]\n'
        f"host = {{ memory = '32GiB', cpu = {{ cores = {cores} }} }}\n"
    )
    return file


def test_what_is_remembered_is_said_beside_the_estimate(profile: Path) -> None:
    with serving(Stub([Installed(MODEL)], token_seconds=0.01)) as stub:
        ask = ("bench", str(profile), "--url", stub.url, *FEW, "--remember")
        first, again = called(*ask), called(*ask)
    kept = profile.with_name("host.measured.json")
    assert (first.returncode, again.returncode) == (0, 0)
    assert f"remembered in {kept}: {MODEL} " in first.stderr
    assert "before: " not in first.stderr
    assert "before: " in again.stderr
    text = called("fit", str(profile), "-m", MODEL).stdout
    assert "Measured here: llama3.1:8b" in text.replace("\n", " ")
    assert "Measured in memory" in text
    found = validated("fit", called("fit", str(profile), "-m", MODEL, "--json").stdout)
    (fit,) = found["models"]
    assert fit["corrected"]["own"]
    assert fit["corrected"]["by"][0]["slots"] == fit["load"]["slots"]
    alone = validated(
        "fit", called("fit", str(profile), "-m", MODEL, "--no-measured", "--json").stdout
    )
    assert alone["models"][0]["corrected"] is None


def test_nothing_is_written_that_was_not_asked_for(profile: Path) -> None:
    with serving(Stub([Installed(MODEL)])) as stub:
        assert called("bench", str(profile), "--url", stub.url, *FEW).returncode == 0
    assert [file.name for file in profile.parent.iterdir()] == ["host.toml"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("-m", MODEL), "none is named by its file"),
        (("-",), "none is named by its file"),
        (("xeon-cpu",), "`xeon-cpu` is shipped"),
        (("x/y.toml", "--concurrency", "2"), "no load is that"),
        (("x/y.toml", "--rate", "2"), "no load is that"),
    ],
)
def test_what_has_no_place_beside_a_profile(args: tuple[str, ...], message: str) -> None:
    done = called("bench", *args, "--remember", "--url", "http://127.0.0.1:9")
    assert (done.returncode, message in done.stderr) == (2, True)


def test_another_machine_is_not_remembered(profile: Path) -> None:
    text = profile.read_text()
    profile.write_text(text.replace("cores = ", "cores = 1"))
    with serving(Stub([Installed(MODEL)])) as stub:
        done = called("bench", str(profile), "--url", stub.url, *FEW, "--remember")
    assert done.returncode == 2
    assert "not remembered: the server is on" in done.stderr
    assert not profile.with_name("host.measured.json").exists()


def test_a_file_that_nobody_here_wrote_stays(profile: Path) -> None:
    kept = profile.with_name("host.measured.json")
    kept.write_text("{}")
    with serving(Stub([Installed(MODEL)])) as stub:
        done = called("bench", str(profile), "--url", stub.url, *FEW, "--remember")
    assert (done.returncode, kept.read_text()) == (2, "{}")
    done = called("fit", str(profile))
    assert (done.returncode, "--remember" in done.stderr) == (2, True)
    assert called("fit", str(profile), "--no-measured").returncode == 0
