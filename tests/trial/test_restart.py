"""Starting a server anew by a command, and putting it back whatever happens."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from generator.errors import EnvironmentFailure, HostwrightError
from generator.trial.choice import Change
from generator.trial.restart import Restarter, put_back
from generator.trial.ways import by_command, by_compose, by_systemd
from tests.live.stub import Stub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOUR = Change(variables=(("OLLAMA_NUM_PARALLEL", "4"), ("OLLAMA_DEBUG", None)))
RECORD = """\
#!/bin/sh
echo "$(cat $HOSTWRIGHT_TRIAL) ${OLLAMA_NUM_PARALLEL-none}" >> "$1"
"""


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving(Stub()) as running:
        yield running


@pytest.fixture
def told(tmp_path: Path) -> Path:
    return tmp_path / "told"


def recording(told: Path) -> str:
    script = told.with_name("restart.sh")
    script.write_text(RECORD)
    script.chmod(0o755)
    return f"{script} {told}"


def lines(told: Path) -> list[str]:
    return told.read_text().splitlines()


def test_the_command_gets_file_and_variables_and_at_the_end_neither(stub: Stub, told: Path) -> None:
    restarter = Restarter(by_command(recording(told)), stub.url)
    with put_back(restarter.restore):
        restarter.apply(FOUR, 30)
        assert lines(told) == ["OLLAMA_NUM_PARALLEL=4 4"]
    assert lines(told)[1:] == [" none"]
    assert not restarter.way.file.parent.exists()
    assert restarter.remarks == ["nobody here may see whether the server got the variables"]


def test_what_was_never_changed_is_not_put_back(stub: Stub, told: Path) -> None:
    restarter = Restarter(by_command(recording(told)), stub.url)
    with put_back(restarter.restore):
        pass
    assert not told.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_it_is_put_back(stub: Stub, told: Path, number: int) -> None:
    restarter = Restarter(by_command(recording(told)), stub.url)
    before = signal.getsignal(number)

    def undo() -> None:
        os.kill(os.getpid(), number)  # somebody is impatient
        restarter.restore()

    def interrupted() -> None:
        with put_back(undo):
            restarter.apply(FOUR, 30)
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert lines(told)[-1] == " none"
    assert signal.getsignal(number) == before


def test_a_failure_of_the_command_is_told_with_what_it_says(stub: Stub) -> None:
    restarter = Restarter(by_command("sh -c 'echo no such unit >&2; exit 5'"), stub.url)
    with pytest.raises(EnvironmentFailure, match="failed with 5: no such unit"):
        restarter.apply(FOUR, 30)
    with pytest.raises(EnvironmentFailure, match="not put back as it was") as error:
        restarter.restore()
    assert str(restarter.way.file) in error.value.hint
    restarter.way.file.unlink()
    restarter.way.file.parent.rmdir()


def test_a_server_that_stays_away_is_told_in_time(told: Path) -> None:
    restarter = Restarter(by_command(recording(told)), "http://127.0.0.1:9")
    with pytest.raises(EnvironmentFailure, match="started anew, but cannot reach"):
        restarter.apply(FOUR, 0.5)
    restarter.way.file.unlink()
    restarter.way.file.parent.rmdir()


def test_a_server_that_did_not_get_it_is_no_success(stub: Stub, told: Path) -> None:
    """Two servers of this machine, and neither has what was asked for."""
    got = [{"OLLAMA_NUM_PARALLEL": "2"}, {"OLLAMA_NUM_PARALLEL": "4", "OLLAMA_DEBUG": "1"}]
    restarter = Restarter(by_command(recording(told)), stub.url, lambda: got)
    with pytest.raises(EnvironmentFailure, match="anew without OLLAMA_NUM_PARALLEL=4"):
        restarter.apply(FOUR, 0.5)
    got.append({"OLLAMA_NUM_PARALLEL": "4"})
    restarter.apply(FOUR, 30)
    restarter.restore()


def test_the_drop_in_of_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: Stub
) -> None:
    """A systemctl of our own, which tells what there was when it was called."""
    folder, calls = tmp_path / "run", tmp_path / "calls"
    folder.mkdir()
    (tmp_path / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" $(ls {folder}/ollama.service.d) >> {calls}\n'
    )
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    restarter = Restarter(by_systemd("ollama.service", folder), stub.url)
    change = Change(variables=FOUR.variables, limits=(("CPUQuota", "400%"), ("MemoryMax", None)))
    with put_back(restarter.restore):
        restarter.apply(change, 30)
        text = (folder / "ollama.service.d/zz-hostwright-trial.conf").read_text()
    assert text == (
        "# For the time of a trial of gen, which takes it away again.\n\n[Service]\n"
        'Environment="OLLAMA_NUM_PARALLEL=4"\nUnsetEnvironment=OLLAMA_DEBUG\n'
        "CPUQuota=400%\nMemoryMax=\n"
    )
    three = ("daemon-reload", "reset-failed ollama.service", "restart ollama.service")
    there = [f"{each} zz-hostwright-trial.conf" for each in three]
    assert calls.read_text().splitlines() == [*there, *three]
    assert not any(folder.iterdir())


def test_two_trials_at_once_are_refused(tmp_path: Path, stub: Stub) -> None:
    drop_in = tmp_path / "ollama.service.d" / "zz-hostwright-trial.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("of another")
    restarter = Restarter(by_systemd("ollama.service", tmp_path), stub.url)
    with pytest.raises(EnvironmentFailure, match="another trial is under way") as error:
        restarter.apply(FOUR, 30)
    assert "systemctl daemon-reload && systemctl reset-failed" in error.value.hint
    restarter.restore()
    assert drop_in.read_text() == "of another"


def test_the_file_over_a_compose_file(tmp_path: Path) -> None:
    way = by_compose(tmp_path / "compose.yaml", "ollama")
    text = way.text(Change(variables=(("OLLAMA_ORIGINS", "a$b"),)))
    assert text.splitlines()[1:] == [
        "services:", "  ollama:", "    environment:", '      OLLAMA_ORIGINS: "a$$b"',
    ]  # fmt: skip
    laid, own = str(way.file), str(tmp_path / "compose.yaml")
    up = ("up", "--detach", "--no-deps", "ollama")
    assert way.begin == (("docker", "compose", "-f", own, "-f", laid, *up),)
    assert way.end == (("docker", "compose", "-f", own, *up),)
    for change in (FOUR, Change(limits=(("CPUQuota", "400%"),))):
        with pytest.raises(HostwrightError):
            way.text(change)


def test_a_value_that_a_line_cannot_carry_is_refused() -> None:
    with pytest.raises(HostwrightError, match="OLLAMA_ORIGINS: a line cannot carry"):
        by_command("true").text(Change(variables=(("OLLAMA_ORIGINS", "a\nLD_PRELOAD=x"),)))


@pytest.mark.parametrize("unit", ["../evil.service", "a b.service", "ollama", ""])
def test_what_is_no_unit_makes_no_folder(unit: str) -> None:
    with pytest.raises(HostwrightError, match="is no unit"):
        by_systemd(unit)


@pytest.mark.parametrize("command", ["", "'open"])
def test_what_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(HostwrightError):
        by_command(command)


def test_in_another_thread_signals_stay_as_they_are() -> None:
    done: list[str] = []

    def work() -> None:
        with put_back(lambda: done.append("undone")):
            done.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["done", "undone"]


def test_two_signals_at_once_end_it_once(stub: Stub, told: Path) -> None:
    """The second comes before anything is undone."""
    restarter = Restarter(by_command(recording(told)), stub.url)
    two = {signal.SIGINT, signal.SIGTERM}

    def interrupted() -> None:
        with put_back(restarter.restore):
            restarter.apply(FOUR, 30)
            signal.pthread_sigmask(signal.SIG_BLOCK, two)
            for number in two:
                os.kill(os.getpid(), number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, two)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert lines(told)[-1] == " none"
